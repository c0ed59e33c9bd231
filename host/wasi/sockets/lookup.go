package sockets

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/wasi/io"
	"github.com/minispin/minispin/wit/bindings/wasi/io/poll"
	"github.com/minispin/minispin/wit/bindings/wasi/sockets/ipnamelookup"
	"github.com/minispin/minispin/wit/bindings/wasi/sockets/network"
	"github.com/minispin/minispin/wit/value"
)

// maxAddresses is the most addresses one look-up gives.
const maxAddresses = 256

// ResolveAddresses starts a look-up on a goroutine, which ends when the stream
// is dropped or the request is over.
func (h host) ResolveAddresses(c *component.Call, _ network.Network, name string) (ipnamelookup.ResolveAddressStream, error) {
	if h.n.Policy == nil {
		return nil, network.ErrorCodeAccessDenied
	}
	done := make(chan struct{})
	s := &resolveStream{done: done}
	if addr, err := netip.ParseAddr(name); err == nil {
		if addr.Zone() != "" {
			return nil, network.ErrorCodeInvalidArgument
		}
		s.addrs = []netip.Addr{addr.Unmap()}
		close(done)
		return s, nil
	}
	if !isHostName(name) {
		return nil, network.ErrorCodeInvalidArgument
	}
	if !h.n.Policy.AllowLookup(c.Context(), name) {
		return nil, network.ErrorCodeAccessDenied
	}
	if h.n.lookups == nil {
		h.n.lookups = make(chan struct{}, maxLookups)
	}
	tokens := h.n.lookups
	select {
	case tokens <- struct{}{}:
	default:
		return nil, network.ErrorCodeTemporaryResolverFailure
	}
	ctx, cancel := context.WithCancel(c.Context())
	s.cancel = cancel
	resolver := h.n.resolver()
	go func() {
		defer cancel()
		defer close(done)
		defer func() { <-tokens }()
		s.addrs, s.err = resolve(ctx, resolver, name)
	}()
	return s, nil
}

func resolve(ctx context.Context, r Resolver, name string) ([]netip.Addr, error) {
	addrs, err := r.LookupNetIP(ctx, "ip", name)
	if err != nil {
		return nil, lookupCode(err)
	}
	if len(addrs) == 0 {
		return nil, network.ErrorCodeNameUnresolvable
	}
	if len(addrs) > maxAddresses {
		addrs = addrs[:maxAddresses]
	}
	for i := range addrs {
		addrs[i] = addrs[i].Unmap().WithZone("")
	}
	return addrs, nil
}

func lookupCode(err error) network.ErrorCode {
	var dns *net.DNSError
	switch {
	case !errors.As(err, &dns):
		return network.ErrorCodePermanentResolverFailure
	case dns.IsNotFound:
		return network.ErrorCodeNameUnresolvable
	case dns.IsTemporary, dns.IsTimeout:
		return network.ErrorCodeTemporaryResolverFailure
	}
	return network.ErrorCodePermanentResolverFailure
}

// isHostName reports whether name has the form of a host's name: labels of
// letters, digits, hyphens and underscores, at most 63 bytes each and 253
// together, with or without the root's dot. Names in other alphabets must have
// been encoded by the guest. A last label of digits alone would be a misspelt
// address.
func isHostName(name string) bool {
	name = strings.TrimSuffix(name, ".")
	if name == "" || len(name) > 253 {
		return false
	}
	labels := strings.Split(name, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			b := label[i] | 0x20
			if !('a' <= b && b <= 'z' || '0' <= label[i] && label[i] <= '9' || label[i] == '-' || label[i] == '_') {
				return false
			}
		}
	}
	return strings.Trim(labels[len(labels)-1], "0123456789") != ""
}

// resolveStream is the resource resolve-address-stream. The goroutine of the
// look-up owns addrs and err until it closes done.
type resolveStream struct {
	done   <-chan struct{}
	cancel context.CancelFunc // nil when there was nothing to look up
	addrs  []netip.Addr
	err    error
}

func (s *resolveStream) ResolveNextAddress(*component.Call) (none value.Option[network.IPAddress], err error) {
	select {
	case <-s.done:
	default:
		return none, network.ErrorCodeWouldBlock
	}
	if s.err != nil {
		return none, s.err
	}
	if len(s.addrs) == 0 {
		return none, nil
	}
	next := s.addrs[0]
	s.addrs = s.addrs[1:]
	return value.Some(addressToGuest(next)), nil
}

func (s *resolveStream) Subscribe(*component.Call) (poll.Pollable, error) {
	return wasiio.NewPollable(wasiio.OnClose(s.done), nil), nil
}

func (s *resolveStream) Drop() {
	if s.cancel != nil {
		s.cancel()
	}
}
