//! A component that exports `wasi:http/incoming-handler` and has one path for
//! each thing a host must get right: the reference exchange at `/foo`,
//! streaming, trailers, waiting, and every way of failing.
//!
//! README.md lists the paths. `lib.rs` decides which one a request is for,
//! `answers.rs` holds the well-behaved ones, `failures.rs` the others, and
//! `body.rs` the two directions of a body.

mod answers;
mod body;
mod failures;

wit_bindgen::generate!({ path: "../wit/wasi-http", world: "guest", generate_all });

use exports::wasi::http::incoming_handler::Guest;
use wasi::http::types::{IncomingRequest, Method, ResponseOutparam};

struct Handler;

export!(Handler);

impl Guest for Handler {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        std::panic::set_hook(Box::new(|panic| answers::complain(&panic.to_string())));
        let target = request.path_with_query().unwrap_or_default();
        let (path, query) = exchange::split(&target);
        let call = Call {
            request,
            query,
            out,
        };
        // The headers that tell the mount point are read only when the path
        // alone says nothing, to keep host calls out of what is measured.
        let action = action(path).or_else(|| action(&call.within_route(path)));
        action.unwrap_or(answers::not_found)(call);
    }
}

/// One request with the means to answer it.
struct Call<'a> {
    request: IncomingRequest,
    query: &'a str,
    out: ResponseOutparam,
}

fn action(path: &str) -> Option<fn(Call)> {
    Some(match path {
        "/" => answers::hello,
        exchange::PATH => answers::reference,
        "/clock" => answers::clock,
        "/count" => answers::count,
        "/echo" => answers::echo,
        "/env" => answers::env,
        "/grow" => answers::grow,
        "/headers" => answers::headers,
        "/log" => answers::log,
        "/poll" => answers::poll,
        "/random" => answers::random,
        "/sleep" => answers::sleep,
        "/stream" => answers::stream,
        "/trailers" => answers::trailers,
        "/bad-length" => failures::bad_length,
        "/error" => failures::error,
        "/loop" => failures::endless,
        "/no-response" => failures::no_response,
        "/trap" => failures::trap,
        "/trap-after-head" => failures::trap_after_head,
        _ => return None,
    })
}

impl Call<'_> {
    /// A decimal parameter of the query, or `default` where it is absent or
    /// not a number.
    fn number(&self, name: &str, default: u64) -> u64 {
        self.query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .and_then(|(_, value)| value.parse().ok())
            .unwrap_or(default)
    }

    /// The last value of a header, as text.
    fn header(&self, name: &str) -> Option<String> {
        let value = self.request.headers().get(name).pop()?;
        Some(String::from_utf8_lossy(&value).into_owned())
    }

    fn within_route(&self, path: &str) -> String {
        let route = self.header("spin-raw-component-route").unwrap_or_default();
        let info = self.header("spin-path-info").unwrap_or_default();
        exchange::within_route(path, &route, &info).to_owned()
    }

    fn method(&self) -> String {
        let name = match self.request.method() {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
            Method::Connect => "CONNECT",
            Method::Options => "OPTIONS",
            Method::Trace => "TRACE",
            Method::Patch => "PATCH",
            Method::Other(name) => return name,
        };
        name.to_owned()
    }
}
