package denied

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// defaultPostgresPort is where PostgreSQL listens if an address does not say.
const defaultPostgresPort = "5432"

// postgresNotPermitted is the text that goes with the denial of a PostgreSQL
// address. Permissions are a matter of host and port, so that the text names
// those of the first server, and neither user nor password.
func postgresNotPermitted(address string) string {
	hosts, ports, err := postgresServers(address)
	switch {
	case err != nil:
		return fmt.Sprintf("address is not valid: %v", err)
	case len(hosts) == 0 || hosts[0] == "":
		return "address names no host"
	case strings.HasPrefix(hosts[0], "/"):
		return "address names a socket in the file system, which is not permitted"
	}
	port := defaultPostgresPort
	if len(ports) > 0 && ports[0] != "" {
		port = ports[0]
	}
	return notPermitted("postgres://" + net.JoinHostPort(hosts[0], port))
}

// postgresServers returns the hosts and the ports in an address, which is a URL
// or a list of settings. Either may be shorter than the other.
func postgresServers(address string) (hosts, ports []string, err error) {
	for _, scheme := range []string{"postgres://", "postgresql://"} {
		if rest, ok := strings.CutPrefix(address, scheme); ok {
			return serversOfURL(rest)
		}
	}
	return serversOfSettings(address)
}

// serversOfURL takes a URL without its scheme. Unlike other URLs it may name
// several hosts, so that package url cannot read it as a whole.
func serversOfURL(s string) (hosts, ports []string, err error) {
	s, query, _ := strings.Cut(s, "?")
	authority, _, _ := strings.Cut(s, "/")
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		authority = authority[at+1:]
	}
	if authority != "" {
		for server := range strings.SplitSeq(authority, ",") {
			host, port, err := splitServer(server)
			if err != nil {
				return nil, nil, err
			}
			hosts, ports = append(hosts, host), append(ports, port)
		}
	}
	// A socket's directory cannot stand before the path; it is a parameter.
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, nil, errors.New("its parameters are not properly encoded")
	}
	if host := values.Get("host"); host != "" && len(hosts) == 0 {
		hosts = strings.Split(host, ",")
	}
	if port := values.Get("port"); port != "" && len(ports) == 0 {
		ports = strings.Split(port, ",")
	}
	return hosts, ports, nil
}

// splitServer splits a host, which may be percent-encoded or an IPv6 address in
// brackets, from the port that may follow it.
func splitServer(s string) (host, port string, err error) {
	if rest, ok := strings.CutPrefix(s, "["); ok {
		host, rest, ok = strings.Cut(rest, "]")
		if !ok || rest != "" && rest[0] != ':' {
			return "", "", errors.New("an IPv6 address is not closed by a bracket")
		}
		return host, strings.TrimPrefix(rest, ":"), nil
	}
	host, port, _ = strings.Cut(s, ":")
	host, err = url.PathUnescape(host)
	if err != nil {
		return "", "", errors.New("a host is not properly encoded")
	}
	return host, port, nil
}

// serversOfSettings takes settings of the form name=value, separated by blanks. A
// value with blanks stands in single quotes; a backslash takes the next character
// as it is.
func serversOfSettings(s string) (hosts, ports []string, err error) {
	var hostaddr []string
	for {
		s = strings.TrimLeft(s, blanks)
		if s == "" {
			break
		}
		name, rest, ok := strings.Cut(s, "=")
		name = strings.TrimRight(name, blanks)
		if !ok || name == "" || strings.ContainsAny(name, blanks) {
			return nil, nil, errors.New("it is neither a postgres URL nor a list of name=value")
		}
		value, rest, ok := settingValue(strings.TrimLeft(rest, blanks))
		if !ok {
			return nil, nil, fmt.Errorf("the value of %s has no closing quote", name)
		}
		s = rest
		switch name {
		case "host":
			hosts = strings.Split(value, ",")
		case "hostaddr":
			hostaddr = strings.Split(value, ",")
		case "port":
			ports = strings.Split(value, ",")
		}
	}
	if len(hosts) == 0 {
		hosts = hostaddr
	}
	return hosts, ports, nil
}

const blanks = " \t\r\n"

// settingValue reads the value at the start of s. It reports false for one whose
// quote is not closed.
func settingValue(s string) (value, rest string, ok bool) {
	quoted := strings.HasPrefix(s, "'")
	if quoted {
		s = s[1:]
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\'':
			return b.String(), s[i+1:], true
		case !quoted && strings.IndexByte(blanks, c) >= 0:
			return b.String(), s[i:], true
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), "", !quoted
}
