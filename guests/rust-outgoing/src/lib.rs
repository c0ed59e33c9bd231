//! A component that answers by sending requests of its own.
//!
//! README.md lists the paths. Where a request goes is said by its header
//! `to`, an absolute URL, or a path for the application itself. `send.rs` has
//! the half that sends, this file the half that answers.

mod send;

wit_bindgen::generate!({ path: "../wit/wasi-http", world: "outgoing", generate_all });

use exports::wasi::http::incoming_handler::Guest;
use send::{Options, Outgoing};
use wasi::http::types::{
    Fields, IncomingBody, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
use wasi::io::poll::Pollable;
use wasi::io::streams::{InputStream, OutputStream, StreamError};

struct Handler;

export!(Handler);

impl Guest for Handler {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let target = request.path_with_query().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        match path.rsplit('/').next().unwrap_or_default() {
            "get" | "loop" => get(&request, out),
            "pipe" => pipe(&request, out),
            "echo" => echo(&request, out),
            "fan" => fan(&request, query, out),
            "talk" => talk(&request, query, out),
            "answer" => answer(&request, out),
            "ignore" => ignore(&request, out),
            _ => whole(out, 404, "no such path"),
        }
    }
}

/// Sends a GET and gives the response back: its status, its body as it comes,
/// and after it the trailers. An error is the body, with the status 502.
fn get(request: &IncomingRequest, out: ResponseOutparam) {
    let sent = match Outgoing::open("GET", request, false) {
        Ok(outgoing) => outgoing.send(&Options::of(request)),
        Err(why) => return whole(out, 400, why),
    };
    let response = match sent.response() {
        Ok(response) => response,
        Err(code) => return whole(out, 502, &format!("{code:?}")),
    };
    let (body, sink) = head(out, response.status(), response.headers().entries());
    let incoming = response.consume().expect("consume a response once");
    let source = incoming.stream().expect("take a stream once");
    loop {
        match source.blocking_read(64 * 1024) {
            Ok(chunk) => {
                if write(&sink, &chunk).is_err() {
                    return;
                }
            }
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(err)) => {
                let code = wasi::http::types::http_error_code(&err);
                let _ = write(&sink, format!("broken: {code:?}").as_bytes());
                break;
            }
        }
    }
    drop((source, sink));
    let future = IncomingBody::finish(incoming);
    future.subscribe().block();
    let trailers = future.get().expect("ready").expect("once").ok().flatten();
    let own = trailers.map(|t| Fields::from_list(&t.entries()).expect("fields"));
    let _ = OutgoingBody::finish(body, own);
}

/// Passes the body on in a POST, and the response back, both as they come: it
/// never waits for room in one direction while the other could move.
fn pipe(request: &IncomingRequest, out: ResponseOutparam) {
    let mut outgoing = match Outgoing::open("POST", request, true) {
        Ok(outgoing) => outgoing,
        Err(why) => return whole(out, 400, why),
    };
    let incoming = request.consume().expect("consume a request once");
    let mut relay = Some(Relay {
        source: incoming.stream().expect("take a stream once"),
        upload: outgoing.upload(),
        pending: Vec::new(),
    });
    let sent = outgoing.send(&Options::of(request));
    let response = loop {
        Relay::step(&mut relay, sent.subscribe());
        if let Some(response) = sent.poll() {
            break response;
        }
    };
    let response = match response {
        Ok(response) => response,
        Err(code) => return whole(out, 502, &format!("{code:?}")),
    };
    let (body, sink) = head(out, response.status(), vec![]);
    let back = response.consume().expect("consume a response once");
    let stream = back.stream().expect("take a stream once");
    loop {
        if relay.is_some() && !Relay::step(&mut relay, stream.subscribe()) {
            continue;
        }
        match stream.blocking_read(64 * 1024) {
            Ok(chunk) if write(&sink, &chunk).is_ok() => {}
            Ok(_) => return,
            Err(StreamError::Closed) => break,
            Err(_) => return, // and the response breaks off as well
        }
    }
    drop(sink);
    let _ = OutgoingBody::finish(body, None);
}

/// A body on its way from one request to another.
struct Relay {
    source: InputStream,
    upload: send::Upload,
    pending: Vec<u8>,
}

impl Relay {
    /// Waits until a part can be moved on, and moves it, or until `other` is
    /// ready, which it tells. At the end of the body the relay is finished.
    fn step(this: &mut Option<Relay>, other: Pollable) -> bool {
        let Some(relay) = this else {
            other.block();
            return true;
        };
        let next = if relay.pending.is_empty() {
            relay.source.subscribe()
        } else {
            relay.upload.subscribe()
        };
        let ready = wasi::io::poll::poll(&[&other, &next]);
        drop(next);
        if ready.contains(&1) && !relay.move_on() {
            let Relay { source, upload, .. } = this.take().unwrap();
            drop(source);
            upload.finish();
        }
        ready.contains(&0)
    }

    /// Moves a part on as far as there is room, and says whether there is more.
    fn move_on(&mut self) -> bool {
        if self.pending.is_empty() {
            match self.source.read(64 * 1024) {
                Ok(chunk) => self.pending = chunk,
                Err(_) => return false,
            }
        }
        match self.upload.offer(&self.pending) {
            Some(taken) => drop(self.pending.drain(..taken)),
            None => return false,
        }
        true
    }
}

