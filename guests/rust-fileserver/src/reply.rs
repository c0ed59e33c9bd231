//! Responses: a status, fields and a body that may be a file.

use std::fs::File;
use std::io::Read;

use wasi::http::types::{Fields, OutgoingBody, OutgoingResponse, ResponseOutparam};
use wasi::io::streams::{OutputStream, StreamError};

/// How much of a file is in memory at a time.
pub const CHUNK: usize = 64 * 1024;

pub struct Reply {
    status: u16,
    fields: Vec<(String, Vec<u8>)>,
    body: Body,
}

enum Body {
    Text(&'static str),
    File(File),
}

impl Reply {
    pub fn text(status: u16, text: &'static str) -> Reply {
        let reply = Reply {
            status,
            fields: Vec::new(),
            body: Body::Text(text),
        };
        let reply = reply.with("content-length", &text.len().to_string());
        if text.is_empty() {
            reply
        } else {
            reply.with("content-type", "text/plain")
        }
    }

    /// The file is read from where it stands; it is `size` bytes long.
    pub fn file(status: u16, file: File, size: u64) -> Reply {
        let reply = Reply {
            status,
            fields: Vec::new(),
            body: Body::File(file),
        };
        reply.with("content-length", &size.to_string())
    }

    /// What the client has is what it would get.
    pub fn unchanged() -> Reply {
        Reply {
            status: 304,
            fields: Vec::new(),
            body: Body::Text(""),
        }
    }

    pub fn with(mut self, name: &str, value: &str) -> Reply {
        self.fields.push((name.to_owned(), value.into()));
        self
    }

    /// Sends the response; without its body if only the `head` was asked for.
    pub fn send(self, out: ResponseOutparam, head: bool) {
        let fields = Fields::from_list(&self.fields).expect("valid fields");
        let response = OutgoingResponse::new(fields);
        response
            .set_status_code(self.status)
            .expect("a valid status");
        let body = response.body().expect("take a body once");
        ResponseOutparam::set(out, Ok(response));
        let stream = body.write().expect("take a stream once");
        let sent = match self.body {
            _ if head => Ok(()),
            Body::Text(text) => write(&stream, text.as_bytes()),
            Body::File(file) => copy(&stream, file),
        };
        drop(stream);
        if sent.is_ok() {
            // An error says that the length is not the one in the head: after HEAD
            // that is as it should be, and else the host ends the response so that
            // it does not look complete.
            let _ = OutgoingBody::finish(body, None);
        }
    }
}

fn copy(stream: &OutputStream, mut file: File) -> Result<(), StreamError> {
    let mut chunk = vec![0; CHUNK];
    loop {
        match file.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(n) => write(stream, &chunk[..n])?,
            // The response must not look complete.
            Err(err) => panic!("reading a file: {}", err.kind()),
        }
    }
}

/// Hands all of `bytes` to the host, waiting whenever it has no room.
fn write(stream: &OutputStream, mut bytes: &[u8]) -> Result<(), StreamError> {
    while !bytes.is_empty() {
        let room = stream.check_write()? as usize;
        if room == 0 {
            stream.subscribe().block();
            continue;
        }
        let (now, later) = bytes.split_at(room.min(bytes.len()));
        stream.write(now)?;
        bytes = later;
    }
    Ok(())
}
