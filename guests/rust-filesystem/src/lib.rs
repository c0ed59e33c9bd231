//! A component that exports `wasi:http/incoming-handler` and does with files what
//! it is told. README.md lists the paths.

mod script;
mod std_fs;

use wasi::filesystem::preopens::get_directories;
use wasi::filesystem::types::{Descriptor, DescriptorFlags, OpenFlags, PathFlags};
use wasi::http::types::{
    Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
use wasi::io::streams::{OutputStream, StreamError};

struct Handler;

wasi::http::proxy::export!(Handler);

impl wasi::exports::http::incoming_handler::Guest for Handler {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let target = request.path_with_query().unwrap_or_default();
        let (path, query) = exchange::split(&target);
        let response = OutgoingResponse::new(Fields::new());
        let body = response.body().unwrap();
        ResponseOutparam::set(out, Ok(response));
        let stream = body.write().unwrap();
        match &path[path.rfind('/').unwrap_or_default()..] {
            "/script" => say(&stream, &script::run(&text(request))),
            "/std" => say(&stream, &std_fs::run(query)),
            "/read" => read(query, &stream),
            "/splice" => splice(query, &stream),
            _ => say(&stream, "no such path"),
        }
        drop(stream);
        OutgoingBody::finish(body, None).unwrap();
    }
}

/// Reads the request's body.
fn text(request: IncomingRequest) -> String {
    let body = request.consume().unwrap();
    let stream = body.stream().unwrap();
    let mut all = Vec::new();
    while let Ok(bytes) = stream.blocking_read(1 << 16) {
        all.extend(bytes);
    }
    String::from_utf8(all).unwrap()
}

fn say(stream: &OutputStream, text: &str) {
    write(stream, text.as_bytes());
    stream.blocking_flush().unwrap();
}

/// Writes all bytes, without a flush after each piece.
fn write(stream: &OutputStream, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let permit = match stream.check_write() {
            Ok(0) => {
                stream.subscribe().block();
                continue;
            }
            Ok(n) => bytes.len().min(n as usize),
            Err(_) => return,
        };
        if stream.write(&bytes[..permit]).is_err() {
            return;
        }
        bytes = &bytes[permit..];
    }
}

/// Opens a file for reading.
fn open(path: &str) -> Descriptor {
    let (root, _) = get_directories().into_iter().next().unwrap();
    root.open_at(
        PathFlags::SYMLINK_FOLLOW,
        path,
        OpenFlags::empty(),
        DescriptorFlags::READ,
    )
    .unwrap()
}

/// Answers with a file, through the guest's memory.
fn read(path: &str, out: &OutputStream) {
    let file = open(path);
    let input = file.read_via_stream(0).unwrap();
    loop {
        match input.blocking_read(1 << 16) {
            Ok(bytes) => write(out, &bytes),
            Err(StreamError::Closed) => return,
            Err(e) => panic!("read: {e}"),
        }
    }
}

/// Answers with a file that never is in the guest's memory.
fn splice(path: &str, out: &OutputStream) {
    let file = open(path);
    let input = file.read_via_stream(0).unwrap();
    loop {
        match out.blocking_splice(&input, 1 << 20) {
            Ok(_) => {}
            Err(StreamError::Closed) => return,
            Err(e) => panic!("splice: {e}"),
        }
    }
}
