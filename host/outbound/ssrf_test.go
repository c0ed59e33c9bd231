package outbound

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

// verdict is what becomes of a URL.
type verdict string

const (
	allowed verdict = "allowed"
	denied  verdict = "denied"
	invalid verdict = "invalid" // it names no destination
	blocked verdict = "blocked" // allowed, but its address is not connected to
)

func judge(p *Policy, url string) verdict {
	target, err := ParseURL(url, "https")
	if err != nil {
		if !errors.Is(err, ErrNoTarget) {
			return verdict(err.Error())
		}
		return invalid
	}
	if p.Check(target) != nil {
		return denied
	}
	if a := target.Addr(); a.IsValid() && p.blocked.Contain(a) {
		return blocked
	}
	return allowed
}

// TestDestinations is the table of what a guest may try in order to reach what
// it may not.
func TestDestinations(t *testing.T) {
	some := []string{
		"https://api.example.com", "http://*.wild.example", "http://10.1.0.0/16:8000..8010", "https://[2001:db8::1]",
		"*://any-scheme.example:7", "http://127.0.0.1:3000", "redis://cache.example", "http://back.spin.internal",
		"tcp://[fd00::]/8:5432", "http://192.168.0.7",
	}
	private := []string{"private"}
	tests := []struct {
		hosts []string
		block []string
		url   string
		want  verdict
	}{
		// Names.
		{some, nil, "https://api.example.com/path?q", allowed},
		{some, nil, "https://API.Example.COM", allowed},
		{some, nil, "https://api.example.com:443", allowed},
		{some, nil, "api.example.com/path", allowed},
		{some, nil, "https://api.example.com.", allowed}, // the same name
		{some, nil, "https://api.example.com:444", denied},
		{some, nil, "http://api.example.com", denied},
		{some, nil, "http://api.example.com:443", denied},
		{some, nil, "https://xapi.example.com", denied},
		{some, nil, "https://x.api.example.com", denied},
		{some, nil, "https://example.com", denied},
		{some, nil, "https://api.example.com.evil.example", denied},
		{some, nil, "https://evil.example/api.example.com", denied},
		{some, nil, "https://evil.example?https://api.example.com", denied},
		{some, nil, "https://evil.example#@api.example.com", denied},
		{some, nil, "https://api.example.com@evil.example", denied},
		{some, nil, "https://api.example.com:443@evil.example:443/", denied},
		{some, nil, "https://user:secret@api.example.com", allowed}, // the user is left aside
		{some, nil, `https://evil.example\@api.example.com`, invalid},
		{some, nil, "https://api.example.com%2eevil.example", invalid},
		{some, nil, "https://api.example.com%00.evil.example", invalid},
		{some, nil, "https://api.example.com evil.example", invalid},
		{some, nil, "https://api.example.com\tx", invalid},
		{some, nil, "https://api。example.com", invalid},
		{some, nil, "https://", invalid},
		{some, nil, "https:///path", invalid},
		{some, nil, "https://api.example.com:0", invalid},
		{some, nil, "https://api.example.com:70000", invalid},
		// Subdomains.
		{some, nil, "http://a.wild.example", allowed},
		{some, nil, "http://a.b.wild.example", allowed},
		{some, nil, "http://wild.example", denied},
		{some, nil, "http://awild.example", denied},
		{some, nil, "http://.wild.example", invalid},
		{some, nil, "http://a..wild.example", invalid},
		{some, nil, "https://a.wild.example", denied},
		// Networks and ports.
		{some, nil, "http://10.1.2.3:8000", allowed},
		{some, nil, "http://10.1.2.3:8009", allowed},
		{some, nil, "http://10.1.2.3:8010", denied}, // the end is not in it
		{some, nil, "http://10.1.2.3:7999", denied},
		{some, nil, "http://10.2.0.1:8000", denied},
		{some, nil, "http://[::ffff:10.1.2.3]:8000", allowed}, // the same address
		{some, nil, "http://[::ffff:a02:1]:8000", denied},
		{some, nil, "http://10.1.2.3.evil.example:8000", denied},
		{some, nil, "http://167837955:8000", invalid},
		{some, nil, "http://012.1.2.3:8000", invalid},
		{some, nil, "http://0xa.1.2.3:8000", invalid},
		{some, nil, "http://10.1.0x203:8000", invalid},
		{some, nil, "http://10.1.515:8000", invalid},
		{some, nil, "tcp://[fd00::5]:5432", allowed},
		{some, nil, "tcp://[fe00::5]:5432", denied},
		{some, nil, "tcp://[fd00::5%25eth0]:5432", invalid},
		// Addresses.
		{some, nil, "https://[2001:db8::1]/", allowed},
		{some, nil, "https://[2001:0db8:0:0::0001]", allowed},
		{some, nil, "https://[2001:db8::2]", denied},
		{some, nil, "https://2001:db8::1", invalid},
		{some, nil, "http://127.0.0.1:3000", allowed},
		{some, nil, "http://localhost:3000", denied},
		{some, nil, "http://127.0.0.2:3000", denied},
		{some, nil, "http://0.0.0.0:3000", denied},
		{some, nil, "http://[::]:3000", denied},
		{some, nil, "http://[::1]:3000", denied},
		{some, nil, "http://[::ffff:127.0.0.1]:3000", allowed},
		{some, nil, "http://[::127.0.0.1]:3000", denied},
		{some, nil, "http://[64:ff9b::127.0.0.1]:3000", denied},
		{some, nil, "http://127.1:3000", invalid},
		{some, nil, "http://2130706433:3000", invalid},
		{some, nil, "http://0x7f000001:3000", invalid},
		{some, nil, "http://017700000001:3000", invalid},
		{some, nil, "http://169.254.169.254/latest/meta-data", denied},
		{some, nil, "http://metadata.internal", denied},
		// Schemes.
		{some, nil, "anything://any-scheme.example:7", allowed},
		{some, nil, "anything://any-scheme.example", invalid},
		{some, nil, "redis://cache.example", allowed},
		{some, nil, "rediss://cache.example:6379", denied},
		{some, nil, "file:///etc/passwd", invalid},
		{some, nil, "gopher://api.example.com:443", denied},
		// The application itself and its components.
		{some, nil, "http://back.spin.internal/x", allowed},
		{some, nil, "http://other.spin.internal", denied},
		{some, nil, "https://self.alt", denied},
		{some, nil, "http://self", denied},
		{[]string{"http://self"}, nil, "https://self.alt/x", allowed},
		{[]string{"https://self.alt"}, nil, "http://self.alt:99/x", allowed},
		{[]string{"tcp://self"}, nil, "http://self.alt", denied},
		{[]string{"http://self"}, nil, "http://self/", denied}, // a name of somebody's network
		{[]string{"http://*.spin.internal"}, nil, "http://a.spin.internal", allowed},
		{[]string{"http://self"}, nil, "http://a.spin.internal", denied},
		// Everything, but for blocked networks.
		{[]string{"*://*:*"}, nil, "http://169.254.169.254/", allowed},
		{[]string{"*://*:*"}, nil, "http://self.alt/", allowed},
		{[]string{"*://*:*"}, private, "https://api.example.com", allowed},
		{[]string{"*://*:*"}, private, "http://8.8.8.8", allowed},
		{[]string{"*://*:*"}, private, "http://[2606:4700::1]", allowed},
		{[]string{"*://*:*"}, private, "http://169.254.169.254/", blocked},
		{[]string{"*://*:*"}, private, "http://[::ffff:169.254.169.254]/", blocked},
		{[]string{"*://*:*"}, private, "http://[::ffff:a9fe:a9fe]/", blocked},
		{[]string{"*://*:*"}, private, "http://[::169.254.169.254]/", blocked},
		{[]string{"*://*:*"}, private, "http://[64:ff9b::a9fe:a9fe]/", blocked},
		{[]string{"*://*:*"}, private, "http://[64:ff9b::808:808]/", allowed},
		{[]string{"*://*:*"}, private, "http://[2002:a9fe:a9fe::1]/", blocked},
		{[]string{"*://*:*"}, private, "http://[2001:0:1:2:3:4:5601:5601]/", blocked},
		{[]string{"*://*:*"}, private, "http://0.0.0.0", blocked},
		{[]string{"*://*:*"}, private, "http://[::]", blocked},
		{[]string{"*://*:*"}, private, "http://[::1]", blocked},
		{[]string{"*://*:*"}, private, "http://127.255.255.254", blocked},
		{[]string{"*://*:*"}, private, "http://10.0.0.1", blocked},
		{[]string{"*://*:*"}, private, "http://172.31.255.255", blocked},
		{[]string{"*://*:*"}, private, "http://172.32.0.1", allowed},
		{[]string{"*://*:*"}, private, "http://192.168.1.1", blocked},
		{[]string{"*://*:*"}, private, "http://100.64.0.1", blocked},
		{[]string{"*://*:*"}, private, "http://[fe80::1]", blocked},
		{[]string{"*://*:*"}, private, "http://[fd12::1]", blocked},
		{[]string{"*://*:*"}, private, "http://255.255.255.255", blocked},
		{[]string{"*://*:*"}, private, "http://0x7f.0.0.1", invalid},
		{[]string{"*://*:*"}, []string{"127.0.0.0/8"}, "http://0.0.0.0", blocked},
		{[]string{"*://*:*"}, []string{"127.0.0.0/8"}, "http://10.0.0.1", allowed},
		{[]string{"*://*:*"}, []string{"::ffff:10.0.0.0/104"}, "http://10.0.0.1", blocked},
		{[]string{"*://*:*"}, []string{"8.8.8.8"}, "http://8.8.8.8", blocked},
		{[]string{"*://*:*"}, []string{"8.8.8.8"}, "http://8.8.8.9", allowed},
		// Nothing.
		{nil, nil, "https://api.example.com", denied},
	}
	for _, test := range tests {
		hosts, err := ParseHosts(test.hosts)
		if err != nil {
			t.Fatal(err)
		}
		nets, err := ParseNetworks(test.block)
		if err != nil {
			t.Fatal(err)
		}
		if got := judge(NewPolicy("c", hosts, nets, nil), test.url); got != test.want {
			t.Errorf("%q is %s with %q and blocked %q, want %s", test.url, got, test.hosts, test.block, test.want)
		}
	}
	t.Logf("%d URLs", len(tests))
}

