"""A guest on Spin's Python SDK, the newest that stays on WASI 0.2."""

import exchange
from spin_sdk.http import IncomingHandler as Handler
from spin_sdk.http import Request, Response


class IncomingHandler(Handler):
    def handle_request(self, request: Request) -> Response:
        status, text = exchange.answer(
            "hello from the Spin SDK",
            request.method,
            request.uri,
            {name.lower(): value for name, value in request.headers.items()},
            request.body or b"",
        )
        return Response(status, {"content-type": exchange.CONTENT_TYPE}, text.encode())
