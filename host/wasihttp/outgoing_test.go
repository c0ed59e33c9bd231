package wasihttp

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/minispin/minispin/host/wasi/io"
	"github.com/minispin/minispin/wit/bindings/wasi/http/types"
	"github.com/minispin/minispin/wit/value"
)

// outgoingFunc makes an Outgoing of a function.
type outgoingFunc func(r *http.Request, t Timeouts) (*http.Response, error)

func (f outgoingFunc) Send(r *http.Request, t Timeouts) (*http.Response, error) { return f(r, t) }

func newOutgoing(t *testing.T, x *Ctx, fields ...string) *outgoingRequest {
	t.Helper()
	h := host{x}
	f, err := h.FieldsFromList(nil, entriesOf(fields...))
	if err != nil {
		t.Fatal(err)
	}
	r, err := h.NewOutgoingRequest(nil, f)
	if err != nil {
		t.Fatal(err)
	}
	return r.(*outgoingRequest)
}

// await waits for the future and gets what it has.
func await(t *testing.T, f *futureResponse) (*incomingResponse, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := wasiio.OnClose(f.done).Block(ctx); err != nil {
		t.Fatal(err)
	}
	got, err := f.Get(nil)
	if err != nil || !got.Set || got.V.IsErr {
		t.Fatalf("get = %v, %v", got, err)
	}
	if again, _ := f.Get(nil); !again.Set || !again.V.IsErr {
		t.Errorf("get again = %v, want an empty error", again)
	}
	if got.V.OK.IsErr {
		return nil, got.V.OK.Err
	}
	return got.V.OK.OK.(*incomingResponse), nil
}

func TestOutgoingIsDenied(t *testing.T) {
	x := &Ctx{}
	r := newOutgoing(t, x)
	b, err := r.Body(nil)
	if err != nil {
		t.Fatal(err)
	}
	f := x.send(t.Context(), r, Timeouts{})
	if _, err := await(t, f); caseOf(err) != types.ErrorCodeHTTPRequestDenied {
		t.Errorf("got %v", err)
	}
	if err := (bodySink{b.(*outgoingBody)}).Write(t.Context(), []byte("x")); caseOf(err) != types.ErrorCodeHTTPRequestDenied {
		t.Errorf("write = %v", err)
	}
	b.Drop()
	f.Drop()
	if x.ledger != (ledger{}) {
		t.Errorf("still counted: %+v", x.ledger)
	}
}

