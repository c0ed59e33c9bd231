package httptrigger

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap/zapcore"
)

// echoSite answers with the path and the body it was sent, and remembers every
// path.
func echoSite(t *testing.T, so ServerOptions) (s *site, paths func() []string) {
	t.Helper()
	var (
		mu   sync.Mutex
		seen []string
	)
	s = newSite(t, "h1", Options{}, so, exec("/...", func(w http.ResponseWriter, r *Request) error {
		mu.Lock()
		seen = append(seen, r.Path)
		mu.Unlock()
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", "text/plain")
		_, err = fmt.Fprintf(w, "%s %q", r.Path, b)
		return err
	}))
	return s, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(seen)
	}
}

func TestHostField(t *testing.T) {
	s, paths := echoSite(t, ServerOptions{})
	tests := []struct {
		name, request string
		status        int
	}{
		{"plain", "GET /a HTTP/1.1\r\nHost: x\r\n\r\n", 200},
		{"missing", "GET /bad HTTP/1.1\r\n\r\n", 400},
		{"empty", "GET /bad HTTP/1.1\r\nHost:\r\n\r\n", 400},
		{"missing in HTTP/1.0", "GET /bad HTTP/1.0\r\n\r\n", 400},
		{"HTTP/1.0", "GET /a HTTP/1.0\r\nHost: x\r\n\r\n", 200},
		{"twice", "GET /bad HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400},
		{"malformed", "GET /bad HTTP/1.1\r\nHost: x y\r\n\r\n", 400},
		{"with a path", "GET /bad HTTP/1.1\r\nHost: x/y\r\n\r\n", 400},
		{"with a user", "GET /bad HTTP/1.1\r\nHost: a@x\r\n\r\n", 400},
		{"a component", "GET /bad HTTP/1.1\r\nHost: c.spin.internal\r\n\r\n", 400},
		{"a component in the target", "GET http://c.spin.internal/bad HTTP/1.1\r\nHost: x\r\n\r\n", 400},
		{"absolute target", "GET http://x/a HTTP/1.1\r\nHost: x\r\n\r\n", 200},
		{"absolute target alone", "GET http://x/a HTTP/1.0\r\n\r\n", 200},
		{"no path", "CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n", 400},
		{"asterisk", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 200},
		{"not needed for the host's own", "GET /.well-known/spin/health HTTP/1.0\r\n\r\n", 200},
	}
	for _, c := range tests {
		request := strings.Replace(c.request, "\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1)
		if got := statuses(t, s.raw(t, request)); !slices.Equal(got, []int{c.status}) {
			t.Errorf("%s: %d, want %d", c.name, got, c.status)
		}
	}
	for _, path := range paths() {
		if strings.Contains(path, "bad") {
			t.Errorf("a guest saw %s", path)
		}
	}
}

// TestTargetAndHostDisagree sends a target with an authority and another one in
// the Host field. RFC 9112, section 3.2.2, has servers believe the target and take
// no notice of the field; over HTTP/2, where both reach us, the request is refused.
func TestTargetAndHostDisagree(t *testing.T) {
	var got []string
	record := func(w http.ResponseWriter, r *Request) error {
		got = append(got, r.Authority+" "+r.Origin().URL()+" "+strings.Join(r.Header["Host"], ","))
		return nil
	}
	s := newSite(t, "h1", Options{}, ServerOptions{}, exec("/...", record))
	answer := s.raw(t, "GET http://target.example:8080/a?b HTTP/1.1\r\nHost: field.example\r\nConnection: close\r\n\r\n")
	if codes := statuses(t, answer); !slices.Equal(codes, []int{200}) {
		t.Errorf("status %d", codes)
	}
	if want := []string{"target.example:8080 http://target.example:8080/a?b "}; !slices.Equal(got, want) {
		t.Errorf("the guest saw %q, want %q", got, want)
	}

	// Of several applications it is the target's that answers.
	site := func(name string) Site {
		return Site{Hosts: []string{name}, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, name) })}
	}
	sites, err := NewSites([]Site{site("target.example"), site("field.example")})
	if err != nil {
		t.Fatal(err)
	}
	s = newServedSite(t, "h1", sites, ServerOptions{})
	answer = s.raw(t, "GET http://target.example/a HTTP/1.1\r\nHost: field.example\r\nConnection: close\r\n\r\n")
	if !strings.HasSuffix(answer, "\r\n\r\ntarget.example") {
		t.Errorf("of two applications: %q", answer)
	}

	got = nil
	s = newSite(t, "h2c", Options{}, ServerOptions{}, exec("/...", record))
	f := newFlood(t, s)
	go f.listen()
	// :method GET, :scheme http, :path /, :authority x, and host: y by a literal name.
	head := append(slices.Clone(getSlash), 0x00, 4, 'h', 'o', 's', 't', 1, 'y')
	if _, err := f.conn.Write(frame(nil, frameHeaders, flagEndStream|flagEndHeaders, 1, head)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "an answer", func() bool { return f.counts[frameHeaders].Load()+f.counts[frameReset].Load() > 0 })
	f.conn.Close()
	<-f.ended
	if len(got) > 0 {
		t.Errorf("over HTTP/2 a guest saw %q", got)
	}
}

