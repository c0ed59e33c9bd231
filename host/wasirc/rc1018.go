package wasirc

import (
	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/wit/bindings/wasi/filesystem/types"
	"github.com/minispin/minispin/wit/bindings/wasi/io/poll"
)

// rc1018 is 0.2.0-rc-2023-10-18. It has no wasi:io/error; its timezone is left out.
var rc1018 = candidate{Version20231018, []derived{
	{"wasi:io/poll", rc1018Poll},
	{"wasi:io/streams", rc1018Streams},
	{"wasi:clocks/monotonic-clock", rc1018Clock},
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
	{"wasi:filesystem/types", rc1018Filesystem},
	{"wasi:filesystem/preopens", nil},
	{"wasi:sockets/network", nil},
	{"wasi:sockets/instance-network", nil},
	{"wasi:sockets/ip-name-lookup", rc1018Lookup},
	{"wasi:sockets/tcp", rc1018TCP},
	{"wasi:sockets/tcp-create-socket", nil},
	{"wasi:sockets/udp", rc1018UDP},
	{"wasi:sockets/udp-create-socket", rc1018CreateUDP},
	{"wasi:http/types", rc1018HTTPTypes},
	{"wasi:http/outgoing-handler", rc1018OutgoingHandler},
}}

// rc1018Poll makes pollable.block a free function.
func rc1018Poll(d *derivation) {
	d.rename("poll", "poll-list", "")
	d.putFunc(component.Func{
		Name: "poll-one",
		Type: &abi.Func{Params: []abi.Field{{Name: "in", Type: abi.Borrow(poll.PollableResource)}}},
		Call: function(d.Interface, "[method]pollable.block").Call,
	})
}

// rc1018Clock makes one function of the two subscriptions; which of them it is
// comes with the call.
func rc1018Clock(d *derivation) {
	instant := function(d.Interface, "subscribe-instant").Call
	duration := function(d.Interface, "subscribe-duration").Call
	d.putFunc(component.Func{
		Name: "subscribe",
		Type: &abi.Func{
			Params: []abi.Field{{Name: "when", Type: abi.U64}, {Name: "absolute", Type: abi.Bool}},
			Result: abi.Own(poll.PollableResource),
		},
		Call: func(c *component.Call, st []component.Raw) error {
			if st[1].U32() != 0 {
				return instant(c, st)
			}
			return duration(c, st)
		},
	})
}

var (
	modesABI      = abi.Flags("readable", "writable", "executable")
	accessTypeABI = abi.Variant(abi.Case{Name: "access", Type: modesABI}, abi.Case{Name: "exists"})
)

// rc1018Filesystem gives open-at its permissions, which nothing comes of, and adds
// functions that 0.2 dropped. Like there, files of guests have no permissions and no
// locks, so that those functions are unsupported.
func rc1018Filesystem(d *derivation) {
	openAt := function(d.Interface, "[method]descriptor.open-at")
	open := openAt.Call
	openAt.Type = &abi.Func{
		Params: append(append([]abi.Field(nil), openAt.Type.Params...), abi.Field{Name: "modes", Type: modesABI}),
		Result: openAt.Type.Result,
	}
	openAt.Call = func(c *component.Call, st []component.Raw) error {
		const modes, result = 6, 7
		st[modes] = st[result]
		return open(c, st)
	}

	self := abi.Field{Name: "self", Type: abi.Borrow(types.DescriptorResource)}
	pathFlags, path := abi.Field{Name: "path-flags", Type: types.PathFlagsABI}, abi.Field{Name: "path", Type: abi.String}
	modes := abi.Field{Name: "modes", Type: modesABI}
	for name, params := range map[string][]abi.Field{
		"access-at":                       {self, pathFlags, path, {Name: "type", Type: accessTypeABI}},
		"change-file-permissions-at":      {self, pathFlags, path, modes},
		"change-directory-permissions-at": {self, pathFlags, path, modes},
		"lock-shared":                     {self},
		"lock-exclusive":                  {self},
		"try-lock-shared":                 {self},
		"try-lock-exclusive":              {self},
		"unlock":                          {self},
	} {
		unsupported := abi.EnumVal(uint32(types.ErrorCodeUnsupported))
		d.put("[method]descriptor."+name, &abi.Func{Params: params, Result: abi.Result(nil, types.ErrorCodeABI)},
			func(*component.Call, []abi.Val) (abi.Val, error) { return abi.ErrVal(&unsupported), nil })
	}
}
