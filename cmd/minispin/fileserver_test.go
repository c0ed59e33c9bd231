package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// fileServer makes and serves an application of the template static-fileserver that
// has some files, with edit applied to its manifest.
func fileServer(t *testing.T, edit func(string) string, values ...string) (url string, told *transcript) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot be told to stop here")
	}
	dir := filepath.Join(t.TempDir(), "site")
	args := []string{"new", "-t", "static-fileserver", "site"}
	for _, v := range values {
		args = append(args, "--value", v)
	}
	minispin(t, filepath.Dir(dir), nil, args...)
	for name, data := range map[string]string{
		"assets/sub/index.html":  "<p>sub",
		"assets/sub/data.JSON":   "{}",
		"assets/empty":           "",
		"assets/large.bin":       string(bytes.Repeat([]byte("0123456789abcdef"), 64<<10)),
		"assets/not found.html":  "custom",
		"assets/bare/readme.txt": "text",
		"secret.txt":             "secret",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(data), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	manifest := filepath.Join(dir, "spin.toml")
	text, err := os.ReadFile(manifest)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(manifest, []byte(edit(string(text))), 0o666); err != nil {
		t.Fatal(err)
	}
	return serveDir(t, dir)
}

func asMade(text string) string { return text }

func TestFileServer(t *testing.T) {
	t.Parallel()
	url, told := fileServer(t, asMade, "http-path=/files/...")
	for _, test := range []struct {
		method, path string
		status       int
		kind, body   string // the content type, a part of the body
	}{
		{"GET", "/files/", 200, "text/html; charset=utf-8", "<h1>site</h1>"},
		{"GET", "/files/index.html?x=y", 200, "text/html; charset=utf-8", "<h1>site</h1>"},
		{"GET", "/files/sub/", 200, "text/html; charset=utf-8", "<p>sub"},
		{"GET", "/files/sub/data.JSON", 200, "application/json", "{}"},
		{"GET", "/files/s%75b/data.JSON", 200, "application/json", "{}"},
		{"GET", "/files//sub/./data.JSON", 200, "application/json", "{}"},
		{"GET", "/files/not%20found.html", 200, "text/html; charset=utf-8", "custom"},
		{"GET", "/files/empty", 200, "application/octet-stream", ""},
		{"GET", "/files/bare/readme.txt", 200, "text/plain; charset=utf-8", "text"},
		{"GET", "/files/bare/", 404, "text/plain", "not found"},
		{"GET", "/files/bare", 404, "text/plain", "not found"},
		{"GET", "/files/nothing", 404, "text/plain", "not found"},
		{"GET", "/files/empty/", 404, "text/plain", "not found"},
		{"GET", "/files/empty/below", 404, "text/plain", "not found"},
		{"GET", "/files/%ff", 404, "text/plain", "not found"},
		{"GET", "/files/%00", 404, "text/plain", "not found"},
		{"GET", "/files/..%2fsecret.txt", 404, "text/plain", "not found"},
		{"GET", "/files/sub/%2e%2e/%2e%2e/secret.txt", 404, "text/plain", "not found"},
		{"GET", "/files/secret.txt", 404, "text/plain", "not found"},
		{"HEAD", "/files/sub/", 200, "text/html; charset=utf-8", ""},
		{"HEAD", "/files/nothing", 404, "text/plain", ""},
		{"POST", "/files/", 405, "text/plain", "method not allowed"},
		{"GET", "/elsewhere", 404, "", ""},
	} {
		resp, body := fetch(t, test.method, url+test.path, nil)
		if resp.StatusCode != test.status || resp.Header.Get("Content-Type") != test.kind || !strings.Contains(body, test.body) {
			t.Errorf("%s %s: status %d, type %q, body %.100q; want %d, %q, %q\n%s",
				test.method, test.path, resp.StatusCode, resp.Header.Get("Content-Type"), body, test.status, test.kind, test.body, told)
		}
	}
	resp, body := fetch(t, http.MethodGet, url+"/files/large.bin", nil)
	if len(body) != 1<<20 || resp.ContentLength != 1<<20 || !strings.HasSuffix(body, "0123456789abcdef") {
		t.Errorf("a large file has %d bytes, announced as %d", len(body), resp.ContentLength)
	}
	resp, body = fetch(t, http.MethodHead, url+"/files/large.bin", nil)
	if length := resp.Header.Get("Content-Length"); body != "" || length != strconv.Itoa(1<<20) {
		t.Errorf("after HEAD there are %d bytes, announced as %s", len(body), length)
	}
	resp, _ = fetch(t, http.MethodGet, url+"/files/sub?a=b", nil)
	if location := resp.Header.Get("Location"); resp.StatusCode != 301 || location != "/files/sub/?a=b" {
		t.Errorf("a directory: status %d, location %q", resp.StatusCode, location)
	}
	if resp, _ = fetch(t, http.MethodPost, url+"/files/", nil); resp.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("allowed is %q", resp.Header.Get("Allow"))
	}
}

