package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/minispin/minispin/guests"
)

var update = flag.Bool("update", false, "write what the scripts' commands print into their goldens")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"minispin": main})
}

// TestScripts runs the scripts in testdata/script. Besides the usual commands
// they have
//
//	exits CODE ARG…          run minispin with the arguments to its end
//	serve ARG…               start minispin up on a free port; $ADDR is where.
//	                         serve.stdout has its output so far, with the
//	                         address replaced by ADDR
//	watch ARG…, load-watch ARG…   the same with minispin watch
//	becomes PATH TEXT        ask until the answer to a GET request contains TEXT
//	told TEXT                wait until the server has written TEXT to standard
//	                         error since the last time
//	request METHOD PATH [BODY]   print the status and the body of a response
//	ask HOST PATH            the same for GET, with HOST for the Host field
//	begin PATH               start a GET request
//	finish                   wait for it and print its response
//	load ARG…                start minispin up without waiting until it serves
//	located                  wait until it has said where
//	signal NAME              send TERM, INT or HUP to the server
//	ended CODE               wait for the server's end; serve.stderr has what it
//	                         wrote
//	cached DIR               check that there is compiled code in DIR
//	sleep TIME               wait
//	empty DIR                check that there is nothing in DIR
//	occupy                   take a port; $BUSY is its address
//
// $SHELL_LIMIT, where set, limits the server's address space, in KiB;
// $GUESTS is the directory of the guests.
func TestScripts(t *testing.T) {
	// Under nohup the servers would inherit that HUP is ignored.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot be told to stop here")
	}
	dir := filepath.Dir(guests.Path(t, "rust-inbound-http"))
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		UpdateScripts:       *update,
		Setup: func(env *testscript.Env) error {
			for _, name := range []string{"HOME", "XDG_CACHE_HOME", "LocalAppData"} {
				env.Setenv(name, filepath.Join(env.WorkDir, ".home"))
			}
			env.Setenv("GUESTS", dir)
			env.Setenv("SPIN_HTTP_LISTEN_ADDR", "127.0.0.1:0") // for commands that should not come that far
			if err := writeFixtures(env.WorkDir, dir); err != nil {
				return err
			}
			s := &session{}
			env.Values[sessionKey{}] = s
			env.Defer(s.kill)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":      cmdExits,
			"serve":      cmdServe,
			"load":       cmdLoad,
			"watch":      cmdWatch,
			"load-watch": cmdLoadWatch,
			"located":    cmdLocated,
			"becomes":    cmdBecomes,
			"told":       cmdTold,
			"request":    cmdRequest,
			"ask":        cmdAsk,
			"begin":      cmdBegin,
			"finish":     cmdFinish,
			"signal":     cmdSignal,
			"ended":      cmdEnded,
			"cached":     cmdCached,
			"sleep":      cmdSleep,
			"empty":      cmdEmpty,
			"occupy":     cmdOccupy,
		},
	})
}

// writeFixtures makes the files that scripts cannot hold as text.
func writeFixtures(work, guests string) error {
	whole, err := os.ReadFile(filepath.Join(guests, "rust-inbound-http.wasm"))
	if err != nil {
		return err
	}
	random := make([]byte, 4096)
	rand.NewChaCha8([32]byte{}).Read(random)
	cert, key, err := certificate()
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{
		"truncated.wasm":   whole[:len(whole)/2],
		"random.wasm":      random,
		"header-only.wasm": []byte("\x00asm\x01\x00\x00\x00"),
		"cert.pem":         cert,
		"key.pem":          key,
	} {
		if err := os.WriteFile(filepath.Join(work, name), data, 0o600); err != nil {
			return err
		}
	}
	return os.Mkdir(filepath.Join(work, ".home"), 0o700)
}

// certificate makes a certificate of loopback's, with its key, in PEM.
func certificate() (cert, key []byte, err error) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(nil, template, template, public, private)
	if err != nil {
		return nil, nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), nil
}

// patience is how long a script waits for what should happen at once.
const patience = 30 * time.Second

type sessionKey struct{}

// session is the server and the request that a script has under way.
type session struct {
	cmd    *exec.Cmd
	url    string
	where  <-chan string // url will come from there
	stdout *transcript
	stderr *transcript
	told   int // of stderr, by cmdTold
	ended  chan struct{}
	reply  chan reply
}

type reply struct {
	text string
	err  error
}

// transcript is written by a process and read by its test.
type transcript struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *transcript) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *transcript) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

func (s *session) kill() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
}

func sessionOf(ts *testscript.TestScript) *session { return ts.Value(sessionKey{}).(*session) }

