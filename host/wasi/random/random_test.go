package random

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/wasi/wasitest"
)

func TestGivenSources(t *testing.T) {
	h := host{&Sources{Secure: strings.NewReader("secure bytes"), Insecure: strings.NewReader("insecure bytes & more bytes here")}}
	if b, err := h.GetRandomBytes(nil, 4); string(b) != "secu" || err != nil {
		t.Errorf("got %q, %v", b, err)
	}
	if n, err := h.GetRandomU64(nil); n != 0x7365747962206572 || err != nil { // "re bytes"
		t.Errorf("got %x, %v", n, err)
	}
	if _, err := h.GetRandomBytes(nil, 1); err == nil || !strings.Contains(err.Error(), "random source") {
		t.Errorf("an exhausted source: %v", err)
	}
	if b, err := h.GetInsecureRandomBytes(nil, 8); string(b) != "insecure" || err != nil {
		t.Errorf("got %q, %v", b, err)
	}
	if seed, err := h.InsecureSeed(nil); seed.F0 == 0 || seed.F1 == 0 || err != nil {
		t.Errorf("got %v, %v", seed, err)
	}
	if _, err := h.GetInsecureRandomU64(nil); err != nil {
		t.Error(err)
	}
	if _, err := h.InsecureSeed(nil); err == nil {
		t.Error("an exhausted source is no error")
	}
}

func TestRealSources(t *testing.T) {
	h := host{&Sources{}}
	for name, get := range map[string]func(*component.Call, uint64) ([]byte, error){
		"secure": h.GetRandomBytes, "insecure": h.GetInsecureRandomBytes,
	} {
		for _, n := range []int{0, 1, 7, 8, 9, 1000} {
			b, err := get(nil, uint64(n))
			if len(b) != n || err != nil {
				t.Errorf("%s: %d bytes of %d, %v", name, len(b), n, err)
			}
			if n > 8 && bytes.Equal(b, make([]byte, n)) {
				t.Errorf("%s: %d zeroes", name, n)
			}
		}
	}
	a, _ := h.InsecureSeed(nil)
	b, _ := h.InsecureSeed(nil)
	if a == b {
		t.Error("two seeds are the same")
	}
}

func TestTooMuchTraps(t *testing.T) {
	for _, n := range []uint64{MaxBytes + 1, 1 << 63} {
		for name, get := range map[string]func(*component.Call, uint64) ([]byte, error){
			"get-random-bytes": host{&Sources{}}.GetRandomBytes, "get-insecure-random-bytes": host{&Sources{}}.GetInsecureRandomBytes,
		} {
			err := wasitest.Call(t, t.Context(), nil, func(c *component.Call) error {
				_, err := get(c, n)
				return errors.Join(errors.New("not trapped"), err)
			})
			if err == nil || !strings.Contains(err.Error(), name+": ") {
				t.Errorf("%s of %d: %v", name, n, err)
			}
		}
	}
}

func TestDefine(t *testing.T) {
	l := component.NewLinker()
	of := func(*component.Call) *Sources { return &Sources{} }
	if err := Define(l, of); err != nil {
		t.Fatal(err)
	}
	if Define(l, of) == nil {
		t.Error("defined twice")
	}
}
