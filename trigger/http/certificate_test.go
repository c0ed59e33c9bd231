package httptrigger

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// writeCertificate writes a certificate with a serial number of its own.
func writeCertificate(t *testing.T, serial int64, certFile, keyFile string) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(nil, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []struct {
		path, kind string
		der        []byte
	}{{certFile, "CERTIFICATE", cert}, {keyFile, "PRIVATE KEY", key}} {
		if err := os.WriteFile(f.path, pem.EncodeToMemory(&pem.Block{Type: f.kind, Bytes: f.der}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCertificateFollowsItsFiles(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if _, err := LoadCertificate(certFile, keyFile, nil); err == nil || !strings.Contains(err.Error(), certFile) {
		t.Errorf("without files: %v", err)
	}
	writeCertificate(t, 1, certFile, keyFile)
	core, logs := observer.New(zap.InfoLevel)
	c, err := LoadCertificate(certFile, keyFile, zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	serves := func(serial int64, lines int) {
		t.Helper()
		c.checked = time.Time{} // long ago
		for range 2 {
			pair, err := c.Get(nil)
			if err != nil {
				t.Fatal(err)
			}
			if n := pair.Leaf.SerialNumber.Int64(); n != serial {
				t.Errorf("certificate %d, want %d", n, serial)
			}
		}
		if got := logs.TakeAll(); len(got) != lines {
			t.Errorf("%d log lines, want %d: %v", len(got), lines, got)
		}
	}
	serves(1, 0)

	writeCertificate(t, 2, certFile+".2", keyFile+".2")
	replace := func(path string) {
		t.Helper()
		if err := os.Rename(path+".2", path); err != nil {
			t.Fatal(err)
		}
	}
	replace(certFile)
	if _, err := c.Get(nil); err != nil { // too early to look
		t.Fatal(err)
	}
	serves(1, 1) // the key does not fit
	serves(1, 0)
	replace(keyFile)
	serves(2, 1)

	if err := os.Remove(keyFile); err != nil {
		t.Fatal(err)
	}
	serves(2, 1)
}
