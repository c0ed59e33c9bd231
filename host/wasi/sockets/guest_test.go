//go:build linux || darwin

package sockets_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/guests"
	"github.com/minispin/minispin/host/wasi"
	"github.com/minispin/minispin/host/wasi/sockets"
	"github.com/minispin/minispin/host/wasi/wasitest"
	"github.com/minispin/minispin/host/wasihttp"
	"github.com/minispin/minispin/instancepool"
	"github.com/minispin/minispin/wit/bindings/wasi/http/incominghandler"
)

// These tests call the functions of wasi:sockets from a compiled guest, with a
// policy that allows what hosts of applications do not, such as servers.

// guestState is what the guest sees of one request.
type guestState struct {
	wasi wasi.Ctx
	http wasihttp.Ctx
}

func (s *guestState) WASI() *wasi.Ctx     { return &s.wasi }
func (s *guestState) HTTP() *wasihttp.Ctx { return &s.http }

// loopback allows the machine's own addresses but those that it lists, one that no
// machine has, and a few names.
type loopback struct{ denied []netip.AddrPort }

func (p loopback) AllowAddress(_ context.Context, _ sockets.Use, a netip.AddrPort) bool {
	for _, d := range p.denied {
		if a == d {
			return false
		}
	}
	return a.Addr().IsLoopback() || a.Addr().IsUnspecified() || a.Addr() == netip.MustParseAddr("192.0.2.1")
}

func (loopback) AllowLookup(_ context.Context, name string) bool {
	return name == "localhost" || strings.HasSuffix(name, ".test")
}

// names looks names up without asking anybody.
type names struct{}

func (names) LookupNetIP(ctx context.Context, _, host string) ([]netip.Addr, error) {
	switch host {
	case "localhost":
		return []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()}, nil
	case "unknown.test":
		return nil, &net.DNSError{Err: "no such host", IsNotFound: true}
	case "down.test":
		return nil, &net.DNSError{Err: "server misbehaving", IsTemporary: true}
	case "slow.test":
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return nil, &net.DNSError{Err: "refused"}
}

// forEachGuest runs test with a server of the guest rust-wasi by each strategy.
func forEachGuest(t *testing.T, policy sockets.Policy, test func(t *testing.T, script func(t *testing.T, steps string))) {
	l := component.NewLinker()
	for _, define := range []func(*component.Linker) error{wasi.Define, wasihttp.Define} {
		if err := define(l); err != nil {
			t.Fatal(err)
		}
	}
	engines := &instancepool.Engines{}
	t.Cleanup(engines.Close)
	for _, strategy := range []instancepool.Strategy{instancepool.Pooled, instancepool.Reset, instancepool.Reuse} {
		t.Run(string(strategy), func(t *testing.T) {
			if err := component.ResetSupported(); strategy == instancepool.Reset && err != nil {
				t.Skipf("the strategy reset: %v", err)
			}
			pool, err := instancepool.New(t.Context(), engines, instancepool.Config[*incominghandler.Guest]{
				ID: "wasi", Wasm: guests.Wasm(t, "rust-wasi"), Linker: l, Strategy: strategy,
				Bind: func(pre *component.InstancePre) (*incominghandler.Guest, error) {
					return incominghandler.NewGuest(pre, "wasi:http/incoming-handler@0.2.4")
				},
				Limits: component.Limits{MemoryBytes: 64 << 20}, Deadline: 10 * time.Second,
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(pool.Close)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				s := &guestState{}
				s.wasi.Network = sockets.Network{Policy: policy, Resolver: names{}}
				var headers []wasihttp.Field
				for name, values := range r.Header {
					headers = append(headers, wasihttp.Field{Name: strings.ToLower(name), Value: values[0]})
				}
				err := s.http.Serve(w, &wasihttp.Request{Request: r, Headers: headers}, func(ctx context.Context, handle wasihttp.Handle) error {
					return pool.Run(ctx, s, func(in *component.Instance, g *incominghandler.Guest) error { return handle(in, g) })
				})
				if err != nil {
					t.Errorf("the guest failed: %v", err)
				}
			}))
			t.Cleanup(server.Close)
			client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
			test(t, func(t *testing.T, steps string) {
				t.Helper()
				wasitest.Script(t, client, server.URL, nil, steps)
			})
		})
	}
}

