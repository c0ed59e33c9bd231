package outgoing

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/minispin/minispin/host/outbound"
	"github.com/minispin/minispin/host/wasihttp"
	"github.com/minispin/minispin/wit/bindings/wasi/http/types"
	"github.com/minispin/minispin/wit/value"
)

// What a Client does when its Options do not say otherwise.
const (
	// DefaultMaxRequests is how many requests of an application may be under way
	// over the network at a time.
	DefaultMaxRequests = 1024
	// DefaultMaxPerComponent is the same for each of its components.
	DefaultMaxPerComponent = 512
	// DefaultTimeout is each of the three times of a request that the guest has
	// not set.
	DefaultTimeout = 600 * time.Second
	// MaxResponseHead is the largest head of a response, in bytes.
	MaxResponseHead = 128 << 10
	// MaxDepth is how many requests to the application itself may follow from
	// one another.
	MaxDepth = 16
)

// Application is what answers the requests that do not leave the application.
type Application interface {
	// ServeHTTP answers a request to the application itself, as from outside.
	http.Handler
	// ServeComponent answers a request to the component with the given id. If
	// there is none it leaves w alone and returns an error.
	ServeComponent(w http.ResponseWriter, r *http.Request, id string) error
}

// Options adjust a Client. The zero value is a good one.
type Options struct {
	// Blocked are networks that no connection is made to.
	Blocked *outbound.Networks
	// MaxRequests and MaxPerComponent bound the requests under way; 0 means the
	// default, a negative number that none may be sent. More wait, in the order
	// they came in.
	MaxRequests, MaxPerComponent int
	// MaxWait bounds that wait, beside the guest's connect-timeout. 0 means no
	// bound of its own.
	MaxWait time.Duration
	// NoPooling makes a connection for each request.
	NoPooling bool
	// TLS configures connections over TLS; nil means the system's roots.
	TLS *tls.Config
	// ClientTLS are exceptions to TLS, of which the first that is about a request
	// holds.
	ClientTLS []ClientTLS
	// H2C are hosts with ports, as in URLs, that are spoken to by HTTP/2 without
	// TLS.
	H2C []string
	// Application serves what does not leave it; nil means that there is none.
	Application Application
}

// ClientTLS configures connections over TLS of some components to some hosts.
type ClientTLS struct {
	Components []string // their ids
	Hosts      []string // names or addresses, without ports
	Config     *tls.Config
}

// holds reports whether c is about the requests of a component to a host.
func (c *ClientTLS) holds(component, host string) bool {
	return slices.Contains(c.Components, component) &&
		slices.ContainsFunc(c.Hosts, func(h string) bool { return strings.EqualFold(strings.Trim(h, "[]"), host) })
}

// Client has the connections of an application. It may be used by several
// goroutines at once.
type Client struct {
	opts    Options
	network *http.Transport
	h2c     *http.Transport
	special []*http.Transport // for each of opts.ClientTLS
	kept    kept
	permits permits
}

// NewClient makes a client. It must be closed.
func NewClient(o Options) *Client {
	protocols := func(set ...func(*http.Protocols, bool)) *http.Protocols {
		p := new(http.Protocols)
		for _, s := range set {
			s(p, true)
		}
		return p
	}
	// Guests get what the other side has sent: no decompression, no redirects (a
	// Transport follows none), no proxy of the environment.
	c := &Client{opts: o, permits: newPermits(o.MaxRequests, DefaultMaxRequests)}
	base := http.Transport{
		DialContext:            c.dialer(0).DialContext,
		TLSClientConfig:        o.TLS,
		DisableCompression:     true,
		DisableKeepAlives:      o.NoPooling,
		MaxIdleConns:           maxKept,
		MaxIdleConnsPerHost:    maxKeptPerHost,
		IdleConnTimeout:        keptFor,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: MaxResponseHead,
		ReadBufferSize:         16 << 10,
		WriteBufferSize:        16 << 10,
		Protocols:              protocols((*http.Protocols).SetHTTP1, (*http.Protocols).SetHTTP2),
	}
	c.network = &base
	for i := range o.ClientTLS {
		t := base.Clone()
		t.TLSClientConfig = o.ClientTLS[i].Config.Clone()
		c.special = append(c.special, t)
	}
	if len(o.H2C) > 0 {
		c.h2c = base.Clone()
		c.h2c.Protocols = protocols((*http.Protocols).SetUnencryptedHTTP2)
	}
	return c
}

// Close closes connections that are not in use. The others follow when their
// requests end.
func (c *Client) Close() {
	c.kept.close()
	c.network.CloseIdleConnections()
	for _, t := range c.special {
		t.CloseIdleConnections()
	}
	if c.h2c != nil {
		c.h2c.CloseIdleConnections()
	}
}

// dialer returns what makes connections, none to a blocked address.
func (c *Client) dialer(timeout time.Duration) *net.Dialer {
	d := c.opts.Blocked.Dialer()
	d.Timeout = timeout
	return d
}

// speaksH2C reports whether a host is spoken to by HTTP/2 without TLS.
func (c *Client) speaksH2C(host string) bool {
	return c.h2c != nil && slices.ContainsFunc(c.opts.H2C, func(h string) bool { return strings.EqualFold(h, host) })
}

// Component sends requests for one component of the application.
type Component struct {
	client  *Client
	policy  *outbound.Policy
	permits permits
}

// Component returns what sends for the component that p is the policy of.
func (c *Client) Component(p *outbound.Policy) *Component {
	return &Component{client: c, policy: p, permits: newPermits(c.opts.MaxPerComponent, DefaultMaxPerComponent)}
}

// Origin is how the request came that an instance is serving. It becomes the
// address of the requests that the guest makes to the application itself.
type Origin struct {
	Scheme    string // "http" or "https"
	Authority string // the address that the server listens on
}

