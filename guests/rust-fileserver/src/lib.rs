//! The component of the template `static-fileserver`: it serves the files that it
//! is given at its root, and changes nothing.
//!
//! README.md says what it answers. `path.rs` makes the path of a file out of that
//! of a request, `kind.rs` knows content types, `reply.rs` sends responses.

mod kind;
mod path;
mod reply;

use std::env;
use std::fs::{self, File};
use std::io::{self, Read, Seek};

use wasi::http::types::{IncomingRequest, Method, ResponseOutparam};

use reply::Reply;

struct Handler;

wasi::http::proxy::export!(Handler);

impl wasi::exports::http::incoming_handler::Guest for Handler {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let head = matches!(request.method(), Method::Head);
        let reply = match request.method() {
            Method::Get | Method::Head => answer(&request),
            _ => Reply::text(405, "method not allowed\n").with("allow", "GET, HEAD"),
        };
        reply.send(out, head);
    }
}

fn answer(request: &IncomingRequest) -> Reply {
    let target = request.path_with_query().unwrap_or_default();
    let (whole, query) = target.split_once('?').unwrap_or((&target, ""));
    // What is behind the route, where it ends in a wildcard.
    let behind = match header(request, "spin-path-info") {
        Some(info) if !info.is_empty() => info,
        _ if header(request, "spin-raw-component-route").is_some_and(|r| r.ends_with("/...")) => {
            "/".to_owned()
        }
        _ => whole.to_owned(),
    };
    let wanted = header(request, "if-none-match");
    let Some(path) = path::of_file(&behind) else {
        return not_found(wanted.as_deref());
    };
    if fs::metadata(&path).is_ok_and(|file| file.is_dir()) {
        let index = format!("{}/index.html", path.trim_end_matches('/'));
        if !whole.ends_with('/') && fs::metadata(&index).is_ok() {
            // Otherwise relative links would lead elsewhere.
            return match path::with_slash(whole, query) {
                Some(location) => Reply::text(301, "").with("location", &location),
                None => not_found(wanted.as_deref()),
            };
        }
        return file(&index, 200, wanted.as_deref())
            .unwrap_or_else(|_| not_found(wanted.as_deref()));
    }
    file(&path, 200, wanted.as_deref()).unwrap_or_else(|err| match err.kind() {
        io::ErrorKind::NotFound
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::PermissionDenied => not_found(wanted.as_deref()),
        kind => {
            eprintln!("{path}: {kind}");
            Reply::text(500, "internal error\n")
        }
    })
}

/// The answer for a path without a file: that of `FALLBACK_PATH`, as applications
/// in the browser want it, or that of `CUSTOM_404_PATH` with the status 404.
fn not_found(wanted: Option<&str>) -> Reply {
    for (variable, status) in [("FALLBACK_PATH", 200), ("CUSTOM_404_PATH", 404)] {
        let Ok(named) = env::var(variable) else {
            continue;
        };
        match file(
            &format!("/{}", named.trim_start_matches('/')),
            status,
            wanted,
        ) {
            Ok(reply) => return reply,
            Err(err) => eprintln!("{variable} is {named}: {}", err.kind()),
        }
    }
    Reply::text(404, "not found\n")
}

/// A file, or that it has not changed since it had the tag that is wanted.
fn file(path: &str, status: u16, wanted: Option<&str>) -> io::Result<Reply> {
    let mut file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::NotFound.into());
    }
    let (tag, size) = digest(&mut file)?;
    let tag = format!("\"{tag:016x}-{size:x}\"");
    let unchanged = status == 200 && wanted.is_some_and(|list| matches_tag(list, &tag));
    let reply = if unchanged {
        Reply::unchanged()
    } else {
        file.rewind()?;
        Reply::file(status, file, size).with("content-type", kind::of(path))
    };
    // A copy may be kept, but is to be asked about each time.
    Ok(reply.with("etag", &tag).with("cache-control", "no-cache"))
}

/// Whether a list of entity tags, or `*`, has this one (RFC 9110, section 13.1.2).
fn matches_tag(list: &str, tag: &str) -> bool {
    list.split(',')
        .map(|one| one.trim().trim_start_matches("W/"))
        .any(|one| one == tag || one == "*")
}

/// The FNV-1a hash of a file's bytes, and how many they are. It is of the content
/// and not of its times, which differ between copies of an application.
fn digest(file: &mut File) -> io::Result<(u64, u64)> {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut size = 0;
    let mut chunk = vec![0; reply::CHUNK];
    loop {
        let n = file.read(&mut chunk)?;
        if n == 0 {
            return Ok((hash, size));
        }
        size += n as u64;
        for byte in &chunk[..n] {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

fn header(request: &IncomingRequest, name: &str) -> Option<String> {
    let value = request.headers().get(name).pop()?;
    String::from_utf8(value).ok()
}