// TestSmuggling sends what different servers read differently. Whatever the
// answer is, the request hidden in the body must not be taken for one.
func TestSmuggling(t *testing.T) {
	const hidden = "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"
	tests := []struct{ name, request string }{
		{"chunked and a length", "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n" +
			fmt.Sprintf("%x\r\n", len(hidden)) + hidden + "\r\n0\r\n\r\n"},
		{"length and chunked", "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" +
			fmt.Sprintf("%x\r\n", len(hidden)) + hidden + "\r\n0\r\n\r\n"},
		{"two lengths", "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: " + fmt.Sprint(len(hidden)) + "\r\n\r\n" + hidden},
		{"a list of lengths", "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 0, " + fmt.Sprint(len(hidden)) + "\r\n\r\n" + hidden},
		{"a signed length", "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: +0\r\n\r\n" + hidden},
		{"a negative length", "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n" + hidden},
		{"a hexadecimal length", "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 0x0\r\n\r\n" + hidden},
		{"another coding", "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n" + hidden},
		{"coding twice", "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden},
		{"coding in a list", "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + hidden},
		{"blank before the colon", "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + hidden},
		{"bare LF ends a chunk size", "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\n\r\n" + hidden},
		{"bare LF in a chunk extension", "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2;\nxx\r\n0\r\n\r\n" + hidden},
		{"bare LF after a chunk", "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\n0\r\n\r\n" + hidden},
		{"chunk size with a prefix", "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n" + hidden},
		{"chunk size that overflows", "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n" + hidden},
		{"folded field", "POST /a HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\nContent-Length : 0\r\n\r\n" + hidden},
		{"CR in a value", "POST /a HTTP/1.1\r\nHost: x\r\nX: a\rContent-Length: 5\r\nContent-Length: x\r\n\r\n" + hidden},
		{"NUL in a value", "POST /a HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n" + hidden},
		{"no version", "GET /a\r\n\r\n" + hidden},
		{"control character in the target", "GET /a\x01b HTTP/1.1\r\nHost: x\r\n\r\n" + hidden},
		{"blank in the target", "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n" + hidden},
	}
	s, paths := echoSite(t, ServerOptions{})
	for _, c := range tests {
		conn := s.dial(t)
		if _, err := io.WriteString(conn, c.request); err != nil {
			t.Fatal(err)
		}
		conn.(*net.TCPConn).CloseWrite()
		answer, err := io.ReadAll(conn)
		if err != nil && !isReset(err) {
			t.Errorf("%s: %v", c.name, err)
		}
		if strings.Contains(string(answer), "/hidden \"\"") {
			t.Errorf("%s: the hidden request is answered: %q", c.name, answer)
		}
		if slices.Contains(paths(), "/hidden") {
			t.Fatalf("%s: a guest saw the hidden request", c.name)
		}
	}

	// What the cases above are measured against: the same bytes, well-formed, are
	// two requests.
	request := "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n" +
		strings.Replace(hidden, "\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1)
	if got := statuses(t, s.raw(t, request)); !slices.Equal(got, []int{200, 200}) || !slices.Contains(paths(), "/hidden") {
		t.Errorf("two requests in a row: %d, paths %q", got, paths())
	}
}

func TestFoldedFieldIsOneValue(t *testing.T) {
	var got []string
	s := newSite(t, "h1", Options{}, ServerOptions{}, exec("/...", func(w http.ResponseWriter, r *Request) error {
		got = r.Header["X"]
		return nil
	}))
	answer := s.raw(t, "GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n b: c\r\nConnection: close\r\n\r\n")
	if codes := statuses(t, answer); slices.Equal(codes, []int{200}) && !slices.Equal(got, []string{"a b: c"}) {
		t.Errorf("the guest saw %q", got)
	}
}

func TestHeadLimits(t *testing.T) {
	forEachMode(t, func(t *testing.T, mode string) {
		s := newSite(t, mode, Options{}, ServerOptions{MaxHeaderBytes: 8 << 10}, exec("/...", ok))
		for _, c := range []struct {
			name   string
			header http.Header
			query  string
			small  bool
		}{
			{"small", http.Header{"X": {strings.Repeat("x", 4<<10)}}, "", true},
			{"large value", http.Header{"X": {strings.Repeat("x", 32<<10)}}, "", false},
			{"many fields", manyFields(2000), "", false},
			{"large target", nil, strings.Repeat("x", 32<<10), false},
		} {
			req, err := http.NewRequestWithContext(t.Context(), "GET", s.base+"/?"+c.query, nil)
			if err != nil {
				t.Fatal(err)
			}
			if c.header != nil {
				req.Header = c.header
			}
			resp, err := s.client.Do(req)
			if err != nil {
				// HTTP/2 clients are told the limit and may refuse by themselves.
				if c.small || mode == "h1" {
					t.Errorf("%s: %v", c.name, err)
				}
				continue
			}
			resp.Body.Close()
			if want := map[bool]int{true: 200, false: 431}[c.small]; resp.StatusCode != want {
				t.Errorf("%s: %d, want %d", c.name, resp.StatusCode, want)
			}
		}
	})
}

func manyFields(n int) http.Header {
	h := http.Header{}
	for i := range n {
		h.Set(fmt.Sprint("X-", i), "value")
	}
	return h
}

func TestSlowHead(t *testing.T) {
	s, paths := echoSite(t, ServerOptions{ReadHeaderTimeout: 100 * time.Millisecond})
	for _, start := range []string{"", "GET / HT", "GET / HTTP/1.1\r\nHost: x\r\nX-Never", "PRI * HTTP/2.0\r\n"} {
		conn := s.dial(t)
		if _, err := io.WriteString(conn, start); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		if b, err := io.ReadAll(conn); len(b) > 0 && !strings.HasPrefix(string(b), "HTTP/1.1 4") || err != nil && !isReset(err) {
			t.Errorf("%q: %q, %v", start, b, err)
		}
		if d := time.Since(begun); d > 5*time.Second {
			t.Errorf("%q: the connection was kept for %v", start, d)
		}
	}
	if p := paths(); len(p) > 0 {
		t.Errorf("a guest saw %q", p)
	}
}

// TestTricklingHead sends a head byte by byte, so that there is always progress,
// and never comes to its end.
func TestTricklingHead(t *testing.T) {
	s, paths := echoSite(t, ServerOptions{ReadHeaderTimeout: 200 * time.Millisecond})
	for _, start := range []string{"GET /", "GET / HTTP/1.1\r\nHost: x\r\nX: "} {
		conn := s.dial(t)
		begun := time.Now()
		_, err := io.WriteString(conn, start)
		for ; err == nil && time.Since(begun) < 10*time.Second; time.Sleep(5 * time.Millisecond) {
			_, err = io.WriteString(conn, "x")
		}
		if err == nil {
			t.Errorf("%q: the connection was kept for %v", start, time.Since(begun))
		}
	}
	if p := paths(); len(p) > 0 {
		t.Errorf("a guest saw %q", p)
	}
}

// TestEndlessHead sends heads that do not end, as fast as they are taken.
func TestEndlessHead(t *testing.T) {
	const limit = 8 << 10
	s, paths := echoSite(t, ServerOptions{MaxHeaderBytes: limit})
	for _, c := range []struct{ name, start, more string }{
		{"target", "GET /", strings.Repeat("x", 1000)},
		{"value", "GET / HTTP/1.1\r\nHost: x\r\nX: ", strings.Repeat("x", 1000)},
		{"name", "GET / HTTP/1.1\r\nHost: x\r\n", strings.Repeat("x", 1000)},
		{"fields", "GET / HTTP/1.1\r\nHost: x\r\n", strings.Repeat("X: y\r\n", 100)},
		{"empty lines", "", strings.Repeat("\r\n", 100)},
		{"chunk extension", "POST /chunk HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;", strings.Repeat("x", 1000)},
		{"trailers", "POST /trailer HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", strings.Repeat("X: y\r\n", 100)},
	} {
		conn := s.dial(t)
		answer := make(chan string, 1)
		go func() {
			b, _ := io.ReadAll(conn) // that it ends in a reset is as good
			answer <- string(b)
		}()
		_, err := io.WriteString(conn, c.start)
		sent, most := 0, 16<<20 // what buffers on the way take included
		for err == nil && sent < most {
			_, err = io.WriteString(conn, c.more)
			sent += len(c.more)
		}
		if err == nil {
			t.Errorf("%s: %d bytes were taken", c.name, sent)
		}
		conn.Close()
		if got := <-answer; strings.HasPrefix(got, "HTTP/1.1 2") {
			t.Errorf("%s: answered with %.40q", c.name, got)
		}
	}
	for _, p := range paths() {
		if p != "/chunk" && p != "/trailer" { // heads that were whole
			t.Errorf("a guest saw %.40q", p)
		}
	}
}

func TestIdleConnection(t *testing.T) {
	s, _ := echoSite(t, ServerOptions{IdleTimeout: 50 * time.Millisecond})
	begun := time.Now()
	if got := statuses(t, s.raw(t, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")); !slices.Equal(got, []int{200}) {
		t.Errorf("statuses %d", got)
	}
	if d := time.Since(begun); d > 5*time.Second {
		t.Errorf("the connection was kept for %v", d)
	}
}

func TestAbortedUpload(t *testing.T) {
	for _, request := range []string{
		"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf",
		"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf",
		"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
		"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhalf\r\n",
	} {
		s, paths := echoSite(t, ServerOptions{})
		conn := s.dial(t)
		if _, err := io.WriteString(conn, request); err != nil {
			t.Fatal(err)
		}
		conn.(*net.TCPConn).CloseWrite()
		answer, err := io.ReadAll(conn)
		if err != nil && !isReset(err) {
			t.Errorf("%q: %v", request, err)
		}
		if strings.HasPrefix(string(answer), "HTTP/1.1 200") {
			t.Errorf("%q: half a body passed for a whole one: %q", request, answer)
		}
		if got := paths(); !slices.Equal(got, []string{"/a"}) {
			t.Errorf("%q: the guest saw %q", request, got)
		}
		s.failures(t, zapcore.DebugLevel, 1)
	}
}

func TestUnreadUploadIsNotWaitedFor(t *testing.T) {
	s := newSite(t, "h1", Options{}, ServerOptions{},
		exec("/a", ok),
		exec("/fail", func(w http.ResponseWriter, r *Request) error { return &Failure{Kind: KindOverload} }),
		exec("/early", func(w http.ResponseWriter, r *Request) error {
			w.(http.Flusher).Flush()
			return nil
		}))
	var all sync.WaitGroup
	for path, limit := range map[string]time.Duration{
		"/a": drainTime, "/none": drainTime, "/early": drainTime, "/.well-known/spin/health": drainTime, "/fail": 0,
	} {
		conn := s.dial(t)
		if _, err := io.WriteString(conn, "POST "+path+" HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf"); err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			begun := time.Now()
			b := make([]byte, len("HTTP/1.1 "))
			_, err := io.ReadFull(conn, b)
			if d := time.Since(begun); err != nil || string(b) != "HTTP/1.1 " || d > limit+time.Second {
				t.Errorf("%s: %q, %v after %v", path, b, err, d)
			}
			_, err = io.ReadAll(conn)
			if d := time.Since(begun); err != nil && !isReset(err) || d > 2*drainTime+3*time.Second {
				t.Errorf("%s: the connection was kept for %v: %v", path, d, err)
			}
		})
	}
	all.Wait()
}

// TestSmugglingPastAnEarlyAnswer is about guests that answer before they have
// read the body, where net/http alone would read on after a broken one.
func TestSmugglingPastAnEarlyAnswer(t *testing.T) {
	const hidden = "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"
	for _, read := range []bool{true, false} {
		var hits atomic.Int32
		s := newSite(t, "h1", Options{}, ServerOptions{}, exec("/a", func(w http.ResponseWriter, r *Request) error {
			w.(http.Flusher).Flush()
			if read {
				// A guest that makes nothing of a failure to read.
				_, _ = io.Copy(io.Discard, r.Body)
			}
			_, err := io.WriteString(w, "answer")
			return err
		}), exec("/hidden", func(w http.ResponseWriter, r *Request) error {
			hits.Add(1)
			return nil
		}))
		for _, body := range []string{"0\n\r\n", "zz\r\n", "1\r\nx\n0\r\n\r\n"} {
			conn := s.dial(t)
			if _, err := io.WriteString(conn, "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"+body+hidden); err != nil {
				t.Fatal(err)
			}
			if b, err := io.ReadAll(conn); err != nil && !isReset(err) {
				t.Errorf("%q: %q, %v", body, b, err)
			}
			if hits.Load() > 0 {
				t.Fatalf("%q: a guest saw the hidden request", body)
			}
		}
		// A body that is whole, read or not, leaves the connection usable.
		answer := s.raw(t, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"+
			strings.Replace(hidden, "\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1))
		if got := statuses(t, answer); !slices.Equal(got, []int{200, 200}) || hits.Load() != 1 {
			t.Errorf("two requests in a row: %d", got)
		}
	}
}

func TestContinue(t *testing.T) {
	s, _ := echoSite(t, ServerOptions{})
	conn := s.dial(t)
	if _, err := io.WriteString(conn, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, len("HTTP/1.1 100 Continue\r\n\r\n"))
	if _, err := io.ReadFull(conn, line); err != nil || !strings.HasPrefix(string(line), "HTTP/1.1 100") {
		t.Fatalf("%q, %v", line, err)
	}
	if _, err := io.WriteString(conn, "hi"); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 200") || !strings.Contains(string(answer), `/a "hi"`) {
		t.Errorf("%q, %v", answer, err)
	}
}

func TestHTTP10HasNoChunks(t *testing.T) {
	s, _ := echoSite(t, ServerOptions{})
	answer := s.raw(t, "GET /a HTTP/1.0\r\nHost: x\r\n\r\n")
	if strings.Contains(strings.ToLower(answer), "transfer-encoding") || !strings.HasSuffix(answer, "\r\n\r\n/a \"\"") {
		t.Errorf("%q", answer)
	}
}
