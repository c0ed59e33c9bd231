package httptrigger

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestListen(t *testing.T) {
	tests := []struct{ addr, want string }{
		{"127.0.0.1:0", "127.0.0.1:"},
		{"localhost:0", "127.0.0.1:"},
		{"0.0.0.0:0", "0.0.0.0:"},
		{"[::1]:0", "[::1]:"},
	}
	for _, c := range tests {
		ln, err := Listen(t.Context(), c.addr)
		if err != nil {
			if strings.HasPrefix(c.addr, "[") {
				t.Logf("no IPv6 here: %v", err)
				continue
			}
			t.Errorf("%s: %v", c.addr, err)
			continue
		}
		if got := ln.Addr().String(); !strings.HasPrefix(got, c.want) || strings.HasSuffix(got, ":0") {
			t.Errorf("%s listens on %s", c.addr, got)
		}
		ln.Close()
	}
}

func TestListenErrors(t *testing.T) {
	tests := []struct{ addr, want string }{
		{"127.0.0.1", "HOST:PORT"},
		{"", "HOST:PORT"},
		{":3000", "0.0.0.0"},
		{"127.0.0.1:", "port"},
		{"127.0.0.1:http", "port"},
		{"127.0.0.1:65536", "port"},
		{"127.0.0.1:-1", "port"},
		{"::1:3000", "HOST:PORT"},
		{"no-such-host.invalid:3000", "no-such-host.invalid"},
		{"192.0.2.1:3000", "cannot listen on 192.0.2.1:3000"},
	}
	for _, c := range tests {
		ln, err := Listen(t.Context(), c.addr)
		if err == nil {
			ln.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want one with %q", c.addr, err, c.want)
		}
	}
}

func TestPortInUse(t *testing.T) {
	taken, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	addr := taken.Addr().String()
	_, err = Listen(t.Context(), addr)
	if err == nil {
		t.Fatal("two listeners on one port")
	}
	port := taken.Addr().(*net.TCPAddr).Port
	for _, want := range []string{addr, "in use", "--listen 127.0.0.1:" + strconv.Itoa(port+1), "--find-free-port"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %v lacks %q", err, want)
		}
	}
	if !addressInUse(err) {
		t.Errorf("the cause is lost: %v", err)
	}

	near, err := ListenNear(t.Context(), addr)
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	if p := near.Addr().(*net.TCPAddr).Port; p <= port || p >= port+portTries {
		t.Errorf("port %d was taken, found %d", port, p)
	}
}

func TestListenNearGivesUp(t *testing.T) {
	top, err := Listen(t.Context(), "127.0.0.1:65535")
	if err != nil {
		t.Skip(err)
	}
	defer top.Close()
	if ln, err := ListenNear(t.Context(), "127.0.0.1:65535"); err == nil {
		ln.Close()
		t.Error("found a port above 65535")
	} else if !strings.Contains(err.Error(), "65535") {
		t.Errorf("error %v", err)
	}
	if _, err := ListenNear(t.Context(), "192.0.2.1:1"); err == nil || addressInUse(err) {
		t.Errorf("error %v", err)
	}
}

func TestPrefer(t *testing.T) {
	tests := []struct {
		ips  []string
		want string
	}{
		{[]string{"::1", "127.0.0.1"}, "127.0.0.1"},
		{[]string{"127.0.0.1", "::1"}, "127.0.0.1"},
		{[]string{"2001:db8::1", "192.0.2.1"}, "2001:db8::1"},
		{[]string{"::ffff:127.0.0.1"}, "127.0.0.1"},
	}
	for _, c := range tests {
		var ips []netip.Addr
		for _, s := range c.ips {
			ips = append(ips, netip.MustParseAddr(s))
		}
		if got := prefer(ips); got.String() != c.want {
			t.Errorf("of %q %s is preferred, want %s", c.ips, got, c.want)
		}
	}
}

// running is a server under ServeUntil with one request in flight.
type running struct {
	stop    chan os.Signal
	served  chan error
	answer  chan error
	release chan struct{}
	addr    string
}

