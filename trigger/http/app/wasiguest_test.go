package app

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/minispin/minispin/host/wasi/wasitest"
	httptrigger "github.com/minispin/minispin/trigger/http"
)

// These tests call the functions of WASI from a compiled guest, by its scripts.

// scripted serves the guest that runs scripts.
func scripted(t *testing.T, m mode, hosts ...string) *site {
	t.Helper()
	return serve(t, m, application(t, guest{
		id: "wasi", source: "rust-wasi",
		extra: allowing(hosts) + "\n" + `environment = { NAME = "value", OTHER = "2" }`,
	}))
}

// script runs a script; see [wasitest.Script].
func (s *site) script(t *testing.T, body, steps string) string {
	t.Helper()
	return wasitest.Script(t, s.client, s.base, strings.NewReader(body), steps)
}

func TestInputStreams(t *testing.T) {
	forEachStrategy(t, func(t *testing.T, m mode) {
		s := scripted(t, m)
		for range 2 {
			s.script(t, "hello, world!", `
				p = subscribe body     -> ok
				block p                -> ok
				ready p                -> true
				read body 0            -> ""
				read body 5            -> "hello"
				skip body 1            -> 1
				blocking-read body 3   -> " wo"
				blocking-skip body 3   -> 3
				blocking-read body 10  -> "!"
				blocking-read body 10  -> closed
				read body 1            -> closed
				skip body 1            -> closed
				blocking-skip body 1   -> closed
				block p                -> ok
				drop p                 -> ok
				in = stdin             -> ok
				q = subscribe in       -> ok
				block q                -> ok
				read in 1              -> closed
				drop q in              -> ok
			`)
		}
		// One read gives no more than is buffered.
		s.script(t, strings.Repeat("x", 300_000), `
			blocking-read body 1   -> "x"
			blocking-skip body 1M  -> <=65536
			blocking-skip body 1M  -> <=65536
			blocking-skip body 1M  -> <=65536
		`)
		s.quiet(t)
	})
}

func TestOutputStreams(t *testing.T) {
	forEachStrategy(t, func(t *testing.T, m mode) {
		s := scripted(t, m)
		for range 2 {
			s.script(t, "", `
				out = stdout                             -> ok
				check-write out                          -> <=1048576
				write out hello                          -> ok
				flush out                                -> ok
				p = subscribe out                        -> ok
				block p                                  -> ok
				check-write out                          -> >0
				write-zeroes out 3                       -> ok
				blocking-flush out                       -> ok
				blocking-write-and-flush out world\n     -> ok
				blocking-write-much-and-flush out 4096   -> ok
				blocking-write-zeroes-and-flush out 4096 -> ok
				drop p out                               -> ok
				err = stderr                             -> ok
				blocking-write-and-flush err oops\n      -> ok
				again = stdout                           -> ok
				blocking-write-and-flush again \nend     -> ok
			`)
			want := []string{
				"wasi stdout: hello\x00\x00\x00world\n",
				"wasi stdout: " + strings.Repeat("x", 4096) + strings.Repeat("\x00", 4096) + "\n",
				"wasi stdout: end", "wasi stderr: oops\n",
			}
			got := s.output.take(t)
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("printed %q, want %q", got, want)
			}
		}
		s.quiet(t)
	})
}

func TestSplice(t *testing.T) {
	forEachStrategy(t, func(t *testing.T, m mode) {
		s := scripted(t, m)
		for range 2 {
			got := s.script(t, "hello, world!", `
				p = subscribe body              -> ok
				block p                         -> ok
				check-write answer              -> <=1048576
				write answer say:               -> ok
				splice answer body 5            -> 5
				splice answer body 0            -> 0
				blocking-splice answer body 100 -> 8
				blocking-splice answer body 1   -> closed
				splice answer body 1            -> closed
			`)
			if got != "say:hello, world!" {
				t.Errorf("the answer begins with %q", got)
			}
		}
		s.quiet(t)
	})
}

