package httptrigger

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/minispin/minispin/trigger/http/spinheader"
)

// target is a request target (RFC 9112, section 3.2), split and otherwise as it
// was sent. net/http's own URL is of no use here: it decodes and re-encodes.
type target struct {
	pathWithQuery string
	path, query   string
}

// parseTarget splits the target of r. The error says why there is no path.
func parseTarget(r *http.Request) (target, error) {
	s := r.RequestURI
	if s == "" {
		s = r.URL.RequestURI() // a request made in the process, not read from a connection
	}
	if s != "*" && !strings.HasPrefix(s, "/") {
		_, after, ok := strings.Cut(s, "://")
		if !ok {
			return target{}, errors.New("the request target has no path")
		}
		at := strings.IndexAny(after, "/?#")
		if at < 0 {
			at = len(after)
		}
		s = after[at:]
		if !strings.HasPrefix(s, "/") {
			s = "/" + s
		}
	}
	s, _, _ = strings.Cut(s, "#")
	t := target{pathWithQuery: s}
	t.path, t.query, _ = strings.Cut(s, "?")
	return t, nil
}

// below returns the part of a path that comes after base, and whether it is base
// or below. Slashes at the beginning do not matter, as they do not to routes.
func below(base, path string) (rest string, ok bool) {
	if base == "" {
		return path, true
	}
	rest, ok = strings.CutPrefix(strings.TrimLeft(path, "/"), base[1:])
	return rest, ok && (rest == "" || rest[0] == '/')
}

// authority returns the host and port the client asked for. The error says why
// that cannot be told: there is none, it is malformed, it is named twice and
// differently, or it is a name that only components of the application use.
//
// An HTTP/1.1 request can name an authority in its target as well; net/http then
// drops the Host field unseen, as RFC 9112, section 3.2.2, demands of servers,
// so that there is one authority left and no disagreement.
func authority(r *http.Request) (string, error) {
	host := r.Host
	for _, other := range r.Header["Host"] { // HTTP/2 can have both
		if !strings.EqualFold(other, host) {
			return "", errors.New("the Host field does not agree with the authority of the request")
		}
	}
	switch {
	case host == "":
		return "", errors.New("the request names no host")
	case !validAuthority(host):
		return "", errors.New("the Host field is no host and port")
	case spinheader.InternalHost(host):
		return "", errors.New("the Host field names a component")
	}
	return host, nil
}

// validAuthority reports whether s is a host with an optional port (RFC 3986,
// sections 3.2.2 and 3.2.3).
func validAuthority(s string) bool {
	host, port := s, ""
	if rest, ok := strings.CutPrefix(s, "["); ok {
		end := strings.IndexByte(rest, ']')
		if end <= 0 {
			return false
		}
		host, port = rest[:end], rest[end+1:]
		if port != "" && port[0] != ':' {
			return false
		}
		if strings.Trim(host, "0123456789abcdefABCDEF:.") != "" {
			return false
		}
	} else {
		if i := strings.IndexByte(s, ':'); i >= 0 {
			host, port = s[:i], s[i:]
		}
		if host == "" || strings.ContainsFunc(host, func(c rune) bool { return !regNameByte(c) }) {
			return false
		}
	}
	if len(port) > 1 {
		if _, err := strconv.ParseUint(port[1:], 10, 16); err != nil {
			return false
		}
	}
	return true
}

// regNameByte reports whether c may stand in a registered name.
func regNameByte(c rune) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return strings.ContainsRune("-._~%!$&'()*+,;=", c)
}
