package manifest

import (
	"fmt"
	"strings"
)

// readHTTPHosts reads allowed_http_hosts, which version 2 deprecates, and returns
// the same as entries of allowed_outbound_hosts.
func readHTTPHosts(v value) []string {
	var out []string
	for _, elem := range v.list("strings") {
		host, ok := elem.text()
		if !ok {
			continue
		}
		hosts, err := outboundHosts(host)
		if err != nil {
			elem.fail(err.Error(), "")
		}
		out = append(out, hosts...)
	}
	return out
}

// warnHTTPHosts warns that the key read at v is deprecated, and shows what to
// write for the same hosts.
func warnHTTPHosts(v value, out []string) {
	hint := "leave it out"
	if len(out) > 0 {
		quoted := make([]string, len(out))
		for i, host := range out {
			quoted[i] = fmt.Sprintf("%q", host)
		}
		hint = "write in its place: allowed_outbound_hosts = [" + strings.Join(quoted, ", ") + "]"
	}
	v.warn("is deprecated", hint)
}

// outboundHosts translates one entry of allowed_http_hosts, which names a host
// that may be asked by http and https alike.
func outboundHosts(entry string) ([]string, error) {
	switch entry {
	case "insecure:allow-all":
		return []string{"http://*:*", "https://*:*", "http://self"}, nil
	case "self":
		return []string{"http://self"}, nil
	case "":
		return nil, fmt.Errorf("must not be empty")
	}
	scheme, rest, hasScheme := strings.Cut(entry, "://")
	if !hasScheme {
		scheme, rest = "", entry
	} else if scheme != "http" && scheme != "https" {
		return nil, fmt.Errorf("scheme %q is not possible here, only http and https", scheme)
	}
	host := strings.TrimSuffix(rest, "/")
	if strings.ContainsAny(host, "/?#") || host == "" {
		return nil, fmt.Errorf("%q is not a host, or a host and a port", rest)
	}
	if hasScheme {
		return []string{scheme + "://" + host}, nil
	}
	return []string{"http://" + host, "https://" + host}, nil
}