func command(ts *testscript.TestScript, args []string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	ts.Defer(cancel)
	cmd := exec.CommandContext(ctx, "minispin", args...)
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{
		"PATH", "HOME", "XDG_CACHE_HOME", "LocalAppData", "SystemRoot", "TMPDIR",
		"SPIN_HTTP_LISTEN_ADDR", "SPIN_LOG_DIR", "SPIN_VARIABLE_WHO", "OWN_NAME", "RUNTIME_CONFIG_FILE", "SPIN_ALWAYS_BUILD", "SPIN_MAX_INSTANCE_MEMORY", "MINISPIN_LOG_LEVEL", "NO_COLOR",
	} {
		if v := ts.Getenv(name); v != "" {
			cmd.Env = append(cmd.Env, name+"="+v)
		}
	}
	return cmd
}

func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: exits CODE ARG…")
	}
	cmd := command(ts, args[1:])
	cmd.Stdout, cmd.Stderr = ts.Stdout(), ts.Stderr()
	checkCode(ts, cmd.Run(), args[0])
}

func checkCode(ts *testscript.TestScript, err error, want string) {
	code := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("minispin: %v", err)
	}
	if strconv.Itoa(code) != want {
		ts.Fatalf("minispin exited with code %d, not %s", code, want)
	}
}

func cmdLoad(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("load cannot be negated")
	}
	sessionOf(ts).start(ts, "up", args)
}

func cmdServe(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("serve cannot be negated")
	}
	sessionOf(ts).serve(ts, "up", args)
}

func cmdLoadWatch(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("load-watch cannot be negated")
	}
	sessionOf(ts).start(ts, "watch", args)
}

func cmdLocated(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: located")
	}
	sessionOf(ts).locate(ts)
}

func cmdWatch(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("watch cannot be negated")
	}
	sessionOf(ts).serve(ts, "watch", args)
}

// serve starts a command that serves, and waits until it does.
func (s *session) serve(ts *testscript.TestScript, verb string, args []string) {
	s.start(ts, verb, args)
	s.locate(ts)
	_, addr, _ := strings.Cut(s.url, "://")
	ts.Setenv("ADDR", addr)
	resp, err := client.Get(s.url + "/.well-known/spin/health") // and so the listing is complete
	if err != nil {
		ts.Fatalf("the server does not answer: %v", err)
	}
	resp.Body.Close()
	s.save(ts)
}

// locate waits until the server has said where it is.
func (s *session) locate(ts *testscript.TestScript) {
	select {
	case s.url = <-s.where:
		if scheme, rest, ok := strings.Cut(s.url, "://"); ok && !strings.Contains(scheme, "unix") {
			host, _, _ := strings.Cut(rest, "/") // without the path of an application
			s.url = scheme + "://" + host
		}
	case <-s.ended:
		ts.Fatalf("the server ended at once: %v\n%s", s.cmd.ProcessState, s.stderr)
	case <-time.After(patience):
		ts.Fatalf("the server does not serve")
	}
}

// start starts minispin up or watch.
func (s *session) start(ts *testscript.TestScript, verb string, args []string) {
	if s.cmd != nil {
		ts.Fatalf("one server at a time is enough")
	}
	cmd := command(ts, append([]string{verb, "--listen", "127.0.0.1:0"}, args...))
	if limit := ts.Getenv("SHELL_LIMIT"); limit != "" {
		bash, err := exec.LookPath("bash")
		ts.Check(err)
		cmd.Path = bash
		cmd.Args = append([]string{"bash", "-c", `ulimit -v "$0" && exec "$@"`, limit}, cmd.Args...)
	}
	s.cmd, s.stdout, s.stderr, s.ended = cmd, &transcript{}, &transcript{}, make(chan struct{})
	s.told = 0
	cmd.Stderr = s.stderr
	pipe, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	address := make(chan string, 1)
	s.where = address
	go func() {
		defer close(s.ended)
		r := bufio.NewReader(pipe)
		for {
			line, err := r.ReadString('\n')
			_, url, found := strings.Cut(strings.TrimSpace(line), "Serving ")
			if json, ok := strings.CutPrefix(strings.TrimSpace(line), `"base_url": "`); ok {
				url, found = strings.Trim(json, `",`), true
			}
			io.WriteString(s.stdout, line)
			if found {
				select {
				case address <- url:
				default: // the first is that of the server
				}
			}
			if err != nil {
				_ = cmd.Wait() // its outcome is in ProcessState
				return
			}
		}
	}()
}

