package app

import (
	"io"
	"net/http"
	"testing"

	"go.uber.org/zap"

	httptrigger "github.com/minispin/minispin/trigger/http"
)

func kindField(k httptrigger.Kind) zap.Field { return zap.Stringer("kind", k) }

// feed is a request body that comes in pieces, when the test wants.
type feed struct {
	io.Reader
	w *io.PipeWriter
}

// newFeed returns a feed that starts with a piece.
func newFeed(first string) *feed {
	r, w := io.Pipe()
	go io.WriteString(w, first)
	return &feed{r, w}
}

func (f *feed) close() { f.w.CloseWithError(io.ErrUnexpectedEOF) }

// tooLarge sends a body that must be refused.
func (s *site) tooLarge(t *testing.T, path string, body io.Reader) {
	t.Helper()
	resp, err := s.send(t.Context(), "POST", path, body)
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("%s: got %d, want 413", path, resp.StatusCode)
	}
}
