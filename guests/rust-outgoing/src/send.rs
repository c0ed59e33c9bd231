//! Requests of the guest's own.

use crate::wasi::http::outgoing_handler;
use crate::wasi::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingRequest, IncomingResponse, Method,
    OutgoingBody, OutgoingRequest, RequestOptions, Scheme,
};
use crate::wasi::io::poll::Pollable;
use crate::wasi::io::streams::OutputStream;

/// A request that has not been sent.
pub struct Outgoing {
    request: OutgoingRequest,
    upload: Option<Upload>,
}

impl Outgoing {
    /// Makes a request for the URL that the header `to` of another one names.
    /// Its headers that begin with `x-` go along, and at the path `loop` that one, too.
    pub fn open(method: &str, from: &IncomingRequest, body: bool) -> Result<Outgoing, &'static str> {
        let to = header(from, "to").ok_or("there is no header: to")?;
        let fields = from.headers().entries();
        let again = from.path_with_query().unwrap_or_default().ends_with("/loop");
        let goes = |name: &str| name.starts_with("x-") || again && name == "to";
        let fields: Vec<_> = fields.into_iter().filter(|(name, _)| goes(name)).collect();
        let request = OutgoingRequest::new(Fields::from_list(&fields).map_err(|_| "fields")?);
        let method = if method == "GET" { Method::Get } else { Method::Post };
        request.set_method(&method).map_err(|_| "method")?;
        let path = match to.split_once("://") {
            None => to.as_str(),
            Some((scheme, rest)) => {
                let scheme = match scheme {
                    "http" => Scheme::Http,
                    "https" => Scheme::Https,
                    other => Scheme::Other(other.to_owned()),
                };
                request.set_scheme(Some(&scheme)).map_err(|_| "scheme")?;
                let at = rest.find('/').unwrap_or(rest.len());
                request.set_authority(Some(&rest[..at])).map_err(|_| "authority")?;
                &rest[at..]
            }
        };
        request.set_path_with_query(Some(path)).map_err(|_| "path")?;
        let upload = body.then(|| {
            let body = request.body().expect("take a body once");
            let stream = body.write().expect("take a stream once");
            Upload { stream, body }
        });
        Ok(Outgoing { request, upload })
    }

    pub fn upload(&mut self) -> Upload {
        self.upload.take().expect("the request was opened with a body")
    }

    pub fn send(self, options: &Options) -> Sent {
        let sent = outgoing_handler::handle(self.request, options.lower());
        Sent(sent.expect("whatever is wrong comes through the future"))
    }
}

/// The body of a request.
pub struct Upload {
    stream: OutputStream,
    body: OutgoingBody,
}

impl Upload {
    /// Hands all of `bytes` to the host. It is false when nobody wants them.
    pub fn write(&self, bytes: &[u8]) -> bool {
        crate::write(&self.stream, bytes).is_ok()
    }

    /// Takes as many of `bytes` as there is room for now, and says how many.
    pub fn offer(&self, bytes: &[u8]) -> Option<usize> {
        let room = self.stream.check_write().ok()? as usize;
        let now = &bytes[..room.min(bytes.len())];
        self.stream.write(now).ok()?;
        Some(now.len())
    }

    pub fn subscribe(&self) -> Pollable {
        self.stream.subscribe()
    }

    pub fn finish(self) {
        let Upload { stream, body } = self;
        drop(stream);
        let _ = OutgoingBody::finish(body, None);
    }
}

/// A request on its way.
pub struct Sent(FutureIncomingResponse);

impl Sent {
    pub fn subscribe(&self) -> Pollable {
        self.0.subscribe()
    }

    pub fn wait(&self) {
        self.0.subscribe().block();
    }

    pub fn poll(&self) -> Option<Result<IncomingResponse, ErrorCode>> {
        self.0.get().map(|once| once.expect("a response is taken once"))
    }

    pub fn response(&self) -> Result<IncomingResponse, ErrorCode> {
        self.wait();
        self.poll().expect("a future is ready after its wait")
    }
}

/// The timeouts, in milliseconds.
#[derive(Default)]
pub struct Options {
    connect: Option<u64>,
    first_byte: Option<u64>,
    between_bytes: Option<u64>,
}

impl Options {
    /// Reads them from the headers of a request.
    pub fn of(request: &IncomingRequest) -> Options {
        let ms = |name| header(request, name).and_then(|value| value.parse().ok());
        Options {
            connect: ms("connect"),
            first_byte: ms("first-byte"),
            between_bytes: ms("between-bytes"),
        }
    }

    fn lower(&self) -> Option<RequestOptions> {
        let ns = |ms: Option<u64>| ms.map(|ms| ms * 1_000_000);
        let options = RequestOptions::new();
        options.set_connect_timeout(ns(self.connect)).ok()?;
        options.set_first_byte_timeout(ns(self.first_byte)).ok()?;
        options.set_between_bytes_timeout(ns(self.between_bytes)).ok()?;
        Some(options)
    }
}

fn header(request: &IncomingRequest, name: &str) -> Option<String> {
    let value = request.headers().get(name).pop()?;
    String::from_utf8(value).ok()
}
