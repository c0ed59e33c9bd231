//! Scripts: commands with a `;` between them, each the name of a function and its
//! arguments. `x = …` keeps what a command gives under the name x.

use std::collections::HashMap;

use wasi::http::types::FutureIncomingResponse;
use wasi::io::error::Error;
use wasi::io::poll::Pollable;
use wasi::io::streams::{InputStream, OutputStream};
use wasi::sockets::ip_name_lookup::ResolveAddressStream;
use wasi::sockets::tcp::TcpSocket;
use wasi::sockets::udp::{IncomingDatagramStream, OutgoingDatagramStream, UdpSocket};

/// What a name can stand for.
pub enum Value {
    Pollable(Pollable),
    Input(InputStream),
    Output(OutputStream),
    Error(Error),
    Tcp(TcpSocket),
    Udp(UdpSocket),
    Datagrams(IncomingDatagramStream, OutgoingDatagramStream),
    Lookup(ResolveAddressStream),
    Response(FutureIncomingResponse),
}

macro_rules! values {
    ($($case:ident($type:ty) $(as $get:ident)?;)*) => {$(
        impl From<$type> for Value {
            fn from(v: $type) -> Value { Value::$case(v) }
        }
        $(impl Script {
            pub fn $get(&self, name: &str) -> &$type {
                match self.values.get(name) {
                    Some(Value::$case(v)) => v,
                    _ => panic!("{name} is no {}", stringify!($case)),
                }
            }
        })?
    )*};
}

values! {
    Pollable(Pollable) as pollable;
    Input(InputStream) as input;
    Output(OutputStream) as output;
    Error(Error) as error;
    Tcp(TcpSocket);
    Udp(UdpSocket);
    Lookup(ResolveAddressStream) as lookup;
    Response(FutureIncomingResponse) as response;
}

/// What a command comes to: what is told of it, `Err` for a failure. Both are told
/// alike.
pub type Outcome = Result<String, String>;

/// A script while it runs.
#[derive(Default)]
pub struct Script {
    pub values: HashMap<String, Value>,
    pub failed: bool,
    /// The name that the command at hand gives its value to.
    pub name: String,
}

impl Script {
    pub fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.values.insert(name.to_string(), value.into());
    }

    /// Keeps a value under the name of the command at hand.
    pub fn keep(&mut self, value: impl Into<Value>) -> Outcome {
        self.values.insert(self.name.clone(), value.into());
        Ok("ok".into())
    }

    /// Runs all commands, and returns a line for each.
    pub fn run(&mut self, text: &str) -> String {
        let mut outcomes = String::new();
        for command in text.split(';') {
            let mut words: Vec<&str> = command.split_whitespace().collect();
            self.name.clear();
            if let [name, "=", ..] = words[..] {
                self.name = name.to_string();
                words.drain(..2);
            }
            let Some((function, args)) = words.split_first() else {
                continue;
            };
            let outcome = self
                .io(function, args)
                .or_else(|| self.system(function, args))
                .or_else(|| self.net(function, args))
                .unwrap_or_else(|| panic!("there is no {function}"));
            outcomes.push_str(&outcome.unwrap_or_else(|failure| failure));
            outcomes.push('\n');
        }
        outcomes
    }

    /// Returns the stream `answer`, unless the script has dropped it.
    pub fn answer(&mut self) -> Option<OutputStream> {
        match self.values.remove("answer") {
            Some(Value::Output(stream)) => Some(stream),
            _ => None,
        }
    }
}

/// Parses an argument that is a number, with `k` and `M` for powers of 1024.
pub fn number(word: &str) -> u64 {
    let (digits, factor) = match word.strip_suffix('k') {
        Some(digits) => (digits, 1 << 10),
        None => word.strip_suffix('M').map_or((word, 1), |digits| (digits, 1 << 20)),
    };
    digits.parse::<u64>().unwrap() * factor
}