// A client that has a file is told so, and no more.
func TestFileServerTags(t *testing.T) {
	t.Parallel()
	url, _ := fileServer(t, asMade)
	resp, _ := fetch(t, http.MethodGet, url+"/sub/", nil)
	tag := resp.Header.Get("Etag")
	if other, _ := fetch(t, http.MethodGet, url+"/sub/data.JSON", nil); tag == "" || tag == other.Header.Get("Etag") {
		t.Errorf("two files have the tags %q and %q", tag, other.Header.Get("Etag"))
	}
	for _, test := range []struct {
		wanted string
		status int
	}{
		{tag, 304},
		{"W/" + tag, 304},
		{`"other", ` + tag, 304},
		{"*", 304},
		{`"other"`, 200},
		{strings.Trim(tag, `"`), 200},
	} {
		resp, body := fetch(t, http.MethodGet, url+"/sub/", http.Header{"If-None-Match": {test.wanted}})
		if resp.StatusCode != test.status || resp.Header.Get("Etag") != tag || (body == "") != (test.status == 304) {
			t.Errorf("If-None-Match: %s: status %d, tag %s, body %q; want %d", test.wanted, resp.StatusCode, resp.Header.Get("Etag"), body, test.status)
		}
	}
	// As a browser would take it for another server's.
	for _, path := range []string{"//sub", "/%5csub"} {
		if resp, _ := fetch(t, http.MethodGet, url+path, nil); resp.StatusCode != 404 {
			t.Errorf("%s: status %d, location %q", path, resp.StatusCode, resp.Header.Get("Location"))
		}
	}
}

func TestFileServerWithoutFile(t *testing.T) {
	for _, test := range []struct {
		name, variables string
		status          int
		body, told      string
	}{
		{"fallback", `FALLBACK_PATH = "sub/index.html"`, 200, "<p>sub", ""},
		{"custom", `CUSTOM_404_PATH = "/not found.html"`, 404, "custom", ""},
		{"missing", `FALLBACK_PATH = "nowhere.html"`, 404, "not found", "FALLBACK_PATH is nowhere.html: entity not found"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			url, told := fileServer(t, func(text string) string {
				return text + "environment = { " + test.variables + " }\n"
			})
			resp, body := fetch(t, http.MethodGet, url+"/no/such/path", nil)
			// What the component prints may come after its response.
			for end := time.Now().Add(patience); time.Now().Before(end) && !strings.Contains(told.String(), test.told); {
				time.Sleep(10 * time.Millisecond)
			}
			if resp.StatusCode != test.status || !strings.Contains(body, test.body) || !strings.Contains(told.String(), test.told) {
				t.Errorf("status %d, body %q; want %d, %q\n%s", resp.StatusCode, body, test.status, test.body, told)
			}
		})
	}
}
