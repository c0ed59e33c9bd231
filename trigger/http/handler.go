package httptrigger

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/minispin/minispin/trigger/http/route"
	"github.com/minispin/minispin/trigger/http/spinheader"
)

// DefaultStallTimeout is how long a client may leave a body standing still, in
// either direction, before the request is given up.
const DefaultStallTimeout = 60 * time.Second

// Options are the settings of a [Handler]. The zero value is a good one.
type Options struct {
	// Log receives a line for each failed request. Nil means no log.
	Log *zap.Logger

	// StallTimeout is how long a client may neither send the next byte of a
	// request body that is being read nor take the next 64 KiB of a response
	// body. Zero means [DefaultStallTimeout], a negative value no limit.
	StallTimeout time.Duration

	// OnNotFound is called with the path of the first request that matches no
	// route, so that a command can explain itself on a terminal. It may be nil.
	OnNotFound func(path string)
}

// Handler answers the requests for an application. It is an http.Handler and
// may be used by several goroutines at once.
type Handler struct {
	routing  *routing
	base     string
	log      *zap.Logger
	stall    time.Duration
	info     []byte
	notFound func(path string)
}

// NewHandler makes a handler for app. Routes that can never be reached are
// logged as errors; routes that cannot be parsed, and routes without or with
// two ways to answer, are returned as one joined error.
func NewHandler(app App, o Options) (*Handler, error) {
	rt, err := newRouting(app.Routes)
	if err != nil {
		return nil, err
	}
	h := &Handler{routing: rt, base: app.Base, log: o.Log, stall: o.StallTimeout, info: appInfo(app), notFound: func(string) {}}
	if h.log == nil {
		h.log = zap.NewNop()
	}
	switch {
	case h.stall == 0:
		h.stall = DefaultStallTimeout
	case h.stall < 0:
		h.stall = 0
	}
	if o.OnNotFound != nil {
		var once sync.Once
		h.notFound = func(path string) { once.Do(func() { o.OnNotFound(path) }) }
	}
	for _, d := range rt.table.Duplicates() {
		h.log.Error("route is never used", zap.String("component", d.Loser), zap.String("route", d.Route),
			zap.String("used_component", d.Winner), zap.String("used_route", d.Other))
	}
	for i, p := range rt.table.All() {
		if p.Reserved() {
			h.log.Error("route is never used: the host answers everything below "+route.ReservedPrefix,
				zap.String("component", rt.routes[i].ID), zap.String("route", p.Written()))
		}
	}
	return h, nil
}

// ServeHTTP answers a request from outside the application.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer boundDrain(w, r)
	t, err := parseTarget(r)
	if err != nil {
		answer(w, http.StatusBadRequest)
		return
	}
	path, ok := below(h.base, t.path)
	if !ok {
		h.notFound(t.path)
		answer(w, http.StatusNotFound)
		return
	}
	h.serve(w, r, t, path)
}

// ServeSelf answers a request that a component makes to its own application. It
// is one from outside, but that its path starts where the application is, so that
// components need not know where that is.
func (h *Handler) ServeSelf(w http.ResponseWriter, r *http.Request) {
	t, err := parseTarget(r)
	if err != nil {
		answer(w, http.StatusBadRequest)
		return
	}
	path := t.path
	t.path, t.pathWithQuery = h.base+t.path, h.base+t.pathWithQuery
	h.serve(w, r, t, path)
}

// serve answers a request for t, which is path within the application.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request, t target, path string) {
	if name, ok := strings.CutPrefix(path, route.ReservedPrefix); ok {
		h.serveReserved(w, name)
		return
	}
	m, ok := h.routing.table.Match(path)
	if !ok {
		h.notFound(t.path)
		answer(w, http.StatusNotFound)
		return
	}
	host, err := authority(r)
	if err != nil {
		answer(w, http.StatusBadRequest)
		return
	}
	found := &h.routing.routes[m.Target()]
	if found.Static != nil {
		found.Static.write(w)
		return
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	h.execute(w, found, &Request{
		Request: r, Component: found.ID, Match: m,
		Scheme: scheme, Authority: host,
		Path: t.path, Query: t.query, PathWithQuery: t.pathWithQuery,
		origin: spinheader.Origin{Scheme: scheme, Host: host, PathWithQuery: t.pathWithQuery, ClientAddr: clientAddr(r), Base: h.base},
	})
}

// ServeComponent answers a request that another component of the application
// makes to the component with the given id. It is executed as if the route /...
// had matched; private routes are no obstacle. The error is
// [ErrUnknownComponent] and w is then untouched. As in ServeHTTP a response that
// breaks off ends in a panic with http.ErrAbortHandler.
func (h *Handler) ServeComponent(w http.ResponseWriter, r *http.Request, id string) error {
	found, ok := h.routing.components[id]
	if !ok {
		return fmt.Errorf("%w %q", ErrUnknownComponent, id)
	}
	t, err := parseTarget(r)
	if err != nil {
		answer(w, http.StatusBadRequest)
		return nil
	}
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	h.execute(w, found, &Request{
		Request: r, Component: id, Match: route.Synthetic(t.path),
		Scheme: "http", Authority: host,
		Path: t.path, Query: t.query, PathWithQuery: t.pathWithQuery,
		// An internal name is withheld, and no socket means no client address.
		origin: spinheader.Origin{Scheme: "http", PathWithQuery: t.pathWithQuery, ClientAddr: "0.0.0.0:0"},
	})
	return nil
}

