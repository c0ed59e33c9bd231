package outgoing

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/minispin/minispin/host/outbound"
	"github.com/minispin/minispin/host/wasihttp"
	"github.com/minispin/minispin/wit/bindings/wasi/http/types"
)

// exchange is one request and its response, under the three timeouts. They share
// a timer, for never more than one of them is running.
type exchange struct {
	ctx      context.Context
	cancel   context.CancelCauseFunc
	timeouts wasihttp.Timeouts
	take     func(context.Context) (func(), error)
	timer    *time.Timer
	// connecting tells what a timer that fires means.
	connecting atomic.Bool
	tlsFailed  atomic.Bool

	once    sync.Once
	release func() // gives the permit back
	stop    func() bool
}

func newExchange(r *http.Request, t wasihttp.Timeouts, take func(context.Context) (func(), error)) *exchange {
	x := &exchange{timeouts: withDefaults(t), take: take}
	x.ctx, x.cancel = context.WithCancelCause(r.Context())
	return x
}

func withDefaults(t wasihttp.Timeouts) wasihttp.Timeouts {
	for _, d := range []*time.Duration{&t.Connect, &t.FirstByte, &t.BetweenBytes} {
		if *d == 0 {
			*d = DefaultTimeout
		}
	}
	return t
}

// expire is called by the timer.
func (x *exchange) expire() {
	if x.connecting.Load() {
		x.cancel(noConnection(x.timeouts.Connect))
		return
	}
	x.cancel(errNothingReceived)
}

// noConnection is the end of a guest's connect-timeout.
func noConnection(in time.Duration) error {
	return fmt.Errorf("%w: no connection in %v", code(types.ErrorCodeConnectionTimeout), in)
}

// errNothingReceived is the end of a guest's first-byte- or between-bytes-timeout.
var errNothingReceived = fmt.Errorf("%w: nothing was received in time", code(types.ErrorCodeConnectionReadTimeout))

// traced returns r with a trace that notes when there is a connection.
func (x *exchange) traced(r *http.Request) *http.Request {
	x.connecting.Store(true)
	return r.WithContext(httptrace.WithClientTrace(x.ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { x.connected() },
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			if err != nil {
				x.tlsFailed.Store(true)
			}
		},
	}))
}

func (x *exchange) connected() {
	if x.connecting.CompareAndSwap(true, false) {
		x.timer.Reset(x.timeouts.FirstByte)
	}
}

// run sends r by way of t and returns the response, whose body ends the exchange.
func (x *exchange) run(r *http.Request, t http.RoundTripper) (*http.Response, error) {
	first := x.timeouts.FirstByte
	if x.connecting.Load() {
		first = x.timeouts.Connect
	} else {
		r = r.WithContext(x.ctx)
	}
	x.timer = time.AfterFunc(first, x.expire)
	release, err := x.take(x.ctx)
	if err != nil {
		return nil, x.failed("waiting for a connection", err)
	}
	x.release = release
	// A guest that ends without dropping the response gives its permit back, too.
	x.stop = context.AfterFunc(x.ctx, x.releaseOnce)
	res, err := t.RoundTrip(r)
	x.timer.Stop()
	if err == nil {
		if err = checkFields(res.Header); err != nil {
			_ = res.Body.Close()
		}
	}
	if err != nil {
		return nil, x.failed("sending the request", err)
	}
	res.Body = &body{ReadCloser: res.Body, x: x}
	return res, nil
}

// checkFields fails if h, of a response, has more fields than a guest may have.
func checkFields(h http.Header) error {
	n := 0
	for _, values := range h {
		n += len(values)
	}
	if n > wasihttp.MaxFields {
		return fmt.Errorf("%w: the response has %d fields", sectionTooLarge(), n)
	}
	return nil
}

// failed ends the exchange and says what the guest is told of err.
func (x *exchange) failed(doing string, err error) error {
	err = x.explain(doing, err)
	x.timer.Stop()
	x.cancel(err)
	if x.release != nil {
		x.releaseOnce()
	}
	return err
}

// explain finds the error code for err: that of a timeout, whatever it looked
// like to net/http, before all others.
func (x *exchange) explain(doing string, err error) error {
	if x.ctx.Err() != nil {
		if cause := context.Cause(x.ctx); !errors.Is(cause, context.Canceled) {
			err = cause
		}
	}
	if _, ok := errors.AsType[types.ErrorCode](err); !ok && x.tlsFailed.Load() {
		return fmt.Errorf("%w: %w", code(types.ErrorCodeTLSProtocolError), err)
	}
	return errorCode(doing, err)
}

func (x *exchange) releaseOnce() { x.once.Do(x.release) }

// end gives the permit back and stops watching.
func (x *exchange) end() {
	x.timer.Stop()
	x.stop()
	x.releaseOnce()
}

// body is the body of a response.
type body struct {
	io.ReadCloser
	x *exchange
}

// Read implements io.Reader, under the guest's between-bytes-timeout. An error
// other than io.EOF has an error code in its chain.
func (b *body) Read(p []byte) (int, error) {
	b.x.timer.Reset(b.x.timeouts.BetweenBytes)
	n, err := b.ReadCloser.Read(p)
	b.x.timer.Stop()
	if err != nil {
		if err != io.EOF {
			err = b.x.explain("reading the response", err)
		}
		b.x.end()
	}
	return n, err
}

// Close implements io.Closer.
func (b *body) Close() error {
	err := b.ReadCloser.Close()
	b.x.end()
	b.x.cancel(nil)
	return err
}

// classify returns the error code for what package net, net/http or crypto/tls
// have to say.
func classify(err error) types.ErrorCode {
	switch {
	case is[*outbound.BlockedError](err):
		return code(types.ErrorCodeDestinationIPProhibited)
	case is[*tls.CertificateVerificationError](err), is[tls.RecordHeaderError](err), is[tls.AlertError](err),
		is[x509.HostnameError](err), is[x509.UnknownAuthorityError](err), is[x509.CertificateInvalidError](err):
		return code(types.ErrorCodeTLSProtocolError)
	case headTooLarge(err):
		return sectionTooLarge()
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return code(types.ErrorCodeHTTPResponseIncomplete)
	}
	return wasihttp.ErrorCode(err)
}

// headTooLarge recognises by its text an error that net/http gives no type.
func headTooLarge(err error) bool {
	s := err.Error()
	return strings.Contains(s, "response headers exceeded") || strings.Contains(s, "response header list larger")
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
