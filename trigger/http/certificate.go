package httptrigger

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"

	"go.uber.org/zap"
)

// certificateCheck is how old the knowledge may be that a certificate's files are
// as they were.
const certificateCheck = time.Second

// Certificate is a TLS certificate that follows its files: when they have
// changed, the next handshake is made with what they hold then. It may be used by
// several goroutines at once.
type Certificate struct {
	certFile, keyFile string
	log               *zap.Logger

	mu      sync.Mutex
	pair    *tls.Certificate
	tried   [2]os.FileInfo // the files when they were last loaded, with success or not
	checked time.Time
}

// LoadCertificate loads a chain of certificates and its key, both in PEM. Log is
// told of every change; nil means no log. The error says which files do not go
// together, or cannot be read.
func LoadCertificate(certFile, keyFile string, log *zap.Logger) (*Certificate, error) {
	if log == nil {
		log = zap.NewNop()
	}
	c := &Certificate{certFile: certFile, keyFile: keyFile, log: log, checked: time.Now(), tried: stat(certFile, keyFile)}
	if err := c.load(); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Certificate) load() error {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("loading the TLS certificate %s with the key %s: %w", c.certFile, c.keyFile, err)
	}
	c.pair = &pair
	return nil
}

// Get returns the certificate for a handshake; it is what
// tls.Config.GetCertificate should be. Files that do not go together, as
// while they are being replaced, leave the last ones in use that did.
func (c *Certificate) Get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if now.Sub(c.checked) < certificateCheck {
		return c.pair, nil
	}
	c.checked = now
	files := stat(c.certFile, c.keyFile)
	if same(files[0], c.tried[0]) && same(files[1], c.tried[1]) {
		return c.pair, nil
	}
	c.tried = files
	if err := c.load(); err != nil {
		c.log.Error("the changed TLS certificate is not used, the one before still is", zap.Error(err))
	} else {
		c.log.Info("the changed TLS certificate is used from now on", zap.String("cert", c.certFile))
	}
	return c.pair, nil
}

// stat describes files, by nil those that are not there.
func stat(cert, key string) (files [2]os.FileInfo) {
	for i, path := range []string{cert, key} {
		if info, err := os.Stat(path); err == nil {
			files[i] = info
		}
	}
	return files
}

func same(a, b os.FileInfo) bool {
	if a == nil || b == nil {
		return a == b
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}
