package app

import (
	"net"
	"net/http"

	"github.com/minispin/minispin/host/outgoing"
	hostvariables "github.com/minispin/minispin/host/variables"
	"github.com/minispin/minispin/host/wasi"
	"github.com/minispin/minispin/host/wasihttp"
	httptrigger "github.com/minispin/minispin/trigger/http"
	"github.com/minispin/minispin/variables"
)

// state is what the host functions of one instance see of their request: the
// value of component.Call.Host.
type state struct {
	wasi wasi.Ctx
	http wasihttp.Ctx

	variables *variables.Component

	dependencies []*dependency // what host functions see that dependencies call

	body upload

	component string
	request   httptrigger.RequestID
	output    Output
	out, err  printer

	denials *denials
}

// newState returns the state for one request.
func (t *target) newState(r *httptrigger.Request) *state {
	s := &state{component: t.id, request: r.ID, output: t.output, variables: t.variables, denials: &t.denials}
	s.out = printer{st: s, stream: Stdout}
	s.err = printer{st: s, stream: Stderr}
	s.http.Outgoing = outgoing.Sender{Component: t.sender, Origin: outgoing.Origin{Scheme: r.Scheme, Authority: listenAddr(r)}}
	s.wasi.Network.Policy = t.network
	s.wasi.Network.Budget = t.sockets
	s.wasi.Files.Mounts, s.wasi.Files.Budget = t.mounts, t.files
	s.wasi.Env = t.env
	s.wasi.Stdout = &s.out
	s.wasi.Stderr = &s.err
	return s
}

// close ends the standard streams and closes files.
func (s *state) close() {
	s.wasi.Close()
	for _, d := range s.dependencies {
		if d != nil {
			d.wasi.Close()
		}
	}
	s.out.close()
	s.err.close()
}

// WASI implements wasi.View.
func (s *state) WASI() *wasi.Ctx { return &s.wasi }

// HTTP implements wasihttp.View.
func (s *state) HTTP() *wasihttp.Ctx { return &s.http }

// Variables implements hostvariables.View.
func (s *state) Variables() *variables.Component { return s.variables }

var (
	_ wasi.View          = (*state)(nil)
	_ wasihttp.View      = (*state)(nil)
	_ hostvariables.View = (*state)(nil)
)

// listenAddr returns the address that a request came in at, "" for one that came
// by no socket.
func listenAddr(r *httptrigger.Request) string {
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && a.Network() != "unix" {
		return a.String()
	}
	return ""
}
