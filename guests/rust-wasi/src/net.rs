//! wasi:sockets, and requests of wasi:http to wait for.

use std::net::{IpAddr, SocketAddr};

use wasi::http::outgoing_handler;
use wasi::http::types::{Fields, OutgoingBody, OutgoingRequest, Scheme};
use wasi::sockets::instance_network::instance_network;
use wasi::sockets::ip_name_lookup::resolve_addresses;
use wasi::sockets::network::{
    ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
};
use wasi::sockets::tcp::{ShutdownType, TcpSocket};
use wasi::sockets::tcp_create_socket::create_tcp_socket;
use wasi::sockets::udp::{
    IncomingDatagramStream, OutgoingDatagram, OutgoingDatagramStream, UdpSocket,
};
use wasi::sockets::udp_create_socket::create_udp_socket;

use crate::script::{Outcome, Script, Value, number};

impl Script {
    pub fn net(&mut self, function: &str, args: &[&str]) -> Option<Outcome> {
        let outcome = match (function, args) {
            ("tcp", [version]) => match create_tcp_socket(family(version)) {
                Ok(socket) => return Some(self.keep(socket)),
                Err(code) => Err(code),
            },
            ("udp", [version]) => match create_udp_socket(family(version)) {
                Ok(socket) => return Some(self.keep(socket)),
                Err(code) => Err(code),
            },
            ("tcp-much", [version, n]) => {
                let sockets = (0..number(n)).map(|_| create_tcp_socket(family(version)));
                match sockets.collect::<Result<Vec<_>, _>>() {
                    Ok(all) => {
                        std::mem::forget(all);
                        done(Ok(()))
                    }
                    Err(code) => Err(code),
                }
            }
            ("resolve-addresses", [name]) => match resolve_addresses(&instance_network(), name) {
                Ok(stream) => return Some(self.keep(stream)),
                Err(code) => Err(code),
            },
            ("resolve-next-address", [s]) => self.lookup(s).resolve_next_address().map(|found| match found {
                None => "none".into(),
                Some(IpAddress::Ipv4((a, b, c, d))) => format!("{a}.{b}.{c}.{d}"),
                Some(IpAddress::Ipv6(_)) => "ipv6".into(),
            }),
            ("get", [url]) => return Some(self.get(url)),
            ("status", [r]) => {
                return Some(Ok(match self.response(r).get() {
                    None => "pending".into(),
                    Some(Ok(Ok(response))) => response.status().to_string(),
                    Some(Ok(Err(code))) => format!("{code:?}"),
                    Some(Err(())) => "taken".into(),
                }));
            }
            (_, [name, rest @ ..]) => {
                // Out of the table while it is used, since what it gives goes there.
                let value = self.values.remove(*name)?;
                let outcome = match &value {
                    Value::Tcp(socket) => self.tcp(socket, function, rest),
                    Value::Udp(socket) => self.udp(socket, function, rest),
                    Value::Datagrams(input, output) => datagrams(input, output, function, rest),
                    _ => None,
                };
                self.values.insert(name.to_string(), value);
                outcome?
            }
            _ => return None,
        };
        Some(outcome.map_err(|code| code.name().into()))
    }

    fn tcp(&mut self, s: &TcpSocket, function: &str, args: &[&str]) -> Option<Called> {
        let network = instance_network();
        Some(match (function, args) {
            ("start-bind", [to]) => done(s.start_bind(&network, self.address(to))),
            ("finish-bind", []) => done(s.finish_bind()),
            ("start-connect", [to]) => done(s.start_connect(&network, self.address(to))),
            ("finish-connect", []) => s.finish_connect().map(|(input, output)| {
                let name = self.name.clone();
                self.put(&format!("{name}.in"), input);
                self.put(&format!("{name}.out"), output);
                "ok".into()
            }),
            ("start-listen", []) => done(s.start_listen()),
            ("finish-listen", []) => done(s.finish_listen()),
            ("accept", []) => s.accept().map(|(socket, input, output)| {
                let name = self.name.clone();
                self.put(&name, socket);
                self.put(&format!("{name}.in"), input);
                self.put(&format!("{name}.out"), output);
                "ok".into()
            }),
            ("local-address", []) => s.local_address().map(told),
            ("remote-address", []) => s.remote_address().map(told),
            ("is-listening", []) => Ok(s.is_listening().to_string()),
            ("address-family", []) => Ok(format!("{:?}", s.address_family())),
            ("shutdown", [how]) => done(s.shutdown(match *how {
                "receive" => ShutdownType::Receive,
                "send" => ShutdownType::Send,
                _ => ShutdownType::Both,
            })),
            ("set-listen-backlog-size", [n]) => done(s.set_listen_backlog_size(number(n))),
            ("keep-alive-enabled", []) => s.keep_alive_enabled().map(|v| v.to_string()),
            ("set-keep-alive-enabled", [v]) => done(s.set_keep_alive_enabled(*v == "true")),
            ("keep-alive-idle-time", []) => s.keep_alive_idle_time().map(|v| v.to_string()),
            ("set-keep-alive-idle-time", [n]) => done(s.set_keep_alive_idle_time(number(n))),
            ("keep-alive-interval", []) => s.keep_alive_interval().map(|v| v.to_string()),
            ("set-keep-alive-interval", [n]) => done(s.set_keep_alive_interval(number(n))),
            ("keep-alive-count", []) => s.keep_alive_count().map(|v| v.to_string()),
            ("set-keep-alive-count", [n]) => done(s.set_keep_alive_count(number(n) as u32)),
            ("hop-limit", []) => s.hop_limit().map(|v| v.to_string()),
            ("set-hop-limit", [n]) => done(s.set_hop_limit(number(n) as u8)),
            ("receive-buffer-size", []) => s.receive_buffer_size().map(|v| v.to_string()),
            ("set-receive-buffer-size", [n]) => done(s.set_receive_buffer_size(number(n))),
            ("send-buffer-size", []) => s.send_buffer_size().map(|v| v.to_string()),
            ("set-send-buffer-size", [n]) => done(s.set_send_buffer_size(number(n))),
            _ => return None,
        })
    }

