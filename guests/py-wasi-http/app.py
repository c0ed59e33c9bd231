"""wasi:http/incoming-handler in Python, on the plain bindings."""

import exchange
from componentize_py_types import Err, Ok
from wit_world import exports
from wit_world.imports import streams, types


class IncomingHandler(exports.IncomingHandler):
    def handle(
        self, request: types.IncomingRequest, response_out: types.ResponseOutparam
    ) -> None:
        status, text = exchange.answer(
            "hello from Python",
            method_name(request.method()),
            request.path_with_query() or "",
            {name: value.decode() for name, value in request.headers().entries()},
            read_body(request),
        )
        content_type = ("content-type", exchange.CONTENT_TYPE.encode())
        response = types.OutgoingResponse(types.Fields.from_list([content_type]))
        response.set_status_code(status)
        body = response.body()
        types.ResponseOutparam.set(response_out, Ok(response))
        # A stream is its body's child and has to be gone before the body is.
        with body.write() as stream:
            stream.blocking_write_and_flush(text.encode())
        types.OutgoingBody.finish(body, None)


def read_body(request: types.IncomingRequest) -> bytes:
    received = bytearray()
    body = request.consume()
    with body.stream() as stream:
        try:
            while True:
                received += stream.blocking_read(64 * 1024)
        except Err as err:
            if not isinstance(err.value, streams.StreamError_Closed):
                raise
    types.IncomingBody.finish(body)
    return bytes(received)


def method_name(method: types.Method) -> str:
    if isinstance(method, types.Method_Other):
        return method.value
    return type(method).__name__.removeprefix("Method_").upper()