// execute runs the executor of found and turns the outcome into a response.
func (h *Handler) execute(w http.ResponseWriter, found *Route, r *Request) {
	r.ID, r.log = nextRequestID(), h.log
	ctx := r.Context()
	if found.Timeout > 0 {
		limited, cancel := context.WithTimeout(ctx, found.Timeout)
		defer cancel()
		ctx = limited
	}
	hasBody := r.Body != nil && r.Body != http.NoBody
	if hasBody || found.Timeout > 0 {
		r.Request = r.WithContext(ctx) // a copy: the caller's request is not ours to change
	}
	rw := &responseWriter{
		ResponseWriter: w,
		guard:          guard{w: w, dir: toClient, limit: h.stall, ctx: ctx},
		chunks:         r.ProtoMajor == 1 && r.ProtoMinor >= 1,
	}
	if hasBody {
		body := &guardedBody{ReadCloser: r.Body, guard: guard{w: w, dir: fromClient, limit: h.stall, ctx: ctx}}
		r.Body = body
		if r.ProtoMajor == 1 {
			rw.body = body
		}
	}
	err := run(found.Executor, rw, r)
	if err == nil && rw.err == nil {
		rw.finish()
		return
	}
	if err == nil {
		err = rw.err
	}
	h.fail(rw, r, classify(ctx, err, rw.err))
}

// panicError is a panic of an executor.
type panicError struct {
	value any
	stack []byte
}

func (p *panicError) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// run calls the executor and makes an error of a panic.
func run(e Executor, w http.ResponseWriter, r *Request) (err error) {
	defer func() {
		switch v := recover(); v {
		case nil:
		case http.ErrAbortHandler:
			err = http.ErrAbortHandler
		default:
			err = &Failure{Kind: KindInternal, Err: &panicError{v, debug.Stack()}}
		}
	}()
	return e.Execute(w, r)
}

// fail answers a request that failed, as far as that is still possible, and logs
// why. The client learns nothing but the status, unless the executor says what
// else it may know.
func (h *Handler) fail(w *responseWriter, r *Request, f *Failure) {
	if w.sent {
		logFailure(h.log, r, f, "request failed in the middle of its response")
	} else {
		logFailure(h.log, r, f, "request failed")
	}
	if w.sent || f.Kind == KindClientGone {
		// Over HTTP/1.1 this closes the connection without the last chunk, over
		// HTTP/2 it resets the stream: the client can tell that the response is
		// not whole.
		panic(http.ErrAbortHandler)
	}
	w.reset()
	if f.Kind == KindOverload {
		w.Header().Set("Retry-After", strconv.FormatInt(f.retryAfter(), 10))
	}
	if w.body != nil && !w.body.ended.Load() {
		// Without this net/http waits for the rest of the request first.
		w.Header().Set("Connection", "close")
	}
	if f.Message != "" {
		w.Header().Set("Content-Length", strconv.Itoa(len(f.Message)))
	}
	w.WriteHeader(f.status())
	w.sendHead()
	if f.Message != "" {
		// A failure means that the client is gone; nobody is left to tell.
		_, _ = w.ResponseWriter.Write([]byte(f.Message))
	}
	w.guard.last()
}

// logFailure writes the log line of a failed request.
func logFailure(log *zap.Logger, r *Request, f *Failure, message string) {
	level := zap.ErrorLevel
	switch f.Kind {
	case KindClientGone:
		level = zap.DebugLevel
	case KindOverload:
		level = zap.WarnLevel
	}
	entry := log.Check(level, message)
	if entry == nil {
		return
	}
	fields := []zap.Field{
		zap.String("component", r.Component),
		zap.Stringer("request_id", r.ID),
		zap.Stringer("kind", f.Kind),
		zap.String("method", r.Method),
		zap.String("route", r.Match.Pattern().Written()),
	}
	if f.Err != nil {
		fields = append(fields, zap.String("error", f.Err.Error()))
	}
	if b, ok := errors.AsType[Backtracer](f); ok {
		fields = append(fields, zap.Strings("backtrace", b.Backtrace()))
	}
	if p, ok := errors.AsType[*panicError](f); ok {
		fields = append(fields, zap.ByteString("stack", p.stack))
	}
	entry.Write(fields...)
}

// clientAddr returns address and port of the peer, as guests are shown them: an
// IPv4 address that arrived on an IPv6 socket is shown as what it is.
// Clients on a Unix socket have none, and are shown as 0.0.0.0:0.
func clientAddr(r *http.Request) string {
	if r.RemoteAddr == "" || r.RemoteAddr == "@" {
		return "0.0.0.0:0"
	}
	if strings.HasPrefix(r.RemoteAddr, "[::ffff:") {
		if ap, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
			return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()).String()
		}
	}
	return r.RemoteAddr
}
