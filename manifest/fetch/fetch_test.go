package fetch

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// origin serves content at / and fails otherwise; it counts requests.
func origin(t *testing.T, content string) (url string, asked *atomic.Int32) {
	t.Helper()
	asked = new(atomic.Int32)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		switch r.URL.Path {
		case "/":
			w.Write([]byte(content))
		case "/moved":
			http.Redirect(w, r, "/", http.StatusFound)
		case "/broken":
			w.Header().Set("Content-Length", "100")
			w.Write([]byte("short"))
		case "/slow":
			<-r.Context().Done()
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, asked
}

// files lists what is in dir.
func files(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	hidden, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil {
		t.Fatal(err)
	}
	return append(names, hidden...)
}

func TestGetOnce(t *testing.T) {
	url, asked := origin(t, "a component")
	digest := digestOf([]byte("a component"))
	c := Cache{Dir: filepath.Join(t.TempDir(), "deep", "cache")}
	for _, u := range []string{url + "/moved", url + "/", "http://127.0.0.1:1/unreachable"} {
		got, err := c.Get(context.Background(), u, strings.Replace(digest, "sha256:a", "sha256:A", 1))
		if err != nil || string(got) != "a component" {
			t.Fatalf("%s: %q, %v", u, got, err)
		}
	}
	if n := asked.Load(); n != 2 { // the redirection and its target
		t.Errorf("the server was asked %d times", n)
	}
	kept := files(t, c.Dir)
	if len(kept) != 1 {
		t.Fatalf("the cache holds %q", kept)
	}
	// What is kept and was changed is fetched anew.
	if err := os.WriteFile(kept[0], []byte("something else"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Get(context.Background(), url+"/", digest); err != nil || string(got) != "a component" {
		t.Fatalf("after damage: %q, %v", got, err)
	}
	if got, err := os.ReadFile(kept[0]); err != nil || string(got) != "a component" {
		t.Errorf("the damage stays: %q, %v", got, err)
	}
}

func TestErrors(t *testing.T) {
	url, _ := origin(t, "a component")
	digest, other := digestOf([]byte("a component")), digestOf(nil)
	dir := t.TempDir()
	c := Cache{Dir: dir}
	for _, tt := range []struct{ url, digest, want string }{
		{url + "/absent", digest, "/absent: the server answers 404 Not Found"},
		{url + "/broken", digest, "/broken: the download broke off"},
		{url + "/", "sha256:12", `"sha256:12" is not a digest`},
		{url + "/", strings.TrimPrefix(digest, "sha256:"), "is not a digest"},
		{"http://user:hunter2@127.0.0.1:1/", digest, "downloading http://user:xxxxx@127.0.0.1:1/: dial"},
		{url + "/", other, other},
		{url + "/", other, digest},
	} {
		_, err := c.Get(context.Background(), tt.url, tt.digest)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want %q", tt.url, err, tt.want)
		}
	}
	_, err := c.Get(context.Background(), url+"/", other)
	if e, ok := errors.AsType[*DigestError](err); !ok || e.Want != other || e.Got != digest {
		t.Errorf("mismatch: %#v", err)
	}
	if kept := files(t, dir); len(kept) > 0 {
		t.Errorf("failures leave %q", kept)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := c.Get(ctx, url+"/slow", digest); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a server that does not answer: %v", err)
	}
	blocked := filepath.Join(dir, "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (&Cache{Dir: filepath.Join(blocked, "x")}).Get(context.Background(), url+"/", digest); err == nil {
		t.Error("a cache below a file works")
	}
}