func TestNetworksThatAreRefused(t *testing.T) {
	for _, s := range []string{"", "public", "10.0.0.0/33", "10.0.0.1:80", "example.com", "fe80::1%eth0"} {
		if _, err := ParseNetworks([]string{s}); err == nil || !strings.Contains(err.Error(), "block_networks") {
			t.Errorf("%q: %v", s, err)
		}
	}
	if n, err := ParseNetworks(nil); n != nil || err != nil {
		t.Errorf("nothing: %v, %v", n, err)
	}
}

// TestConnectionsAreChecked connects to a name that is allowed and resolves to an
// address that is blocked.
func TestConnectionsAreChecked(t *testing.T) {
	nets, err := ParseNetworks([]string{"private"})
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"localhost:9", "127.0.0.1:9", "[::ffff:127.0.0.1]:9", "0.0.0.0:9"} {
		conn, err := nets.Dialer().DialContext(t.Context(), "tcp", address)
		if e := (*BlockedError)(nil); !errors.As(err, &e) {
			t.Errorf("%s: %v, %v", address, conn, err)
		}
	}
	var none *Policy
	if _, err := none.Dialer().DialContext(t.Context(), "tcp", "127.0.0.1:9"); !errors.As(err, new(*BlockedError)) {
		t.Errorf("without a policy: %v", err)
	}
	if none.Check(Self()) == nil {
		t.Error("no policy allows something")
	}
}

