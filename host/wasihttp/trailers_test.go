package wasihttp

import (
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/minispin/minispin/wit/bindings/wasi/http/types"
	"github.com/minispin/minispin/wit/value"
)

// transportOf makes a transport of one protocol.
func transportOf(t *testing.T, set func(*http.Protocols, bool)) *http.Transport {
	p := new(http.Protocols)
	set(p, true)
	tr := &http.Transport{Protocols: p}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// post sends a request with a body and trailers, all of it given at once.
func post(t *testing.T, tr *http.Transport, authority string, fields []string, body string, trailers []Field) (*futureResponse, *outgoingBody) {
	t.Helper()
	x := &Ctx{Outgoing: outgoingFunc(func(r *http.Request, _ Timeouts) (*http.Response, error) { return tr.RoundTrip(r) })}
	r := newOutgoing(t, x, fields...)
	_ = r.SetMethod(nil, types.Method{Case: types.MethodPost})
	_ = r.SetScheme(nil, value.Some(types.Scheme{Case: types.SchemeHTTP}))
	if err := r.SetAuthority(nil, value.Some(authority)); err != nil {
		t.Fatal(err)
	}
	b, err := r.Body(nil)
	if err != nil {
		t.Fatal(err)
	}
	f := x.send(t.Context(), r, Timeouts{})
	out := b.(*outgoingBody)
	if body != "" {
		if err := (bodySink{out}).Write(t.Context(), []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.finish(trailers); err != nil {
		t.Fatal(err)
	}
	return f, out
}

// TestRequestTrailers sends trailers by both protocols. net/http's server hands
// over those of HTTP/2 only if they were announced.
func TestRequestTrailers(t *testing.T) {
	type seen struct{ body, announced, sum, other string }
	got := make(chan seen, 1)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var names []string
		for name := range r.Trailer {
			names = append(names, name)
		}
		b, _ := io.ReadAll(r.Body)
		got <- seen{string(b), strings.Join(names, ","), r.Trailer.Get("X-Sum"), r.Trailer.Get("X-Other")}
	})
	s := httptest.NewUnstartedServer(h)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	defer s.Close()
	authority := strings.TrimPrefix(s.URL, "http://")
	sum := []Field{{"x-sum", "7"}}
	tests := []struct {
		name     string
		fields   []string
		body     string
		trailers []Field
		want     seen
		h2       seen // where it is another
	}{
		{"announced", []string{"trailer", "X-Sum"}, "some", sum, seen{"some", "X-Sum", "7", ""}, seen{}},
		{"no body", []string{"trailer", "X-Sum"}, "", sum, seen{"", "X-Sum", "7", ""}, seen{}},
		{"announced and not sent", []string{"trailer", "x-sum"}, "some", nil, seen{"some", "X-Sum", "", ""}, seen{}},
		{"not announced", nil, "some", sum, seen{"some", "", "7", ""}, seen{"some", "", "", ""}},
		{"cannot be announced", []string{"trailer", "content-length, te,,a b,host,x-sum"}, "some", sum, seen{"some", "X-Sum", "7", ""}, seen{}},
	}
	for _, test := range tests {
		for name, set := range map[string]func(*http.Protocols, bool){
			"HTTP/1.1": (*http.Protocols).SetHTTP1, "HTTP/2": (*http.Protocols).SetUnencryptedHTTP2,
		} {
			t.Run(test.name+" "+name, func(t *testing.T) {
				f, _ := post(t, transportOf(t, set), authority, test.fields, test.body, test.trailers)
				if _, err := await(t, f); err != nil {
					t.Fatal(err)
				}
				want := test.want
				if name == "HTTP/2" && test.h2 != (seen{}) {
					want = test.h2
				}
				if g := <-got; g != want {
					t.Errorf("the server saw %+v, want %+v", g, want)
				}
				f.Drop()
			})
		}
	}
}

// TestTrailersAreSent reads the frames of HTTP/2: trailers that were not announced
// are sent, whatever the other side makes of them.
func TestTrailersAreSent(t *testing.T) {
	for _, trailers := range [][]Field{nil, {{"x-sum", "7"}}} {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		heads := make(chan int, 1)
		go func() {
			defer close(heads)
			c, err := ln.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			io.CopyN(io.Discard, c, int64(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")))
			c.Write([]byte{0, 0, 0, 4, 0, 0, 0, 0, 0}) // SETTINGS, empty
			for n := 0; ; {
				var head [9]byte // RFC 9113, section 4.1
				if _, err := io.ReadFull(c, head[:]); err != nil {
					return
				}
				size := int64(binary.BigEndian.Uint32(head[:4]) >> 8)
				if _, err := io.CopyN(io.Discard, c, size); err != nil {
					return
				}
				kind, endStream := head[3], head[4]&1 != 0
				if kind == 1 { // HEADERS
					n++
				}
				if (kind == 0 || kind == 1) && endStream {
					heads <- n
					return
				}
			}
		}()
		f, _ := post(t, transportOf(t, (*http.Protocols).SetUnencryptedHTTP2), ln.Addr().String(), nil, "some", trailers)
		if got, want := <-heads, 1+len(trailers); got != want {
			t.Errorf("%d blocks of fields, want %d", got, want)
		}
		_, _ = await(t, f)
		f.Drop()
		ln.Close()
	}
}
