//! The paths that answer as an HTTP server should.

use std::arch::wasm32;
use std::fmt::Write;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::Call;
use crate::body::{Sink, Source};
use crate::wasi::cli::{environment, stderr, stdout};
use crate::wasi::clocks::{monotonic_clock, wall_clock};
use crate::wasi::http::types::{ResponseOutparam, Scheme};
use crate::wasi::io::poll;
use crate::wasi::random::random::get_random_bytes;

const MILLISECOND: u64 = 1_000_000;

pub fn hello(call: Call) {
    text(call.out, 200, "hello");
}

pub fn not_found(call: Call) {
    text(call.out, 404, "no such path");
}

/// The reference exchange.
pub fn reference(call: Call) {
    let body = match Source::open(&call.request).read_all() {
        Ok(body) => body,
        Err(err) => return text(call.out, 400, &format!("body: {err}")),
    };
    let (method, what) = (call.method(), call.header(exchange::HEADER));
    let got = exchange::Request {
        method: Some(&method),
        path: exchange::PATH,
        query: call.query,
        what: what.as_deref(),
        body: &body,
    };
    match exchange::check(&got) {
        Ok(()) => text(call.out, 200, exchange::ANSWER),
        Err(wrong) => text(call.out, 400, &wrong),
    }
}

/// Sends the request's body back, each chunk as soon as it is there. When the
/// request breaks off, the response breaks off too.
pub fn echo(call: Call) {
    let content_type = call.request.headers().get("content-type");
    let headers = content_type
        .into_iter()
        .map(|value| ("content-type".into(), value));
    let sink = Sink::open(call.out, 200, headers.collect());
    let source = Source::open(&call.request);
    while let Ok(chunk) = source.next() {
        let Some(chunk) = chunk else {
            let _ = sink.finish(None);
            return;
        };
        if sink.write(&chunk).and_then(|()| sink.flush()).is_err() {
            return;
        }
    }
}

/// Sends the request's body back, and its trailers after it.
pub fn trailers(call: Call) {
    let source = Source::open(&call.request);
    let body = match source.read_all() {
        Ok(body) => body,
        Err(err) => return text(call.out, 400, &format!("body: {err}")),
    };
    let trailers = match source.trailers() {
        Ok(trailers) => trailers,
        Err(err) => return text(call.out, 400, &format!("trailers: {err}")),
    };
    let sink = Sink::open(call.out, 200, plain());
    if sink.write(&body).is_ok() {
        let _ = sink.finish(trailers);
    }
}

/// Everything the guest was told about the request, one item to a line.
pub fn headers(call: Call) {
    let request = &call.request;
    let none = || "(none)".to_owned();
    let scheme = request.scheme().map(|scheme| match scheme {
        Scheme::Http => "http".to_owned(),
        Scheme::Https => "https".to_owned(),
        Scheme::Other(name) => name,
    });
    let mut lines = format!(
        "method: {}\npath-with-query: {}\nscheme: {}\nauthority: {}\n",
        call.method(),
        request.path_with_query().unwrap_or_else(none),
        scheme.unwrap_or_else(none),
        request.authority().unwrap_or_else(none),
    );
    for (name, value) in request.headers().entries() {
        let _ = writeln!(lines, "{name}: {}", String::from_utf8_lossy(&value));
    }
    text(call.out, 200, &lines);
}

/// The environment, one variable to a line.
pub fn env(call: Call) {
    let mut lines = String::new();
    for (name, value) in environment::get_environment() {
        let _ = writeln!(lines, "{name}={value}");
    }
    text(call.out, 200, &lines);
}

/// Waits `ms` milliseconds (1) before answering.
pub fn sleep(call: Call) {
    let ms = call.number("ms", 1);
    monotonic_clock::subscribe_duration(ms * MILLISECOND).block();
    text(call.out, 200, &format!("slept {ms} ms"));
}

