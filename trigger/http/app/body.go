package app

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	httptrigger "github.com/minispin/minispin/trigger/http"
)

// maxWholeBody bounds a request body that a guest takes whole, in bytes. It is
// in the host's memory until the guest has it.
const maxWholeBody = 64 << 20

// maxWholeBodies bounds the bodies together that an application has in memory for
// guests that take them whole, in bytes. They are read before a request is
// admitted, since clients may take their time and instances should not wait for
// them; so admission does not bound them.
const maxWholeBodies = 512 << 20

var errBodiesTooLarge = errors.New("the request bodies in memory are too large together")

// bodies counts the memory that whole bodies take.
type bodies struct {
	held  atomic.Int64
	limit int64 // 0 means maxWholeBodies
}

// take takes n bytes, if there is room for them.
func (b *bodies) take(n int64) bool {
	if b.held.Add(n) > cmp.Or(b.limit, maxWholeBodies) {
		b.held.Add(-n)
		return false
	}
	return true
}

// firstBuffer is how much memory a request gets for saying how long its body will
// be. For more the body has to come.
const firstBuffer = 64 << 10

var errBodyTooLarge = errors.New("the request body is too large")

// wholeBody reads the request body, of at most limit bytes. The memory it takes
// counts until release is called, which must be in any case. An error that says
// that others take too much is one of overload.
func (b *bodies) wholeBody(r *httptrigger.Request, limit int64) (body []byte, release func(), err error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, func() {}, nil
	}
	var held int64
	release = func() { b.held.Add(-held) }
	if r.ContentLength > limit {
		return nil, release, errBodyTooLarge
	}
	// grow makes room for what has come, and little for what was announced.
	grow := func(size int) bool {
		if n := int64(size) - held; n > 0 {
			if !b.take(n) {
				return false
			}
			held += n
		}
		larger := make([]byte, len(body), size)
		copy(larger, body)
		body = larger
		return true
	}
	overload := &httptrigger.Failure{Kind: httptrigger.KindOverload, Err: errBodiesTooLarge, RetryAfter: time.Second}
	// One byte more than announced lets the end be seen without growing.
	if !grow(int(min(max(r.ContentLength, 512), firstBuffer) + 1)) {
		return nil, release, overload
	}
	for {
		if len(body) == cap(body) && !grow(int(min(2*int64(cap(body)), limit+1))) {
			return nil, release, overload
		}
		n, err := r.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case int64(len(body)) > limit:
			return nil, release, errBodyTooLarge
		case err == io.EOF:
			return body, release, nil
		case err != nil:
			// The client left, stalled or broke the rules of HTTP; its connection
			// is of no use any more.
			return nil, release, &httptrigger.Failure{Kind: httptrigger.KindClientGone, Err: fmt.Errorf("reading the request body: %w", err)}
		}
	}
}

// writeWhole sends a response whose headers are set and whose body is known.
func writeWhole(w http.ResponseWriter, r *httptrigger.Request, status int, body []byte) error {
	switch h := w.Header(); {
	case status == http.StatusNoContent, status == http.StatusNotModified:
	case r.Method == http.MethodHead && len(body) == 0 && h.Get("Content-Length") != "":
		// The guest knows what a GET would have got.
	default:
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(status)
	if len(body) == 0 {
		return nil
	}
	_, err := w.Write(body)
	return err
}

// upload is a request body that notes when it breaks off. The guest that reads it
// may make what it likes of that, such as to break off its response.
type upload struct {
	io.ReadCloser
	broken atomic.Bool
}

// Read implements io.Reader.
func (u *upload) Read(p []byte) (int, error) {
	n, err := u.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		u.broken.Store(true)
	}
	return n, err
}
