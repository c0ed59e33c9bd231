package wasihttp

import (
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/wasi/io"
	"github.com/minispin/minispin/wit/bindings/wasi/clocks/monotonicclock"
	"github.com/minispin/minispin/wit/bindings/wasi/http/types"
	"github.com/minispin/minispin/wit/value"
)

// maxTarget bounds a path with its query, an authority, and a method.
const maxTarget = 64 << 10

// outgoingRequest is the resource outgoing-request.
type outgoingRequest struct {
	ctx           *Ctx
	method        string
	pathWithQuery value.Option[string]
	scheme        value.Option[types.Scheme]
	authority     value.Option[string]
	fields        *Fields
	body          *outgoingBody // once it was taken
	pipe          requestPipe
}

var _ types.OutgoingRequest = (*outgoingRequest)(nil)

// NewOutgoingRequest implements types.Host.
func (h host) NewOutgoingRequest(_ *component.Call, headers types.Headers) (types.OutgoingRequest, error) {
	fields := headers.(*Fields)
	fields.frozen = true
	return &outgoingRequest{ctx: h.x, method: http.MethodGet, fields: fields}, nil
}

// Body implements types.OutgoingRequest. It fails when the body was taken, and
// when content-length is no number.
func (r *outgoingRequest) Body(*component.Call) (types.OutgoingBody, error) {
	if r.body != nil {
		return nil, value.Failed
	}
	length, declared, err := r.fields.contentLength()
	if err != nil {
		return nil, value.Failed
	}
	r.pipe = requestPipe{Pipe: wasiio.NewPipe(), end: &requestEnd{trailer: http.Header{}}}
	b := &outgoingBody{ctx: r.ctx, declared: declared, length: length, dst: r.pipe}
	if err := b.open(); err != nil {
		return nil, err
	}
	r.body = b
	return b, nil
}

// Method implements types.OutgoingRequest.
func (r *outgoingRequest) Method(*component.Call) (types.Method, error) {
	return methodOf(r.method), nil
}

// SetMethod implements types.OutgoingRequest.
func (r *outgoingRequest) SetMethod(_ *component.Call, method types.Method) error {
	name := methodName(method)
	if !isToken(name) || len(name) > maxTarget {
		return value.Failed
	}
	r.method = name
	return nil
}

// PathWithQuery implements types.OutgoingRequest.
func (r *outgoingRequest) PathWithQuery(*component.Call) (value.Option[string], error) {
	return r.pathWithQuery, nil
}

// SetPathWithQuery implements types.OutgoingRequest.
func (r *outgoingRequest) SetPathWithQuery(_ *component.Call, path value.Option[string]) error {
	if path.Set && !validPathWithQuery(path.V) {
		return value.Failed
	}
	r.pathWithQuery = path
	return nil
}

// Scheme implements types.OutgoingRequest.
func (r *outgoingRequest) Scheme(*component.Call) (value.Option[types.Scheme], error) {
	return r.scheme, nil
}

// SetScheme implements types.OutgoingRequest.
func (r *outgoingRequest) SetScheme(_ *component.Call, scheme value.Option[types.Scheme]) error {
	if scheme.Set && !validScheme(schemeName(scheme.V)) {
		return value.Failed
	}
	r.scheme = scheme
	return nil
}

// Authority implements types.OutgoingRequest.
func (r *outgoingRequest) Authority(*component.Call) (value.Option[string], error) {
	return r.authority, nil
}

// SetAuthority implements types.OutgoingRequest.
func (r *outgoingRequest) SetAuthority(_ *component.Call, authority value.Option[string]) error {
	if authority.Set && !validAuthority(authority.V) {
		return value.Failed
	}
	r.authority = authority
	return nil
}

// Headers implements types.OutgoingRequest.
func (r *outgoingRequest) Headers(*component.Call) (types.Headers, error) {
	return r.fields.share(), nil
}

// Drop implements types.OutgoingRequest. Nobody will read the body.
func (r *outgoingRequest) Drop() {
	if r.body != nil {
		_ = r.pipe.Close()
	}
	r.fields.Drop()
}

// build makes the request for an Outgoing, or returns the error code that says
// what it lacks.
func (r *outgoingRequest) build() (*http.Request, error) {
	length, declared, err := r.fields.contentLength()
	if err != nil {
		return nil, code(types.ErrorCodeHTTPRequestURIInvalid)
	}
	if r.body == nil && declared && length > 0 {
		return nil, bodySizeCode(nil, 0)
	}
	path, query, hasQuery := strings.Cut(r.pathWithQuery.Or("/"), "?")
	if path == "" {
		path = "/"
	}
	scheme := schemeName(r.scheme.Or(types.Scheme{Case: types.SchemeHTTPS}))
	req := &http.Request{
		Method: r.method, Host: r.authority.Or(""),
		// Opaque keeps the path as the guest wrote it.
		URL:   &url.URL{Scheme: scheme, Host: r.authority.Or(""), Opaque: path, RawQuery: query, ForceQuery: hasQuery && query == ""},
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: make(http.Header, len(r.fields.list)),
		Body:   http.NoBody,
	}
	for _, f := range r.fields.list {
		req.Header.Add(f.Name, f.Value)
	}
	announced := req.Header["Trailer"]
	delete(req.Header, "Trailer") // net/http makes it of the keys of req.Trailer
	if r.body != nil {
		r.pipe.end.announce(announced)
		req.Body, req.Trailer, req.ContentLength = r.pipe, r.pipe.end.trailer, -1
		if declared {
			req.ContentLength = int64(length)
		}
	}
	return req, nil
}

// requestPipe is the destination of a request's body: what reads the request on
// its way out is at the other end.
type requestPipe struct {
	*wasiio.Pipe
	end *requestEnd
}