/// Gives the body back, as it comes.
fn echo(request: &IncomingRequest, out: ResponseOutparam) {
    let (body, sink) = head(out, 200, vec![]);
    let incoming = request.consume().expect("consume a request once");
    let source = incoming.stream().expect("take a stream once");
    while let Ok(chunk) = source.blocking_read(64 * 1024) {
        if write(&sink, &chunk).is_err() {
            return;
        }
    }
    drop(sink);
    let _ = OutgoingBody::finish(body, None);
}

/// Sends `n` requests together and says how many were answered with 200.
fn fan(request: &IncomingRequest, query: &str, out: ResponseOutparam) {
    let n = number(query);
    let mut all = Vec::new();
    for _ in 0..n {
        match Outgoing::open("GET", request, false) {
            Ok(outgoing) => all.push(outgoing.send(&Options::of(request))),
            Err(why) => return whole(out, 400, why),
        }
    }
    let mut good = 0;
    let mut last = String::new();
    for sent in all {
        match sent.response() {
            Ok(response) if response.status() == 200 => good += 1,
            Ok(response) => last = format!(" {}", response.status()),
            Err(code) => last = format!(" {code:?}"),
        }
    }
    whole(out, 200, &format!("{good} of {n}{last}"));
}

/// Sends `n` lines, each when the two that answer the one before are there.
fn talk(request: &IncomingRequest, query: &str, out: ResponseOutparam) {
    let mut outgoing = match Outgoing::open("POST", request, true) {
        Ok(outgoing) => outgoing,
        Err(why) => return whole(out, 400, why),
    };
    let upload = outgoing.upload();
    let sent = outgoing.send(&Options::default());
    let response = match sent.response() {
        Ok(response) => response,
        Err(code) => return whole(out, 502, &format!("{code:?}")),
    };
    let body = response.consume().expect("consume a response once");
    let stream = body.stream().expect("take a stream once");
    let mut heard = String::new();
    let mut lines = 0;
    for i in 0..number(query) {
        if !upload.write(format!("line {i}\n").as_bytes()) {
            return whole(out, 500, "the other side does not listen");
        }
        while lines < 2 * (i + 1) {
            let Ok(chunk) = stream.blocking_read(64 * 1024) else {
                return whole(out, 500, &format!("silence after {lines} lines"));
            };
            lines += chunk.iter().filter(|&&c| c == b'\n').count() as u64;
            heard.push_str(&String::from_utf8_lossy(&chunk));
        }
    }
    upload.finish();
    match stream.blocking_read(1) {
        Err(StreamError::Closed) => whole(out, 200, &heard),
        _ => whole(out, 500, "the response has no end"),
    }
}

/// Answers each line of the body with two, before the next has come.
fn answer(request: &IncomingRequest, out: ResponseOutparam) {
    let (body, sink) = head(out, 200, vec![]);
    if sink.blocking_flush().is_err() {
        return;
    }
    let incoming = request.consume().expect("consume a request once");
    let source = incoming.stream().expect("take a stream once");
    while let Ok(chunk) = source.blocking_read(64 * 1024) {
        for line in String::from_utf8_lossy(&chunk).lines() {
            for part in ["heard", "answered"] {
                if write(&sink, format!("{part} {line}\n").as_bytes()).is_err() {
                    return;
                }
            }
        }
        if sink.blocking_flush().is_err() {
            return;
        }
    }
    drop(sink);
    let _ = OutgoingBody::finish(body, None);
}

/// Sends a request and ends without waiting for the response.
fn ignore(request: &IncomingRequest, out: ResponseOutparam) {
    match Outgoing::open("GET", request, false) {
        Ok(outgoing) => std::mem::forget(outgoing.send(&Options::default())),
        Err(why) => return whole(out, 400, why),
    }
    whole(out, 200, "sent");
}

fn number(query: &str) -> u64 {
    query.strip_prefix("n=").and_then(|n| n.parse().ok()).unwrap_or(1)
}

/// Begins a response.
fn head(
    out: ResponseOutparam,
    status: u16,
    fields: Vec<(String, Vec<u8>)>,
) -> (OutgoingBody, OutputStream) {
    let fields = Fields::from_list(&fields).expect("fields are well formed");
    let response = OutgoingResponse::new(fields);
    response.set_status_code(status).expect("a status");
    let body = response.body().expect("take a body once");
    ResponseOutparam::set(out, Ok(response));
    let sink = body.write().expect("take a stream once");
    (body, sink)
}

/// Hands all of `bytes` to the host, waiting whenever it has no room.
fn write(sink: &OutputStream, mut bytes: &[u8]) -> Result<(), StreamError> {
    while !bytes.is_empty() {
        let room = sink.check_write()? as usize;
        if room == 0 {
            sink.subscribe().block();
            continue;
        }
        let (now, later) = bytes.split_at(room.min(bytes.len()));
        sink.write(now)?;
        bytes = later;
    }
    Ok(())
}

fn whole(out: ResponseOutparam, status: u16, text: &str) {
    let (body, sink) = head(out, status, vec![]);
    if write(&sink, text.as_bytes()).is_ok() {
        drop(sink);
        let _ = OutgoingBody::finish(body, None);
    }
}