// loopbacks are the versions of IP that this machine has, with their loopback.
func loopbacks() map[string]string {
	versions := map[string]string{"4": "127.0.0.1"}
	if l, err := net.Listen("tcp6", "[::1]:0"); err == nil {
		l.Close()
		versions["6"] = "[::1]"
	}
	return versions
}

func TestGuestTCP(t *testing.T) {
	forEachGuest(t, loopback{}, func(t *testing.T, script func(*testing.T, string)) {
		for version, address := range loopbacks() {
			family := "IpAddressFamily::Ipv" + version
			local := map[string]string{"4": "127.0.0.1 true", "6": "(0, 0, 0, 0, 0, 0, 0, 1) true"}[version]
			script(t, strings.NewReplacer("ADDR", address, "FAMILY", family, "LOCAL", local, "VERSION", version).Replace(`
				l = tcp VERSION                -> ok
				address-family l               -> FAMILY
				is-listening l                 -> false
				local-address l                -> invalid-state
				remote-address l               -> invalid-state
				finish-bind l                  -> not-in-progress
				finish-listen l                -> not-in-progress
				finish-connect l               -> not-in-progress
				accept l                       -> invalid-state
				start-listen l                 -> invalid-state
				shutdown l both                -> invalid-state
				set-listen-backlog-size l 0    -> invalid-argument
				set-listen-backlog-size l 5    -> ok
				start-bind l ADDR:0            -> ok
				start-bind l ADDR:0            -> concurrency-conflict
				start-listen l                 -> concurrency-conflict
				local-address l                -> concurrency-conflict
				finish-bind l                  -> ok
				start-bind l ADDR:0            -> invalid-state
				local-address l                -> LOCAL
				start-listen l                 -> ok
				finish-listen l                -> ok
				start-listen l                 -> invalid-state
				is-listening l                 -> true
				accept l                       -> would-block
				set-listen-backlog-size l 6    -> ok
				start-connect l ADDR:9         -> invalid-state
				c = tcp VERSION                -> ok
				start-connect c @l             -> ok
				start-connect c @l             -> concurrency-conflict
				p = subscribe c                -> ok
				block p                        -> ok
				c = finish-connect c           -> ok
				finish-connect c               -> not-in-progress
				q = subscribe l                -> ok
				block q                        -> ok
				s = accept l                   -> ok
				address-family s               -> FAMILY
				local-address s                -> LOCAL
				remote-address s               -> LOCAL
				remote-address c               -> LOCAL
				set-listen-backlog-size c 1    -> invalid-state
				blocking-write-and-flush c.out ping -> ok
				r = subscribe s.in             -> ok
				poll r                         -> 0
				blocking-read s.in 2           -> "pi"
				read s.in 9                    -> "ng"
				read s.in 9                    -> ""
				read s.in 9                    -> ""
				shutdown c send                -> ok
				check-write c.out              -> closed
				block r                        -> ok
				read s.in 9                    -> closed
				check-write s.out              -> >0
				write s.out pong               -> ok
				blocking-flush s.out           -> ok
				blocking-splice s.out c.in 4   -> 4
				shutdown c receive             -> ok
				read c.in 9                    -> closed
				shutdown s both                -> ok
				drop p q r c.in c.out s.in s.out c s l -> ok
			`))
		}
	})
}