var _ destination = requestPipe{}

// requestEnd is what follows the body of a request.
type requestEnd struct {
	fields  []Field     // the guest's, before the pipe is closed to it
	trailer http.Header // the request's, which belongs to the reader
}

// announce enters the names that the guest's fields say will come. There are
// servers that see no other trailers.
func (e *requestEnd) announce(lists []string) {
	for _, list := range lists {
		for name := range strings.SplitSeq(list, ",") {
			name = lower(strings.TrimSpace(name))
			if isToken(name) && validTrailer(name) {
				e.trailer[http.CanonicalHeaderKey(name)] = nil
			}
		}
	}
}

// Read implements io.Reader. The end of the body brings the trailers.
func (p requestPipe) Read(b []byte) (int, error) {
	n, err := p.Pipe.Read(b)
	if err == io.EOF {
		// Here, and not where the guest gives them: the reader may be looking at
		// the names while it sends the head.
		for _, f := range p.end.fields {
			p.end.trailer.Add(f.Name, f.Value)
		}
		p.end.fields = nil
	}
	return n, err
}

func (p requestPipe) finish(trailers []Field) error {
	for _, f := range trailers {
		if !validTrailer(f.Name) {
			err := internal(f.Name + " cannot be a trailer")
			p.CloseWrite(err)
			return err
		}
	}
	p.end.fields = trailers
	p.CloseWrite(nil)
	return nil
}

func (p requestPipe) abort(err error) { p.CloseWrite(err) }

// validPathWithQuery reports whether s is a path, or nothing, with a query behind
// it or not. What is to be percent-encoded is up to the guest; only what could
// not stand in a request line is refused.
func validPathWithQuery(s string) bool {
	if len(s) > maxTarget || s != "" && s[0] != '/' && s[0] != '?' {
		return false
	}
	// Two slashes in front would be read as an authority.
	if strings.HasPrefix(s, "//") {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '#' {
			return false
		}
	}
	return true
}

// validScheme reports whether s is a scheme (RFC 3986, section 3.1).
func validScheme(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		alpha := 'a' <= c && c <= 'z'
		if !alpha && (i == 0 || !('0' <= s[i] && s[i] <= '9' || s[i] == '+' || s[i] == '-' || s[i] == '.')) {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// validAuthority reports whether s is a host with a port or without. User
// information is refused: no HTTP request has any (RFC 9110, section 4.2.4).
func validAuthority(s string) bool {
	if len(s) > maxTarget {
		return false
	}
	host, port := s, ""
	if i := strings.LastIndexByte(s, ':'); i >= 0 && !strings.HasSuffix(s, "]") {
		host, port = s[:i], s[i+1:]
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || port[0] == '+' || n == 0 {
			return false
		}
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		inner, closed := strings.CutSuffix(inner, "]")
		a, err := netip.ParseAddr(inner)
		return closed && err == nil && a.Is6() && a.Zone() == ""
	}
	for i := range len(host) {
		c := host[i]
		if !('a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("-._~%!$&'()*+,;=", c) >= 0) {
			return false
		}
	}
	return host != ""
}

// Timeouts are the times that a guest allows for an outgoing request. Zero means
// that the guest said nothing.
type Timeouts struct {
	Connect      time.Duration // for a connection
	FirstByte    time.Duration // until the response begins
	BetweenBytes time.Duration // between two pieces of the response's body
}

// requestOptions is the resource request-options.
type requestOptions struct{ connect, firstByte, betweenBytes value.Option[uint64] }

var _ types.RequestOptions = (*requestOptions)(nil)

// NewRequestOptions implements types.Host.
func (host) NewRequestOptions(*component.Call) (types.RequestOptions, error) {
	return &requestOptions{}, nil
}

// ConnectTimeout implements types.RequestOptions.
func (o *requestOptions) ConnectTimeout(*component.Call) (value.Option[monotonicclock.Duration], error) {
	return o.connect, nil
}

// SetConnectTimeout implements types.RequestOptions.
func (o *requestOptions) SetConnectTimeout(_ *component.Call, d value.Option[monotonicclock.Duration]) error {
	o.connect = d
	return nil
}

// FirstByteTimeout implements types.RequestOptions.
func (o *requestOptions) FirstByteTimeout(*component.Call) (value.Option[monotonicclock.Duration], error) {
	return o.firstByte, nil
}

// SetFirstByteTimeout implements types.RequestOptions.
func (o *requestOptions) SetFirstByteTimeout(_ *component.Call, d value.Option[monotonicclock.Duration]) error {
	o.firstByte = d
	return nil
}

// BetweenBytesTimeout implements types.RequestOptions.
func (o *requestOptions) BetweenBytesTimeout(*component.Call) (value.Option[monotonicclock.Duration], error) {
	return o.betweenBytes, nil
}

// SetBetweenBytesTimeout implements types.RequestOptions.
func (o *requestOptions) SetBetweenBytesTimeout(_ *component.Call, d value.Option[monotonicclock.Duration]) error {
	o.betweenBytes = d
	return nil
}

// Drop implements types.RequestOptions.
func (o *requestOptions) Drop() {}

// timeouts returns the options as durations. One too long for a duration is as
// good as the longest, one of zero nanoseconds as the shortest.
func (o *requestOptions) timeouts() Timeouts {
	of := func(v value.Option[uint64]) time.Duration {
		if !v.Set {
			return 0
		}
		return time.Duration(min(max(v.V, 1), 1<<63-1))
	}
	return Timeouts{Connect: of(o.connect), FirstByte: of(o.firstByte), BetweenBytes: of(o.betweenBytes)}
}
