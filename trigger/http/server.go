package httptrigger

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"go.uber.org/zap"
)

// Limits on what a client may ask of a server. They are far above what browsers
// and proxies do, and far below what hurts.
const (
	// DefaultMaxHeaderBytes is the largest request head, in bytes.
	DefaultMaxHeaderBytes = 64 << 10
	// DefaultReadHeaderTimeout is how long a request head may take to arrive.
	DefaultReadHeaderTimeout = 10 * time.Second
	// DefaultIdleTimeout is how long an unused connection is kept.
	DefaultIdleTimeout = 2 * time.Minute
	// DefaultMaxStreams is the number of requests in flight on one HTTP/2
	// connection.
	DefaultMaxStreams = 250
)

// ServerOptions are the settings of a [Server]. A zero value of any of them
// means the constant of that name.
type ServerOptions struct {
	MaxHeaderBytes    int
	ReadHeaderTimeout time.Duration
	IdleTimeout       time.Duration
	MaxStreams        int

	// TLS makes the server speak TLS. Nil means plain text.
	TLS *tls.Config

	// Log receives what goes wrong with connections, at debug level: it is
	// nearly always the other side. Nil means no log.
	Log *zap.Logger
}

// Server serves a handler on a listener, HTTP/1.1 and HTTP/2 on one port. In
// plain text a client speaks HTTP/2 by prior knowledge, over TLS as negotiated.
type Server struct {
	http   *http.Server
	scheme string // net/http fills in TLSConfig even for plain text, so that it cannot be asked
}

// NewServer makes a server for h.
func NewServer(h http.Handler, o ServerOptions) *Server {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if o.MaxHeaderBytes == 0 {
		o.MaxHeaderBytes = DefaultMaxHeaderBytes
	}
	if o.ReadHeaderTimeout == 0 {
		o.ReadHeaderTimeout = DefaultReadHeaderTimeout
	}
	if o.IdleTimeout == 0 {
		o.IdleTimeout = DefaultIdleTimeout
	}
	if o.MaxStreams == 0 {
		o.MaxStreams = DefaultMaxStreams
	}
	s := &http.Server{
		Handler: h,
		// OPTIONS * is a request like others.
		DisableGeneralOptionsHandler: true,
		ReadHeaderTimeout:            o.ReadHeaderTimeout,
		IdleTimeout:                  o.IdleTimeout,
		// ReadTimeout and WriteTimeout stay unset: they would end long bodies
		// that make progress. The handler watches over bodies.
		MaxHeaderBytes: o.MaxHeaderBytes,
		TLSConfig:      o.TLS,
		Protocols:      new(http.Protocols),
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: o.MaxStreams,
			SendPingTimeout:      time.Minute,
			WriteByteTimeout:     time.Minute,
		},
	}
	if log, err := zap.NewStdLogAt(o.Log, zap.DebugLevel); err == nil {
		s.ErrorLog = log
	}
	s.Protocols.SetHTTP1(true)
	if o.TLS != nil {
		s.Protocols.SetHTTP2(true)
		return &Server{http: s, scheme: "https"}
	}
	s.Protocols.SetUnencryptedHTTP2(true)
	return &Server{http: s, scheme: "http"}
}

// BaseURL returns the URL of a server that listens on addr, without a slash at
// the end.
func (s *Server) BaseURL(addr net.Addr) string {
	if addr.Network() == "unix" {
		return unixURL(s.scheme, addr.String())
	}
	return s.scheme + "://" + addr.String()
}

// Serve accepts connections on ln until the server is shut down or closed, and
// returns nil then. It closes ln.
func (s *Server) Serve(ln net.Listener) error {
	var err error
	if s.scheme == "https" {
		err = s.http.ServeTLS(ln, "", "")
	} else {
		err = s.http.Serve(ln)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serving on %s: %w", ln.Addr(), err)
}

// Shutdown stops accepting connections and waits until the requests in flight
// are answered. If ctx ends first, their connections are closed and the error
// says so.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err == nil {
		return nil
	}
	if closeErr := s.http.Close(); closeErr != nil {
		err = errors.Join(err, closeErr)
	}
	return fmt.Errorf("requests were cut off at shutdown: %w", err)
}

// Close closes all connections at once.
func (s *Server) Close() error { return s.http.Close() }

// ServeUntil serves on ln until a signal arrives on stop, then lets requests in
// flight finish. A second signal, or the end of the time drain, cuts them off.
// The error is nil if nothing was.
func (s *Server) ServeUntil(ln net.Listener, stop <-chan os.Signal, drain time.Duration) error {
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	select {
	case err := <-served:
		return err
	case <-stop:
	}

	ctx, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	finished := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-stop:
			cancel()
		case <-finished:
		}
	}()
	err := s.Shutdown(ctx)
	close(finished)
	<-watched
	return errors.Join(err, <-served)
}
