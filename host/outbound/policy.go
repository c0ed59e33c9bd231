package outbound

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
)

// Hosts are the entries of one component.
type Hosts []Entry

// ParseHosts reads entries whose templates are resolved. An entry that is empty,
// or a bare http:// or https://, is left out: so a variable can take an entry
// away. The first error is returned.
func ParseHosts(entries []string) (Hosts, error) {
	hosts := make(Hosts, 0, len(entries))
	for _, text := range entries {
		switch text {
		case "", "http://", "https://":
			continue
		}
		e, err := ParseEntry(text)
		if err != nil {
			return nil, err
		}
		hosts = append(hosts, e)
	}
	return hosts, nil
}

// Allow reports whether any entry allows t. Without entries nothing is allowed.
func (h Hosts) Allow(t Target) bool {
	for i := range h {
		if h[i].allows(&t) {
			return true
		}
	}
	return false
}

// A DeniedError is a destination that no entry allows.
type DeniedError struct {
	Component string
	Target    Target
}

// Error says what was denied and how it would be allowed.
func (e *DeniedError) Error() string {
	return fmt.Sprintf("component %s may not reach %s; to allow it, write in its table: %s", e.Component, e.Target, e.Line())
}

// Line is the line of the manifest that would allow the destination.
func (e *DeniedError) Line() string { return fmt.Sprintf("allowed_outbound_hosts = [%q]", e.Target) }

// Policy is what one component may reach. A nil Policy denies everything. It may
// be used by several goroutines at once.
type Policy struct {
	component string
	hosts     Hosts
	blocked   *Networks
	report    func(*DeniedError)

	mu   sync.Mutex
	told map[Target]struct{}
}

// NewPolicy returns the policy for a component. report, which may be nil, is told
// of what is denied, once for each destination.
func NewPolicy(component string, hosts Hosts, blocked *Networks, report func(*DeniedError)) *Policy {
	return &Policy{component: component, hosts: hosts, blocked: blocked, report: report}
}

// Component returns the id of the component; "" for a nil Policy.
func (p *Policy) Component() string {
	if p == nil {
		return ""
	}
	return p.component
}

// maxTold bounds the destinations that a guest can have reported.
const maxTold = 256

// Check returns a [*DeniedError] if the component may not reach t.
func (p *Policy) Check(t Target) error {
	if p == nil {
		return &DeniedError{Target: t}
	}
	if p.hosts.Allow(t) {
		return nil
	}
	return p.deny(t)
}

// CheckLookup returns a [*DeniedError] unless the component may ask for the
// addresses of name. A question alone carries data to whoever answers it, so it
// takes an entry for sockets (of the scheme tcp, udp or *) whose host is that
// name, a domain above it, or *. Networks are no such entries.
//
// It returns another error, which wraps [ErrNoTarget], if name is none.
func (p *Policy) CheckLookup(name string) error {
	t, err := lookupTarget(name)
	if err != nil {
		return err
	}
	if p == nil {
		return &DeniedError{Target: t}
	}
	for i := range p.hosts {
		if p.hosts[i].allowsLookup(&t) {
			return nil
		}
	}
	return p.deny(t)
}

func (p *Policy) deny(t Target) error {
	err := &DeniedError{Component: p.component, Target: t}
	if p.report != nil && p.first(t) {
		p.report(err)
	}
	return err
}

func (p *Policy) first(t Target) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.told[t]; ok || len(p.told) == maxTold {
		return false
	}
	if p.told == nil {
		p.told = map[Target]struct{}{}
	}
	p.told[t] = struct{}{}
	return true
}

// CheckAddr is Check for an address, as sockets name destinations; scheme is tcp
// or udp. The error may be a [*BlockedError], too.
func (p *Policy) CheckAddr(scheme string, ap netip.AddrPort) error {
	if err := p.Check(AddrTarget(scheme, ap)); err != nil {
		return err
	}
	return p.blocked.Check(ap.Addr())
}

// Dialer returns a dialer for destinations that Check has allowed. It makes no
// connection to an address that is blocked; see [Networks.Dialer].
func (p *Policy) Dialer() *net.Dialer {
	if p == nil {
		return everything.Dialer()
	}
	return p.blocked.Dialer()
}

var everything = &Networks{[]netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}}
