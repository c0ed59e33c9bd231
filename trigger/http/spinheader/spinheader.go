// Package spinheader computes what a guest is shown of the fields of a request.
//
// A guest sees the client's header fields and, after them, the spin-* fields in
// which the host says how the request reached it. This package decides which of
// the client's fields are withheld and what the host's say. It does not know how
// fields are handed to a guest, and it does not touch the request.
//
// The central idea: names that begin with spin- are the host's own voice. What a
// client sends under such a name is dropped, so that a guest can believe what it
// reads there.
package spinheader

import (
	"net/http"
	"slices"
	"strings"

	"github.com/minispin/minispin/trigger/http/route"
)

// Field is one header field. Name is in lower case.
type Field struct {
	Name  string
	Value string
}

// The names of the fields the host adds. The captures of a route follow under
// [PathMatchPrefix].
const (
	PathInfo          = "spin-path-info"
	FullURL           = "spin-full-url"
	MatchedRoute      = "spin-matched-route"
	BasePath          = "spin-base-path"
	RawComponentRoute = "spin-raw-component-route"
	ComponentRoute    = "spin-component-route"
	ClientAddr        = "spin-client-addr"
	PathMatchPrefix   = "spin-path-match-"
)

// Origin says how a request reached the host.
type Origin struct {
	Scheme        string // "http" or "https"
	Host          string // the authority the client asked for, "" if it named none
	PathWithQuery string // of the request target, as it was sent
	ClientAddr    string // address and port of the peer
	Base          string // the path the application is at, as in "/shop"; "" for the root
}

// BasePath returns the path the application is at, a slash for the root.
func (o Origin) BasePath() string {
	if o.Base == "" {
		return "/"
	}
	return o.Base
}

// URL returns the request's URL as the host understands it. A request that
// names no authority gets localhost.
func (o Origin) URL() string {
	host := o.Host
	if host == "" {
		host = "localhost"
	}
	return o.Scheme + "://" + host + o.PathWithQuery
}

// Append appends the host's own fields for a request from o that m matched.
func Append(dst []Field, o Origin, m *route.Match) []Field {
	p := m.Pattern()
	dst = append(dst,
		Field{PathInfo, m.PathInfo()},
		Field{FullURL, o.URL()},
		Field{MatchedRoute, o.Base + p.Route()},
		Field{BasePath, o.BasePath()},
		Field{RawComponentRoute, p.Written()},
		Field{ComponentRoute, p.WrittenPrefix()},
		Field{ClientAddr, o.ClientAddr},
	)
	for _, c := range Captures(m) {
		name := PathMatchPrefix + strings.ReplaceAll(strings.ToLower(c.Name), "_", "-")
		dst = append(dst, Field{name, c.Value})
	}
	return dst
}

// Captures returns the parameters of m under their own names. Of parameters
// with the same name the last one counts.
func Captures(m *route.Match) []Field {
	if m.Len() == 0 {
		return nil
	}
	captures := make([]Field, 0, m.Len())
	for i := range m.Len() {
		name, value := m.Param(i)
		if at := slices.IndexFunc(captures, func(f Field) bool { return f.Name == name }); at >= 0 {
			captures[at].Value = value
			continue
		}
		captures = append(captures, Field{name, value})
	}
	return captures
}

// Reserved reports whether the field name, in any case, is one that only the
// host may use.
func Reserved(name string) bool {
	const prefix = "spin-"
	return len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix)
}

// Hidden reports whether a field, its name in lower case, is kept from
// wasi:http guests: it belongs to the connection and not to the request, or, as
// host does, it reaches them another way.
func Hidden(name string) bool {
	switch name {
	case "connection", "host", "http2-settings", "keep-alive", "proxy-authenticate",
		"proxy-authorization", "proxy-connection", "transfer-encoding", "upgrade":
		return true
	}
	return false
}

// InternalHost reports whether an authority, with or without a port, names a
// component of the application. Only other components may use such a name.
func InternalHost(authority string) bool {
	host := authority
	if i := strings.LastIndexByte(host, ':'); i >= 0 {
		host = host[:i]
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	return host == "spin.internal" || strings.HasSuffix(host, ".spin.internal")
}

// AppendWASI appends the fields of h that a wasi:http guest is shown, in
// alphabetical order, so that one request looks the same every time.
func AppendWASI(dst []Field, h http.Header) []Field {
	return appendVisible(dst, h, Hidden)
}

// AppendInbound appends the fields of h that a guest of Spin's own inbound-http
// interface or of WAGI is shown. host is put first, as clients do, unless it is
// empty or names a component.
func AppendInbound(dst []Field, h http.Header, host string) []Field {
	if host != "" && !InternalHost(host) {
		dst = append(dst, Field{"host", host})
	}
	return appendVisible(dst, h, func(name string) bool { return name == "connection" || name == "host" })
}

func appendVisible(dst []Field, h http.Header, hidden func(string) bool) []Field {
	var space [32]string
	keys := space[:0]
	for key := range h {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		name := lower(key)
		if Reserved(name) || hidden(name) {
			continue
		}
		for _, value := range h[key] {
			dst = append(dst, Field{name, value})
		}
	}
	return dst
}

// common maps the canonical form of frequent field names to lower case, which
// saves an allocation for each of them.
var common = func() map[string]string {
	m := make(map[string]string)
	for _, name := range []string{
		"Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language", "Authorization",
		"Cache-Control", "Content-Encoding", "Content-Length", "Content-Type", "Cookie", "Date", "Dnt",
		"Expect", "Forwarded", "If-Match", "If-Modified-Since", "If-None-Match", "If-Range",
		"If-Unmodified-Since", "Origin", "Pragma", "Priority", "Range", "Referer", "Sec-Ch-Ua",
		"Sec-Ch-Ua-Mobile", "Sec-Ch-Ua-Platform", "Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site",
		"Sec-Fetch-User", "Te", "Traceparent", "Tracestate", "Trailer", "Upgrade-Insecure-Requests",
		"User-Agent", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Request-Id",
	} {
		m[name] = strings.ToLower(name)
	}
	return m
}()

func lower(name string) string {
	if l, ok := common[name]; ok {
		return l
	}
	return strings.ToLower(name)
}
