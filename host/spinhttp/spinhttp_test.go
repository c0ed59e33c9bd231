package spinhttp

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/minispin/minispin/wit/bindings/fermyon/spin1/httptypes"
	"github.com/minispin/minispin/wit/bindings/wasi/http/types"
	"github.com/minispin/minispin/wit/value"
)

func TestRequest(t *testing.T) {
	body := []byte("body")
	r, err := request(&httptypes.Request{
		Method: httptypes.MethodPut, URI: "http://user:pw@a.example:81/x%2fy?q=1#part",
		Headers: httptypes.Headers{{F0: "X-A", F1: "1"}, {F0: "x-a", F1: "2"}, {F0: "host", F1: "evil"}, {F0: "bad name", F1: "x"},
			{F0: "x-b", F1: "a\r\nb"}, {F0: "Content-Length", F1: "99"}},
		Body: value.Some(body),
	})
	if err != nil {
		t.Fatal(err)
	}
	body[0] = 'X' // the guest's memory is its own again
	got, _ := io.ReadAll(r.Body)
	if s := fmt.Sprint(r.Method, " ", r.URL.Scheme, " ", r.URL.Host, " ", r.Host, " ", r.URL.RequestURI(), " ", string(got), r.ContentLength); s != "PUT http a.example:81 a.example:81 /x%2fy?q=1 body4" {
		t.Errorf("%s", s)
	}
	if len(r.Header) != 1 || len(r.Header["X-A"]) != 2 {
		t.Errorf("header %v", r.Header)
	}
	self, err := request(&httptypes.Request{URI: "/a?b"})
	if err != nil || self.URL.Host != "" || self.URL.RequestURI() != "/a?b" {
		t.Errorf("a path: %v, %v", self, err)
	}
	for _, uri := range []string{"", "a.example", "mailto:a", "http://", "http:///x", "//a.example/x", "http://a.example//x", "http://a b/", "http://a.example:x/"} {
		if r, err := request(&httptypes.Request{URI: uri}); err == nil {
			t.Errorf("%q is a request to %v", uri, r.URL)
		}
	}
}

func TestResponse(t *testing.T) {
	of := func(body string, length int64) *http.Response {
		return &http.Response{
			StatusCode: 418, ContentLength: length, Body: io.NopCloser(strings.NewReader(body)),
			Header: http.Header{"X-B": {"\xff"}, "Connection": {"close"}},
		}
	}
	res, err := response(of("four", -1), 4)
	if err != nil || res.Status != 418 || string(res.Body.V) != "four" {
		t.Errorf("%v, %v", res, err)
	}
	if h := res.Headers.V; len(h) != 1 || h[0].F0 != "x-b" || h[0].F1 != "\uFFFD" {
		t.Errorf("headers %q", h)
	}
	for _, r := range []*http.Response{of("five!", -1), of("", 5)} {
		if _, err := response(r, 4); err != httptypes.HTTPErrorRuntimeError {
			t.Errorf("too long: %v", err)
		}
	}
}

func TestErrors(t *testing.T) {
	for c, want := range map[types.ErrorCodeCase]httptypes.HTTPError{
		types.ErrorCodeHTTPRequestDenied:       httptypes.HTTPErrorDestinationNotAllowed,
		types.ErrorCodeDestinationIPProhibited: httptypes.HTTPErrorDestinationNotAllowed,
		types.ErrorCodeHTTPRequestURIInvalid:   httptypes.HTTPErrorInvalidURL,
		types.ErrorCodeConnectionLimitReached:  httptypes.HTTPErrorTooManyRequests,
		types.ErrorCodeConnectionRefused:       httptypes.HTTPErrorRequestError,
	} {
		if got := errorOf(fmt.Errorf("%w: x", types.ErrorCode{Case: c})); got != want {
			t.Errorf("%v is %v, want %v", c, got, want)
		}
	}
	if got := errorOf(errors.New("x")); got != httptypes.HTTPErrorRequestError {
		t.Error(got)
	}
}
