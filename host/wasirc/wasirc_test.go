package wasirc_test

import (
	"context"
	"strings"
	"testing"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host"
	"github.com/minispin/minispin/host/wasi/wasitest"
	"github.com/minispin/minispin/host/wasirc"
	httptypes "github.com/minispin/minispin/wit/bindings/wasi/http/types"
	"github.com/minispin/minispin/wit/bindings/wasi/sockets/network"
	"github.com/minispin/minispin/wit/bindings/wasi/sockets/tcp"
	"github.com/minispin/minispin/wit/value"
)

func linker(t *testing.T) *component.Linker {
	t.Helper()
	l := component.NewLinker()
	if err := host.Define(l); err != nil {
		t.Fatal(err)
	}
	return l
}

// rcFunc returns a function of one of the interfaces of the later candidate.
func rcFunc(t *testing.T, iface, name string) component.Func {
	t.Helper()
	return candidateFunc(t, wasirc.Version20231110, iface, name)
}

func candidateFunc(t *testing.T, version, iface, name string) component.Func {
	t.Helper()
	i := linker(t).Interface(iface + "@" + version)
	if i == nil {
		t.Fatalf("%s is not defined", iface)
	}
	for _, f := range i.Funcs {
		if f.Name == name {
			return f
		}
	}
	t.Fatalf("%s has no %s", iface, name)
	panic("unreachable")
}

func TestDefineNeedsWASI(t *testing.T) {
	err := wasirc.Define(component.NewLinker())
	if err == nil || !strings.Contains(err.Error(), "wasi:io/poll@0.2 is not defined") {
		t.Errorf("got %v", err)
	}
}

// names imports functions that differ from those of 0.2.0, with the types that
// the candidate has for them.
const names = `(component
  (import "wasi:http/types@VERSION" (instance
    (export "request-options" (type $options (sub resource)))
    (export "[method]request-options.connect-timeout-ms" (func (param "self" (borrow $options)) (result (option u64))))
    (export "[method]request-options.set-connect-timeout-ms" (func (param "self" (borrow $options)) (param "ms" (option u64)) (result (result))))
    (export "[method]request-options.first-byte-timeout-ms" (func (param "self" (borrow $options)) (result (option u64))))
    (export "[method]request-options.set-first-byte-timeout-ms" (func (param "self" (borrow $options)) (param "ms" (option u64)) (result (result))))
    (export "[method]request-options.between-bytes-timeout-ms" (func (param "self" (borrow $options)) (result (option u64))))
    (export "[method]request-options.set-between-bytes-timeout-ms" (func (param "self" (borrow $options)) (param "ms" (option u64)) (result (result))))))
  (import "wasi:io/poll@VERSION" (instance
    (export "pollable" (type $pollable (sub resource)))
    (export "poll" (func (param "in" (list (borrow $pollable))) (result (list u32))))))
  (core module $m (func (export "f")))
  (core instance $i (instantiate $m))
  (func (export "f") (canon lift (core func $i "f"))))`

