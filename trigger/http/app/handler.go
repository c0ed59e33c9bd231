package app

import (
	"errors"
	"fmt"
	"strings"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/component/binary"
	"github.com/minispin/minispin/host/wasirc"
	"github.com/minispin/minispin/manifest"
	"github.com/minispin/minispin/wit/bindings/fermyon/spin1/inboundhttp"
	"github.com/minispin/minispin/wit/bindings/wasi/cli/run"
	"github.com/minispin/minispin/wit/bindings/wasi/http/incominghandler"
)

// handler is what requests to a component call: of the first two fields one is
// set if HTTP executors use the component, of the last two one if the WAGI
// executor does.
type handler struct {
	incoming *incominghandler.Guest
	inbound  *inboundhttp.Guest
	command  *run.Guest            // a component
	start    *component.CoreExport // a core module
}

// binder returns the function that finds what executors of the given types call
// in a linked component.
func binder(executors []manifest.ExecutorType) func(*component.InstancePre) (*handler, error) {
	return func(pre *component.InstancePre) (*handler, error) {
		h := &handler{}
		var errs []error
		for _, ex := range executors {
			if ex == manifest.ExecutorWAGI {
				errs = append(errs, h.bindCommand(pre))
			} else {
				errs = append(errs, h.bindHTTP(pre))
			}
		}
		if err := errors.Join(errs...); err != nil {
			return nil, err
		}
		return h, nil
	}
}

const (
	incomingHandler = "wasi:http/incoming-handler"
	httpHandler     = "wasi:http/handler"
)

// bindHTTP finds the HTTP handler, of which there must be exactly one.
func (h *handler) bindHTTP(pre *component.InstancePre) (err error) {
	var found []string
	for _, name := range pre.Exports() {
		switch base, _, _ := strings.Cut(name, "@"); base {
		case incomingHandler, httpHandler, inboundhttp.InterfaceName:
			found = append(found, name)
		}
	}
	switch {
	case len(found) > 1:
		return fmt.Errorf("component %s exports multiple different handlers: %s; it must export one", pre.Name(), strings.Join(found, ", "))
	case len(found) == 0:
		return noHandler(pre)
	}
	name := found[0]
	switch {
	case name == inboundhttp.InterfaceName:
		h.inbound, err = inboundhttp.NewGuest(pre, name)
	case binary.SameTrack(name, incominghandler.InterfaceName), name == incomingHandler+"@"+wasirc.Version:
		// The candidate's handler is called as that of 0.2: its resources are the same.
		h.incoming, err = incominghandler.NewGuest(pre, name)
	default:
		err = fmt.Errorf("component %s exports %s, a version that this host does not call: %s", pre.Name(), name, callable)
	}
	return err
}

const callable = "it calls wasi:http/incoming-handler@0.2.x or @" + wasirc.Version + ", and fermyon:spin/inbound-http"

func noHandler(pre *component.InstancePre) error {
	msg := fmt.Sprintf("component %s exports no HTTP handler; %s", pre.Name(), callable)
	if _, ok := pre.CoreFunc("_start"); ok {
		return fmt.Errorf("%s. It is a program with a _start function: for the WAGI executor, write executor = { type = \"wagi\" } in its trigger", msg)
	}
	if names := pre.Exports(); len(names) > 0 {
		return fmt.Errorf("%s. It exports %s", msg, strings.Join(names, ", "))
	}
	return fmt.Errorf("%s. It exports nothing that a host could call", msg)
}

// bindCommand finds the entry of a program.
func (h *handler) bindCommand(pre *component.InstancePre) (err error) {
	if f, ok := pre.CoreFunc("_start"); ok {
		h.start = f
		return nil
	}
	for _, name := range pre.Exports() {
		if binary.SameTrack(name, run.InterfaceName) {
			h.command, err = run.NewGuest(pre, name)
			return err
		}
	}
	return fmt.Errorf("component %s cannot run under the WAGI executor: it is no program (it exports neither _start nor wasi:cli/run)", pre.Name())
}