func TestClocks(t *testing.T) {
	forEachStrategy(t, func(t *testing.T, m mode) {
		s := scripted(t, m)
		for range 2 {
			s.script(t, "", `
				now                                     -> >0
				resolution                              -> >0
				wall-clock-resolution                   -> 0 ...
				a = subscribe-duration 3600000000000    -> ok
				b = subscribe-in 2000000                -> ok
				c = subscribe-instant 0                 -> ok
				d = subscribe-duration 0                -> ok
				e = subscribe-duration 2000000          -> ok
				f = subscribe-instant 18446744073709551615 -> ok
				ready a                                 -> false
				ready f                                 -> false
				ready c                                 -> true
				ready d                                 -> true
				poll a c b d                            -> 1...
				block b                                 -> ok
				block e                                 -> ok
				poll a b c d e f                        -> 1 2 3 4
				poll b                                  -> 0
				drop a b c d e f                        -> ok
			`)
		}
		a := s.do(t, "GET", "/", "", "script: wall-clock")
		var seconds int64
		var valid bool
		if _, err := fmt.Sscan(a.body, &seconds, &valid); err != nil || seconds < 1_700_000_000 || !valid {
			t.Errorf("the wall clock says %q", a.body)
		}
		s.quiet(t)
	})
}

func TestRandom(t *testing.T) {
	forEachStrategy(t, func(t *testing.T, m mode) {
		s := scripted(t, m)
		for range 2 {
			s.script(t, "", `
				get-random-bytes 0             -> 0 true
				get-random-bytes 16            -> 16 true
				get-random-bytes 16M           -> 16777216 true
				get-random-u64                 -> true
				get-insecure-random-bytes 0    -> 0 true
				get-insecure-random-bytes 17   -> 17 true
				get-insecure-random-u64        -> true
				insecure-seed                  -> true
			`)
		}
		s.quiet(t)
	})
}

func TestCLI(t *testing.T) {
	forEachStrategy(t, func(t *testing.T, m mode) {
		s := scripted(t, m)
		for range 2 {
			s.script(t, "", `
				get-environment        -> NAME=value OTHER=2
				get-arguments          ->
				initial-cwd            -> none
				terminals              -> false false false
			`)
		}
		s.quiet(t)
	})
}

// TestPollOfEverything waits for timers, streams, a socket and a response at once.
// The other side of the socket decides what happens next.
func TestPollOfEverything(t *testing.T) {
	forEachSocketMode(t, func(t *testing.T, m mode) {
		respond := make(chan struct{})
		server := upstream(t, func(w http.ResponseWriter, r *http.Request) { <-respond })
		body, upload := io.Pipe()
		port := tcpServer(t, func(c net.Conn) {
			next := func() {
				if _, err := c.Read(make([]byte, 4)); err != nil {
					t.Error(err)
				}
			}
			next()
			io.WriteString(c, "pong")
			next()
			respond <- struct{}{}
			next()
			io.WriteString(upload, "more")
			next()
			upload.Close()
		})
		s := scripted(t, m, server.URL, fmt.Sprintf("tcp://127.0.0.1:%d", port))
		got := wasitest.Script(t, s.client, s.base, body, strings.NewReplacer("PORT", fmt.Sprint(port), "URL", server.URL).Replace(`
			never = subscribe-duration 3600000000000     -> ok
			soon = subscribe-duration 5000000            -> ok
			upload = subscribe body                      -> ok
			c = tcp 4                                    -> ok
			start-connect c 127.0.0.1:PORT               -> ok
			connected = subscribe c                      -> ok
			poll never connected                         -> 1
			c = finish-connect c                         -> ok
			heard = subscribe c.in                       -> ok
			r = get URL/                                 -> ok
			responded = subscribe r                      -> ok
			status r                                     -> pending
			room = subscribe answer                      -> ok
			poll never upload heard responded soon       -> 4
			poll never upload heard responded room       -> 4
			blocking-write-and-flush c.out ping          -> ok
			poll never upload heard responded            -> 2
			read c.in 10                                 -> "pong"
			blocking-write-and-flush c.out ping          -> ok
			poll never upload responded                  -> 2
			status r                                     -> 200
			status r                                     -> taken
			ready upload                                 -> false
			blocking-write-and-flush c.out ping          -> ok
			poll never upload                            -> 1
			read body 10                                 -> "more"
			blocking-write-and-flush c.out ping          -> ok
			poll never upload                            -> 1
			read body 10                                 -> closed
			drop never soon upload connected heard responded room -> ok
		`))
		if got != "" {
			t.Errorf("the answer begins with %q", got)
		}
	})
}