func TestPolicyForAddresses(t *testing.T) {
	hosts, err := ParseHosts([]string{"tcp://10.0.0.0/8:*", "tcp://name.example:*"})
	if err != nil {
		t.Fatal(err)
	}
	nets, err := ParseNetworks([]string{"10.9.0.0/16"})
	if err != nil {
		t.Fatal(err)
	}
	p := NewPolicy("c", hosts, nets, nil)
	at := func(s string) error { return p.CheckAddr("tcp", netip.MustParseAddrPort(s)) }
	if err := at("10.0.0.1:1"); err != nil {
		t.Error(err)
	}
	if err := at("[::ffff:10.0.0.1]:1"); err != nil {
		t.Error(err)
	}
	if err := at("10.9.0.1:1"); !errors.As(err, new(*BlockedError)) {
		t.Error(err)
	}
	if err := at("11.0.0.1:1"); !errors.As(err, new(*DeniedError)) {
		t.Error(err)
	}
	if err := p.CheckAddr("udp", netip.MustParseAddrPort("10.0.0.1:1")); !errors.As(err, new(*DeniedError)) {
		t.Error(err)
	}
}

// TestPolicyForNames asks for the addresses of names, which a component may do
// only for hosts that an entry for sockets can be about.
func TestPolicyForNames(t *testing.T) {
	hosts := func(entries ...string) Hosts {
		t.Helper()
		h, err := ParseHosts(entries)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	for _, tt := range []struct {
		hosts Hosts
		name  string
		want  bool
	}{
		{nil, "db.example", false},
		{hosts("tcp://db.example:5432"), "db.example", true},
		{hosts("tcp://db.example:5432"), "DB.example.", true},
		{hosts("udp://db.example:53"), "db.example", true},
		{hosts("*://db.example:80"), "db.example", true},
		{hosts("https://db.example", "postgres://db.example", "redis://db.example"), "db.example", false},
		{hosts("tcp://db.example:5432"), "example", false},
		{hosts("tcp://db.example:5432"), "secret.db.example", false},
		{hosts("tcp://*.example:5432"), "db.example", true},
		{hosts("tcp://*.example:5432"), "a.b.example", true},
		{hosts("tcp://*.example:5432"), "example", false},
		{hosts("tcp://*.example:5432"), "dbexample", false},
		{hosts("tcp://*:5432"), "any.example", true},
		{hosts("*://*:*"), "any.example", true},
		{hosts("http://*"), "any.example", false},
		{hosts("tcp://10.0.0.0/8:*", "tcp://0.0.0.0/0:*", "tcp://127.0.0.1:1"), "any.example", false},
		{hosts("*://self:*"), "self", false},
	} {
		var reports []*DeniedError
		p := NewPolicy("c", tt.hosts, nil, func(e *DeniedError) { reports = append(reports, e) })
		err := p.CheckLookup(tt.name)
		if (err == nil) != tt.want {
			t.Errorf("%s: %v, want allowed: %v", tt.name, err, tt.want)
		}
		if tt.want {
			continue
		}
		if !errors.As(err, new(*DeniedError)) || len(reports) != 1 {
			t.Fatalf("%s: %v, with %d reports", tt.name, err, len(reports))
		}
		// The line that is offered really allows it.
		line := strings.TrimSuffix(strings.TrimPrefix(reports[0].Line(), `allowed_outbound_hosts = ["`), `"]`)
		if err := NewPolicy("c", hosts(line), nil, nil).CheckLookup(tt.name); err != nil && tt.name != "self" {
			t.Errorf("%s: with the entry %s: %v", tt.name, line, err)
		}
	}
	everywhere := NewPolicy("c", hosts("*://*:*"), nil, nil)
	for _, name := range []string{"", "127.0.0.1", "::1", "0x7f000001", "a b", "m\u00fcnchen.example", "a..b"} {
		if err := everywhere.CheckLookup(name); !errors.Is(err, ErrNoTarget) {
			t.Errorf("%q: %v, want an error that says it is no name", name, err)
		}
	}
	if err := (*Policy)(nil).CheckLookup("db.example"); !errors.As(err, new(*DeniedError)) {
		t.Errorf("without a policy: %v", err)
	}
}

func TestDenialsAreReportedOnce(t *testing.T) {
	var lines []string
	p := NewPolicy("front", nil, nil, func(e *DeniedError) { lines = append(lines, e.Error()) })
	for range 3 {
		for _, url := range []string{"https://a.example/secret?x", "http://[::1]:81", "http://self.alt", "http://b.spin.internal"} {
			target, err := ParseURL(url, "https")
			if err != nil {
				t.Fatal(err)
			}
			if p.Check(target) == nil {
				t.Errorf("%s is allowed", url)
			}
		}
	}
	want := []string{`["https://a.example"]`, `["http://[::1]:81"]`, `["http://self"]`, `["http://b.spin.internal"]`}
	if len(lines) != len(want) {
		t.Fatalf("%d lines: %q", len(lines), lines)
	}
	for i, w := range want {
		if !strings.HasSuffix(lines[i], "allowed_outbound_hosts = "+w) || !strings.Contains(lines[i], "component front") {
			t.Errorf("%q lacks %s", lines[i], w)
		}
		// The line that is offered really allows it.
		hosts, err := ParseHosts([]string{strings.Trim(w, `[]"`)})
		if i == 1 {
			hosts, err = ParseHosts([]string{"http://[::1]:81"})
		}
		if err != nil || len(hosts) != 1 {
			t.Errorf("%s: %v", w, err)
		}
	}
	for range 2 * maxTold {
		target, _ := NewTarget("http", "x"+strings.Repeat("y", len(lines)%200), uint16(len(lines)+1))
		_ = p.Check(target)
	}
	if len(lines) > maxTold {
		t.Errorf("%d lines", len(lines))
	}
}
