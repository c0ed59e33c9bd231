package outbound

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// selfAlt is a name that stands for the application itself where a host has to be
// named.
const selfAlt = "self.alt"

// internalDomain is the parent of the names of an application's components.
const internalDomain = ".spin.internal"

// Target is a destination in the one spelling that everything after it uses. The
// zero Target is none.
type Target struct {
	Scheme string // in lower case
	Host   string // a name in lower case, or an address without brackets
	Port   uint16 // 0 for one that is not known yet

	addr netip.Addr // Host, if it is an address
	self bool
}

// Self is the application itself as a destination.
func Self() Target { return Target{Scheme: "http", Host: "self", self: true} }

// ErrNoTarget is wrapped by the errors of the functions that read destinations.
var ErrNoTarget = errors.New("no destination")

// NewTarget returns the destination with a scheme, a host and a port. The host is
// a name or an address; an IPv6 address may have brackets. Port 0 stands for the
// default port of the scheme.
//
// Names are letters, digits, hyphens, underscores and dots. What some resolvers
// would read as an IPv4 address is refused unless it is four decimal numbers.
func NewTarget(scheme, host string, port uint16) (Target, error) {
	t := Target{Scheme: strings.ToLower(scheme), Port: port}
	if !isScheme(t.Scheme) {
		return Target{}, fmt.Errorf("%w: %q is no scheme", ErrNoTarget, scheme)
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		a, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		if err != nil || !a.Is6() || a.Zone() != "" || !strings.HasSuffix(inner, "]") {
			return Target{}, fmt.Errorf("%w: %q is no IPv6 address", ErrNoTarget, host)
		}
		t.addr = a.Unmap()
		t.Host = t.addr.String()
	} else {
		var err error
		if t.Host, t.addr, err = canonicalHost(host); err != nil {
			return Target{}, fmt.Errorf("%w: host %q: %w", ErrNoTarget, host, err)
		}
	}
	if t.Port == 0 {
		def, ok := defaultPorts[t.Scheme]
		if !ok {
			return Target{}, fmt.Errorf("%w: %s://%s names no port", ErrNoTarget, scheme, host)
		}
		t.Port = def
	}
	if t.Host == selfAlt {
		return Self(), nil
	}
	return t, nil
}

// ParseTarget is NewTarget for an authority, which is a host with a port or
// without. User information is refused.
func ParseTarget(scheme, authority string) (Target, error) {
	host, port := authority, ""
	if i := strings.LastIndexByte(authority, ':'); i >= 0 && !strings.HasSuffix(authority, "]") {
		host, port = authority[:i], authority[i+1:]
		n, ok := parsePort(port)
		if !ok || n == 0 || n > 65535 {
			return Target{}, fmt.Errorf("%w: %q has no proper port", ErrNoTarget, authority)
		}
		return NewTarget(scheme, host, uint16(n))
	}
	return NewTarget(scheme, host, 0)
}

// ParseURL is ParseTarget for a URL, of which user information, path and query
// are left aside. scheme is that of a URL without one.
func ParseURL(text, scheme string) (Target, error) {
	if !strings.Contains(text, "://") {
		text = scheme + "://" + text
	}
	u, err := url.Parse(text)
	if err != nil {
		// The error of package url quotes the text, which may have a password.
		return Target{}, fmt.Errorf("%w: the URL is malformed", ErrNoTarget)
	}
	return ParseTarget(u.Scheme, u.Host)
}

// AddrTarget returns the destination that is an address and a port.
func AddrTarget(scheme string, ap netip.AddrPort) Target {
	a := ap.Addr().WithZone("").Unmap()
	return Target{Scheme: strings.ToLower(scheme), Host: a.String(), Port: ap.Port(), addr: a}
}

// lookupTarget returns the destination that a name is to somebody who asks for its
// addresses, as yet without a port.
func lookupTarget(name string) (Target, error) {
	host, addr, err := canonicalHost(name)
	if err == nil && addr.IsValid() {
		err = errors.New("it is an address")
	}
	if err != nil {
		return Target{}, fmt.Errorf("%w: host %q: %w", ErrNoTarget, name, err)
	}
	return Target{Scheme: "tcp", Host: host}, nil
}

// Address returns host and port as package net takes them.
func (t Target) Address() string {
	return net.JoinHostPort(t.Host, strconv.Itoa(int(t.Port)))
}

// Addr returns the address that the host is; it is not valid for a name.
func (t Target) Addr() netip.Addr { return t.addr }

// IsSelf reports whether t is the application itself.
func (t Target) IsSelf() bool { return t.self }

// Component returns the id of the component that t names, and whether it names
// one: <id>.spin.internal.
func (t Target) Component() (id string, ok bool) {
	if id, ok = strings.CutSuffix(t.Host, internalDomain); !ok {
		return "", false
	}
	return id, true
}

// String returns t as an entry that allows it and nothing else; all its ports if
// that is not known.
func (t Target) String() string {
	if t.self {
		return "http://self"
	}
	s := t.Scheme + "://" + t.Host
	if t.addr.Is6() {
		s = t.Scheme + "://[" + t.Host + "]"
	}
	_, inside := t.Component()
	switch {
	case t.Port == 0:
		return s + ":*"
	case defaultPorts[t.Scheme] == t.Port, inside && defaultPorts[t.Scheme] != 0:
		return s
	}
	return s + ":" + strconv.Itoa(int(t.Port))
}

// isScheme reports whether s, in lower case, is a scheme (RFC 3986, section 3.1).
func isScheme(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z') && (i == 0 || !('0' <= c && c <= '9' || c == '+' || c == '-' || c == '.')) {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// maxName is the longest name of the domain name system, with a dot at the end.
const maxName = 254

// canonicalHost returns a host without brackets in its one spelling, and as an
// address if it is one.
func canonicalHost(s string) (string, netip.Addr, error) {
	var none netip.Addr
	if a, err := netip.ParseAddr(s); err == nil {
		if a.Is6() {
			return "", none, errors.New("an IPv6 address is written in brackets")
		}
		return a.String(), a, nil
	}
	// A dot at the end only keeps resolvers from trying the search list.
	name := strings.TrimSuffix(s, ".")
	if name == "" || len(name) >= maxName {
		return "", none, errors.New("it is empty or too long for a name")
	}
	for i := range len(name) {
		c := name[i]
		switch {
		case 'a' <= c|0x20 && c|0x20 <= 'z', '0' <= c && c <= '9', c == '-', c == '_':
		case c == '.' && i > 0 && name[i-1] != '.':
		case c >= 0x80:
			return "", none, errors.New("names beyond ASCII are written in their xn-- form")
		default:
			return "", none, errors.New("it has a character that is in no name")
		}
	}
	name = strings.ToLower(name)
	if endsInNumber(name) {
		return "", none, errors.New("an IPv4 address is written as four decimal numbers without leading zeros")
	}
	return name, none, nil
}

// endsInNumber reports whether the last part of a name is a number in decimal,
// octal or hexadecimal, so that some resolvers take the whole for an address. No
// top-level domain is one.
func endsInNumber(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return strings.Trim(last, "0123456789") == ""
}
