package wasihttp

import (
	"fmt"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/wit/bindings/wasi/http/outgoinghandler"
	"github.com/minispin/minispin/wit/bindings/wasi/http/types"
)

// Ctx is what wasi:http keeps for one instance. Its zero value denies outgoing
// requests. It is part of the value that the embedder gives Instantiate as Host;
// it must not be copied once in use, nor used for another instance.
type Ctx struct {
	// Outgoing sends the requests that the guest makes. Nil denies them all, with
	// the error code HTTP-request-denied.
	Outgoing Outgoing

	ledger   ledger
	exchange exchange
}

// View is implemented by the host value of instances that import wasi:http.
type View interface {
	// HTTP returns the instance's Ctx, the same at every call.
	HTTP() *Ctx
}

// Host is the free and static functions of wasi:http/types and outgoing-handler.
type Host interface {
	types.Host
	outgoinghandler.Host
}

// HostOf returns the Host of the instance that calls, for hosts of interfaces that
// do by other functions what wasi:http does. The host value must be a View.
func HostOf(c *component.Call) Host { return host{ctxOf(c)} }

// Define adds wasi:http/types and outgoing-handler to l. The host value of every
// instance linked by it must be a View.
func Define(l *component.Linker) error {
	for _, i := range []*component.Interface{
		types.Bind(func(c *component.Call) types.Host { return HostOf(c) }),
		outgoinghandler.Bind(func(c *component.Call) outgoinghandler.Host { return HostOf(c) }),
	} {
		if err := l.Define(i); err != nil {
			return fmt.Errorf("wasi:http: %w", err)
		}
	}
	return nil
}

// ctxOf returns the Ctx of the instance that calls. An instance without one is a
// mistake of the embedder and traps.
func ctxOf(c *component.Call) *Ctx {
	v, ok := c.Host().(View)
	if !ok {
		c.Trapf("the instance has no wasi:http context: its host value is a %T", c.Host())
	}
	return v.HTTP()
}

// host implements Host.
type host struct{ x *Ctx }
