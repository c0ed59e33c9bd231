package app

import (
	"fmt"
	"slices"
	"strings"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/component/binary"
	"github.com/minispin/minispin/manifest"
	"github.com/minispin/minispin/wit/bindings/fermyon/spin1/inboundhttp"
	"github.com/minispin/minispin/wit/bindings/wasi/cli/run"
	"github.com/minispin/minispin/wit/bindings/wasi/http/incominghandler"
)

// handler is the export that requests to a component call. One field is set.
type handler struct {
	incoming *incominghandler.Guest
	inbound  *inboundhttp.Guest
	command  *run.Guest            // a component, for WAGI
	start    *component.CoreExport // a core module, for WAGI
}

// bindHandler returns the function that finds the handler of a linked component
// for an executor. A component must export exactly one that the executor can
// call.
func bindHandler(executor manifest.ExecutorType) func(*component.InstancePre) (*handler, error) {
	if executor == manifest.ExecutorWAGI {
		return bindCommand
	}
	return bindHTTP
}

const (
	incomingHandler = "wasi:http/incoming-handler"
	httpHandler     = "wasi:http/handler"
)

func bindHTTP(pre *component.InstancePre) (*handler, error) {
	var found []string
	for _, name := range pre.Exports() {
		switch base, _, _ := strings.Cut(name, "@"); base {
		case incomingHandler, httpHandler, inboundhttp.InterfaceName:
			found = append(found, name)
		}
	}
	slices.Sort(found)
	switch {
	case len(found) > 1:
		return nil, fmt.Errorf("component %s exports multiple different handlers: %s; it must export one", pre.Name(), strings.Join(found, ", "))
	case len(found) == 0:
		return nil, noHandler(pre)
	}
	name := found[0]
	switch {
	case name == inboundhttp.InterfaceName:
		g, err := inboundhttp.NewGuest(pre, name)
		return &handler{inbound: g}, err
	case binary.SameTrack(name, incominghandler.InterfaceName):
		g, err := incominghandler.NewGuest(pre, name)
		return &handler{incoming: g}, err
	}
	return nil, fmt.Errorf("component %s exports %s, a version that this host does not call: %s", pre.Name(), name, callable)
}

const callable = "it calls wasi:http/incoming-handler@0.2.x and fermyon:spin/inbound-http"

func noHandler(pre *component.InstancePre) error {
	msg := fmt.Sprintf("component %s exports no HTTP handler; %s", pre.Name(), callable)
	if _, ok := pre.CoreFunc("_start"); ok {
		return fmt.Errorf("%s. It is a program with a _start function: for the WAGI executor, write executor = { type = \"wagi\" } in its trigger", msg)
	}
	if names := pre.Exports(); len(names) > 0 {
		slices.Sort(names)
		return fmt.Errorf("%s. It exports %s", msg, strings.Join(names, ", "))
	}
	return fmt.Errorf("%s. It exports nothing that a host could call", msg)
}

func bindCommand(pre *component.InstancePre) (*handler, error) {
	if f, ok := pre.CoreFunc("_start"); ok {
		return &handler{start: f}, nil
	}
	for _, name := range pre.Exports() {
		if binary.SameTrack(name, run.InterfaceName) {
			g, err := run.NewGuest(pre, name)
			return &handler{command: g}, err
		}
	}
	return nil, fmt.Errorf("component %s cannot run under the WAGI executor: it is no program (it exports neither _start nor wasi:cli/run)", pre.Name())
}
