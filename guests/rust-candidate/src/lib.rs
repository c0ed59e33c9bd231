//! A component that speaks WASI 0.2.0-rc-2023-10-18 and does what has become
//! different since. README.md lists the paths.

wit_bindgen::generate!({ path: "../wit/candidate", world: "guest", generate_all });

use exports::wasi::http::incoming_handler::Guest;
use wasi::clocks::{monotonic_clock, wall_clock};
use wasi::http::types::{
    Error, Fields, IncomingBody, IncomingRequest, Method, OutgoingBody, OutgoingRequest,
    OutgoingResponse, RequestOptions, ResponseOutparam, Scheme, Trailers,
};
use wasi::io::poll::{poll_list, poll_one};
use wasi::io::streams::{OutputStream, StreamError};
use wasi::sockets::instance_network::instance_network;
use wasi::sockets::ip_name_lookup::resolve_addresses;
use wasi::sockets::network::{
    ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress,
};
use wasi::sockets::tcp_create_socket::create_tcp_socket;
use wasi::sockets::udp::Datagram;
use wasi::sockets::udp_create_socket::create_udp_socket;

struct Handler;

export!(Handler);

impl Guest for Handler {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let target = request.path_with_query().unwrap_or_default();
        let (path, query) = exchange::split(&target);
        let port = query.parse().unwrap_or(0);
        let answer = match path {
            "/forward" => return forward(&request, out),
            "/splice" => return splice(&request, query.parse().unwrap_or(1), out),
            "/trailers" => return trailers(&request, out),
            "/error" => return fail(query, out),
            "/exit" => exit(),
            "/bad-field" => bad_field(),
            "/bad-status" => bad_status(),
            "/request" => Ok(describe(&request)),
            "/fields" => Ok(fields()),
            "/get" => get(&request),
            "/clock" => clock(),
            "/random" => random(),
            "/cli" => Ok(cli()),
            "/file" => file(query).map_err(|code| code.name().into()),
            "/tcp" => tcp(port),
            "/udp" => udp(port),
            "/lookup" => lookup(query),
            _ => Err("no such path".into()),
        };
        let (body, sink) = head(200, out);
        let text = answer.unwrap_or_else(|failure| failure);
        sink.blocking_write_and_flush(text.as_bytes()).unwrap();
        drop(sink);
        OutgoingBody::finish(body, None);
    }
}

type Answer = Result<String, String>;

fn head(status: u16, out: ResponseOutparam) -> (OutgoingBody, OutputStream) {
    let headers = Fields::new(&[("kind".into(), b"candidate".to_vec())]);
    let response = OutgoingResponse::new(status, &headers);
    let body = response.write().unwrap();
    assert!(response.write().is_err(), "the body can be had twice");
    ResponseOutparam::set(out, Ok(response));
    let sink = body.write().unwrap();
    (body, sink)
}

/// Gives the body back by one call, and after it how many bytes there were.
fn forward(request: &IncomingRequest, out: ResponseOutparam) {
    let (body, sink) = head(200, out);
    let source = request.consume().unwrap();
    let n = sink.forward(source.stream().unwrap()).unwrap();
    sink.blocking_write_and_flush(format!(" {n}").as_bytes()).unwrap();
    drop(sink);
    OutgoingBody::finish(body, None);
}

/// Gives the first `n` bytes of the body back; the stream is gone with them.
fn splice(request: &IncomingRequest, n: u64, out: ResponseOutparam) {
    let (body, sink) = head(200, out);
    let source = request.consume().unwrap();
    sink.blocking_splice(source.stream().unwrap(), n).unwrap();
    sink.blocking_write_zeroes_and_flush(1).unwrap();
    drop(sink);
    OutgoingBody::finish(body, None);
}

/// Gives the request's trailers back, as trailers too.
fn trailers(request: &IncomingRequest, out: ResponseOutparam) {
    let source = request.consume().unwrap();
    let stream = source.stream().unwrap();
    while stream.blocking_skip(1000).is_ok() {}
    drop(stream);
    let future = IncomingBody::finish(source);
    poll_one(&future.subscribe());
    let got = future.get().unwrap().unwrap();
    let (body, sink) = head(200, out);
    for (name, value) in got.entries() {
        let line = format!("{name}: {}\n", String::from_utf8_lossy(&value));
        sink.blocking_write_and_flush(line.as_bytes()).unwrap();
    }
    drop(sink);
    OutgoingBody::finish(body, Some(Trailers::new(&got.entries())));
}

