package runtimeconfig

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minispin/minispin/host/outbound"
	"github.com/minispin/minispin/host/outgoing"
	"github.com/minispin/minispin/host/wasihttp"
	"github.com/minispin/minispin/manifest"
	"github.com/minispin/minispin/wit/bindings/wasi/http/types"
)

func write(t *testing.T, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// certify writes a certificate that signs itself, and its key.
func certify(t *testing.T, dir, name string) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}, &x509.Certificate{SerialNumber: big.NewInt(1)}, public, private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, name+".pem"), "CERTIFICATE", cert)
	write(t, filepath.Join(dir, name+".key"), "PRIVATE KEY", key)
}

// TestClientTLS reaches a server that wants a certificate, as the components that
// the configuration lists and as one that it does not.
func TestClientTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who := "nobody"
		if certs := r.TLS.PeerCertificates; len(certs) > 0 {
			who = certs[0].Subject.CommonName
		}
		io.WriteString(w, who)
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()

	dir := t.TempDir()
	certify(t, dir, "first")
	certify(t, dir, "second")
	write(t, filepath.Join(dir, "roots.pem"), "CERTIFICATE", server.Certificate().Raw)
	path := filepath.Join(dir, "runtime.toml")
	text := `
[[client_tls]]
component_ids = ["a", "b"]
hosts = ["other.example", "127.0.0.1"]
ca_roots_file = "roots.pem"
client_cert_file = "first.pem"
client_private_key_file = "first.key"
[[client_tls]]
component_ids = ["b", "c"]
hosts = ["127.0.0.1"]
ca_roots_file = "roots.pem"
ca_use_platform_roots = true
client_cert_file = "second.pem"
client_private_key_file = "second.key"
[[client_tls]]
component_ids = ["d"]
hosts = ["127.0.0.1"]
ca_roots_file = "roots.pem"
[[client_tls]]
component_ids = ["e"]
hosts = ["localhost"]
ca_roots_file = "roots.pem"
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	var o outgoing.Options
	c.Apply(&o)
	client := outgoing.NewClient(o)
	defer client.Close()
	hosts, err := outbound.ParseHosts([]string{"*://*:*"})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	for component, want := range map[string]string{"a": "first", "b": "first", "c": "second", "d": "nobody", "e": "", "f": ""} {
		s := outgoing.Sender{Component: client.Component(outbound.NewPolicy(component, hosts, nil, nil))}
		r := (&http.Request{Method: "GET", Host: u.Host, URL: &url.URL{Scheme: "https", Host: u.Host, Opaque: "/"}, Header: http.Header{}, Body: http.NoBody}).WithContext(t.Context())
		res, err := s.Send(r, wasihttp.Timeouts{})
		if want == "" {
			if code, ok := errors.AsType[types.ErrorCode](err); !ok || code.Case != types.ErrorCodeTLSProtocolError {
				t.Errorf("%s: %v", component, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", component, err)
			continue
		}
		b, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || string(b) != want || res.ProtoMajor != 2 {
			t.Errorf("%s: the server saw %q by %s, %v; want %q", component, b, res.Proto, err, want)
		}
	}

	// Pairs that are none are refused, with nothing of what is in the files.
	for name, bad := range map[string]string{
		"is no certificate for the private key": strings.Replace(text, "first.key", "second.key", 1),
		"has no certificate in PEM":             strings.Replace(text, "roots.pem", "first.key", 1),
	} {
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path); err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "PRIVATE") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestValues sees where the values of variables come from, and what networks are blocked.
func TestValues(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "own.env"), []byte("OWN_C=file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("OWN_B", "environment")
	c, err := Parse([]byte(`
[[variables_provider]]
type = "static"
values = { a = "static" }
[[variables_provider]]
type = "env"
prefix = "OWN"
dotenv_path = "own.env"
[outbound_networking]
block_networks = ["private"]
`), filepath.Join(dir, "runtime.toml"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, name := range []string{"a", "b", "c", "d"} {
		for i, p := range c.Providers {
			v, ok, err := p.Get(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			if ok {
				got = append(got, fmt.Sprintf("%s %d %s", name, i, v.Reveal()))
			}
		}
	}
	if s := strings.Join(got, ", "); s != "a 0 static, b 1 environment, c 1 file" {
		t.Errorf("got %s", s)
	}
	for a, want := range map[string]bool{"10.1.2.3": true, "127.0.0.1": true, "192.0.2.1": true, "8.8.8.8": false} {
		if c.Blocked.Contain(netip.MustParseAddr(a)) != want {
			t.Errorf("%s is blocked: %t", a, !want)
		}
	}
}

// TestLoad: a file that cannot be read is another error than one that is wrong.
func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "runtime.toml")
	_, err := Load(path)
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	for _, text := range []string{"x = 1", "x"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path); err == nil {
			t.Errorf("%q is read", text)
		} else if e, ok := errors.AsType[*manifest.Error](err); !ok || e.Diagnostics[0].Line != 1 {
			t.Errorf("%q: %v", text, err)
		}
	}
	if err := os.WriteFile(path, []byte(strings.Repeat("# too long\n", 1<<17)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("a huge file: %v", err)
	}
}
