package httptrigger

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestListing(t *testing.T) {
	static := &StaticResponse{}
	apps := map[string][]Route{
		"several": {
			{ID: "fallback", Pattern: "/...", Static: static},
			{ID: "api", Pattern: "/api/...", Static: static, Description: "Answers <everything> & more"},
			{ID: "user", Pattern: "/users/:id/", Executor: ExecutorFunc(ok), Strategy: "reset"},
			{ID: "hello", Pattern: "hello", Static: static, Description: "Says hello",
				Strategy: "pooled", StrategyReason: "a reason"},
			{ID: "hidden", Private: true, Executor: ExecutorFunc(ok)},
			{ID: "root", Pattern: "/", Static: static},
		},
		"none": nil,
	}
	for name, routes := range apps {
		h, err := NewHandler(App{Name: "app", Routes: routes}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		l := h.Listing("http://127.0.0.1:3000")
		var plain, terminal, asJSON bytes.Buffer
		for _, err := range []error{l.WritePlain(&plain), l.WriteTerminal(&terminal), l.WriteJSON(&asJSON)} {
			if err != nil {
				t.Error(err)
			}
		}
		golden(t, name+".txt", plain.Bytes())
		golden(t, name+".json", asJSON.Bytes())

		uncoloured := strings.NewReplacer("\x1b[1;32m", "", "\x1b[0m", "").Replace(terminal.String())
		if uncoloured != plain.String() || !strings.HasPrefix(terminal.String(), "\n\x1b[1;32mServing\x1b[0m http") {
			t.Errorf("for a terminal: %q", terminal.String())
		}
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "listing", name)
	if *update {
		if err := os.WriteFile(path, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want = bytes.ReplaceAll(want, []byte("\r\n"), []byte("\n")) // a checkout on Windows
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s (-want +got):\n%s", path, d)
	}
}

func TestListingReportsWriteErrors(t *testing.T) {
	for _, err := range []error{(Listing{}).WritePlain(brokenWriter{}), (Listing{}).WriteJSON(brokenWriter{})} {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("error %v", err)
		}
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, os.ErrClosed }