// TestNames links the candidate's names, and checks that they are the candidate's
// alone.
func TestNames(t *testing.T) {
	l := linker(t)
	wasitest.Link(t, l, wasitest.Text(t, strings.ReplaceAll(names, "VERSION", wasirc.Version20231110)))

	e, err := component.NewEngine(component.EngineConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for _, version := range []string{"0.2.0", "0.2.0-rc-2023-12-05"} {
		wasm := wasitest.Text(t, strings.ReplaceAll(names, "VERSION", version))
		c, err := e.Compile(context.Background(), "names", wasm, component.CompileOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if pre, err := l.Link(c); err == nil {
			pre.Close()
			t.Errorf("the candidate's functions link at version %s", version)
		}
		c.Close()
	}
}

// trailers is a future with an answer.
type trailers struct {
	httptypes.FutureTrailers
	answer value.Option[value.Result[value.Result[value.Option[httptypes.Trailers], httptypes.ErrorCode], value.Unit]]
}

func (f trailers) Get(*component.Call) (value.Option[value.Result[value.Result[value.Option[httptypes.Trailers], httptypes.ErrorCode], value.Unit]], error) {
	return f.answer, nil
}
func (trailers) Drop() {}

type fields struct{ httptypes.Fields }

func (fields) Drop() {}

func TestFutureTrailersGet(t *testing.T) {
	get := rcFunc(t, "wasi:http/types", "[method]future-trailers.get")
	type inner = value.Result[value.Option[httptypes.Trailers], httptypes.ErrorCode]
	came := func(r inner) trailers {
		return trailers{answer: value.Some(value.OK[inner, value.Unit](r))}
	}
	const at = 64
	for name, tt := range map[string]struct {
		future trailers
		trap   string
		check  func(c *component.Call, m component.Memory) bool
	}{
		"not yet": {trailers{}, "", func(_ *component.Call, m component.Memory) bool { return m.U8(at) == 0 }},
		"none": {came(inner{}), "", func(_ *component.Call, m component.Memory) bool {
			return m.U8(at) == 1 && m.U8(at+8) == 0 && m.U8(at+16) == 0
		}},
		"some": {came(inner{OK: value.Some[httptypes.Trailers](fields{})}), "", func(c *component.Call, m component.Memory) bool {
			_, ok := c.LiftOwn(httptypes.FieldsResource, m.U32(at+20)).(fields)
			return ok && m.U8(at) == 1 && m.U8(at+8) == 0 && m.U8(at+16) == 1
		}},
		"failed": {came(inner{IsErr: true, Err: httptypes.ErrorCode{Case: httptypes.ErrorCodeConnectionTimeout}}), "", func(_ *component.Call, m component.Memory) bool {
			return m.U8(at) == 1 && m.U8(at+8) == 1 && m.U8(at+16) == uint8(httptypes.ErrorCodeConnectionTimeout)
		}},
		"taken": {trailers{answer: value.Some(value.Result[inner, value.Unit]{IsErr: true})}, "taken already", nil},
	} {
		t.Run(name, func(t *testing.T) {
			err := wasitest.Call(t, t.Context(), nil, func(c *component.Call) error {
				for i := range uint32(56) {
					c.Mem().PutU8(at+i, 0xee)
				}
				st := make([]component.Raw, 2)
				st[0].SetU32(c.LowerOwn(httptypes.FutureTrailersResource, tt.future))
				st[1].SetU32(at)
				if err := get.Call(c, st); err != nil {
					return err
				}
				if !tt.check(c, c.Mem()) {
					t.Errorf("the guest has % x", []byte(c.Mem()[at:at+48]))
				}
				if c.Mem().U8(at+48) != 0xee {
					t.Error("the result is longer than the guest left room for")
				}
				return nil
			})
			if tt.trap == "" && err != nil || tt.trap != "" && (err == nil || !strings.Contains(err.Error(), tt.trap)) {
				t.Errorf("got %v, want %q", err, tt.trap)
			}
		})
	}
}

// socket is a socket of a family.
type socket struct {
	tcp.TCPSocket
	family network.IPAddressFamily
}

func (s socket) AddressFamily(*component.Call) (network.IPAddressFamily, error) { return s.family, nil }
func (socket) Drop()                                                            {}

func TestIPv6Only(t *testing.T) {
	get := rcFunc(t, "wasi:sockets/tcp", "[method]tcp-socket.ipv6-only")
	set := rcFunc(t, "wasi:sockets/tcp", "[method]tcp-socket.set-ipv6-only")
	rcFunc(t, "wasi:sockets/udp", "[method]udp-socket.ipv6-only")
	notSupported := [2]byte{1, byte(network.ErrorCodeNotSupported)}
	for name, tt := range map[string]struct {
		family network.IPAddressFamily
		f      component.Func
		value  uint32
		want   [2]byte // the second counts when the first is 1, or for a value
	}{
		"get, ipv6":       {network.IPAddressFamilyIpv6, get, 0, [2]byte{0, 1}},
		"get, ipv4":       {network.IPAddressFamilyIpv4, get, 0, notSupported},
		"set, ipv6":       {network.IPAddressFamilyIpv6, set, 1, [2]byte{0, 0xee}},
		"set, ipv4":       {network.IPAddressFamilyIpv4, set, 1, notSupported},
		"set false, ipv6": {network.IPAddressFamilyIpv6, set, 0, notSupported},
	} {
		t.Run(name, func(t *testing.T) {
			err := wasitest.Call(t, t.Context(), nil, func(c *component.Call) error {
				c.Mem().PutU8(64, 0xee)
				c.Mem().PutU8(65, 0xee)
				st := make([]component.Raw, len(tt.f.Type.Params)+1)
				st[0].SetU32(c.LowerOwn(tcp.TCPSocketResource, socket{family: tt.family}))
				st[1].SetU32(tt.value)
				st[len(st)-1].SetU32(64)
				if err := tt.f.Call(c, st); err != nil {
					return err
				}
				if got := [2]byte(c.Mem()[64:66]); got != tt.want {
					t.Errorf("the guest has %v, want %v", got, tt.want)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}