    fn udp(&mut self, s: &UdpSocket, function: &str, args: &[&str]) -> Option<Called> {
        Some(match (function, args) {
            ("start-bind", [to]) => done(s.start_bind(&instance_network(), self.address(to))),
            ("finish-bind", []) => done(s.finish_bind()),
            ("stream", to) => {
                let to = to.first().map(|to| self.address(to));
                s.stream(to).map(|(input, output)| {
                    let name = self.name.clone();
                    self.values.insert(name, Value::Datagrams(input, output));
                    "ok".into()
                })
            }
            ("local-address", []) => s.local_address().map(told),
            ("remote-address", []) => s.remote_address().map(told),
            ("address-family", []) => Ok(format!("{:?}", s.address_family())),
            ("unicast-hop-limit", []) => s.unicast_hop_limit().map(|v| v.to_string()),
            ("set-unicast-hop-limit", [n]) => done(s.set_unicast_hop_limit(number(n) as u8)),
            ("receive-buffer-size", []) => s.receive_buffer_size().map(|v| v.to_string()),
            ("set-receive-buffer-size", [n]) => done(s.set_receive_buffer_size(number(n))),
            ("send-buffer-size", []) => s.send_buffer_size().map(|v| v.to_string()),
            ("set-send-buffer-size", [n]) => done(s.set_send_buffer_size(number(n))),
            _ => return None,
        })
    }

    /// An address in the usual form, or that of the socket of the name after an @.
    fn address(&self, word: &str) -> IpSocketAddress {
        let Some(name) = word.strip_prefix('@') else {
            return parse(word);
        };
        match &self.values[name] {
            Value::Tcp(socket) => socket.local_address().unwrap(),
            Value::Udp(socket) => socket.local_address().unwrap(),
            _ => panic!("{name} has no address"),
        }
    }

    /// Sends a request, whose response can be waited for.
    fn get(&mut self, url: &str) -> Outcome {
        let rest = url.strip_prefix("http://").unwrap();
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let request = OutgoingRequest::new(Fields::new());
        request.set_scheme(Some(&Scheme::Http)).unwrap();
        request.set_authority(Some(authority)).unwrap();
        request.set_path_with_query(Some(path)).unwrap();
        let body = request.body().unwrap();
        match outgoing_handler::handle(request, None) {
            Ok(future) => {
                OutgoingBody::finish(body, None).unwrap();
                self.keep(future)
            }
            Err(code) => Err(format!("{code:?}")),
        }
    }
}

/// What a function of a socket came to.
type Called = Result<String, ErrorCode>;

fn datagrams(
    input: &IncomingDatagramStream,
    output: &OutgoingDatagramStream,
    function: &str,
    args: &[&str],
) -> Option<Called> {
    Some(match (function, args) {
        ("receive", [n]) => input.receive(number(n)).map(|list| {
            let texts = list.iter().map(|d| String::from_utf8_lossy(&d.data).into_owned());
            texts.collect::<Vec<_>>().join(" ")
        }),
        ("check-send", []) => output.check_send().map(|n| n.to_string()),
        ("send", [text, to @ ..]) => {
            let to = to.first().map(|to| parse(to));
            let data = text.as_bytes().to_vec();
            let list = [OutgoingDatagram { data, remote_address: to }];
            output.send(&list).map(|n| n.to_string())
        }
        ("send-much", [n]) => {
            let data = vec![0; number(n) as usize];
            output.send(&[OutgoingDatagram { data, remote_address: None }]).map(|n| n.to_string())
        }
        ("send-many", [n]) => {
            let ping = |_| OutgoingDatagram { data: b"x".to_vec(), remote_address: None };
            let list: Vec<_> = (0..number(n)).map(ping).collect();
            output.send(&list).map(|n| n.to_string())
        }
        ("can-send", []) => {
            output.subscribe().block();
            Ok("ok".into())
        }
        _ => return None,
    })
}

fn done(result: Result<(), ErrorCode>) -> Called {
    result.map(|()| "ok".into())
}

fn family(version: &str) -> IpAddressFamily {
    if version == "6" { IpAddressFamily::Ipv6 } else { IpAddressFamily::Ipv4 }
}

fn parse(word: &str) -> IpSocketAddress {
    let address: SocketAddr = word.parse().unwrap();
    let port = address.port();
    match address.ip() {
        IpAddr::V4(ip) => IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address: ip.octets().into() }),
        IpAddr::V6(ip) => IpSocketAddress::Ipv6(Ipv6SocketAddress {
            port,
            flow_info: 0,
            address: ip.segments().into(),
            scope_id: 0,
        }),
    }
}

/// Tells an address without its port, which is another each time.
fn told(address: IpSocketAddress) -> String {
    match address {
        IpSocketAddress::Ipv4(a) => {
            let (b0, b1, b2, b3) = a.address;
            format!("{b0}.{b1}.{b2}.{b3} {}", a.port > 0)
        }
        IpSocketAddress::Ipv6(a) => format!("{:?} {}", a.address, a.port > 0),
    }
}