func TestGuestTCPErrors(t *testing.T) {
	held, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	free, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := free.Addr().String()
	free.Close()
	denied := netip.MustParseAddrPort("127.0.0.9:9")
	forEachGuest(t, loopback{[]netip.AddrPort{denied}}, func(t *testing.T, script func(*testing.T, string)) {
		script(t, strings.NewReplacer("HELD", held.Addr().String(), "REFUSED", refused).Replace(`
			a = tcp 4                                -> ok
			start-bind a 127.0.0.9:9                 -> access-denied
			start-connect a 127.0.0.9:9              -> access-denied
			start-bind a 192.0.2.2:0                 -> access-denied
			start-bind a 192.0.2.1:0                 -> address-not-bindable
			start-bind a [::1]:0                     -> invalid-argument
			start-bind a 224.0.0.1:0                 -> invalid-argument
			start-connect a [::1]:80                 -> invalid-argument
			start-connect a 127.0.0.1:0              -> invalid-argument
			start-connect a 0.0.0.0:80               -> invalid-argument
			start-connect a 255.255.255.255:80       -> invalid-argument
			start-bind a HELD                        -> address-in-use
			start-connect a REFUSED                  -> ok
			p = subscribe a                          -> ok
			block p                                  -> ok
			a = finish-connect a                     -> connection-refused
			start-connect a REFUSED                  -> invalid-state
			start-bind a 127.0.0.1:0                 -> invalid-state
			drop p a                                 -> ok
		`))
		if loopbacks()["6"] != "" {
			script(t, `
				b = tcp 6                                -> ok
				start-connect b [::ffff:127.0.0.1]:80    -> invalid-argument
				start-bind b 127.0.0.1:0                 -> invalid-argument
				drop b                                   -> ok
			`)
		}
		// One more than there may be, a listener's connections among them.
		script(t, `
			c = tcp 4                                -> ok
			tcp-much 4 127                           -> ok
			d = tcp 4                                -> new-socket-limit
			d = udp 6                                -> new-socket-limit
			drop c                                   -> ok
			d = tcp 4                                -> ok
		`)
	})
}

func TestGuestTCPOptions(t *testing.T) {
	forEachGuest(t, loopback{}, func(t *testing.T, script func(*testing.T, string)) {
		for version := range loopbacks() {
			script(t, strings.ReplaceAll(`
				s = tcp VERSION                               -> ok
				keep-alive-enabled s                          -> false
				set-keep-alive-enabled s true                 -> ok
				keep-alive-enabled s                          -> true
				set-keep-alive-idle-time s 0                  -> invalid-argument
				set-keep-alive-idle-time s 60000000001        -> ok
				keep-alive-idle-time s                        -> 61000000000
				set-keep-alive-interval s 0                   -> invalid-argument
				set-keep-alive-interval s 5000000000          -> ok
				keep-alive-interval s                         -> 5000000000
				set-keep-alive-count s 0                      -> invalid-argument
				set-keep-alive-count s 7                      -> ok
				keep-alive-count s                            -> 7
				set-hop-limit s 0                             -> invalid-argument
				set-hop-limit s 33                            -> ok
				hop-limit s                                   -> 33
				set-receive-buffer-size s 0                   -> invalid-argument
				set-receive-buffer-size s 32k                 -> ok
				receive-buffer-size s                         -> >32767
				set-send-buffer-size s 0                      -> invalid-argument
				set-send-buffer-size s 18446744073709551615   -> ok
				send-buffer-size s                            -> <=1048576
				drop s                                        -> ok
			`, "VERSION", version))
		}
	})
}

