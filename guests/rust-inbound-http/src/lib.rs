//! A component that exports Spin 1's `fermyon:spin/inbound-http` and imports
//! nothing at all: what a host must do for it is lift and lower values.

wit_bindgen::generate!({ path: "../wit/inbound-http", world: "guest" });

use exports::fermyon::spin::inbound_http::{Guest, Request, Response};
use fermyon::spin::http_types::Method;

struct Handler;

export!(Handler);

impl Guest for Handler {
    fn handle_request(request: Request) -> Response {
        let (path, query) = exchange::split(&request.uri);
        match (request.method, relative(path, &request)) {
            (Method::Get, "/") => text(200, "hello from inbound-http"),
            (_, path @ exchange::PATH) => reference(&request, path, query),
            _ => text(404, "no such path"),
        }
    }
}

fn reference(request: &Request, path: &str, query: &str) -> Response {
    let got = exchange::Request {
        method: Some(name(request.method)),
        path,
        query,
        what: header(request, exchange::HEADER),
        body: request.body.as_deref().unwrap_or_default(),
    };
    match exchange::check(&got) {
        Ok(()) => text(200, exchange::ANSWER),
        Err(wrong) => text(400, &wrong),
    }
}

/// The path relative to the route this guest is mounted at.
fn relative<'a>(path: &'a str, request: &'a Request) -> &'a str {
    let route = header(request, "spin-raw-component-route").unwrap_or_default();
    let info = header(request, "spin-path-info").unwrap_or_default();
    exchange::within_route(path, route, info)
}

/// The last value of a header, which is the host's own where a client sent
/// one of the same name.
fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let mut same = request.headers.iter().rev();
    let found = same.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    Some(&found.1)
}

fn name(method: Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
        Method::Patch => "PATCH",
        Method::Head => "HEAD",
        Method::Options => "OPTIONS",
    }
}

fn text(status: u16, body: &str) -> Response {
    let content_type = ("content-type".into(), exchange::CONTENT_TYPE.into());
    Response {
        status,
        headers: Some(vec![content_type]),
        body: Some(body.into()),
    }
}
