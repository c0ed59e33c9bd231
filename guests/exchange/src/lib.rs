//! The reference exchange: the one request every guest in this folder expects
//! at `POST /foo?a=b`, and the one answer it gives.
//!
//! Guests of every language and every interface answer it alike, so one test
//! and one benchmark can drive them all. The interfaces differ in how a
//! request reaches the guest; each guest gathers what it was handed into a
//! [`Request`] and lets [`check`] judge it, so that a host which mangles any
//! part of a request is told which part.

/// Where the exchange takes place.
pub const PATH: &str = "/foo";

/// The name of the header that [`Request::what`] is read from.
pub const HEADER: &str = "what";

/// The content type of the answer.
pub const CONTENT_TYPE: &str = "text/plain";

/// The body of the answer. WAGI guests end it with a newline.
pub const ANSWER: &str = "hola, mundo!";

const METHOD: &str = "POST";
const QUERY: &str = "a=b";
const WHAT: &str = "up";
const BODY: &[u8] = b"hello, world!";

/// A request as a guest received it.
pub struct Request<'a> {
    /// In capitals; `None` where the interface does not tell.
    pub method: Option<&'a str>,
    /// Without the query, relative to the route the guest is mounted at.
    pub path: &'a str,
    /// Without the question mark.
    pub query: &'a str,
    /// The value of [`HEADER`]. Servers add headers of their own, so this is
    /// the only one looked at.
    pub what: Option<&'a str>,
    pub body: &'a [u8],
}

/// Compares a request with the expected one. The error names every part that
/// differs, one to a line.
pub fn check(got: &Request) -> Result<(), String> {
    let mut wrong = String::new();
    let mut expect = |same: bool, part: &str, want: &str, got: &str| {
        if !same {
            wrong.push_str(&format!("{part}: want {want:?}, got {got:?}\n"));
        }
    };
    if let Some(method) = got.method {
        expect(method == METHOD, "method", METHOD, method);
    }
    expect(got.path == PATH, "path", PATH, got.path);
    expect(got.query == QUERY, "query", QUERY, got.query);
    let what = got.what.unwrap_or("(none)");
    expect(got.what == Some(WHAT), "header what", WHAT, what);
    let body = String::from_utf8_lossy(got.body);
    let want = String::from_utf8_lossy(BODY);
    expect(got.body == BODY, "body", &want, &body);
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// Splits a request target into path and query.
pub fn split(target: &str) -> (&str, &str) {
    target.split_once('?').unwrap_or((target, ""))
}

/// The path relative to the route a guest is mounted at. `raw_route` is the
/// route's pattern as written (`spin-raw-component-route`) and `path_info`
/// what its wildcard matched (`spin-path-info`); a host that sends neither,
/// or a route without a wildcard, leaves the path as it is.
pub fn within_route<'a>(path: &'a str, raw_route: &str, path_info: &'a str) -> &'a str {
    match (raw_route.ends_with("/..."), path_info) {
        (false, _) => path,
        (true, "") => "/",
        (true, info) => info,
    }
}
