//! A server of the files that it is given, by the standard library alone. It is
//! built twice: as a component, whose files are those of `wasi:filesystem`, and
//! as a core module, which has them by preview 1.
//!
//! README.md lists what it does. A failure of the file system is an answer too:
//! the kind of its error, as the standard library has it.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};

use wasi::http::types::{
    Fields, IncomingBody, IncomingRequest, Method, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
use wasi::io::streams::StreamError;

struct Handler;

wasi::http::proxy::export!(Handler);

impl wasi::exports::http::incoming_handler::Guest for Handler {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let target = request.path_with_query().unwrap_or_default();
        let (whole, query) = exchange::split(&target);
        let info = header(&request, "spin-path-info");
        let path = decoded(info.as_deref().unwrap_or(whole));
        let done = match (request.method(), query) {
            (Method::Get, "list") => list(&path).map(Answer::Text),
            (Method::Get, _) => open(&path),
            (Method::Put, _) => put(&path, &request).map(Answer::Text),
            (Method::Delete, _) => {
                fs::remove_file(&path).map(|()| Answer::Text("deleted\n".into()))
            }
            _ => return send(out, 405, "text/plain", "method not allowed\n".as_bytes()),
        };
        match done {
            Ok(Answer::Text(text)) => send(out, 200, "text/plain", text.as_bytes()),
            Ok(Answer::File(file, name)) => send(out, 200, content_type(&name), file),
            Err(err) => {
                let status = match err.kind() {
                    ErrorKind::NotFound => 404,
                    ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => 403,
                    _ => 500,
                };
                let text = format!("{:?}\n", err.kind());
                send(out, status, "text/plain", text.as_bytes());
            }
        }
    }
}

enum Answer {
    Text(String),
    File(File, String),
}

/// Opens a file, or the index of a directory.
fn open(path: &str) -> std::io::Result<Answer> {
    let mut path = path.to_owned();
    if fs::metadata(&path)?.is_dir() {
        path = format!("{}/index.html", path.trim_end_matches('/'));
    }
    Ok(Answer::File(File::open(&path)?, path))
}

/// The names in a directory, sorted, those of directories with a slash.
fn list(path: &str) -> std::io::Result<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let slash = if entry.file_type()?.is_dir() { "/" } else { "" };
        names.push(format!("{}{slash}\n", entry.file_name().to_string_lossy()));
    }
    names.sort();
    Ok(names.concat())
}

/// Writes the request's body to a file.
fn put(path: &str, request: &IncomingRequest) -> std::io::Result<String> {
    let mut file = File::create(path)?;
    let body = request.consume().expect("consume a request once");
    let stream = body.stream().expect("take a stream once");
    loop {
        match stream.blocking_read(64 * 1024) {
            Ok(chunk) => file.write_all(&chunk)?,
            Err(StreamError::Closed) => break,
            Err(err) => return Err(std::io::Error::other(err.to_string())),
        }
    }
    drop(stream);
    IncomingBody::finish(body);
    Ok("written\n".into())
}

/// Sends a response whose body is read to its end.
fn send(out: ResponseOutparam, status: u16, content_type: &str, mut from: impl Read) {
    let fields = Fields::from_list(&[("content-type".to_owned(), content_type.into())]);
    let response = OutgoingResponse::new(fields.expect("a valid field"));
    response.set_status_code(status).expect("a valid status");
    let body = response.body().expect("take a body once");
    ResponseOutparam::set(out, Ok(response));
    let stream = body.write().expect("take a stream once");
    let mut chunk = vec![0; 4096];
    loop {
        match from.read(&mut chunk) {
            Ok(0) => break,
            Ok(n) if stream.blocking_write_and_flush(&chunk[..n]).is_err() => return,
            Ok(_) => (),
            Err(err) => panic!("reading a file: {err}"), // the response must not look complete
        }
    }
    drop(stream);
    OutgoingBody::finish(body, None).expect("finish a body once");
}

fn header(request: &IncomingRequest, name: &str) -> Option<String> {
    let value = request.headers().get(name).pop()?;
    String::from_utf8(value).ok()
}

/// Decodes the percent signs of a path.
fn decoded(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = (first == b'%').then(|| after.get(..2)).flatten();
        let code = code.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(code.unwrap_or(first));
        rest = if code.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "css" => "text/css",
        "html" => "text/html",
        "js" => "text/javascript",
        "json" => "application/json",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "txt" => "text/plain",
        _ => "application/octet-stream",
    }
}