// save writes what the server has written to files that scripts compare.
func (s *session) save(ts *testscript.TestScript) {
	addr := ts.Getenv("ADDR")
	text := strings.ReplaceAll(s.stdout.String(), addr, "ADDR")
	if _, port, err := net.SplitHostPort(addr); err == nil { // with the name of a host
		text = strings.NewReplacer(":"+port+"/", ":PORT/", ":"+port+`"`, `:PORT"`).Replace(text)
	}
	ts.Check(os.WriteFile(ts.MkAbs("serve.stdout"), []byte(text), 0o644))
}

// client is one that trusts the certificate of any server, and keeps no
// connections that a server would have to wait for.
var client = &http.Client{
	Timeout: patience,
	Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
	},
}

func (s *session) request(method, path, body string) reply {
	return s.requestOf("", method, path, body)
}

func (s *session) requestOf(host, method, path, body string) reply {
	req, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		return reply{err: err}
	}
	req.Host = host
	req.Header.Set("what", "up")
	resp, err := client.Do(req)
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	return reply{text: fmt.Sprintf("%d\n%s\n", resp.StatusCode, got), err: err}
}

func (r reply) print(ts *testscript.TestScript, neg bool) {
	io.WriteString(ts.Stdout(), r.text)
	switch {
	case r.err != nil && !neg:
		ts.Fatalf("request: %v", r.err)
	case r.err == nil && neg:
		ts.Fatalf("request: unexpected answer %q", r.text)
	}
}

func cmdRequest(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 2 {
		args = append(args, "")
	}
	if len(args) != 3 {
		ts.Fatalf("usage: request METHOD PATH [BODY]")
	}
	sessionOf(ts).request(args[0], args[1], args[2]).print(ts, neg)
}

func cmdAsk(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: ask HOST PATH")
	}
	sessionOf(ts).requestOf(args[0], http.MethodGet, args[1], "").print(ts, neg)
}

func cmdBecomes(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: becomes PATH TEXT")
	}
	var r reply
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if r = sessionOf(ts).request(http.MethodGet, args[0], ""); strings.Contains(r.text, args[1]) {
			return
		}
	}
	ts.Fatalf("the answer is %q (%v)\n%s", r.text, r.err, sessionOf(ts).stderr)
}

func cmdTold(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: told TEXT")
	}
	s := sessionOf(ts)
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if at := strings.Index(s.stderr.String()[s.told:], args[0]); at >= 0 {
			s.told += at + len(args[0])
			return
		}
	}
	ts.Fatalf("the server did not say %q, but\n%s", args[0], s.stderr.String()[s.told:])
}

func cmdBegin(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: begin PATH")
	}
	s := sessionOf(ts)
	s.reply = make(chan reply, 1)
	go func() { s.reply <- s.request(http.MethodGet, args[0], "") }()
}

func cmdFinish(ts *testscript.TestScript, neg bool, args []string) {
	(<-sessionOf(ts).reply).print(ts, neg)
}

func cmdSignal(ts *testscript.TestScript, neg bool, args []string) {
	sig, ok := map[string]os.Signal{"TERM": syscall.SIGTERM, "INT": os.Interrupt, "HUP": syscall.SIGHUP}[strings.Join(args, " ")]
	if neg || !ok {
		ts.Fatalf("usage: signal TERM|INT|HUP")
	}
	s := sessionOf(ts)
	ts.Check(s.cmd.Process.Signal(sig))
}

func cmdEnded(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: ended CODE")
	}
	s := sessionOf(ts)
	select {
	case <-s.ended:
	case <-time.After(patience):
		ts.Fatalf("the server does not end")
	}
	s.save(ts)
	ts.Check(os.WriteFile(ts.MkAbs("serve.stderr"), []byte(s.stderr.String()), 0o644))
	if code := strconv.Itoa(s.cmd.ProcessState.ExitCode()); code != args[0] {
		ts.Fatalf("the server exited with code %s, not %s\n%s", code, args[0], s.stderr)
	}
	s.cmd = nil
}

func cmdCached(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: cached DIR")
	}
	files, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "*.cwasm"))
	ts.Check(err)
	if len(files) == 0 {
		ts.Fatalf("%s has no compiled code", args[0])
	}
}

func cmdEmpty(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: empty DIR")
	}
	entries, err := os.ReadDir(ts.MkAbs(args[0]))
	ts.Check(err)
	for _, e := range entries {
		ts.Fatalf("%s has %s in it", args[0], e.Name())
	}
}

func cmdSleep(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: sleep TIME")
	}
	d, err := time.ParseDuration(args[0])
	ts.Check(err)
	time.Sleep(d)
}

func cmdOccupy(ts *testscript.TestScript, neg bool, args []string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { ln.Close() })
	ts.Setenv("BUSY", ln.Addr().String())
}
