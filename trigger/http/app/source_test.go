package app

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/minispin/minispin/guests"
)

// TestSourceByURL loads an application whose component is downloaded, once more
// when there is no server any more, and with a digest that is not the content's.
func TestSourceByURL(t *testing.T) {
	wasm, err := os.ReadFile(guests.Path(t, "rust-inbound-http"))
	if err != nil {
		t.Fatal(err)
	}
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(wasm) }))
	defer origin.Close()
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256(wasm))
	opts := Options{CacheDir: cacheDir, DownloadDir: t.TempDir()}
	try := func(digest string) error {
		a, err := Load(context.Background(), parse(t, fmt.Sprintf(`spin_manifest_version = 2
[application]
name = "far"
[[trigger.http]]
route = "/..."
component = { source = { url = %q, digest = %q } }
`, origin.URL, digest)), opts)
		if err == nil {
			a.Close()
		}
		return err
	}
	if err := try(digest); err != nil {
		t.Fatal(err)
	}
	other := fmt.Sprintf("sha256:%x", sha256.Sum256(nil))
	if err := try(other); err == nil || !strings.Contains(err.Error(), digest) || !strings.Contains(err.Error(), other) || !strings.Contains(err.Error(), "component http-trigger1-component") {
		t.Errorf("the wrong digest: %v", err)
	}
	origin.Close()
	if err := try(digest); err != nil {
		t.Errorf("without the server: %v", err)
	}
}
