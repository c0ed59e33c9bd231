package httptrigger

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"
)

// unixPrefix is what the address of a Unix socket begins with; its path follows.
const unixPrefix = "unix:"

// listenUnix listens on the socket at path. One that a process left behind which
// is no more is replaced; one that somebody answers on is in use, and any
// other file is left alone.
func listenUnix(ctx context.Context, path string) (net.Listener, error) {
	if path == "" {
		return nil, errors.New("the listen address unix: has no path, as in unix:/run/app.sock")
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "unix", path)
	if addressInUse(err) && abandoned(ctx, path) {
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("cannot listen on %s%s: a socket that was left behind: %w", unixPrefix, path, err)
		}
		ln, err = lc.Listen(ctx, "unix", path)
	}
	if addressInUse(err) {
		return nil, fmt.Errorf("cannot listen on %s%s: the address is in use; choose another with --listen: %w", unixPrefix, path, err)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s%s: %w", unixPrefix, path, err)
	}
	return ln, nil
}

// abandoned reports whether path is a socket that nobody listens on.
func abandoned(ctx context.Context, path string) bool {
	if info, err := os.Lstat(path); err != nil || info.Mode().Type() != os.ModeSocket {
		return false
	}
	d := net.Dialer{Timeout: time.Second}
	conn, err := d.DialContext(ctx, "unix", path)
	if err == nil {
		conn.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

// unixPath returns the path in a listen address, if that is one of a Unix socket.
func unixPath(addr string) (path string, ok bool) { return strings.CutPrefix(addr, unixPrefix) }

// unixURL returns the URL of a server on a Unix socket, in the form that some
// clients take.
func unixURL(scheme, path string) string { return scheme + "+unix://" + url.PathEscape(path) }
