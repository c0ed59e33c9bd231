package spintest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/minispin/minispin/spintest"
)

// TestGreeting is what the test of an application looks like.
func TestGreeting(t *testing.T) {
	app := spintest.Load(t, "testdata/greeting", spintest.Options{})

	for _, test := range []struct {
		path   string
		status int
		body   string
	}{
		{"/hello", http.StatusOK, "Hello, world!"},
		{"/about", http.StatusOK, "it greets"},
		{"/elsewhere", http.StatusNotFound, ""},
	} {
		resp := app.Do(httptest.NewRequest("GET", test.path, nil))
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != test.status || string(body) != test.body {
			t.Errorf("%s: got %d %q, want %d %q", test.path, resp.StatusCode, body, test.status, test.body)
		}
	}
	if got, want := app.Output(), "greeting somebody\n"; got != want {
		t.Errorf("it printed %q, want %q", got, want)
	}
}
