//! A component that calls WASI 0.2 as a script tells it, as a handler of HTTP
//! requests and as a command. README.md has the language of scripts.
//!
//! A script makes a guest of any order of calls without another build, and its
//! answer has a line for the outcome of each call. `script.rs` runs it, the
//! other files have the functions of a package each.

mod io;
mod net;
mod script;
mod system;

use script::Script;
use wasi::http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};
use wasi::io::streams::OutputStream;

struct Guest;

wasi::http::proxy::export!(Guest);
wasi::cli::command::export!(Guest);

impl wasi::exports::http::incoming_handler::Guest for Guest {
    /// Runs the script in the header `script`. The request's body is the stream
    /// `body`, that of the response is `answer`, and ends with the outcomes.
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let text = request.headers().get("script").concat();
        let response = OutgoingResponse::new(Fields::new());
        let body = response.body().unwrap();
        ResponseOutparam::set(out, Ok(response));
        let incoming = request.consume().unwrap();

        let mut script = Script::default();
        script.put("body", incoming.stream().unwrap());
        script.put("answer", body.write().unwrap());
        let outcomes = script.run(&String::from_utf8(text).unwrap());
        if let Some(answer) = script.answer() {
            write(&answer, &outcomes);
        }
        // What the script has opened goes before what it belongs to.
        drop(script);
        drop(incoming);
        OutgoingBody::finish(body, None).unwrap();
    }
}

impl wasi::exports::cli::run::Guest for Guest {
    /// Runs the script in the environment, where the WAGI executor leaves the
    /// header, and prints the outcomes. `fail` in it makes the whole fail.
    fn run() -> Result<(), ()> {
        let environment = wasi::cli::environment::get_environment();
        let text = environment.into_iter().find(|(name, _)| name == "HTTP_SCRIPT");
        let mut script = Script::default();
        let outcomes = script.run(&text.map(|(_, value)| value).unwrap_or_default());
        let out = wasi::cli::stdout::get_stdout();
        write(&out, &format!("content-type: text/plain\n\n{outcomes}"));
        if script.failed { Err(()) } else { Ok(()) }
    }
}

fn write(to: &OutputStream, text: &str) {
    for part in text.as_bytes().chunks(4096) {
        to.blocking_write_and_flush(part).unwrap();
    }
}