fn fail(query: &str, out: ResponseOutparam) {
    let text = "as asked".to_string();
    let error = match query {
        "url" => Error::InvalidUrl(text),
        "timeout" => Error::TimeoutError(text),
        "protocol" => Error::ProtocolError(text),
        _ => Error::UnexpectedError(text),
    };
    ResponseOutparam::set(out, Err(error));
}

fn exit() -> Answer {
    wasi::cli::exit::exit(Err(()));
    Err("went on".into())
}

/// Traps: in this version a field cannot be refused in another way.
fn bad_field() -> Answer {
    Fields::new(&[]).set("a b", &[b"c".to_vec()]);
    Err("went on".into())
}

fn bad_status() -> Answer {
    OutgoingResponse::new(1, &Fields::new(&[]));
    Err("went on".into())
}

fn describe(request: &IncomingRequest) -> String {
    let value = request.headers().get("x-one");
    format!(
        "{:?} {:?} {:?} {} {}",
        request.method(),
        request.scheme(),
        request.path_with_query(),
        request.authority().is_some(),
        String::from_utf8_lossy(&value.concat()),
    )
}

fn fields() -> String {
    let all = Fields::new(&[("a".into(), b"1".to_vec()), ("b".into(), b"2".to_vec())]);
    all.append("a", &b"3".to_vec());
    all.set("c", &[b"4".to_vec(), b"5".to_vec()]);
    let copy = all.clone();
    all.delete("a");
    let list = |f: &Fields| {
        let entries = f.entries().into_iter();
        let lines = entries.map(|(n, v)| format!("{n}{}", String::from_utf8_lossy(&v)));
        lines.collect::<Vec<_>>().join(" ")
    };
    format!("{}; {}; {}", list(&all), list(&copy), copy.get("a").len())
}

/// Sends a request to the URL in the header `to`, with the header `timeout` as
/// timeouts in milliseconds, and answers status, body and trailers.
fn get(request: &IncomingRequest) -> Answer {
    let header = |name: &str| request.headers().get(&name.to_string()).first().cloned();
    let to = String::from_utf8(header("to").unwrap_or_default()).unwrap();
    let rest = to.strip_prefix("http://").unwrap_or(&to);
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let outgoing = OutgoingRequest::new(
        &Method::Post,
        Some(path),
        Some(&Scheme::Http),
        Some(authority),
        &Fields::new(&[("x-one".into(), b"1".to_vec())]),
    );
    let body = outgoing.write().unwrap();
    let ms = header("timeout").map(|v| String::from_utf8(v).unwrap().parse().unwrap());
    let options = ms.map(|ms| RequestOptions {
        connect_timeout_ms: None,
        first_byte_timeout_ms: Some(ms),
        between_bytes_timeout_ms: Some(ms),
    });
    let future = match wasi::http::outgoing_handler::handle(outgoing, options) {
        Ok(future) => future,
        Err(error) => return Err(format!("at once {error:?}")),
    };
    if let Ok(sink) = body.write() {
        let _ = sink.blocking_write_and_flush(b"ping");
    }
    OutgoingBody::finish(body, None);
    poll_one(&future.subscribe());
    let response = future.get().unwrap().unwrap().map_err(|error| format!("{error:?}"))?;
    assert!(future.get().unwrap().is_err(), "the response can be had twice");
    let source = response.consume().unwrap();
    let stream = source.stream().unwrap();
    let mut got = Vec::new();
    loop {
        match stream.blocking_read(1000) {
            Ok(bytes) => got.extend(bytes),
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(e)) => return Err(e.to_debug_string()),
        }
    }
    drop(stream);
    let future = IncomingBody::finish(source);
    poll_one(&future.subscribe());
    let trailers = future.get().unwrap().map_err(|error| format!("{error:?}"))?;
    let names: Vec<_> = trailers.entries().into_iter().map(|(name, _)| name).collect();
    Ok(format!("{} {} {names:?}", response.status(), String::from_utf8_lossy(&got)))
}

