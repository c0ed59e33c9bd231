"""Spin 1's inbound-http in Python, on the plain bindings."""

import exchange
from wit_world import exports
from wit_world.imports.http_types import Request, Response


class InboundHttp(exports.InboundHttp):
    def handle_request(self, req: Request) -> Response:
        status, text = exchange.answer(
            "hello from Python",
            req.method.name,
            req.uri,
            {name.lower(): value for name, value in req.headers},
            req.body or b"",
        )
        headers = [("content-type", exchange.CONTENT_TYPE)]
        return Response(status, headers, text.encode())
