// Package wagi turns HTTP requests into what a CGI program expects and what it
// prints back into HTTP responses.
//
// It is the part of Spin's WAGI executor that needs no guest: environment and
// arguments of a program for one request, and a parser for its standard output.
// The package runs nothing and knows neither sockets nor components; bodies pass
// by it.
//
// The central idea: everything here is a function of its arguments. The program
// is started by somebody else, who hands over the bytes it printed as they come.
package wagi

import (
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/minispin/minispin/trigger/http/route"
	"github.com/minispin/minispin/trigger/http/spinheader"
)

// Request is what the environment of a program is made from.
type Request struct {
	Match      *route.Match
	Origin     spinheader.Origin
	Method     string
	Proto      string // as in "HTTP/1.1"
	Query      string // without the question mark
	Header     http.Header
	BodyLength int64  // in bytes, of the whole body
	ListenAddr string // address and port the host listens on
}

// Var is one environment variable.
type Var struct {
	Name  string
	Value string
}

// Environ returns the CGI variables of r (RFC 3875, section 4.1) and Spin's
// additions, none of them twice. Values are valid UTF-8.
//
// Two kinds of client fields are left out besides Authorization and Connection:
// those that only the host may send, and Proxy, which would become HTTP_PROXY, a
// variable that HTTP clients take for their configuration. Of two fields whose
// names differ only in hyphens and underscores the one with hyphens counts.
func Environ(r Request) []Var {
	host, port := r.server()
	raw := r.Match.PathInfo()
	remote := r.Origin.ClientAddr
	if ip, _, err := net.SplitHostPort(remote); err == nil {
		remote = ip
	}
	p := r.Match.Pattern()

	env := []Var{
		{"AUTH_TYPE", ""},
		{"CONTENT_LENGTH", strconv.FormatInt(r.BodyLength, 10)},
		{"CONTENT_TYPE", r.Header.Get("Content-Type")},
		{"GATEWAY_INTERFACE", "CGI/1.1"},
		{"PATH_INFO", raw},
		{"PATH_TRANSLATED", decode(raw)},
		{"QUERY_STRING", r.Query},
		{"REMOTE_ADDR", remote},
		{"REMOTE_HOST", remote},
		{"REMOTE_USER", ""},
		{"REQUEST_METHOD", r.Method},
		{"SCRIPT_NAME", r.Origin.Base + p.Prefix()},
		{"SERVER_NAME", host},
		{"SERVER_PORT", port},
		{"SERVER_PROTOCOL", r.Proto},
		{"SERVER_SOFTWARE", "WAGI/1"},
		{"X_BASE_PATH", r.Origin.BasePath()},
		{"X_CLIENT_ADDR", r.Origin.ClientAddr},
		{"X_COMPONENT_ROUTE", p.WrittenPrefix()},
		{"X_FULL_URL", r.Origin.URL()},
		{"X_MATCHED_ROUTE", r.Origin.Base + p.Route()},
		{"X_RAW_COMPONENT_ROUTE", p.Written()},
		{"X_RAW_PATH_INFO", raw},
	}
	for _, c := range spinheader.Captures(r.Match) {
		env = append(env, Var{"X_PATH_MATCH_" + upper(c.Name), c.Value})
	}
	env = appendFields(env, spinheader.AppendInbound(nil, r.Header, r.Origin.Host))
	for i := range env {
		env[i].Value = strings.ToValidUTF8(env[i].Value, "\uFFFD")
	}
	return env
}

// appendFields appends an HTTP_ variable for every field. Fields of one name are
// joined into one value. The fields come sorted, so that a name with hyphens
// precedes the same name with underscores.
func appendFields(env []Var, fields []spinheader.Field) []Var {
	type source struct {
		index int
		field string
	}
	seen := make(map[string]source, len(fields))
	for _, f := range fields {
		switch f.Name {
		case "authorization", "connection", "proxy":
			continue
		}
		name := "HTTP_" + strings.ReplaceAll(upper(f.Name), "-", "_")
		s, ok := seen[name]
		switch {
		case !ok:
			seen[name] = source{len(env), f.Name}
			env = append(env, Var{name, f.Value})
		case s.field == f.Name:
			separator := ", "
			if f.Name == "cookie" {
				separator = "; "
			}
			env[s.index].Value += separator + f.Value
		}
	}
	return env
}

// server returns name and port of the server as the client addressed it, or as
// the host listens if the client gave none.
func (r Request) server() (name, port string) {
	authority := r.Origin.Host
	if authority == "" {
		authority = r.ListenAddr
	}
	u := url.URL{Host: authority}
	name, port = u.Hostname(), u.Port()
	if strings.HasPrefix(authority, "[") {
		name = "[" + name + "]" // RFC 3875, section 4.1.14: an IPv6 address keeps its brackets
	}
	if port == "" {
		port = "80"
		if r.Origin.Scheme == "https" {
			port = "443"
		}
	}
	return name, port
}

// decode resolves percent-encoding. What is not encoded properly stays as it is.
func decode(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	if d, err := url.PathUnescape(s); err == nil {
		return d
	}
	// PathUnescape refuses the whole string for one bad escape.
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if v, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(v))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// upper turns a to z into capitals and leaves all other characters alone.
func upper(s string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, s)
}

// DefaultArgs is the template of a program's arguments where the manifest gives
// none.
const DefaultArgs = "${SCRIPT_NAME} ${ARGS}"

// Args makes the arguments of a program from a template: ${SCRIPT_NAME} stands
// for the request path, ${ARGS} for the query with every & turned into a space.
// The result is split at every single space, so that two of them in a row make
// an empty argument.
func Args(template, path, query string) []string {
	// Once, from left to right: what a client puts into its path or query is
	// not looked into for placeholders.
	const scriptName, args = "${SCRIPT_NAME}", "${ARGS}"
	var line strings.Builder
	for {
		literal, rest, found := strings.Cut(template, "$")
		line.WriteString(literal)
		if !found {
			return strings.Split(line.String(), " ")
		}
		template = template[len(literal):]
		switch {
		case strings.HasPrefix(template, scriptName):
			line.WriteString(path)
			template = template[len(scriptName):]
		case strings.HasPrefix(template, args):
			line.WriteString(strings.ReplaceAll(query, "&", " "))
			template = template[len(args):]
		default:
			line.WriteByte('$')
			template = rest
		}
	}
}
