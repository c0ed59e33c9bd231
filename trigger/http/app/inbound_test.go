package app

import (
	"net/http/httptest"
	"strings"
	"testing"

	httptrigger "github.com/minispin/minispin/trigger/http"
	"github.com/minispin/minispin/wit/bindings/fermyon/spin1/httptypes"
	"github.com/minispin/minispin/wit/value"
)

func TestInboundResponse(t *testing.T) {
	type fields = []value.Tuple2[string, string]
	for _, tt := range []struct {
		name    string
		method  string
		status  uint16
		fields  fields
		body    string
		failure bool
		want    map[string]string // header fields, "" for absent ones
	}{
		{name: "plain", status: 200, body: "x", want: map[string]string{"Content-Length": "1"}},
		{name: "no body", status: 404, want: map[string]string{"Content-Length": "0"}},
		{name: "the last value counts", status: 200, fields: fields{{F0: "a", F1: "1"}, {F0: "A", F1: "2"}}, want: map[string]string{"A": "2"}},
		{name: "a length that is wrong", status: 200, fields: fields{{F0: "content-length", F1: "100"}}, body: "abc", want: map[string]string{"Content-Length": "3"}},
		{name: "a length and nothing else", status: 200, fields: fields{{F0: "content-length", F1: "100"}}, want: map[string]string{"Content-Length": "0"}},
		{name: "a length in answer to HEAD", method: "HEAD", status: 200, fields: fields{{F0: "content-length", F1: "100"}}, want: map[string]string{"Content-Length": "100"}},
		{name: "no content", status: 204, want: map[string]string{"Content-Length": ""}},
		{name: "not modified", status: 304, fields: fields{{F0: "content-length", F1: "100"}}, want: map[string]string{"Content-Length": "100"}},
		{
			name: "fields of the connection", status: 200, body: "x",
			fields: fields{{F0: "Transfer-Encoding", F1: "chunked"}, {F0: "connection", F1: "close"}, {F0: "trailer", F1: "a"}, {F0: "te", F1: "b"}, {F0: "upgrade", F1: "c"}, {F0: "keep-alive", F1: "d"}, {F0: "kept", F1: "yes"}},
			want:   map[string]string{"Transfer-Encoding": "", "Connection": "", "Trailer": "", "Te": "", "Upgrade": "", "Keep-Alive": "", "Kept": "yes"},
		},
		{name: "a name with a colon", status: 200, fields: fields{{F0: "a:b", F1: "c"}}, failure: true},
		{name: "an empty name", status: 200, fields: fields{{F1: "c"}}, failure: true},
		{name: "a line feed in a value", status: 200, fields: fields{{F0: "a", F1: "b\r\nc: d"}}, failure: true},
		{name: "a zero in a value", status: 200, fields: fields{{F0: "a", F1: "b\x00"}}, failure: true},
		{name: "no status", status: 0, failure: true},
		{name: "an informational status", status: 100, failure: true},
		{name: "switching protocols", status: 101, failure: true},
		{name: "a status too large", status: 600, failure: true},
		{name: "a status far too large", status: 65535, failure: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			method := tt.method
			if method == "" {
				method = "GET"
			}
			w := httptest.NewRecorder()
			r := &httptrigger.Request{Request: httptest.NewRequestWithContext(t.Context(), method, "/", nil)}
			resp := httptypes.Response{Status: tt.status}
			if tt.fields != nil {
				resp.Headers = value.Some(tt.fields)
			}
			if tt.body != "" {
				resp.Body = value.Some([]byte(tt.body))
			}
			err := writeInbound(w, r, &resp)
			if (err != nil) != tt.failure {
				t.Fatalf("got %v", err)
			}
			if tt.failure {
				if f, ok := err.(*httptrigger.Failure); !ok || f.Kind != httptrigger.KindGuestError || f.Message != "" {
					t.Errorf("got %v", err)
				}
				return
			}
			if w.Code != int(tt.status) || w.Body.String() != tt.body {
				t.Errorf("got %d %q", w.Code, w.Body)
			}
			for name, want := range tt.want {
				if got := strings.Join(w.Header().Values(name), "|"); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		})
	}
}
