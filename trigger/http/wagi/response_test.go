package wagi

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// feed hands output to a parser in pieces of the given size.
func feed(output string, size int) (head *Head, body string, err error) {
	var p Parser
	for len(output) > 0 {
		n := min(size, len(output))
		h, b, err := p.Feed([]byte(output[:n]))
		if err != nil {
			return nil, "", err
		}
		if h != nil {
			head = h
		}
		body += string(b)
		output = output[n:]
	}
	return head, body, p.Finish()
}

func TestParser(t *testing.T) {
	tests := []struct {
		name, output string
		status       int
		header       http.Header
		body         string
		ignored      int
	}{
		{"content type", "Content-Type: text/plain\n\nhello", 200, http.Header{"Content-Type": {"text/plain"}}, "hello", 0},
		{"carriage returns", "content-type: text/plain\r\nx-a: b\r\n\r\na\r\nb", 200,
			http.Header{"Content-Type": {"text/plain"}, "X-A": {"b"}}, "a\r\nb", 0},
		{"no body", "content-type: a\n\n", 200, http.Header{"Content-Type": {"a"}}, "", 0},
		{"body with blank lines", "status: 201\n\n\n\nx\n\n", 201, http.Header{}, "\n\nx\n\n", 0},
		{"status with text", "Status: 404 Not Found\n\nno", 404, http.Header{}, "no", 0},
		{"status alone", "status: 204\n\n", 204, http.Header{}, "", 0},
		{"odd status", "status: 999\n\n", 999, http.Header{}, "", 0},
		{"honest 502", "status: 502\n\n", 502, http.Header{}, "", 0},
		{"location", "Location: /there\n\n", 302, http.Header{"Location": {"/there"}}, "", 0},
		{"location and status", "Location: /there\nStatus: 301\n\n", 301, http.Header{"Location": {"/there"}}, "", 0},
		{"status and location", "Status: 301\nLocation: /there\n\n", 301, http.Header{"Location": {"/there"}}, "", 0},
		{"status is no number", "Status: ok\n\nb", 502, http.Header{}, "b", 1},
		{"status is empty", "Status:\n\nb", 502, http.Header{}, "b", 1},
		{"status is informational", "Status: 101\n\n", 502, http.Header{}, "", 1},
		{"status has a sign", "Status: +20\n\n", 502, http.Header{}, "", 1},
		{"status too large", "Status: 2000\n\n", 502, http.Header{}, "", 1},
		{"last value counts", "content-type: a\nX-a: 1\nx-A: 2\n\n", 200,
			http.Header{"Content-Type": {"a"}, "X-A": {"2"}}, "", 0},
		{"cookies", "content-type: a\nset-cookie: 1\nset-cookie: 2\n\n", 200,
			http.Header{"Content-Type": {"a"}, "Set-Cookie": {"1", "2"}}, "", 0},
		{"value with colon", "content-type: a\nx: b:c\n\n", 200, http.Header{"Content-Type": {"a"}, "X": {"b:c"}}, "", 0},
		{"lines that are no headers", "content-type: a\nhello\nb c: d\n: e\n\n", 200, http.Header{"Content-Type": {"a"}}, "", 3},
		{"connection headers", "content-type: a\nTransfer-Encoding: chunked\nConnection: close\n\n", 200,
			http.Header{"Content-Type": {"a"}}, "", 2},
		{"one newline first", "\ncontent-type: a\n\nb", 200, http.Header{"Content-Type": {"a"}}, "b", 0},
	}
	for _, c := range tests {
		for _, size := range []int{1, 2, 7, 1 << 20} {
			head, body, err := feed(c.output, size)
			if err != nil || head == nil {
				t.Errorf("%s, pieces of %d: head %v, error %v", c.name, size, head, err)
				continue
			}
			if head.Status != c.status || body != c.body || len(head.Ignored) != c.ignored {
				t.Errorf("%s, pieces of %d: status %d, body %q, ignored %q", c.name, size, head.Status, body, head.Ignored)
			}
			if d := cmp.Diff(c.header, head.Header); d != "" {
				t.Errorf("%s, pieces of %d: header (-want +got):\n%s", c.name, size, d)
			}
		}
	}
}

func TestParserErrors(t *testing.T) {
	tests := []struct {
		name, output string
		explained    bool // the client gets a body
		reason       string
	}{
		{"nothing", "", false, "empty"},
		{"no blank line", "Content-Type: text/plain\nhello", true, "blank line"},
		{"plain text", "hello", true, "blank line"},
		{"blank lines only", "\n\nhello", true, "none of"},
		{"only other headers", "x-a: b\n\nhello", true, "none of"},
		{"control character", "content-type: a\nx: a\x00b\n\n", false, "control"},
		{"not UTF-8", "content-type: \xff\n\n", false, "UTF-8"},
		{"endless", strings.Repeat("x", MaxHeadLength+1), false, "longer"},
	}
	for _, c := range tests {
		for _, size := range []int{1, 1 << 20} {
			_, _, err := feed(c.output, size)
			var bad *OutputError
			if !errors.As(err, &bad) {
				t.Errorf("%s: error %v", c.name, err)
				continue
			}
			if bad.Status != 500 || (bad.Message != "") != c.explained || !strings.Contains(bad.Error(), c.reason) {
				t.Errorf("%s: %+v", c.name, bad)
			}
		}
	}
}

func TestParserTakesTheLongestHead(t *testing.T) {
	head := "content-type: a\nx: "
	output := head + strings.Repeat("x", MaxHeadLength-len(head)-1) + "\n\nbody"
	if _, body, err := feed(output, 4096); err != nil || body != "body" {
		t.Errorf("body %q, error %v", body, err)
	}
}

func FuzzParser(f *testing.F) {
	f.Add("Content-Type: text/plain\r\n\r\nhello", 3)
	f.Add("status: 200\nlocation: x\n\n", 1)
	f.Fuzz(func(t *testing.T, output string, size int) {
		whole, body, err := feed(output, len(output)+1)
		head, pieces, err2 := feed(output, max(1, size))
		if d := cmp.Diff(whole, head); d != "" || body != pieces || (err == nil) != (err2 == nil) {
			t.Errorf("in pieces of %d: body %q and %q, errors %v and %v, head:\n%s", size, body, pieces, err, err2, d)
		}
		if head != nil && (head.Status < 200 || head.Status > 999) {
			t.Errorf("status %d", head.Status)
		}
	})
}
