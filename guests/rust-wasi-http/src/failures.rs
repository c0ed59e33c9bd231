//! The paths that do what a guest should not, one way each.

use std::arch::wasm32;

use crate::Call;
use crate::answers::plain;
use crate::body::Sink;
use crate::wasi::http::types::{ErrorCode, ResponseOutparam};

/// Traps before there is a response.
pub fn trap(_: Call) {
    wasm32::unreachable();
}

/// Traps when the head and some of the body have left.
pub fn trap_after_head(call: Call) {
    let sink = Sink::open(call.out, 200, plain());
    let _ = sink.write(b"so far, so good");
    let _ = sink.flush();
    wasm32::unreachable();
}

/// Never returns, and calls nothing.
pub fn endless(_: Call) {
    loop {
        std::hint::black_box(());
    }
}

/// Returns without an answer.
pub fn no_response(_: Call) {}

/// Answers with an error in place of a response.
pub fn error(call: Call) {
    let code = ErrorCode::InternalError(Some("as asked".into()));
    ResponseOutparam::set(call.out, Err(code));
}

/// Declares ten bytes and sends five.
pub fn bad_length(call: Call) {
    let mut headers = plain();
    headers.push(("content-length".into(), b"10".into()));
    let sink = Sink::open(call.out, 200, headers);
    let _ = sink.write(b"hello");
    // A host that counts refuses this; there is nobody left to tell.
    let _ = sink.finish(None);
}
