package wasirc

import (
	"fmt"
	"strings"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/component/abi"
)

// Version is the version of the candidate, which imports must name exactly.
const Version = "0.2.0-rc-2023-11-10"

// interfaces are the candidate's interfaces that guests import, with what is
// different in them.
var interfaces = []struct {
	name   string
	change func(i *component.Interface)
}{
	{"wasi:io/error", nil},
	{"wasi:io/poll", nil},
	{"wasi:io/streams", nil},
	{"wasi:clocks/monotonic-clock", nil},
	{"wasi:clocks/wall-clock", nil},
	{"wasi:random/random", nil},
	{"wasi:random/insecure", nil},
	{"wasi:random/insecure-seed", nil},
	{"wasi:cli/environment", nil},
	{"wasi:cli/exit", nil},
	{"wasi:cli/stdin", nil},
	{"wasi:cli/stdout", nil},
	{"wasi:cli/stderr", nil},
	{"wasi:cli/terminal-input", nil},
	{"wasi:cli/terminal-output", nil},
	{"wasi:cli/terminal-stdin", nil},
	{"wasi:cli/terminal-stdout", nil},
	{"wasi:cli/terminal-stderr", nil},
	{"wasi:filesystem/types", nil},
	{"wasi:filesystem/preopens", nil},
	{"wasi:sockets/network", nil},
	{"wasi:sockets/instance-network", nil},
	{"wasi:sockets/ip-name-lookup", nil},
	{"wasi:sockets/tcp", tcpOptions},
	{"wasi:sockets/tcp-create-socket", nil},
	{"wasi:sockets/udp", udpOptions},
	{"wasi:sockets/udp-create-socket", nil},
	{"wasi:http/types", httpTypes},
	{"wasi:http/outgoing-handler", nil},
}

// Define adds the candidate's interfaces to l, which must have those of 0.2.
func Define(l *component.Linker) error {
	for _, in := range interfaces {
		base := l.Interface(in.name + "@0.2.0")
		if base == nil {
			return fmt.Errorf("WASI %s: %s@0.2 is not defined", Version, in.name)
		}
		rc := &component.Interface{
			Name:      in.name + "@" + Version,
			Funcs:     append([]component.Func(nil), base.Funcs...),
			Resources: base.Resources,
		}
		if in.change != nil {
			in.change(rc)
		}
		if err := l.Define(rc); err != nil {
			return fmt.Errorf("WASI %s: %w", Version, err)
		}
	}
	return nil
}

// function returns the function of i called name, to be changed.
func function(i *component.Interface, name string) *component.Func {
	for n := range i.Funcs {
		if i.Funcs[n].Name == name {
			return &i.Funcs[n]
		}
	}
	panic("wasirc: " + i.Name + " has no function " + name)
}

// rename gives a function another name, and its parameter besides self another
// one if it has any.
func rename(i *component.Interface, from, to, param string) {
	f := function(i, from)
	f.Name = strings.Replace(f.Name, from, to, 1)
	t := &abi.Func{Params: append([]abi.Field(nil), f.Type.Params...), Result: f.Type.Result}
	if len(t.Params) > 1 {
		t.Params[1].Name = param
	}
	f.Type = t
}