fn clock() -> Answer {
    let start = monotonic_clock::now();
    let step = 5_000_000;
    poll_one(&monotonic_clock::subscribe(step, false));
    let after = monotonic_clock::now();
    let soon = monotonic_clock::subscribe(after + step, true);
    let late = monotonic_clock::subscribe(3_600_000_000_000, false);
    let past = monotonic_clock::subscribe(start, true);
    let ready = poll_list(&[&late, &soon, &past]);
    poll_one(&soon);
    let end = monotonic_clock::now();
    if after - start < step || end - after < step || ready != [2] {
        return Err(format!("{start} {after} {end} {ready:?}"));
    }
    if monotonic_clock::resolution() == 0 || wall_clock::resolution().nanoseconds == 0 {
        return Err("no resolution".into());
    }
    Ok(if wall_clock::now().seconds > 1_700_000_000 { "in time" } else { "long ago" }.into())
}

fn random() -> Answer {
    use wasi::random::{insecure, insecure_seed, random};
    let secure = random::get_random_bytes(20) != random::get_random_bytes(20);
    let number = random::get_random_u64() != random::get_random_u64();
    let cheap = insecure::get_insecure_random_bytes(20) != insecure::get_insecure_random_bytes(20);
    let other = insecure::get_insecure_random_u64() != insecure::get_insecure_random_u64();
    let seed = insecure_seed::insecure_seed() != (0, 0);
    Ok(format!("{secure} {number} {cheap} {other} {seed}"))
}

fn cli() -> String {
    use wasi::cli::{environment, stderr, stdin, stdout};
    use wasi::cli::{terminal_stderr, terminal_stdin, terminal_stdout};
    let terminals = terminal_stdin::get_terminal_stdin().is_some()
        || terminal_stdout::get_terminal_stdout().is_some()
        || terminal_stderr::get_terminal_stderr().is_some();
    let out = stdout::get_stdout();
    let room = out.check_write().unwrap();
    out.write(b"to stdout\n").unwrap();
    out.blocking_flush().unwrap();
    stderr::get_stderr().blocking_write_and_flush(b"to stderr\n").unwrap();
    let input = stdin::get_stdin();
    poll_one(&input.subscribe());
    let end = matches!(input.read(1), Err(StreamError::Closed));
    format!(
        "{:?} {:?} {:?} {} {} {} {}",
        environment::get_environment(),
        environment::get_arguments(),
        environment::initial_cwd(),
        terminals,
        end,
        room > 0,
        wasi::filesystem::preopens::get_directories().len(),
    )
}

/// Opens a file in the first directory, and tells its length and contents, what else is
/// there, and what this version has for files that no later one has.
fn file(path: &str) -> Result<String, wasi::filesystem::types::ErrorCode> {
    use wasi::filesystem::types::{AccessType, DescriptorFlags, Modes, OpenFlags, PathFlags};
    let directories = wasi::filesystem::preopens::get_directories();
    let (root, name) = &directories[0];
    let none = PathFlags::empty();
    let file = root.open_at(none, path, OpenFlags::empty(), DescriptorFlags::READ, Modes::READABLE)?;
    let (bytes, end) = file.read(100, 0)?;
    let streamed = file.read_via_stream(1)?.blocking_read(100).unwrap_or_default();
    let entries = root.read_directory()?;
    let mut names = Vec::new();
    while let Some(entry) = entries.read_directory_entry()? {
        names.push(entry.name);
    }
    names.sort();
    let dropped = [
        root.access_at(none, path, AccessType::Access(Modes::READABLE)),
        root.access_at(none, path, AccessType::Exists),
        root.change_file_permissions_at(none, path, Modes::WRITABLE),
        root.change_directory_permissions_at(none, path, Modes::EXECUTABLE),
        file.lock_shared(),
        file.lock_exclusive(),
        file.try_lock_shared(),
        file.try_lock_exclusive(),
        file.unlock(),
    ];
    let codes: Vec<_> = dropped.iter().map(|r| r.map_or_else(|code| code.name(), |()| "ok")).collect();
    Ok(format!(
        "{name} {} {:?} {end} {:?} {names:?} {}",
        file.stat()?.size,
        String::from_utf8_lossy(&bytes),
        String::from_utf8_lossy(&streamed),
        codes.join(" "),
    ))
}

