//go:build unix

package app

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/instancepool"
	"github.com/minispin/minispin/trigger/http/stage"
)

// servedBytes is how large the file of BenchmarkFile is.
const servedBytes = 1 << 20

// nativeFile is what the guest's /read is measured against: a handler that reads
// the file and writes it, piece by piece. With the system's own copy from file to
// socket, which io.Copy makes use of, neither the guest nor the host would see the
// bytes.
func nativeFile(path string, sendfile bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f, err := os.Open(path)
		if err != nil {
			w.WriteHeader(500)
			return
		}
		defer f.Close()
		if sendfile {
			_, _ = io.Copy(w, f)
		} else {
			_, _ = io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{f}, make([]byte, 64<<10))
		}
	}
}

// BenchmarkFile answers with a file of 1 MiB, over a socket: natively, by way of the
// guest's memory, and spliced by the guest from the file to the response.
func BenchmarkFile(b *testing.B) {
	content := strings.Repeat("0123456789abcdef", servedBytes/16)
	get := func(b *testing.B, client *http.Client, url string) {
		b.ReportAllocs()
		b.SetBytes(servedBytes)
		defer reportCPU(b)()
		buf := make([]byte, 64<<10)
		for b.Loop() {
			res, err := client.Get(url)
			if err != nil {
				b.Fatal(err)
			}
			n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, res.Body, buf)
			res.Body.Close()
			if err != nil || n != servedBytes {
				b.Fatal(n, err)
			}
		}
	}
	path := filepath.Join(b.TempDir(), "large")
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		b.Fatal(err)
	}
	for name, sendfile := range map[string]bool{"native": false, "native-sendfile": true} {
		b.Run(name, func(b *testing.B) {
			s := httptest.NewServer(nativeFile(path, sendfile))
			defer s.Close()
			get(b, s.Client(), s.URL)
		})
	}
	for _, strategy := range []instancepool.Strategy{instancepool.Pooled, instancepool.Reset, instancepool.Reuse} {
		for _, how := range []string{"read", "splice"} {
			b.Run(string(strategy)+"/"+how, func(b *testing.B) {
				if err := component.ResetSupported(); strategy == instancepool.Reset && err != nil {
					b.Skip(err)
				}
				m := withFiles(b, application(b, guest{id: "fs", source: "rust-filesystem", extra: `files = [{ source = "tree", destination = "/" }]`}), map[string]string{"tree/large": content})
				s := serveApp(b, mode{strategy, "h1"}, m, Options{Files: Files{Mode: stage.Direct}})
				get(b, s.client, s.base+"/"+how+"?large")
			})
		}
	}
}