// TestStreamFailures has the other side of a connection break it off.
func TestStreamFailures(t *testing.T) {
	forEachSocketMode(t, func(t *testing.T, m mode) {
		port := tcpServer(t, func(c net.Conn) {
			c.(*net.TCPConn).SetLinger(0)
			c.Read(make([]byte, 4))
		})
		s := scripted(t, m, fmt.Sprintf("tcp://127.0.0.1:%d", port))
		for range 2 {
			s.script(t, "", strings.ReplaceAll(`
				c = tcp 4                              -> ok
				start-connect c 127.0.0.1:PORT         -> ok
				p = subscribe c                        -> ok
				block p                                -> ok
				c = finish-connect c                   -> ok
				blocking-write-and-flush c.out ping    -> ok
				e = blocking-read c.in 10              -> last-operation-failed
				to-debug-string e                      -> connection-reset...
				read c.in 10                           -> closed
				drop e                                 -> ok
				shutdown c both                        -> *
				check-write c.out                      -> closed
				blocking-write-and-flush c.out x       -> closed
				blocking-flush c.out                   -> closed
				drop p c.in c.out c                    -> ok
			`, "PORT", fmt.Sprint(port)))
		}
		s.quiet(t)
	})
}

// TestGuestLimits goes beyond what a guest may have. What the interface has no
// error for is a trap, which says what the limit is.
func TestGuestLimits(t *testing.T) {
	forEachStrategy(t, func(t *testing.T, m mode) {
		s := scripted(t, m)
		for name, tt := range map[string]struct{ script, want string }{
			"write without a permit":      {"write answer x", "write: 1 bytes are more than the 0 that check-write permitted"},
			"write beyond the permit":     {"check-write answer; write-much answer 2M", "more than the 1048576 that check-write permitted"},
			"zeroes beyond the permit":    {"check-write answer; write-zeroes answer 2M", "write-zeroes: 2097152 bytes are more than"},
			"blocking write":              {"blocking-write-much-and-flush answer 4097", "more than the 4096"},
			"blocking zeroes":             {"blocking-write-zeroes-and-flush answer 9007199254740992", "more than the 4096"},
			"poll of nothing":             {"poll", "poll: the list of pollables is empty"},
			"poll of too many":            {"p = subscribe-duration 0; poll-many p 4097", "4097 pollables is longer than the 4096"},
			"random bytes":                {"get-random-bytes 16777217", "16777217 bytes are more than the 16777216"},
			"all the randomness there is": {"get-random-bytes 18446744073709551615", "get-random-bytes: 18446744073709551615 bytes"},
			"insecure random bytes":       {"get-insecure-random-bytes 9223372036854775808", "get-insecure-random-bytes: 9223372036854775808 bytes"},
			"handles":                     {"subscribe-much body 70000", "handles"},
			"exit with a failure":         {"exit err", "exited with code 1"},
		} {
			t.Run(name, func(t *testing.T) {
				resp, err := s.send(t.Context(), "POST", "/", strings.NewReader("body"), "script: "+tt.script)
				if err == nil {
					io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
				line := s.expectFailure(t, "wasi", httptrigger.KindTrap)
				if got := fmt.Sprint(line.ContextMap()["error"]); !strings.Contains(got, tt.want) {
					t.Errorf("the log says %q, want %q in it", got, tt.want)
				}
			})
		}
		s.script(t, "", "p = subscribe-duration 0 -> ok\n poll-many p 4096 -> 4096")
	})
}

// TestCommand runs the guest as a program: a component that exports wasi:cli/run.
func TestCommand(t *testing.T) {
	forEachMode(t, func(t *testing.T, m mode) {
		s := serve(t, m, application(t, guest{
			id: "command", source: "rust-wasi", executor: "wagi", extra: "environment = { NAME = \"value\" }",
		}))
		for range 2 {
			s.expect(t, "POST", "/there?a=b&c=d", "hello", 200, "ok\nok\nok\n\"hello\"\nclosed\n/there a=b c=d\nREQUEST_METHOD=POST NAME=value\n",
				"script: in = stdin; p = subscribe in; block p; blocking-read in 10; blocking-read in 10; get-arguments; get-environment NAME REQUEST_METHOD")
			// What it printed before it left is the response; a good exit is one.
			a := s.expect(t, "GET", "/", "", 418, "hello", `script: out = stdout; err = stderr; blocking-write-and-flush err oops\n; blocking-write-and-flush out status:418\n\nhello; exit ok; fail`)
			if got := a.Header.Get("Content-Type"); got != "" {
				t.Errorf("content-type %q", got)
			}
			if got := s.output.take(t); len(got) != 1 || got[0] != "command stderr: oops\n" {
				t.Errorf("printed %q", got)
			}
		}
		s.quiet(t)
		for script, want := range map[string]string{
			"out = stdout; blocking-write-and-flush out status:200\\n\\nhello; exit err": "the program exited with code 1",
			"now; fail": "the program failed",
			"exit ok":   "output of the program: empty",
			"poll":      "the list of pollables is empty",
		} {
			s.expect(t, "GET", "/", "", 500, "", "script: "+script)
			kind := httptrigger.KindGuestError
			if script == "poll" {
				kind = httptrigger.KindTrap
			}
			line := s.expectFailure(t, "command", kind)
			if got := fmt.Sprint(line.ContextMap()["error"]); !strings.Contains(got, want) {
				t.Errorf("%s: the log says %q, want %q in it", script, got, want)
			}
		}
	})
}

// TestHandlerAndCommand has one component for both kinds of executor, in one
// application.
func TestHandlerAndCommand(t *testing.T) {
	m := mode{"pooled", "h1"}
	text := application(t, guest{id: "both", source: "rust-wasi", route: "/handler"})
	text += "[[trigger.http]]\nroute = \"/command\"\ncomponent = \"both\"\nexecutor = { type = \"wagi\" }\n"
	s := serve(t, m, text)
	s.expect(t, "GET", "/handler", "", 200, "\n", "script: get-arguments")
	s.expect(t, "GET", "/command?a", "", 200, "/command a\n", "script: get-arguments")
	s.quiet(t)
}

// TestExitWithCode ends a command by a function that stands behind a feature gate,
// so that the compiled guest has no binding of it.
func TestExitWithCode(t *testing.T) {
	forEachMode(t, func(t *testing.T, m mode) {
		s := serve(t, m, application(t, guest{id: "command", executor: "wagi", source: text(t, "command", `(component
			(import "wasi:cli/exit@0.2.3" (instance $exit (export "exit-with-code" (func (param "status-code" u8)))))
			(core func $exit (canon lower (func $exit "exit-with-code")))
			(core module $m
				(import "" "exit" (func $exit (param i32)))
				(func (export "run") (result i32) (call $exit (i32.const 203)) (i32.const 0)))
			(core instance $m (instantiate $m (with "" (instance (export "exit" (func $exit))))))
			(func $run (result (result)) (canon lift (core func $m "run")))
			(instance $i (export "run" (func $run)))
			(export "wasi:cli/run@0.2.3" (instance $i)))`)}))
		s.expect(t, "GET", "/", "", 500, "")
		line := s.expectFailure(t, "command", httptrigger.KindGuestError)
		if got := fmt.Sprint(line.ContextMap()["error"]); !strings.Contains(got, "exited with code 203") {
			t.Errorf("the log says %q", got)
		}
	})
}
