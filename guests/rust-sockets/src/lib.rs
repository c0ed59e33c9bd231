//! A component that exports `wasi:http/incoming-handler` and answers with what
//! `wasi:sockets` gave it. README.md lists the paths.
//!
//! A failure of a socket is an answer too: the function's name and the case of
//! its error.

use wasi::http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};
use wasi::io::streams::StreamError;
use wasi::sockets::network::{ErrorCode, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress};
use wasi::sockets::{
    instance_network::instance_network, ip_name_lookup::resolve_addresses,
    tcp_create_socket::create_tcp_socket, udp::OutgoingDatagram,
    udp_create_socket::create_udp_socket,
};

struct Handler;

wasi::http::proxy::export!(Handler);

impl wasi::exports::http::incoming_handler::Guest for Handler {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let target = request.path_with_query().unwrap_or_default();
        let (path, query) = exchange::split(&target);
        let path = &path[path.rfind('/').unwrap_or_default()..];
        let port = query.parse().unwrap_or(0);
        let answer = match path {
            "/tcp" => tcp(port),
            "/listen" => listen(),
            "/udp" => udp(port),
            "/lookup" => lookup(query),
            "/leak" => leak(port),
            _ => Err("no such path".into()),
        };
        let response = OutgoingResponse::new(Fields::new());
        let body = response.body().unwrap();
        ResponseOutparam::set(out, Ok(response));
        let text = answer.unwrap_or_else(|failure| failure);
        let stream = body.write().unwrap();
        stream.blocking_write_and_flush(text.as_bytes()).unwrap();
        drop(stream);
        OutgoingBody::finish(body, None).unwrap();
    }
}

type Answer = Result<String, String>;

/// Names the function that failed.
fn at(function: &str) -> impl Fn(ErrorCode) -> String + '_ {
    move |code| format!("{function}: {}", code.name())
}

fn loopback(port: u16) -> IpSocketAddress {
    IpSocketAddress::Ipv4(Ipv4SocketAddress {
        port,
        address: (127, 0, 0, 1),
    })
}

/// Sends `ping` to a port of loopback and returns what comes back until the end.
fn tcp(port: u16) -> Answer {
    let socket = create_tcp_socket(IpAddressFamily::Ipv4).map_err(at("create-tcp-socket"))?;
    let remote = loopback(port);
    socket
        .start_connect(&instance_network(), remote)
        .map_err(at("start-connect"))?;
    let ready = socket.subscribe();
    let (input, output) = loop {
        match socket.finish_connect() {
            Err(ErrorCode::WouldBlock) => ready.block(),
            other => break other.map_err(at("finish-connect"))?,
        }
    };
    output
        .blocking_write_and_flush(b"ping")
        .map_err(|e| format!("write: {e}"))?;
    let mut got = Vec::new();
    loop {
        match input.blocking_read(100) {
            Ok(bytes) => got.extend(bytes),
            Err(StreamError::Closed) => break,
            Err(e) => return Err(format!("read: {e}")),
        }
    }
    String::from_utf8(got).map_err(|e| e.to_string())
}

/// Accepts a connection that it made itself, and sends a word through it.
fn listen() -> Answer {
    let network = instance_network();
    let listener = create_tcp_socket(IpAddressFamily::Ipv4).map_err(at("create-tcp-socket"))?;
    listener
        .start_bind(&network, loopback(0))
        .map_err(at("start-bind"))?;
    listener.finish_bind().map_err(at("finish-bind"))?;
    listener.start_listen().map_err(at("start-listen"))?;
    listener.finish_listen().map_err(at("finish-listen"))?;
    let address = listener.local_address().map_err(at("local-address"))?;

    let client = create_tcp_socket(IpAddressFamily::Ipv4).map_err(at("create-tcp-socket"))?;
    client
        .start_connect(&network, address)
        .map_err(at("start-connect"))?;
    client.subscribe().block();
    let (_input, output) = client.finish_connect().map_err(at("finish-connect"))?;
    listener.subscribe().block();
    let (_server, input, _output) = listener.accept().map_err(at("accept"))?;
    output
        .blocking_write_and_flush(b"through")
        .map_err(|e| format!("write: {e}"))?;
    let got = input.blocking_read(100).map_err(|e| format!("read: {e}"))?;
    Ok(String::from_utf8_lossy(&got).into_owned())
}

/// Sends `ping` to a port of loopback and returns the datagram that comes back.
fn udp(port: u16) -> Answer {
    let socket = create_udp_socket(IpAddressFamily::Ipv4).map_err(at("create-udp-socket"))?;
    socket
        .start_bind(&instance_network(), loopback(0))
        .map_err(at("start-bind"))?;
    socket.finish_bind().map_err(at("finish-bind"))?;
    let (input, output) = socket.stream(None).map_err(at("stream"))?;
    output.subscribe().block();
    output.check_send().map_err(at("check-send"))?;
    let ping = OutgoingDatagram {
        data: b"ping".to_vec(),
        remote_address: Some(loopback(port)),
    };
    output.send(&[ping]).map_err(at("send"))?;
    input.subscribe().block();
    let got = input.receive(1).map_err(at("receive"))?;
    Ok(String::from_utf8_lossy(&got[0].data).into_owned())
}

/// Returns how many addresses a name has.
fn lookup(name: &str) -> Answer {
    let stream = resolve_addresses(&instance_network(), name).map_err(at("resolve-addresses"))?;
    let ready = stream.subscribe();
    let mut n = 0;
    loop {
        match stream.resolve_next_address() {
            Ok(Some(_)) => n += 1,
            Ok(None) => return Ok(n.to_string()),
            Err(ErrorCode::WouldBlock) => ready.block(),
            Err(code) => return Err(at("resolve-next-address")(code)),
        }
    }
}

/// Connects and never lets go of the connection.
fn leak(port: u16) -> Answer {
    let socket = create_tcp_socket(IpAddressFamily::Ipv4).map_err(at("create-tcp-socket"))?;
    socket
        .start_connect(&instance_network(), loopback(port))
        .map_err(at("start-connect"))?;
    socket.subscribe().block();
    let streams = socket.finish_connect().map_err(at("finish-connect"))?;
    std::mem::forget((socket, streams));
    Ok("leaked".into())
}