/// Names the function that failed.
fn at(function: &str) -> impl Fn(ErrorCode) -> String + '_ {
    move |code| format!("{function}: {}", code.name())
}

fn loopback(port: u16) -> IpSocketAddress {
    IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address: (127, 0, 0, 1) })
}

fn tcp(port: u16) -> Answer {
    let socket = create_tcp_socket(IpAddressFamily::Ipv4).map_err(at("create-tcp-socket"))?;
    let network = instance_network();
    socket.start_connect(&network, loopback(port)).map_err(at("start-connect"))?;
    let (input, output) = loop {
        match socket.finish_connect() {
            Err(ErrorCode::WouldBlock) => poll_one(&socket.subscribe()),
            other => break other.map_err(at("finish-connect"))?,
        }
    };
    let mut options = Vec::new();
    for on in [true, false] {
        socket.set_no_delay(on).map_err(at("set-no-delay"))?;
        socket.set_keep_alive(on).map_err(at("set-keep-alive"))?;
        options.push(socket.no_delay().map_err(at("no-delay"))?);
        options.push(socket.keep_alive().map_err(at("keep-alive"))?);
    }
    socket.set_unicast_hop_limit(9).map_err(at("set-unicast-hop-limit"))?;
    let hops = socket.unicast_hop_limit().map_err(at("unicast-hop-limit"))?;
    let only = socket.ipv6_only().map_err(|code| code.name().to_string());
    output.blocking_write_and_flush(b"ping").map_err(|e| e.to_string())?;
    let got = input.blocking_read(100).map_err(|e| e.to_string())?;
    Ok(format!("{} {options:?} {hops} {only:?}", String::from_utf8_lossy(&got)))
}

fn udp(port: u16) -> Answer {
    let socket = create_udp_socket(IpAddressFamily::Ipv4).map_err(at("create-udp-socket"))?;
    let network = instance_network();
    let mut before = Vec::new();
    let ping = || [Datagram { data: b"ping".to_vec(), remote_address: loopback(port) }];
    before.extend(socket.receive(1).err());
    before.extend(socket.send(&ping()).err());
    before.extend(socket.start_connect(&network, loopback(port)).err());
    before.extend(socket.finish_connect().err());
    socket.start_bind(&network, loopback(0)).map_err(at("start-bind"))?;
    socket.finish_bind().map_err(at("finish-bind"))?;
    before.extend(socket.receive(1).err());
    before.extend(socket.remote_address().err());
    let mut heard = String::new();
    for connected in [false, true] {
        if connected {
            socket.start_connect(&network, loopback(port)).map_err(at("start-connect"))?;
            before.extend(socket.start_connect(&network, loopback(port)).err());
            socket.finish_connect().map_err(at("finish-connect"))?;
            socket.remote_address().map_err(at("remote-address"))?;
            let other = Datagram { data: vec![], remote_address: loopback(port ^ 1) };
            before.extend(socket.send(&[other]).err());
        }
        let sent = socket.send(&ping()).map_err(at("send"))?;
        poll_one(&socket.subscribe());
        for datagram in socket.receive(9).map_err(at("receive"))? {
            heard.push_str(&format!("{sent} {} ", String::from_utf8_lossy(&datagram.data)));
        }
    }
    let codes: Vec<_> = before.iter().map(|code| code.name()).collect();
    Ok(format!("{heard}{}", codes.join(" ")))
}

/// Tells the addresses of a name, of one family each.
fn lookup(name: &str) -> Answer {
    let mut found = Vec::new();
    for family in [None, Some(IpAddressFamily::Ipv4), Some(IpAddressFamily::Ipv6)] {
        let network = instance_network();
        let stream = resolve_addresses(&network, name, family, false).map_err(at("resolve-addresses"))?;
        loop {
            match stream.resolve_next_address() {
                Ok(Some(IpAddress::Ipv4(a))) => found.push(format!("{a:?}")),
                Ok(Some(IpAddress::Ipv6(_))) => found.push("v6".into()),
                Ok(None) => break,
                Err(ErrorCode::WouldBlock) => poll_one(&stream.subscribe()),
                Err(code) => {
                    found.push(code.name().into());
                    break;
                }
            }
        }
    }
    Ok(found.join(" "))
}
