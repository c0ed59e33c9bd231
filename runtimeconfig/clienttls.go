package runtimeconfig

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"os"

	"github.com/minispin/minispin/host/outgoing"
	"github.com/minispin/minispin/manifest"
)

// clientTLS reads by what certificates servers are believed, and which are shown
// to them.
func (r reading) clientTLS(root manifest.Table) {
	v, ok := root.Get("client_tls")
	if !ok {
		return
	}
	for _, e := range v.List("tables") {
		t, ok := e.Table()
		if !ok {
			continue
		}
		c := outgoing.ClientTLS{
			Components: texts(t, "component_ids", "the ids of components that it holds for"),
			Hosts:      texts(t, "hosts", "the hosts that it holds for"),
			Config:     &tls.Config{MinVersion: tls.VersionTLS12},
		}
		r.roots(t, c.Config)
		r.certificate(t, c.Config)
		t.Done()
		r.ClientTLS = append(r.ClientTLS, c)
	}
}

// texts returns the strings at key, which the table must have.
func texts(t manifest.Table, key, hint string) []string {
	if v, ok := t.Need(key, hint); ok {
		return v.Texts()
	}
	return nil
}

// roots reads whose certificates are believed: those of the system unless a file
// is named, both if both are asked for.
func (r reading) roots(t manifest.Table, c *tls.Config) {
	system, said := false, false
	if v, ok := t.Get("ca_use_platform_roots"); ok {
		system, said = v.Boolean()
	}
	if v, ok := t.Get("ca_use_webpki_roots"); ok {
		if on, ok := v.Boolean(); ok && on {
			v.Fail("this host has no list of roots of its own", "use those of the system, with ca_use_platform_roots = true, or name a file, with ca_roots_file")
		}
	}
	v, ok := t.Get("ca_roots_file")
	if !ok {
		if said && !system {
			t.Fail("has no roots: no server would be believed", "name a file, with ca_roots_file, or leave out ca_use_platform_roots = false")
		}
		return // net/http uses the system's
	}
	pem, ok := r.pem(v)
	if !ok {
		return
	}
	c.RootCAs = x509.NewCertPool()
	if system {
		var err error
		if c.RootCAs, err = x509.SystemCertPool(); err != nil {
			v.Fail("the roots of the system cannot be read: "+cause(err), "")
			return
		}
	}
	if !c.RootCAs.AppendCertsFromPEM(pem) {
		v.Fail("has no certificate in PEM", "")
	}
}

// certificate reads the certificate that the host shows.
func (r reading) certificate(t manifest.Table, c *tls.Config) {
	cert, hasCert := t.Get("client_cert_file")
	key, hasKey := t.Get("client_private_key_file")
	switch {
	case !hasCert && !hasKey:
		return
	case !hasKey:
		cert.Fail("has no private key", "name its file, with client_private_key_file")
		return
	case !hasCert:
		key.Fail("has no certificate", "name its file, with client_cert_file")
		return
	}
	certPEM, ok1 := r.pem(cert)
	keyPEM, ok2 := r.pem(key)
	if !ok1 || !ok2 {
		return
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		cert.Fail("is no certificate for the private key: "+err.Error(), "")
		return
	}
	c.Certificates = []tls.Certificate{pair}
}

// pem reads the file that v names.
func (r reading) pem(v manifest.Value) ([]byte, bool) {
	path, ok := v.Text()
	if !ok {
		return nil, false
	}
	b, err := os.ReadFile(r.file(path))
	if err != nil {
		v.Fail("cannot be read: "+cause(err), "")
		return nil, false
	}
	return b, true
}

// cause leaves out the path, which stands in the line that is shown.
func cause(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "there is no such file"
	}
	if e, ok := errors.AsType[*os.PathError](err); ok {
		err = e.Err
	}
	return err.Error()
}
