//! A WAGI guest: a command that finds its request in the environment and on
//! standard input, as CGI programs do, and prints its response.
//!
//! It accepts two environments. One is WAGI's own, with `PATH_INFO`,
//! `QUERY_STRING`, and headers as `HTTP_…`. The other is bare: path and query
//! are the arguments, and headers are variables of their own names.

use std::env;
use std::io::{self, Read, Write};
use std::process;

fn main() {
    let path = path();
    let query = query();
    let done = match path.as_str() {
        "/" => text("", "hello from wagi\n"),
        exchange::PATH => reference(&path, &query),
        "/echo" => echo(),
        "/empty" => Ok(()),
        "/env" => environment(),
        "/exit" => process::exit(query.parse().unwrap_or(1)),
        "/location" => print("location: /elsewhere\n\n"),
        "/noheader" => print("no header block, only this\n"),
        "/status" => print("Status: 418 teapot\n\n"),
        _ => text("status: 404 Not Found\n", "no such path\n"),
    };
    if let Err(err) = done {
        eprintln!("{path}: {err}");
        process::exit(1);
    }
}

fn reference(path: &str, query: &str) -> io::Result<()> {
    let mut body = Vec::new();
    io::stdin().read_to_end(&mut body)?;
    let method = env::var("REQUEST_METHOD").ok();
    let what = env::var("HTTP_WHAT").or_else(|_| env::var(exchange::HEADER));
    let got = exchange::Request {
        method: method.as_deref(),
        path,
        query,
        what: what.as_deref().ok(),
        body: &body,
    };
    match exchange::check(&got) {
        Ok(()) => text("", &format!("{}\n", exchange::ANSWER)),
        Err(wrong) => text("status: 400 Bad Request\n", &wrong),
    }
}

/// Copies standard input, under the type it came with.
fn echo() -> io::Result<()> {
    let content_type = variable("HTTP_CONTENT_TYPE");
    let content_type = match content_type.as_str() {
        "" => "application/octet-stream",
        given => given,
    };
    print(&format!("content-type: {content_type}\n\n"))?;
    io::copy(&mut io::stdin(), &mut io::stdout())?;
    Ok(())
}

/// The arguments and the environment, one to a line.
fn environment() -> io::Result<()> {
    let mut lines = String::new();
    for (at, argument) in env::args().enumerate() {
        lines.push_str(&format!("argv[{at}]={argument}\n"));
    }
    for (name, value) in env::vars() {
        lines.push_str(&format!("{name}={value}\n"));
    }
    text("", &lines)
}

fn path() -> String {
    let info = variable("PATH_INFO");
    let route = variable("X_RAW_COMPONENT_ROUTE");
    let whole = env::args().next().unwrap_or_default();
    exchange::within_route(&whole, &route, &info).to_owned()
}

fn query() -> String {
    env::var("QUERY_STRING").unwrap_or_else(|_| {
        let arguments: Vec<_> = env::args().skip(1).collect();
        arguments.join("&")
    })
}

/// The value of a variable, empty where it is not set.
fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}

fn text(extra: &str, body: &str) -> io::Result<()> {
    let content_type = exchange::CONTENT_TYPE;
    print(&format!("content-type: {content_type}\n{extra}\n{body}"))
}

fn print(all: &str) -> io::Result<()> {
    let mut stdout = io::stdout();
    stdout.write_all(all.as_bytes())?;
    stdout.flush()
}
