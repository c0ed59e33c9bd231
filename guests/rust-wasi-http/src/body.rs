//! The two directions of a body. A stream is the child of its body and must
//! be dropped first; both types here see to that by the order of their fields.

use crate::wasi::http::types::{
    ErrorCode, Fields, IncomingBody, IncomingRequest, OutgoingBody, OutgoingResponse,
    ResponseOutparam,
};
use crate::wasi::io::poll::Pollable;
use crate::wasi::io::streams::{InputStream, OutputStream, StreamError};

/// The most bytes asked for in one read.
const CHUNK: u64 = 64 * 1024;

/// The body of a request.
pub struct Source {
    stream: InputStream,
    body: IncomingBody,
}

impl Source {
    pub fn open(request: &IncomingRequest) -> Source {
        let body = request.consume().expect("consume a request's body once");
        let stream = body.stream().expect("take a body's stream once");
        Source { stream, body }
    }

    /// Waits for the next chunk; `None` is the end.
    pub fn next(&self) -> Result<Option<Vec<u8>>, StreamError> {
        ended(self.stream.blocking_read(CHUNK))
    }

    /// What has arrived already, which may be nothing; `None` is the end.
    pub fn ready(&self) -> Result<Option<Vec<u8>>, StreamError> {
        ended(self.stream.read(CHUNK))
    }

    pub fn subscribe(&self) -> Pollable {
        self.stream.subscribe()
    }

    pub fn read_all(&self) -> Result<Vec<u8>, StreamError> {
        let mut all = Vec::new();
        while let Some(chunk) = self.next()? {
            all.extend(chunk);
        }
        Ok(all)
    }

    /// Waits for the trailers, once the body has been read.
    pub fn trailers(self) -> Result<Option<Fields>, ErrorCode> {
        let Source { stream, body } = self;
        drop(stream);
        let future = IncomingBody::finish(body);
        future.subscribe().block();
        let got = future.get().expect("a future is ready after its wait");
        got.expect("trailers are taken once")
    }
}

fn ended(read: Result<Vec<u8>, StreamError>) -> Result<Option<Vec<u8>>, StreamError> {
    match read {
        Ok(chunk) => Ok(Some(chunk)),
        Err(StreamError::Closed) => Ok(None),
        Err(err) => Err(err),
    }
}

/// The body of a response whose head is on its way.
pub struct Sink {
    stream: OutputStream,
    body: OutgoingBody,
}

impl Sink {
    /// Sends the head of a response.
    pub fn open(out: ResponseOutparam, status: u16, headers: Vec<(String, Vec<u8>)>) -> Sink {
        let headers = Fields::from_list(&headers).expect("headers are well formed");
        let response = OutgoingResponse::new(headers);
        if status != 200 {
            response
                .set_status_code(status)
                .expect("status is in range");
        }
        let body = response.body().expect("take a response's body once");
        let stream = body.write().expect("take a body's stream once");
        ResponseOutparam::set(out, Ok(response));
        Sink { stream, body }
    }

    /// Hands all of `bytes` to the host, waiting whenever it has no room.
    pub fn write(&self, mut bytes: &[u8]) -> Result<(), StreamError> {
        while !bytes.is_empty() {
            let room = self.stream.check_write()? as usize;
            if room == 0 {
                self.stream.subscribe().block();
                continue;
            }
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.stream.write(now)?;
            bytes = later;
        }
        Ok(())
    }

    /// Waits until everything written has left.
    pub fn flush(&self) -> Result<(), StreamError> {
        self.stream.blocking_flush()
    }

    pub fn finish(self, trailers: Option<Fields>) -> Result<(), ErrorCode> {
        let Sink { stream, body } = self;
        drop(stream);
        OutgoingBody::finish(body, trailers)
    }
}
