//go:build linux || darwin

package sockets

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/wasi/io"
	"github.com/minispin/minispin/wit/bindings/wasi/sockets/ipnamelookup"
	"github.com/minispin/minispin/wit/bindings/wasi/sockets/network"
)

// resolver answers as its function does.
type resolver func(ctx context.Context, host string) ([]netip.Addr, error)

func (r resolver) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	if network != "ip" {
		return nil, errors.New("asked for the network " + network)
	}
	return r(ctx, host)
}

// addresses takes all addresses of a look-up, waiting for them.
func addresses(t *testing.T, c *component.Call, s ipnamelookup.ResolveAddressStream) (list []network.IPAddress, err error) {
	t.Helper()
	wait(t, c, s.Subscribe)
	for {
		a, err := s.ResolveNextAddress(c)
		if err != nil || !a.Set {
			return list, err
		}
		list = append(list, a.V)
	}
}

func TestLookup(t *testing.T) {
	found := []netip.Addr{netip.MustParseAddr("::ffff:192.0.2.7"), netip.MustParseAddr("2001:db8::1")}
	for name, tt := range map[string]struct {
		answer []netip.Addr
		err    error
		code   network.ErrorCode
	}{
		"found":     {answer: found},
		"nothing":   {code: network.ErrorCodeNameUnresolvable},
		"not found": {err: &net.DNSError{IsNotFound: true}, code: network.ErrorCodeNameUnresolvable},
		"temporary": {err: &net.DNSError{IsTemporary: true}, code: network.ErrorCodeTemporaryResolverFailure},
		"timeout":   {err: &net.DNSError{IsTimeout: true}, code: network.ErrorCodeTemporaryResolverFailure},
		"refused":   {err: &net.DNSError{}, code: network.ErrorCodePermanentResolverFailure},
		"other":     {err: errors.New("?"), code: network.ErrorCodePermanentResolverFailure},
	} {
		t.Run(name, func(t *testing.T) {
			begin := make(chan struct{})
			n := &Network{Policy: policy{}, Resolver: resolver(func(ctx context.Context, host string) ([]netip.Addr, error) {
				<-begin
				if host != "db.example.com" {
					t.Errorf("looked up %q", host)
				}
				return tt.answer, tt.err
			})}
			guest(t, n, func(c *component.Call, h host) {
				s := must(h.ResolveAddresses(c, handle{}, "db.example.com"))
				defer s.Drop()
				_, err := s.ResolveNextAddress(c)
				want(t, "resolve-next-address before the answer", err, network.ErrorCodeWouldBlock)
				close(begin)
				list, err := addresses(t, c, s)
				if tt.answer == nil {
					want(t, "resolve-next-address", err, tt.code)
					return
				}
				if err != nil || len(list) != 2 || list[0] != addressToGuest(netip.MustParseAddr("192.0.2.7")) || list[1] != addressToGuest(found[1]) {
					t.Errorf("found %v, %v", list, err)
				}
			})
		})
	}
}

// TestLookupNames passes names that need no look-up, and that are none.
func TestLookupNames(t *testing.T) {
	n := &Network{
		Policy: policy{lookup: func(name string) bool {
			if name != "denied.example.com" {
				t.Errorf("the policy was asked for %q", name)
			}
			return false
		}},
		Resolver: resolver(func(context.Context, string) ([]netip.Addr, error) {
			t.Error("there was a look-up")
			return nil, nil
		}),
	}
	guest(t, n, func(c *component.Call, h host) {
		for name, addr := range map[string]string{
			"127.0.0.1": "127.0.0.1", "::1": "::1", "::ffff:10.0.0.1": "10.0.0.1",
		} {
			s, err := h.ResolveAddresses(c, handle{}, name)
			ok(t, name, err)
			list, err := addresses(t, c, s)
			if err != nil || len(list) != 1 || list[0] != addressToGuest(netip.MustParseAddr(addr)) {
				t.Errorf("%s: %v, %v", name, list, err)
			}
			s.Drop()
		}
		for _, name := range []string{
			"", ".", "..", "a..b", "-a.example.com", "a-.example.com", "a b", "a/b", "a:80", "münchen.example.com",
			"127.0.0.256", "127.1", "fe80::1%eth0", "[::1]", "a\x00b",
			strings.Repeat("a", 64) + ".example.com", strings.Repeat("a.", 127) + "com",
		} {
			_, err := h.ResolveAddresses(c, handle{}, name)
			want(t, "resolve-addresses of "+name, err, network.ErrorCodeInvalidArgument)
		}
		_, err := h.ResolveAddresses(c, handle{}, "denied.example.com")
		want(t, "resolve-addresses of a denied name", err, network.ErrorCodeAccessDenied)
	})
	for _, name := range []string{"localhost", "example.com.", "_srv.example.com", "xn--mnchen-3ya.example", "4chan.example", "A-1.b"} {
		if !isHostName(name) {
			t.Errorf("%q is taken for no name", name)
		}
	}
}

// TestLookupGivenUp drops streams whose look-up is under way, starts more than
// there may be, and lets the request end.
func TestLookupGivenUp(t *testing.T) {
	n := &Network{Policy: policy{}, Resolver: resolver(func(ctx context.Context, host string) ([]netip.Addr, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})}
	over := errors.New("the deadline has passed")
	ctx, cancel := context.WithCancelCause(context.Background())
	guestUntil(t, ctx, n, func(c *component.Call, h host) {
		var streams []ipnamelookup.ResolveAddressStream
		for range maxLookups {
			streams = append(streams, must(h.ResolveAddresses(c, handle{}, "slow.example.com")))
		}
		_, err := h.ResolveAddresses(c, handle{}, "slow.example.com")
		want(t, "one look-up too many", err, network.ErrorCodeTemporaryResolverFailure)
		streams[0].Drop()
		wait(t, c, streams[0].Subscribe)

		p := must(streams[1].Subscribe(c)).(*wasiio.Pollable)
		cancel(over)
		if err := p.Block(c); err != nil && err != over {
			t.Errorf("block: %v", err)
		}
		for _, s := range streams[1:] {
			s.Drop()
		}
	})
}
