// wasi:http/incoming-handler in JavaScript.

import { Fields, IncomingBody, OutgoingBody, OutgoingResponse, ResponseOutparam } from 'wasi:http/types@0.2.0';

const decoder = new TextDecoder();
const encoder = new TextEncoder();

export const incomingHandler = {
  handle(request, out) {
    const headers = new Map(request.headers().entries().map(([name, value]) => [name, decoder.decode(value)]));
    const [status, text] = answer(request.method(), request.pathWithQuery() ?? '', headers, readBody(request));
    const response = new OutgoingResponse(Fields.fromList([['content-type', encoder.encode('text/plain')]]));
    response.setStatusCode(status);
    const body = response.body();
    ResponseOutparam.set(out, { tag: 'ok', val: response });
    // A stream is its body's child and has to be gone before the body is.
    const stream = body.write();
    stream.blockingWriteAndFlush(encoder.encode(text));
    stream[Symbol.dispose]();
    OutgoingBody.finish(body, undefined);
  },
};

// Status and text for a request: the reference exchange, or a greeting.
function answer(method, target, headers, received) {
  const [whole, query = ''] = target.split(/\?(.*)/s);
  const route = headers.get('spin-raw-component-route') ?? '';
  const path = route.endsWith('/...') ? headers.get('spin-path-info') || '/' : whole;
  if (path === '/') return [200, 'hello from JavaScript'];
  if (path !== '/foo') return [404, 'no such path'];
  const wrong = [
    ['method', 'post', method.tag],
    ['query', 'a=b', query],
    ['header what', 'up', headers.get('what')],
    ['body', 'hello, world!', received],
  ].filter(([, want, got]) => got !== want);
  if (wrong.length === 0) return [200, 'hola, mundo!'];
  return [400, wrong.map(([part, want, got]) => `${part}: want ${want}, got ${got}\n`).join('')];
}

function readBody(request) {
  const body = request.consume();
  const stream = body.stream();
  const utf8 = new TextDecoder();
  let text = '';
  try {
    for (;;) text += utf8.decode(stream.blockingRead(65536n), { stream: true });
  } catch (err) {
    if (err.payload?.tag !== 'closed') throw err;
  }
  stream[Symbol.dispose]();
  IncomingBody.finish(body)[Symbol.dispose]();
  return text + utf8.decode();
}
