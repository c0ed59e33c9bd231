package wasihttp

import (
	"strings"

	"github.com/minispin/minispin/wit/bindings/wasi/http/types"
)

var (
	errInvalidSyntax error = types.HeaderError{Case: types.HeaderErrorInvalidSyntax}
	errForbidden     error = types.HeaderError{Case: types.HeaderErrorForbidden}
	errImmutable     error = types.HeaderError{Case: types.HeaderErrorImmutable}
)

// tokenByte marks the characters of a token (RFC 9110, section 5.6.2).
var tokenByte = func() (t [256]bool) {
	for c := range t {
		t[c] = 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
			c < 0x80 && strings.IndexByte("!#$%&'*+-.^_`|~", byte(c)) >= 0
	}
	return t
}()

func isToken(s string) bool {
	for i := range len(s) {
		if !tokenByte[s[i]] {
			return false
		}
	}
	return s != ""
}

// validValue reports whether v can be the value of a field: no control
// characters but the tab (RFC 9110, section 5.5). Bytes beyond ASCII are allowed.
func validValue(v []byte) bool {
	for _, c := range v {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// checkName returns a field name in lower case, or the header-error for one that
// a guest may not use.
func checkName(name string) (string, error) {
	if !isToken(name) {
		return "", errInvalidSyntax
	}
	name = lower(name)
	if forbidden(name) {
		return "", errForbidden
	}
	return name, nil
}

// forbidden reports whether a field, its name in lower case, belongs to the
// connection and so to the host.
func forbidden(name string) bool {
	switch name {
	case "connection", "host", "http2-settings", "keep-alive", "proxy-authenticate",
		"proxy-authorization", "proxy-connection", "transfer-encoding", "upgrade":
		return true
	}
	return false
}

// lower is strings.ToLower for ASCII, which is all that field names are made of.
func lower(name string) string {
	for i := range len(name) {
		if c := name[i]; 'A' <= c && c <= 'Z' {
			return strings.ToLower(name)
		}
	}
	return name
}

// validTrailer reports whether a field, its name in lower case, may come after a
// body: not one that the receiver needs before it, for framing, routing,
// authentication or the handling of the content (RFC 9110, section 6.5.1).
func validTrailer(name string) bool {
	switch name {
	case "authorization", "cache-control", "content-encoding", "content-length", "content-range",
		"content-type", "expect", "max-forwards", "pragma", "range", "set-cookie", "te", "trailer",
		"www-authenticate":
		return false
	}
	return !forbidden(name) && !strings.HasPrefix(name, "if-")
}

// ValidField reports whether a guest may send a field: its name is a token and
// not one that belongs to the connection, and its value has no control characters.
func ValidField(name, value string) bool {
	_, err := checkName(name)
	return err == nil && validValue(bytesOf(value))
}
