//! A guest on Spin's Rust SDK, the newest that stays on WASI 0.2. Built for
//! wasm32-wasip1 it is a core module that carries its component type in a
//! section, as Spin's own templates leave it; for wasm32-wasip2 a component.

use spin_sdk::http::{Request, Response};
use spin_sdk::http_component;

#[http_component]
fn handle(request: Request) -> Response {
    let path = exchange::within_route(
        request.path(),
        header(&request, "spin-raw-component-route").unwrap_or_default(),
        header(&request, "spin-path-info").unwrap_or_default(),
    );
    match path {
        "/" => text(200, &greeting()),
        exchange::PATH => reference(&request, path),
        _ => text(404, "no such path"),
    }
}

/// The environment variable `GREETING`, or a greeting of this guest's own.
fn greeting() -> String {
    std::env::var("GREETING").unwrap_or_else(|_| "hello from the Spin SDK".to_owned())
}

fn reference(request: &Request, path: &str) -> Response {
    let method = request.method().to_string();
    let got = exchange::Request {
        method: Some(&method),
        path,
        query: request.query(),
        what: header(request, exchange::HEADER),
        body: request.body(),
    };
    match exchange::check(&got) {
        Ok(()) => text(200, exchange::ANSWER),
        Err(wrong) => text(400, &wrong),
    }
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.header(name)?.as_str()
}

fn text(status: u16, body: &str) -> Response {
    Response::builder()
        .status(status)
        .header("content-type", exchange::CONTENT_TYPE)
        .body(body)
        .build()
}
