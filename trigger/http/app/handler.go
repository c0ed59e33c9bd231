package app

import (
	"errors"
	"fmt"
	"slices"
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
	case offers(name, incominghandler.InterfaceName):
		h.incoming, err = incominghandler.NewGuest(pre, name)
	default:
		err = fmt.Errorf("component %s exports %s, a version that this host does not call: %s", pre.Name(), name, callable)
	}
	return err
}

// ExecutorOf returns the type of the executor that calls what a component, or a
// core module, exports under a name, and whether there is one.
func ExecutorOf(export string) (manifest.ExecutorType, bool) {
	switch {
	case export == inboundhttp.InterfaceName, offers(export, incominghandler.InterfaceName):
		return manifest.ExecutorHTTP, true
	case export == "_start", offers(export, run.InterfaceName):
		return manifest.ExecutorWAGI, true
	}
	return "", false
}

// offers reports whether name, of an export, is the interface iface of WASI 0.2 or of
// a release candidate. What a handler is called with is the same in all of them.
func offers(name, iface string) bool {
	base, version, _ := strings.Cut(name, "@")
	return binary.SameTrack(name, iface) || strings.HasPrefix(iface, base+"@") && slices.Contains(wasirc.Versions(), version)
}

var callable = "it calls wasi:http/incoming-handler@0.2.x or @" + strings.Join(wasirc.Versions(), " or @") + ", and fermyon:spin/inbound-http"

func noHandler(pre *component.InstancePre) error {
	msg := fmt.Sprintf("component %s exports no HTTP handler; %s", pre.Name(), callable)
	const wagi = "for the WAGI executor, write executor = { type = \"wagi\" } in its trigger"
	if _, ok := pre.CoreFunc("_start"); ok {
		return fmt.Errorf("%s. It is a program with a _start function: %s", msg, wagi)
	}
	for _, name := range pre.Exports() {
		if offers(name, run.InterfaceName) {
			return fmt.Errorf("%s. It is a program that exports %s: %s", msg, name, wagi)
		}
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
		if offers(name, run.InterfaceName) {
			h.command, err = run.NewGuest(pre, name)
			return err
		}
	}
	return fmt.Errorf("component %s cannot run under the WAGI executor: it is no program (it exports neither _start nor wasi:cli/run)", pre.Name())
}
