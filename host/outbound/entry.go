package outbound

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Entry is one entry of allowed_outbound_hosts: scheme://host[:port].
type Entry struct {
	scheme string // "" for any
	host   hostPattern
	ports  portRange
}

// hostPattern is the middle part of an entry. One of its fields is set.
type hostPattern struct {
	any    bool
	self   bool         // the application itself
	name   string       // a name, in lower case
	suffix string       // ".example.com": its proper subdomains
	prefix netip.Prefix // addresses; a single one is a prefix of all bits
}

// portRange is from first to last, both included.
type portRange struct{ first, last uint16 }

var allPorts = portRange{0, 65535}

// An EntryError says what is wrong with an entry.
type EntryError struct {
	Entry  string
	Reason string // one clause, without a final stop
	Hint   string // what to write in its place; it may be empty
}

// Error joins the parts.
func (e *EntryError) Error() string {
	s := fmt.Sprintf("%q %s", e.Entry, e.Reason)
	if e.Hint != "" {
		s += ": " + e.Hint
	}
	return s
}

// defaultPorts are the ports of schemes that have one.
var defaultPorts = map[string]uint16{
	"http": 80, "https": 443, "postgres": 5432, "mysql": 3306, "redis": 6379, "mqtt": 1883,
}

// ParseEntry reads an entry. An error is an [*EntryError].
//
//   - The scheme is letters, or * for any.
//   - The host is a name, *.name for its proper subdomains, an address, a network
//     such as 10.0.0.0/8, self (or self.alt) for the application itself, or *.
//   - The port is a number, a range such as 8000..9000 whose end is not in it, or
//     *. It can be left out if the scheme has one.
//
// A slash may follow, but no path.
func ParseEntry(text string) (Entry, error) {
	fail := func(reason, hint string) (Entry, error) {
		return Entry{}, &EntryError{Entry: text, Reason: reason, Hint: hint}
	}
	switch text {
	case "", "*", ":", "?":
		return fail("is no host", `write "*://*:*" to allow every host`)
	case "insecure:allow-all":
		return fail("is possible in allowed_http_hosts only", `write "*://*:*" to allow every host`)
	}
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return fail("has no scheme", fmt.Sprintf("write for example %q", "https://"+text))
	}
	var e Entry
	switch {
	case scheme == "*":
	case strings.HasPrefix(scheme, "{"):
		return fail("has a list of schemes", "write an entry for each scheme")
	case !isLetters(scheme):
		return fail(fmt.Sprintf("has the scheme %q", scheme), "a scheme is letters, or * for any")
	default:
		e.scheme = strings.ToLower(scheme)
	}
	host, port, err := splitEntry(rest)
	if err == "" {
		e.host, err = parseHostPattern(host)
	}
	if err != "" {
		return fail(err, "")
	}
	if port != nil {
		if e.ports, err = parsePorts(*port); err != "" {
			return fail(err, "a port is a number from 1 to 65535, a range such as 8000..9000, or *")
		}
		return e, nil
	}
	if e.host.self {
		e.ports = allPorts
		return e, nil
	}
	def, ok := defaultPorts[e.scheme]
	if !ok {
		return fail(fmt.Sprintf("has no port, and the scheme %s has no default", scheme),
			fmt.Sprintf("write %q to allow every port", strings.TrimSuffix(text, "/")+":*"))
	}
	e.ports = portRange{def, def}
	return e, nil
}

// splitEntry parts what follows the scheme into host and port; port is nil if
// there is none. reason says what is wrong, "" for nothing.
func splitEntry(s string) (host string, port *string, reason string) {
	s = strings.TrimSuffix(s, "/")
	end := 0 // of what cannot have a port's colon in it
	if strings.HasPrefix(s, "[") {
		if end = strings.IndexByte(s, ']'); end < 0 {
			return "", nil, `has a "[" without "]"`
		}
	}
	if slash := strings.IndexByte(s, '/'); slash >= 0 {
		// A network, or a path.
		addr, after := strings.Trim(s[:slash], "[]"), s[slash+1:]
		if _, err := netip.ParseAddr(addr); err != nil {
			return "", nil, "has a path, which is not possible"
		}
		end = max(end, slash+len(after)-len(strings.TrimLeft(after, "0123456789")))
	}
	if i := strings.IndexByte(s[end:], ':'); i >= 0 {
		p := s[end+i+1:]
		return s[:end+i], &p, ""
	}
	return s, nil, ""
}

