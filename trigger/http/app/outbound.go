package app

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"github.com/minispin/minispin/host/outbound"
	"github.com/minispin/minispin/manifest"
	"github.com/minispin/minispin/variables"
)

// policy returns what a component may reach, by the values that variables have
// now. They are resolved once, when the application is loaded: the providers of
// variables that there are give one value for as long as they live, and so a
// mistake in an entry is known before a request meets it. What changes outside is
// seen when the application is loaded anew. Entries that are none are reported with
// their places in the manifest.
func (l *loader) policy(ctx context.Context, c *manifest.Component) (*outbound.Policy, error) {
	var hosts outbound.Hosts
	bad := &manifest.Error{}
	for i, text := range c.AllowedOutboundHosts {
		t, err := variables.ParseTemplate(text)
		if err != nil {
			return nil, fmt.Errorf("component %s: allowed_outbound_hosts: %w", c.ID, err)
		}
		v, err := l.variables.Expand(ctx, t)
		if err != nil {
			return nil, fmt.Errorf("component %s: allowed_outbound_hosts: %w", c.ID, err)
		}
		parsed, err := outbound.ParseHosts([]string{v.Reveal()})
		if err != nil && len(t.Names()) > 0 {
			// What it resolves to may be a secret.
			bad.Diagnostics = append(bad.Diagnostics, c.Diagnose("does not resolve to a host that can be allowed",
				"an entry is scheme://host:port, and the port can be left out for http and https", "allowed_outbound_hosts", i))
			continue
		}
		if e, ok := errors.AsType[*outbound.EntryError](err); ok {
			bad.Diagnostics = append(bad.Diagnostics, c.Diagnose(e.Reason, e.Hint, "allowed_outbound_hosts", i))
			continue
		}
		if err != nil {
			return nil, err
		}
		hosts = append(hosts, parsed...)
	}
	if len(bad.Diagnostics) > 0 {
		return nil, bad
	}
	return outbound.NewPolicy(c.ID, hosts, l.opts.Outgoing.Blocked, func(e *outbound.DeniedError) {
		l.opts.Log.Warn("a component asked for a host that it may not reach", zap.String("component", c.ID),
			zap.Stringer("host", e.Target), zap.String("to_allow_it", e.Line()))
	}), nil
}
