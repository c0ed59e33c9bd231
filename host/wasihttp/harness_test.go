package wasihttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/guests"
	"github.com/minispin/minispin/host/wasi"
	"github.com/minispin/minispin/wit/bindings/wasi/http/incominghandler"
)

// state is the host value of the tests' instances.
type state struct {
	wasi wasi.Ctx
	http Ctx
}

func (s *state) WASI() *wasi.Ctx { return &s.wasi }
func (s *state) HTTP() *Ctx      { return &s.http }

// linked is the guest of most tests, compiled once.
var linked struct {
	once   sync.Once
	engine *component.Engine
	comp   *component.Component
	pre    *component.InstancePre
	guest  *incominghandler.Guest
	err    error
}

func TestMain(m *testing.M) {
	result := m.Run()
	if l := &linked; l.engine != nil {
		if l.pre != nil {
			l.pre.Close()
		}
		if l.comp != nil {
			l.comp.Close()
		}
		l.engine.Close()
	}
	// A server waits for half a second before it closes a connection whose client
	// has not sent all of a request.
	if err := goleak.Find(goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait")); err != nil && result == 0 {
		fmt.Fprintln(os.Stderr, err)
		result = 1
	}
	os.Exit(result)
}

func guestOf(t testing.TB) (*component.InstancePre, *incominghandler.Guest) {
	t.Helper()
	l := &linked
	l.once.Do(func() {
		wasm := guests.Wasm(t, "rust-wasi-http")
		if l.engine, l.err = component.NewEngine(component.EngineConfig{Pool: &component.PoolConfig{Instances: 64}}); l.err != nil {
			return
		}
		if l.comp, l.err = l.engine.Compile(context.Background(), "rust-wasi-http", wasm, component.CompileOptions{}); l.err != nil {
			return
		}
		linker := component.NewLinker()
		if l.err = errors.Join(wasi.Define(linker), Define(linker)); l.err != nil {
			return
		}
		if l.pre, l.err = linker.Link(l.comp); l.err != nil {
			return
		}
		l.guest, l.err = incominghandler.NewGuest(l.pre, "")
	})
	if l.err != nil {
		t.Fatal(l.err)
	}
	return l.pre, l.guest
}

var errDeadline = errors.New("the test's deadline passed")

// startFunc is what a site gives Serve.
type startFunc func(s *state, ctx context.Context, handle Handle) error

// wasmGuest runs the guest with a deadline, or none if it is 0.
func wasmGuest(t testing.TB, deadline time.Duration) startFunc {
	pre, guest := guestOf(t)
	return func(s *state, ctx context.Context, handle Handle) error {
		if deadline > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeoutCause(ctx, deadline, errDeadline)
			defer cancel()
		}
		in, err := pre.Instantiate(ctx, component.InstantiateOptions{Host: s})
		if err != nil {
			return err
		}
		defer in.Close()
		return handle(in, guest)
	}
}

// site is a server that answers every request with one guest.
type site struct {
	placement *Placement
	url       string
	addr      string
	client    *http.Client
	outcomes  chan error    // what Serve returned
	ended     chan error    // what start returned
	late      chan error    // what was reported late
	flushes   chan int      // how often a response was flushed
	entered   chan struct{} // a request has arrived
}

var modes = []string{"h1", "h2c"}

func forEachMode(t *testing.T, f func(t *testing.T, mode string)) {
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) { f(t, mode) })
	}
}

func newSite(t testing.TB, mode string, start startFunc) *site {
	t.Helper()
	return newPlacedSite(t, mode, nil, start)
}

func newPlacedSite(t testing.TB, mode string, p *Placement, start startFunc) *site {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &site{
		url: "http://" + ln.Addr().String(), addr: ln.Addr().String(),
		placement: p,
		outcomes:  make(chan error, 100), ended: make(chan error, 100), late: make(chan error, 100),
		flushes: make(chan int, 100), entered: make(chan struct{}, 100),
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	var running sync.WaitGroup
	server := &http.Server{Protocols: protocols, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.entered <- struct{}{}
		st := &state{}
		held := &heldWriter{ResponseWriter: w}
		running.Add(1)
		err := st.http.Serve(held, &Request{
			Request: r, Scheme: "http", Authority: r.Host, PathWithQuery: r.RequestURI,
			Headers: FieldsOf(r.Header), Placement: s.placement, Late: func(err error) { s.late <- err },
		}, func(ctx context.Context, handle Handle) (err error) {
			defer running.Done()
			defer func() { s.ended <- err }()
			return start(st, ctx, handle)
		})
		s.flushes <- held.flushes
		s.outcomes <- err
		switch {
		case err == nil:
			held.send()
		case held.sent:
			panic(http.ErrAbortHandler)
		default:
			clear(w.Header())
			w.WriteHeader(http.StatusInternalServerError)
		}
	})}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	tr := &http.Transport{Protocols: new(http.Protocols), DisableCompression: true}
	if mode == "h2c" {
		tr.Protocols.SetUnencryptedHTTP2(true)
	} else {
		tr.Protocols.SetHTTP1(true)
	}
	s.client = &http.Client{Transport: tr, Timeout: 30 * time.Second}
	t.Cleanup(func() {
		tr.CloseIdleConnections()
		_ = server.Close()
		<-served
		running.Wait()
	})
	return s
}

// heldWriter keeps a response back until it is flushed or has grown, so that a
// failure before that can be answered otherwise.
type heldWriter struct {
	http.ResponseWriter
	status  int
	body    []byte
	sent    bool
	flushes int
}

func (w *heldWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
func (w *heldWriter) WriteHeader(status int)      { w.status = status }

func (w *heldWriter) Write(p []byte) (int, error) {
	w.body = append(w.body, p...)
	if len(w.body) > smallWrite {
		return len(p), w.send()
	}
	return len(p), nil
}

func (w *heldWriter) send() error {
	if !w.sent {
		w.sent = true
		w.ResponseWriter.WriteHeader(w.status)
	}
	if len(w.body) == 0 {
		return nil
	}
	_, err := w.ResponseWriter.Write(w.body)
	w.body = w.body[:0]
	return err
}

func (w *heldWriter) FlushError() error {
	w.flushes++
	if err := w.send(); err != nil {
		return err
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// do sends a request and reads the response.
func (s *site) do(t *testing.T, method, path, body string) (*http.Response, string, error) {
	t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, s.url+path, r)
	if err != nil {
		t.Fatal(err)
	}
	return s.send(t, req)
}

func (s *site) send(t *testing.T, req *http.Request) (*http.Response, string, error) {
	t.Helper()
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp, string(b), err
}

// wait receives from ch, but not for ever.
func wait[T any](t *testing.T, what string, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(10 * time.Second):
		t.Fatalf("%s: nothing in ten seconds", what)
		panic("unreachable")
	}
}

// headerNames lists the names of a response's fields but for Date.
func headerNames(h http.Header) []string {
	var names []string
	for name := range h {
		if name != "Date" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
