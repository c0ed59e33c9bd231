package httptrigger

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

func TestUnixSocket(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files that are sockets are told apart elsewhere")
	}
	dir, err := os.MkdirTemp("", "u") // paths of sockets are short
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "s")
	core, logs := observer.New(zap.InfoLevel)
	h, err := NewHandler(App{Routes: []Route{exec("/...", func(w http.ResponseWriter, r *Request) error {
		_, err := io.WriteString(w, r.Origin().ClientAddr)
		return err
	})}}, Options{})
	if err != nil {
		t.Fatal(err)
	}

	// One that a process has left behind.
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false)
	left.Close()

	ln, err := Listen(t.Context(), "unix:"+path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ListenNear(t.Context(), "unix:"+path); err == nil || !strings.Contains(err.Error(), "the address is in use") {
		t.Errorf("a second one: %v", err)
	}
	server := NewServer(AccessLog(h, zap.New(core)), ServerOptions{})
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	if got := server.BaseURL(ln.Addr()); got != "http+unix://"+strings.ReplaceAll(path, "/", "%2F") {
		t.Errorf("base URL %s", got)
	}
	tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}}
	req, err := http.NewRequestWithContext(t.Context(), "GET", "http://localhost/secretly?token=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil || string(body) != "0.0.0.0:0" {
		t.Errorf("got %q, %v", body, err)
	}
	tr.CloseIdleConnections()
	if err := server.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
	if lines := logs.All(); len(lines) != 1 {
		t.Errorf("%d log lines", len(lines))
	} else if f := lines[0].ContextMap(); f["path"] != "/secretly" || f["status"] != int64(200) || f["bytes"] != int64(9) {
		t.Errorf("logged: %v", f)
	}
}

func TestUnixSocketErrors(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "f")
	if err := os.WriteFile(file, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, addr := range []string{"unix:", "unix:" + file, "unix:" + filepath.Join(dir, "none", "s")} {
		if ln, err := Listen(t.Context(), addr); err == nil {
			ln.Close()
			t.Errorf("%s: no error", addr)
		}
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "kept" {
		t.Errorf("a file in the way: %q, %v", b, err)
	}
}

func TestAccessLogOfABrokenResponse(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	h := AccessLog(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		panic(http.ErrAbortHandler)
	}), zap.New(core))
	func() {
		defer func() {
			if recover() != http.ErrAbortHandler {
				t.Error("the panic is lost")
			}
		}()
		req, _ := http.NewRequest("GET", "http://localhost/x", nil)
		h.ServeHTTP(discard{}, req)
	}()
	if f := logs.All()[0].ContextMap(); f["status"] != int64(http.StatusTeapot) || f["broken_off"] != true {
		t.Errorf("logged: %v", f)
	}
}

type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}
