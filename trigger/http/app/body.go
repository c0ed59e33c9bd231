package app

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"

	httptrigger "github.com/minispin/minispin/trigger/http"
)

// maxWholeBody bounds a request body that a guest takes whole, in bytes. It is
// in the host's memory until the guest has it.
const maxWholeBody = 64 << 20

// firstBuffer is how much memory a request gets for saying how long its body will
// be. For more the body has to come.
const firstBuffer = 1 << 20

var errBodyTooLarge = errors.New("the request body is too large")

// wholeBody reads the request body, of at most limit bytes.
func wholeBody(r *httptrigger.Request, limit int64) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	if r.ContentLength > limit {
		return nil, errBodyTooLarge
	}
	// One byte more than announced lets the end be seen without growing.
	body := make([]byte, 0, min(max(r.ContentLength, 512), firstBuffer)+1)
	for {
		if len(body) == cap(body) {
			body = append(body, 0)[:len(body)]
		}
		n, err := r.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case int64(len(body)) > limit:
			return nil, errBodyTooLarge
		case err == io.EOF:
			return body, nil
		case err != nil:
			// The client left, stalled or broke the rules of HTTP; its connection
			// is of no use any more.
			return nil, &httptrigger.Failure{Kind: httptrigger.KindClientGone, Err: fmt.Errorf("reading the request body: %w", err)}
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
