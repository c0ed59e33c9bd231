//! A guest on the first of Spin's Rust SDKs with `wasi:http`, which speaks the
//! release candidate 0.2.0-rc-2023-10-18.

use spin_sdk::http::{Request, Response, SendError, send};
use spin_sdk::http_component;

#[http_component]
async fn handle(request: Request) -> Response {
    let path = exchange::within_route(
        request.path(),
        header(&request, "spin-raw-component-route").unwrap_or_default(),
        header(&request, "spin-path-info").unwrap_or_default(),
    );
    match path {
        "/" => text(200, "hello from the Spin SDK 2"),
        "/get" => get(&request).await,
        exchange::PATH => reference(&request, path),
        _ => text(404, "no such path"),
    }
}

/// Gives back what the URL in the header `to` answers. An error is the body of
/// a 502.
async fn get(request: &Request) -> Response {
    let to = header(request, "to").unwrap_or_default();
    let sent: Result<Response, SendError> = send(Request::get(to)).await;
    match sent {
        Ok(response) => response,
        Err(why) => text(502, &why.to_string()),
    }
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