func TestGuestUDP(t *testing.T) {
	denied := netip.MustParseAddrPort("127.0.0.9:9")
	peer, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	echoed := make(chan struct{})
	go func() {
		defer close(echoed)
		b := make([]byte, 100)
		for {
			n, from, err := peer.ReadFrom(b)
			if err != nil {
				return
			}
			peer.WriteTo(b[:n], from)
		}
	}()
	t.Cleanup(func() {
		peer.Close()
		<-echoed
	})
	forEachGuest(t, loopback{[]netip.AddrPort{denied}}, func(t *testing.T, script func(*testing.T, string)) {
		script(t, strings.ReplaceAll(`
			s = udp 4                            -> ok
			address-family s                     -> IpAddressFamily::Ipv4
			local-address s                      -> invalid-state
			remote-address s                     -> invalid-state
			finish-bind s                        -> not-in-progress
			d = stream s                         -> invalid-state
			start-bind s 127.0.0.9:9             -> access-denied
			start-bind s [::1]:0                 -> invalid-argument
			start-bind s 127.0.0.1:0             -> ok
			start-bind s 127.0.0.1:0             -> concurrency-conflict
			local-address s                      -> concurrency-conflict
			p = subscribe s                      -> ok
			block p                              -> ok
			finish-bind s                        -> ok
			start-bind s 127.0.0.1:0             -> invalid-state
			local-address s                      -> 127.0.0.1 true
			set-unicast-hop-limit s 0            -> invalid-argument
			set-unicast-hop-limit s 12           -> ok
			unicast-hop-limit s                  -> 12
			set-receive-buffer-size s 0          -> invalid-argument
			set-receive-buffer-size s 64k        -> ok
			receive-buffer-size s                -> >65535
			set-send-buffer-size s 0             -> invalid-argument
			set-send-buffer-size s 128k          -> ok
			send-buffer-size s                   -> >65535
			d = stream s 127.0.0.9:9             -> access-denied
			d = stream s 127.0.0.1:0             -> invalid-argument
			d = stream s [::1]:9                 -> invalid-argument
			d = stream s                         -> ok
			receive d 1                          ->
			can-send d                           -> ok
			check-send d                         -> >0
			send d lost                          -> invalid-argument
			send d lost 127.0.0.9:9              -> access-denied
			send d lost 127.0.0.1:0              -> invalid-argument
			send d lost [::1]:9                  -> invalid-argument
			check-send d                         -> 16
			send d ping PEER                     -> 1
			q = subscribe d                      -> ok
			block q                              -> ok
			receive d 0                          ->
			receive d 5                          -> ping
			drop q d                             -> ok
			e = stream s PEER                    -> ok
			remote-address s                     -> 127.0.0.1 true
			check-send e                         -> 16
			send e there                         -> 1
			send e here PEER                     -> 1
			send e lost 127.0.0.1:9              -> invalid-argument
			send-much e 65508                    -> datagram-too-large
			q = subscribe e                      -> ok
			block q                              -> ok
			check-send e                         -> 16
			send-many e 16                       -> 16
			drop q e p s                         -> ok
		`, "PEER", peer.LocalAddr().String()))
	})
}

func TestGuestLookup(t *testing.T) {
	forEachGuest(t, loopback{}, func(t *testing.T, script func(*testing.T, string)) {
		var steps strings.Builder
		for name, outcome := range map[string]string{
			"unknown.test": "name-unresolvable", "down.test": "temporary-resolver-failure", "other.test": "permanent-resolver-failure",
		} {
			fmt.Fprintf(&steps, "r = resolve-addresses %s -> ok\np = subscribe r -> ok\nblock p -> ok\nresolve-next-address r -> %s\ndrop p r -> ok\n", name, outcome)
		}
		script(t, steps.String()+`
			r = resolve-addresses localhost      -> ok
			p = subscribe r                      -> ok
			block p                              -> ok
			resolve-next-address r               -> 127.0.0.1
			resolve-next-address r               -> ipv6
			resolve-next-address r               -> none
			resolve-next-address r               -> none
			drop p r                             -> ok
			r = resolve-addresses slow.test      -> ok
			resolve-next-address r               -> would-block
			drop r                               -> ok
			r = resolve-addresses www.example.com -> access-denied
			r = resolve-addresses -              -> invalid-argument
			r = resolve-addresses 127.0.0.1      -> ok
			resolve-next-address r               -> 127.0.0.1
			resolve-next-address r               -> none
		`)
	})
}
