"""The reference exchange, for the guests in Python; lib.rs tells what it is."""

from typing import Mapping, Tuple

METHOD = "POST"
PATH = "/foo"
QUERY = "a=b"
WHAT = "up"
BODY = b"hello, world!"

CONTENT_TYPE = "text/plain"
ANSWER = "hola, mundo!"


def answer(
    greeting: str, method: str, target: str, headers: Mapping[str, str], body: bytes
) -> Tuple[int, str]:
    """Status and text for a request. Header names are in lower case."""
    path, _, query = target.partition("?")
    if headers.get("spin-raw-component-route", "").endswith("/..."):
        path = headers.get("spin-path-info") or "/"
    if path == "/":
        return 200, greeting
    if path != PATH:
        return 404, "no such path"
    parts = [
        ("method", METHOD, method),
        ("query", QUERY, query),
        ("header what", WHAT, headers.get("what")),
        ("body", BODY, body),
    ]
    wrong = [f"{part}: want {want!r}, got {got!r}\n" for part, want, got in parts if got != want]
    return (400, "".join(wrong)) if wrong else (200, ANSWER)
