package wasihttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/wasi/io"
	"github.com/minispin/minispin/wit/bindings/wasi/http/types"
	"github.com/minispin/minispin/wit/bindings/wasi/io/poll"
	"github.com/minispin/minispin/wit/bindings/wasi/io/streams"
	"github.com/minispin/minispin/wit/value"
)

// source is a body on its way in, with the trailers behind it.
type source struct {
	body io.ReadCloser
	// trailer returns the trailers; it is called after the body has ended.
	trailer func() http.Header
	// gate is what a read of the client's connection has to pass; nil for the
	// bodies of incoming responses, which end with their request's context.
	gate *exchange

	mu      sync.Mutex // held while body is read
	touched bool
	ended   atomic.Bool
	err     error // why it ended, nil for the proper end; set before ended
}

// Read implements io.Reader. It may wait, but not longer than the context of the
// guest lasts. An error other than io.EOF has an error code in its chain.
func (s *source) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended.Load() {
		if s.err != nil {
			return 0, s.err
		}
		return 0, io.EOF
	}
	if s.gate != nil {
		// The client may be waiting for what the guest has written.
		s.gate.flushPending()
		if err := s.gate.conn.begin(reading); err != nil {
			s.end(err)
			return 0, err
		}
		defer s.gate.conn.end(reading)
	}
	s.touched = true
	n, err := s.body.Read(p)
	switch {
	case err == io.EOF:
		s.end(nil)
	case err != nil:
		err = coded("reading the body", err)
		s.end(err)
	}
	return n, err
}

func (s *source) end(err error) {
	s.err = err
	s.ended.Store(true)
}

// finished reports whether the body was read to its end.
func (s *source) finished() bool { return s.ended.Load() && s.err == nil }

// drain reads the rest of the body and drops it.
func (s *source) drain() {
	for !s.ended.Load() {
		_, _ = io.Copy(io.Discard, onlyReader{s})
	}
}

type onlyReader struct{ io.Reader }

// incomingBody is the resource incoming-body.
type incomingBody struct {
	source     source
	streamed   bool   // the stream was taken
	streamLive bool   // and not dropped
	release    func() // called once with the resource, or the future made of it
}

var _ types.IncomingBody = (*incomingBody)(nil)

// Stream implements types.IncomingBody.
func (b *incomingBody) Stream(c *component.Call) (streams.InputStream, error) {
	if b.streamed {
		return nil, value.Failed
	}
	if b.source.gate != nil {
		b.source.gate.conn.enter(c.Context())
	}
	b.streamed, b.streamLive = true, true
	return wasiio.NewInputStream(&b.source, wasiio.InputOptions{
		Blocking: wasiio.EndsWithContext,
		Close:    func() { b.streamLive = false },
	}), nil
}

// Drop implements types.IncomingBody.
func (b *incomingBody) Drop() {
	if b.release != nil {
		b.release()
	}
}

// IncomingBodyFinish implements types.Host.
func (host) IncomingBodyFinish(c *component.Call, this types.IncomingBody) (types.FutureTrailers, error) {
	b := this.(*incomingBody)
	if b.streamLive {
		return nil, errors.New("incoming-body.finish: the body's stream has not been dropped")
	}
	if b.source.gate != nil {
		b.source.gate.conn.enter(c.Context())
	}
	return &futureTrailers{body: b}, nil
}

// futureTrailers is the resource future-trailers. As an event it is the end of
// the body: what the guest left unread is read and dropped.
type futureTrailers struct {
	body  *incomingBody
	ahead chan struct{} // closed when a drain on another goroutine is over
	taken bool
}

var (
	_ types.FutureTrailers = (*futureTrailers)(nil)
	_ wasiio.Signaler      = (*futureTrailers)(nil)
)

// Ready implements wasiio.Event.
func (f *futureTrailers) Ready() bool {
	if f.body.source.ended.Load() {
		return true
	}
	f.Signal()
	return false
}

// Block implements wasiio.Event.
func (f *futureTrailers) Block(ctx context.Context) error {
	if f.ahead != nil {
		return wasiio.OnClose(f.ahead).Block(ctx)
	}
	f.body.source.drain()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// Signal implements wasiio.Signaler.
func (f *futureTrailers) Signal() <-chan struct{} {
	if f.ahead == nil {
		f.ahead = make(chan struct{})
		go func() {
			defer close(f.ahead)
			// Nobody up the stack would recover the panic of a body.
			defer func() {
				if r := recover(); r != nil {
					f.body.source.end(fmt.Errorf("%w: panic while reading the body: %v", code(types.ErrorCodeConnectionTerminated), r))
				}
			}()
			f.body.source.drain()
		}()
	}
	return f.ahead
}

// Subscribe implements types.FutureTrailers.
func (f *futureTrailers) Subscribe(*component.Call) (poll.Pollable, error) {
	return wasiio.NewPollable(f, nil), nil
}

// Get implements types.FutureTrailers.
func (f *futureTrailers) Get(*component.Call) (value.Option[value.Result[value.Result[value.Option[types.Trailers], types.ErrorCode], value.Unit]], error) {
	type (
		result = value.Result[value.Option[types.Trailers], types.ErrorCode]
		once   = value.Result[result, value.Unit]
	)
	switch {
	case f.taken:
		return value.Some(value.Err[result](value.Unit{})), nil
	case !f.Ready():
		return value.None[once](), nil
	}
	f.taken = true
	s := &f.body.source
	if s.err != nil {
		e := value.Err[value.Option[types.Trailers]](ErrorCode(s.err))
		return value.Some(value.OK[result, value.Unit](e)), nil
	}
	trailers := value.None[types.Trailers]()
	if list := FieldsOf(s.trailer()); len(list) > 0 {
		fields := hostFields(list)
		trailers = value.Some[types.Trailers](&fields)
	}
	return value.Some(value.OK[result, value.Unit](value.OK[value.Option[types.Trailers], types.ErrorCode](trailers))), nil
}

// Drop implements types.FutureTrailers.
func (f *futureTrailers) Drop() { f.body.Drop() }

// FieldsOf lists the fields of h that a guest may see, in alphabetical order.
func FieldsOf(h http.Header) []Field {
	var space [16]string
	keys, n := space[:0], 0
	for key, values := range h {
		keys = append(keys, key)
		n += len(values)
	}
	if n == 0 {
		return nil
	}
	slices.Sort(keys)
	list := make([]Field, 0, n)
	for _, key := range keys {
		name, ok := usualNames[key]
		if !ok {
			name = lower(key)
		}
		if forbidden(name) {
			continue
		}
		for _, v := range h[key] {
			list = append(list, Field{name, v})
		}
	}
	return list
}

// usualNames are names in lower case, by the spelling that net/http gives them.
var usualNames = func() map[string]string {
	m := map[string]string{}
	for _, name := range []string{
		"accept-ranges", "access-control-allow-origin", "age", "alt-svc", "cache-control", "content-encoding",
		"content-language", "content-length", "content-security-policy", "content-type", "date", "etag", "expires",
		"last-modified", "link", "location", "retry-after", "server", "set-cookie", "strict-transport-security",
		"vary", "via", "x-content-type-options", "x-frame-options", "x-powered-by", "x-request-id",
	} {
		m[http.CanonicalHeaderKey(name)] = name
	}
	return m
}()