// Sender is a Component's sender for one instance.
type Sender struct {
	*Component
	Origin Origin
}

var _ wasihttp.Starter = Sender{}

func code(c types.ErrorCodeCase) types.ErrorCode { return types.ErrorCode{Case: c} }

// Send implements wasihttp.Outgoing.
func (s Sender) Send(r *http.Request, t wasihttp.Timeouts) (*http.Response, error) {
	res, err := s.send(r, t)
	if err != nil && r.Body != nil {
		_ = r.Body.Close()
	}
	return res, err
}

func (s Sender) send(r *http.Request, t wasihttp.Timeouts) (*http.Response, error) {
	target, err := s.target(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", code(types.ErrorCodeHTTPRequestURIInvalid), err)
	}
	if err := s.policy.Check(target); err != nil {
		return nil, fmt.Errorf("%w: %w", code(types.ErrorCodeHTTPRequestDenied), err)
	}
	if target.Scheme != "http" && target.Scheme != "https" {
		return nil, fmt.Errorf("%w: scheme %s", code(types.ErrorCodeHTTPProtocolError), target.Scheme)
	}
	id, internal := target.Component()
	switch {
	case internal || target.IsSelf():
		l := local{app: s.client.opts.Application, origin: s.Origin, component: id}
		return newExchange(r, t, noPermits).run(r, l)
	case s.client.isDirect(r, target):
		return s.directly(r, t, target)
	}
	return s.overNetwork(r, t, target)
}

// target returns where r goes.
func (s Sender) target(r *http.Request) (outbound.Target, error) {
	if r.URL.Host == "" {
		return outbound.Self(), nil
	}
	return outbound.ParseTarget(r.URL.Scheme, r.URL.Host)
}

// connectionFields belong to the connection, which is the host's affair.
var connectionFields = []string{"Connection", "Host", "Http2-Settings", "Keep-Alive", "Proxy-Authenticate",
	"Proxy-Authorization", "Proxy-Connection", "Transfer-Encoding", "Upgrade"}

// outbound returns r as it goes over the network.
func (s Sender) outbound(r *http.Request, target outbound.Target) *http.Request {
	u := *r.URL
	// What is connected to is what was checked, the guest's spelling goes into
	// the Host field.
	u.Scheme, u.Host, u.User = target.Scheme, target.Address(), nil
	out := *r
	out.URL = &u
	for _, name := range connectionFields {
		delete(out.Header, name)
	}
	if out.Header == nil {
		out.Header = http.Header{}
	}
	if _, ok := out.Header["User-Agent"]; !ok {
		out.Header["User-Agent"] = nil // keeps net/http from adding its own
	}
	return &out
}

func (s Sender) overNetwork(r *http.Request, t wasihttp.Timeouts, target outbound.Target) (*http.Response, error) {
	via := s.client.network
	if target.Scheme == "https" {
		id := s.policy.Component()
		for i := range s.client.opts.ClientTLS {
			if s.client.opts.ClientTLS[i].holds(id, target.Host) {
				via = s.client.special[i]
				break
			}
		}
	}
	if target.Scheme == "http" && s.client.speaksH2C(r.URL.Host) {
		via = s.client.h2c
	}
	x := newExchange(r, t, s.take)
	return x.run(x.traced(s.outbound(r, target)), via)
}

// take waits for a permit of the component and one of the application.
func (s Sender) take(ctx context.Context) (release func(), err error) {
	if wait := s.client.opts.MaxWait; wait > 0 {
		limited, cancel := context.WithTimeoutCause(ctx, wait, code(types.ErrorCodeConnectionLimitReached))
		defer cancel()
		ctx = limited
	}
	// In this order a component that has used up its own permits takes up none
	// of the application's while it waits.
	if err := s.permits.acquire(ctx); err != nil {
		return nil, err
	}
	if err := s.client.permits.acquire(ctx); err != nil {
		s.permits.release()
		return nil, err
	}
	return s.giveBack, nil
}

// tryTake is take for those who do not want to wait.
func (s Sender) tryTake() (release func(), ok bool) {
	if !s.permits.try() {
		return nil, false
	}
	if !s.client.permits.try() {
		s.permits.release()
		return nil, false
	}
	return s.giveBack, true
}

// giveBack gives back what take has taken.
func (s Sender) giveBack() {
	s.client.permits.release()
	s.permits.release()
}

func noPermits(context.Context) (func(), error) { return func() {}, nil }

// permits is a semaphore. Whoever waits is served in order, as the senders on a
// channel are.
type permits chan struct{}

func newPermits(n, otherwise int) permits {
	if n == 0 {
		n = otherwise
	}
	return make(permits, max(n, 0))
}

func (p permits) acquire(ctx context.Context) error {
	if cap(p) == 0 {
		return fmt.Errorf("%w: no requests are allowed", code(types.ErrorCodeConnectionLimitReached))
	}
	if p.try() {
		return nil
	}
	select {
	case p <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// try takes a permit if there is one that nobody waits for.
func (p permits) try() bool {
	select {
	case p <- struct{}{}:
		return true
	default:
		return false
	}
}

func (p permits) release() { <-p }

// errorCode returns err with the error code for the guest in its chain.
func errorCode(doing string, err error) error {
	if _, ok := errors.AsType[types.ErrorCode](err); ok {
		return fmt.Errorf("%s: %w", doing, err)
	}
	c := classify(err)
	return fmt.Errorf("%w: %s: %w", c, doing, err)
}

func sectionTooLarge() types.ErrorCode {
	return types.ErrorCode{Case: types.ErrorCodeHTTPResponseHeaderSectionSize, HTTPResponseHeaderSectionSize: value.Some(uint32(MaxResponseHead))}
}