/// Waits for two timers of `a` (20) and `b` (40) milliseconds and the
/// request's body, all at once, and tells in which order they came about.
pub fn poll(call: Call) {
    let source = Source::open(&call.request);
    let (a, b) = (call.number("a", 20), call.number("b", 40));
    let mut pending = vec![
        (
            "timer a",
            monotonic_clock::subscribe_duration(a * MILLISECOND),
        ),
        (
            "timer b",
            monotonic_clock::subscribe_duration(b * MILLISECOND),
        ),
        ("body", source.subscribe()),
    ];
    let mut lines = String::new();
    let mut received = 0;
    while !pending.is_empty() {
        let pollables: Vec<_> = pending.iter().map(|(_, pollable)| pollable).collect();
        let mut ready = poll::poll(&pollables);
        // From the back, so that what is still to be removed keeps its place.
        ready.sort_unstable_by(|x, y| y.cmp(x));
        for index in ready {
            let (name, _) = pending[index as usize];
            if name == "body" {
                match source.ready() {
                    Ok(Some(chunk)) => {
                        received += chunk.len();
                        continue;
                    }
                    Ok(None) => _ = writeln!(lines, "body: {received} bytes"),
                    Err(err) => _ = writeln!(lines, "body: {err}"),
                }
            } else {
                let _ = writeln!(lines, "{name}");
            }
            pending.remove(index as usize);
        }
    }
    drop(pending);
    text(call.out, 200, &lines);
}

/// `n` chunks (3) of `size` bytes (16) of one letter each: a, b, c and so on
/// round the alphabet. Each is flushed before the next.
pub fn stream(call: Call) {
    let (n, size) = (call.number("n", 3), call.number("size", 16));
    let sink = Sink::open(call.out, 200, plain());
    let mut chunk = vec![0; size as usize];
    for i in 0..n {
        chunk.fill(b'a' + (i % 26) as u8);
        if sink.write(&chunk).and_then(|()| sink.flush()).is_err() {
            return;
        }
    }
    let _ = sink.finish(None);
}

/// A line to each of the two output streams of a command.
pub fn log(call: Call) {
    let _ = stdout::get_stdout().blocking_write_and_flush(b"a line for stdout\n");
    complain("a line for stderr");
    text(call.out, 200, "logged");
}

/// Grows memory by `mb` MiB (1) and writes to every page of it.
pub fn grow(call: Call) {
    const PAGE: usize = 64 * 1024;
    const HOST_PAGE: usize = 4 * 1024;
    let mb = call.number("mb", 1) as usize;
    let pages = mb * (1024 * 1024 / PAGE);
    let before = wasm32::memory_grow::<0>(pages);
    if before == usize::MAX {
        return text(call.out, 507, &format!("no {mb} MiB to be had"));
    }
    for at in (before * PAGE..(before + pages) * PAGE).step_by(HOST_PAGE) {
        // SAFETY: the pages were just made, and nobody else knows of them.
        unsafe { (at as *mut u8).write_volatile(1) };
    }
    text(call.out, 200, &format!("grew by {mb} MiB"));
}

/// How many requests of this kind this instance has seen: always 1 when every
/// request gets fresh state.
pub fn count(call: Call) {
    static SEEN: AtomicU32 = AtomicU32::new(0);
    let seen = SEEN.fetch_add(1, Ordering::Relaxed) + 1;
    text(call.out, 200, &seen.to_string());
}

/// 16 random bytes in hexadecimal.
pub fn random(call: Call) {
    let mut digits = String::new();
    for byte in get_random_bytes(16) {
        let _ = write!(digits, "{byte:02x}");
    }
    text(call.out, 200, &digits);
}

/// Seconds since 1970.
pub fn clock(call: Call) {
    text(call.out, 200, &wall_clock::now().seconds.to_string());
}

/// Writes a line to stderr.
pub fn complain(line: &str) {
    let stream = stderr::get_stderr();
    // One blocking write takes no more than 4096 bytes.
    for part in format!("{line}\n").as_bytes().chunks(4096) {
        let _ = stream.blocking_write_and_flush(part);
    }
}

/// The headers of a plain text.
pub fn plain() -> Vec<(String, Vec<u8>)> {
    vec![("content-type".into(), exchange::CONTENT_TYPE.into())]
}

fn text(out: ResponseOutparam, status: u16, body: &str) {
    let sink = Sink::open(out, status, plain());
    if sink.write(body.as_bytes()).is_ok() {
        let _ = sink.finish(None);
    }
}