func TestOutgoingExchange(t *testing.T) {
	type seen struct {
		Method, URI, Host, Body string
		Field                   []string
		Trailer                 string
	}
	got := make(chan seen, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- seen{r.Method, r.RequestURI, r.Host, string(body), r.Header["X-A"], r.Trailer.Get("X-T")}
		w.Header().Set("X-B", "b")
		w.Header().Set("Keep-Alive", "no business of the guest's")
		w.WriteHeader(418)
		io.WriteString(w, "response")
		http.NewResponseController(w).Flush()
		w.Header().Set(http.TrailerPrefix+"X-S", "sum")
	}))
	defer server.Close()
	tr := &http.Transport{}
	defer tr.CloseIdleConnections()
	x := &Ctx{Outgoing: outgoingFunc(func(r *http.Request, timeouts Timeouts) (*http.Response, error) {
		if timeouts != (Timeouts{Connect: 1, FirstByte: 2}) {
			t.Errorf("timeouts %v", timeouts)
		}
		return tr.RoundTrip(r)
	})}
	r := newOutgoing(t, x, "x-a", "1", "x-a", "2")
	authority := strings.TrimPrefix(server.URL, "http://")
	for what, err := range map[string]error{
		"method":    r.SetMethod(nil, types.Method{Case: types.MethodPut}),
		"path":      r.SetPathWithQuery(nil, value.Some("/a%2fb;c?d=e%20f")),
		"scheme":    r.SetScheme(nil, value.Some(types.Scheme{Case: types.SchemeHTTP})),
		"authority": r.SetAuthority(nil, value.Some(authority)),
	} {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	b, _ := r.Body(nil)
	o := requestOptions{connect: value.Some(uint64(0)), firstByte: value.Some(uint64(2))}
	f := x.send(t.Context(), r, o.timeouts())
	body := b.(*outgoingBody)
	for _, part := range []string{"some ", "request"} {
		sink := bodySink{body}
		for n := 0; n == 0; n, _ = sink.Permit() {
			if err := sink.Block(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := sink.Write(t.Context(), []byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	if err := body.finish([]Field{{"x-t", "trailer"}}); err != nil {
		t.Fatal(err)
	}
	response, err := await(t, f)
	if err != nil {
		t.Fatal(err)
	}
	want := seen{"PUT", "/a%2fb;c?d=e%20f", authority, "some request", []string{"1", "2"}, "trailer"}
	if diff := cmp.Diff(want, <-got); diff != "" {
		t.Errorf("the server saw (-want +got):\n%s", diff)
	}
	if status, _ := response.Status(nil); status != 418 {
		t.Errorf("status %d", status)
	}
	if response.fields.index("x-b") < 0 || response.fields.index("keep-alive") >= 0 {
		t.Errorf("fields %v", response.fields.list)
	}
	in, err := response.Consume(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := response.Consume(nil); err != value.Failed {
		t.Errorf("second consume: %v", err)
	}
	stream, err := in.Stream(nil)
	if err != nil {
		t.Fatal(err)
	}
	part, err := stream.(*wasiio.InputStream).WaitRead(t.Context(), 3)
	if err != nil || string(part) != "res" {
		t.Errorf("%q, %v", part, err)
	}
	if _, err := (host{x}).IncomingBodyFinish(nil, in); err == nil {
		t.Error("a body can be finished while its stream is alive")
	}
	stream.Drop()
	future, err := (host{x}).IncomingBodyFinish(nil, in)
	if err != nil {
		t.Fatal(err)
	}
	if err := future.(*futureTrailers).Block(t.Context()); err != nil {
		t.Fatal(err)
	}
	trailers, _ := future.Get(nil)
	if fields, ok := trailers.V.OK.OK.Get(); !ok || fields.(*Fields).list[0] != (Field{"x-s", "sum"}) {
		t.Errorf("trailers %v", trailers)
	}
	if again, _ := future.Get(nil); !again.V.IsErr {
		t.Error("trailers can be had twice")
	}
	future.Drop()
	response.Drop()
	f.Drop()
}

// TestOutgoingGivenUp sees that a request ends when the guest drops the future,
// before the response and after it.
func TestOutgoingGivenUp(t *testing.T) {
	t.Run("before", func(t *testing.T) {
		ended := make(chan error, 1)
		x := &Ctx{Outgoing: outgoingFunc(func(r *http.Request, _ Timeouts) (*http.Response, error) {
			<-r.Context().Done()
			ended <- r.Context().Err()
			return nil, r.Context().Err()
		})}
		r := newOutgoing(t, x)
		r.SetAuthority(nil, value.Some("a"))
		f := x.send(t.Context(), r, Timeouts{})
		if got, _ := f.Get(nil); got.Set {
			t.Errorf("there is a response: %v", got)
		}
		f.Drop()
		wait(t, "the end", ended)
	})
	t.Run("after", func(t *testing.T) {
		closed := make(chan struct{})
		body, _ := io.Pipe()
		x := &Ctx{Outgoing: outgoingFunc(func(r *http.Request, _ Timeouts) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: closeNoter{body, closed}}, nil
		})}
		r := newOutgoing(t, x)
		r.SetAuthority(nil, value.Some("a"))
		f := x.send(t.Context(), r, Timeouts{})
		<-f.done
		f.Drop()
		wait(t, "the body's end", closed)
	})
	t.Run("panic", func(t *testing.T) {
		x := &Ctx{Outgoing: outgoingFunc(func(*http.Request, Timeouts) (*http.Response, error) { panic("as asked") })}
		r := newOutgoing(t, x)
		r.SetAuthority(nil, value.Some("a"))
		if _, err := await(t, x.send(t.Context(), r, Timeouts{})); caseOf(err) != types.ErrorCodeInternalError {
			t.Errorf("got %v", err)
		}
	})
	t.Run("without an authority", func(t *testing.T) {
		x := &Ctx{Outgoing: outgoingFunc(func(r *http.Request, _ Timeouts) (*http.Response, error) {
			if r.URL.Host != "" || r.Host != "" || r.URL.RequestURI() != "/" {
				t.Errorf("host %q, URL %v", r.Host, r.URL)
			}
			return nil, code(types.ErrorCodeDestinationNotFound)
		})}
		if _, err := await(t, x.send(t.Context(), newOutgoing(t, x), Timeouts{})); caseOf(err) != types.ErrorCodeDestinationNotFound {
			t.Errorf("got %v", err)
		}
	})
	t.Run("announcing a body that is not there", func(t *testing.T) {
		x := &Ctx{Outgoing: outgoingFunc(nil)}
		if _, err := await(t, x.send(t.Context(), newOutgoing(t, x, "content-length", "3"), Timeouts{})); caseOf(err) != types.ErrorCodeHTTPRequestBodySize {
			t.Errorf("got %v", err)
		}
	})
}

type closeNoter struct {
	io.Reader
	closed chan struct{}
}

func (c closeNoter) Close() error {
	close(c.closed)
	return nil
}

func TestOutgoingValidation(t *testing.T) {
	long := strings.Repeat("x", maxTarget+1)
	check := func(what string, valid func(string) bool, good, bad []string) {
		for _, s := range good {
			if !valid(s) {
				t.Errorf("%s %q is refused", what, s)
			}
		}
		for _, s := range bad {
			if valid(s) {
				t.Errorf("%s %q is accepted", what, s)
			}
		}
	}
	check("path", validPathWithQuery,
		[]string{"", "/", "?a", "/a?b=c&d", "/%zz", "/a//b"},
		[]string{"a", "*", "/a b", "/a\r\nb", "/\x00", "/#f", "//host/path", "/\u00e4", "http://a/", "/" + long})
	check("authority", validAuthority,
		[]string{"a", "example.com", "example.com:80", "127.0.0.1:65535", "[::1]", "[::1]:80", "a_b"},
		[]string{"", "a:", "a:0", "a:65536", "a:+1", ":80", "u@a", "a/b", "a b", "a?b", "[::1", "[::1%25eth0]", "[127.0.0.1]", "a\r\n", "[a]:80", long})
	check("scheme", validScheme, []string{"http", "ws", "a+b-c.1"}, []string{"", "1a", "a b", "a:", long})
	r := newOutgoing(t, &Ctx{})
	for name, ok := range map[string]bool{"GET": true, "PROPFIND": true, "": false, "A B": false, "A\r\n": false, long: false} {
		if err := r.SetMethod(nil, types.Method{Case: types.MethodOther, Other: name}); (err == nil) != ok {
			t.Errorf("set-method(%.20q) = %v", name, err)
		}
	}
}

func TestErrorCodes(t *testing.T) {
	tests := []struct {
		err  error
		want types.ErrorCodeCase
	}{
		{code(types.ErrorCodeLoopDetected), types.ErrorCodeLoopDetected},
		{coded("reading", errOver), types.ErrorCodeConnectionTerminated},
		{&http.MaxBytesError{Limit: 3}, types.ErrorCodeHTTPRequestBodySize},
		{&net.DNSError{IsNotFound: true}, types.ErrorCodeDNSError},
		{&net.DNSError{IsTimeout: true}, types.ErrorCodeDNSTimeout},
		{&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, types.ErrorCodeConnectionTimeout},
		{&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, types.ErrorCodeConnectionReadTimeout},
		{&net.OpError{Op: "write", Err: os.ErrDeadlineExceeded}, types.ErrorCodeConnectionWriteTimeout},
		{&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, types.ErrorCodeConnectionRefused},
		{&net.OpError{Op: "read", Err: syscall.ECONNRESET}, types.ErrorCodeConnectionTerminated},
		{context.DeadlineExceeded, types.ErrorCodeConnectionReadTimeout},
		{io.ErrUnexpectedEOF, types.ErrorCodeHTTPProtocolError},
		{errors.New("anything else"), types.ErrorCodeHTTPProtocolError},
	}
	for _, test := range tests {
		if got := ErrorCode(test.err); got.Case != test.want {
			t.Errorf("%v is %s, want %s", test.err, got.Case, test.want)
		}
	}
	got, _ := host{}.HTTPErrorCode(nil, wasiio.NewError(coded("reading", io.ErrUnexpectedEOF)))
	if c, ok := got.Get(); !ok || c.Case != types.ErrorCodeHTTPProtocolError {
		t.Errorf("http-error-code of a body's error: %v", got)
	}
	if got, _ := (host{}).HTTPErrorCode(nil, wasiio.NewError(io.ErrUnexpectedEOF)); got.Set {
		t.Errorf("http-error-code of another stream's error: %v", got)
	}
}