func parseHostPattern(s string) (p hostPattern, reason string) {
	switch {
	case s == "":
		return p, "has no host"
	case s == "*":
		return hostPattern{any: true}, ""
	case strings.HasPrefix(s, "{"):
		return p, "has a list of hosts, which is not possible"
	case strings.EqualFold(s, "self"), strings.EqualFold(s, selfAlt):
		return hostPattern{self: true}, ""
	case strings.ContainsRune(s, '/'):
		// The brackets of an IPv6 address may include the number of bits.
		prefix, err := netip.ParsePrefix(strings.NewReplacer("[", "", "]", "").Replace(s))
		if err != nil {
			return p, fmt.Sprintf("has the host %q, which is no network", s)
		}
		return hostPattern{prefix: unmapPrefix(prefix.Masked())}, ""
	case strings.HasPrefix(s, "["):
		a, err := netip.ParseAddr(strings.TrimSuffix(s[1:], "]"))
		if err != nil || !a.Is6() || a.Zone() != "" || !strings.HasSuffix(s, "]") {
			return p, fmt.Sprintf("has the host %q, which is no IPv6 address", s)
		}
		a = a.Unmap()
		return hostPattern{prefix: netip.PrefixFrom(a, a.BitLen())}, ""
	}
	name, sub := strings.CutPrefix(s, "*.")
	host, addr, err := canonicalHost(name)
	switch {
	case err != nil:
		return p, fmt.Sprintf("has the host %q: %v", s, err)
	case sub && addr.IsValid():
		return p, fmt.Sprintf("has the host %q, but addresses have no subdomains", s)
	case addr.IsValid():
		return hostPattern{prefix: netip.PrefixFrom(addr, addr.BitLen())}, ""
	case sub:
		return hostPattern{suffix: "." + host}, ""
	}
	return hostPattern{name: host}, ""
}

// unmapPrefix makes a network of IPv4 addresses written as IPv6 one of IPv4.
func unmapPrefix(p netip.Prefix) netip.Prefix {
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	return p
}

func parsePorts(s string) (r portRange, reason string) {
	if s == "*" {
		return allPorts, ""
	}
	if strings.HasPrefix(s, "{") {
		return r, "has a list of ports, which is not possible"
	}
	from, to, isRange := strings.Cut(s, "..")
	first, ok := parsePort(from)
	if !ok {
		return r, fmt.Sprintf("has the port %q", s)
	}
	if !isRange {
		if first == 0 || first > 65535 {
			return r, fmt.Sprintf("has the port %q", s)
		}
		return portRange{uint16(first), uint16(first)}, ""
	}
	end, ok := parsePort(to)
	if !ok || first >= end || end > 65536 {
		return r, fmt.Sprintf("has the port range %q, which is empty or none", s)
	}
	return portRange{uint16(first), uint16(end - 1)}, ""
}

func parsePort(s string) (int, bool) {
	n, err := strconv.ParseUint(s, 10, 17)
	return int(n), err == nil && s[0] != '+'
}

func isLetters(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; c < 'a' || c > 'z' {
			return false
		}
	}
	return s != ""
}

// allows reports whether e allows t.
func (e *Entry) allows(t *Target) bool {
	if t.self {
		return e.allowsSelf()
	}
	if e.scheme != "" && e.scheme != t.Scheme {
		return false
	}
	h := &e.host
	if _, inside := t.Component(); inside && (h.name != "" || h.suffix == internalDomain) {
		return h.matchesName(t.Host) // which listens on no port
	}
	if t.Port < e.ports.first || t.Port > e.ports.last {
		return false
	}
	switch {
	case h.any:
		return true
	case t.addr.IsValid():
		return h.prefix.IsValid() && h.prefix.Contains(t.addr)
	}
	return h.matchesName(t.Host)
}

// allowsLookup reports whether e allows sockets to whatever addresses the name t
// has.
func (e *Entry) allowsLookup(t *Target) bool {
	if e.scheme != "" && e.scheme != "tcp" && e.scheme != "udp" {
		return false
	}
	return e.host.matchesName(t.Host)
}

// matchesName reports whether h stands for a name, which is no address.
func (h *hostPattern) matchesName(name string) bool {
	switch {
	case h.any:
		return true
	case h.suffix != "":
		return len(name) > len(h.suffix) && strings.HasSuffix(name, h.suffix)
	}
	return h.name != "" && name == h.name
}

// allowsSelf reports whether e allows requests to the application itself, whose
// scheme and port are not the guest's business.
func (e *Entry) allowsSelf() bool {
	return (e.host.self || e.host.any) && (e.scheme == "" || e.scheme == "http" || e.scheme == "https")
}
