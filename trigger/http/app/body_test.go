package app

import (
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	httptrigger "github.com/minispin/minispin/trigger/http"
)

func TestWholeBody(t *testing.T) {
	large := strings.Repeat("0123456789", 300_000)
	broken := errors.New("broken off")
	for _, tt := range []struct {
		name   string
		body   io.Reader
		length int64
		limit  int64
		want   string
		err    error
	}{
		{"none", nil, 0, 10, "", nil},
		{"announced", strings.NewReader("12345"), 5, 10, "12345", nil},
		{"not announced", strings.NewReader("12345"), -1, 10, "12345", nil},
		{"a byte at a time", iotest.OneByteReader(strings.NewReader("12345")), -1, 10, "12345", nil},
		{"the end with the last byte", iotest.DataErrReader(strings.NewReader("12345")), 5, 5, "12345", nil},
		{"as much as may", strings.NewReader("12345"), -1, 5, "12345", nil},
		{"announced too large", iotest.ErrReader(broken), 6, 5, "", errBodyTooLarge},
		{"too large", strings.NewReader("123456"), -1, 5, "", errBodyTooLarge},
		{"large", strings.NewReader(large), int64(len(large)), int64(len(large)), large, nil},
		{"large and not announced", strings.NewReader(large), -1, int64(len(large)), large, nil},
		{"broken off", io.MultiReader(strings.NewReader("123"), iotest.ErrReader(broken)), 5, 10, "", broken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &httptrigger.Request{Request: httptest.NewRequestWithContext(t.Context(), "POST", "/", nil)}
			if tt.body != nil {
				r.Body, r.ContentLength = io.NopCloser(tt.body), tt.length
			}
			var b bodies
			got, release, err := b.wholeBody(r, tt.limit)
			if held := b.held.Load(); held < int64(len(got)) {
				t.Errorf("%d bytes count for %d", held, len(got))
			}
			if release(); b.held.Load() != 0 {
				t.Errorf("%d bytes count after the release", b.held.Load())
			}
			if string(got) != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("got %d bytes and %v, want %d bytes and %v", len(got), err, len(tt.want), tt.err)
			}
			if f, ok := errors.AsType[*httptrigger.Failure](err); tt.err == broken && (!ok || f.Kind != httptrigger.KindClientGone) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// That a client says its body will be large costs no memory before it is.
func TestAnnouncedBodyCostsNothing(t *testing.T) {
	r := &httptrigger.Request{Request: httptest.NewRequestWithContext(t.Context(), "POST", "/", nil)}
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader("x")), maxWholeBody
	var b bodies
	got, release, err := b.wholeBody(r, maxWholeBody)
	release()
	if err != nil || cap(got) > 2*firstBuffer {
		t.Errorf("%d bytes are kept for one: %v", cap(got), err)
	}
}

// Bodies that are too large together are turned away, whoever announced them.
func TestBodiesTogether(t *testing.T) {
	b := bodies{limit: 3000}
	read := func(size int) (func(), error) {
		r := &httptrigger.Request{Request: httptest.NewRequestWithContext(t.Context(), "POST", "/", nil)}
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(strings.Repeat("x", size))), int64(size)
		body, release, err := b.wholeBody(r, 10_000)
		if err == nil && len(body) != size {
			t.Errorf("%d bytes of %d", len(body), size)
		}
		return release, err
	}
	first, err := read(2000)
	if err != nil {
		t.Fatal(err)
	}
	second, err := read(2000)
	if f, ok := errors.AsType[*httptrigger.Failure](err); !ok || f.Kind != httptrigger.KindOverload || f.RetryAfter <= 0 {
		t.Errorf("got %v", err)
	}
	second()
	small, err := read(100)
	if err != nil {
		t.Error(err)
	}
	small()
	first()
	again, err := read(2000)
	if err != nil {
		t.Error(err)
	}
	again()
	if n := b.held.Load(); n != 0 {
		t.Errorf("%d bytes are held for nobody", n)
	}
}