func serveOneRequest(t *testing.T, mode string, drain time.Duration) *running {
	t.Helper()
	r := &running{make(chan os.Signal, 2), make(chan error, 1), make(chan error, 1), make(chan struct{}), ""}
	started := make(chan struct{})
	h, err := NewHandler(App{Routes: []Route{exec("/...", func(w http.ResponseWriter, req *Request) error {
		close(started)
		select {
		case <-r.release:
			_, err := io.WriteString(w, "done")
			return err
		case <-req.Context().Done():
			return req.Context().Err()
		}
	})}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.addr = ln.Addr().String()
	server := NewServer(h, ServerOptions{})
	go func() { r.served <- server.ServeUntil(ln, r.stop, drain) }()
	tr := &http.Transport{Protocols: new(http.Protocols)}
	tr.Protocols.SetHTTP1(mode == "h1")
	tr.Protocols.SetUnencryptedHTTP2(mode == "h2c")
	t.Cleanup(tr.CloseIdleConnections)
	go func() {
		req, err := http.NewRequest("GET", "http://"+r.addr+"/", nil)
		if err != nil {
			r.answer <- err
			return
		}
		resp, err := tr.RoundTrip(req)
		if err == nil {
			var b []byte
			b, err = io.ReadAll(resp.Body)
			resp.Body.Close()
			if err == nil && string(b) != "done" {
				err = errors.New(string(b))
			}
		}
		r.answer <- err
	}()
	<-started
	return r
}

func TestServeUntilDrains(t *testing.T) {
	forEachMode(t, func(t *testing.T, mode string) {
		r := serveOneRequest(t, mode, 20*time.Second)
		r.stop <- syscall.SIGTERM
		eventually(t, "the listener to close", func() bool {
			conn, err := net.Dial("tcp", r.addr)
			if err == nil {
				conn.Close()
			}
			return err != nil
		})
		select {
		case err := <-r.served:
			t.Fatalf("the server did not wait: %v", err)
		case <-time.After(50 * time.Millisecond):
		}
		close(r.release)
		if err := <-r.answer; err != nil {
			t.Errorf("the request in flight: %v", err)
		}
		if err := <-r.served; err != nil {
			t.Errorf("ServeUntil: %v", err)
		}
	})
}

func TestServeUntilSecondSignalKills(t *testing.T) {
	forEachMode(t, func(t *testing.T, mode string) {
		r := serveOneRequest(t, mode, 20*time.Second)
		r.stop <- os.Interrupt
		r.stop <- os.Interrupt
		if err := <-r.answer; err == nil {
			t.Error("the request in flight was answered")
		}
		if err := <-r.served; !errors.Is(err, context.Canceled) {
			t.Errorf("ServeUntil: %v", err)
		}
	})
}

func TestServeUntilRunsOutOfTime(t *testing.T) {
	forEachMode(t, func(t *testing.T, mode string) {
		r := serveOneRequest(t, mode, 20*time.Millisecond)
		r.stop <- os.Interrupt
		if err := <-r.answer; err == nil {
			t.Error("the request in flight was answered")
		}
		if err := <-r.served; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("ServeUntil: %v", err)
		}
	})
}

func TestServeReportsABrokenListener(t *testing.T) {
	ln, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	err = NewServer(http.NotFoundHandler(), ServerOptions{}).ServeUntil(ln, nil, time.Second)
	if err == nil || !strings.Contains(err.Error(), ln.Addr().String()) {
		t.Errorf("error %v", err)
	}
}

func TestTLS(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert)

	h, err := NewHandler(App{Routes: []Route{exec("/...", func(w http.ResponseWriter, r *Request) error {
		_, err := io.WriteString(w, r.Scheme+" "+r.Origin().URL())
		return err
	})}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := NewServer(h, ServerOptions{TLS: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}})
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	defer func() {
		server.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()
	base := server.BaseURL(ln.Addr())
	if !strings.HasPrefix(base, "https://127.0.0.1:") {
		t.Errorf("base URL %s", base)
	}

	// A client that connects and says nothing must not keep others waiting.
	silent, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()

	for major := 1; major <= 2; major++ {
		tr := &http.Transport{Protocols: new(http.Protocols), TLSClientConfig: &tls.Config{RootCAs: roots}}
		tr.Protocols.SetHTTP1(major == 1)
		tr.Protocols.SetHTTP2(major == 2)
		req, err := http.NewRequestWithContext(t.Context(), "GET", base+"/x", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.ProtoMajor != major || string(b) != "https "+base+"/x" {
			t.Errorf("%s: %q, %v", resp.Proto, b, err)
		}
		tr.CloseIdleConnections()
	}
}
