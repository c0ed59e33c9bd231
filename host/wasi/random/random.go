// Package random is the host of wasi:random.
//
// Its one idea: there is one secure source, the operating system's, and the
// insecure interfaces are not slower copies of it but the runtime's own
// generator, which needs no system call. A guest chooses between them by what
// it imports, not by anything here.
package random

import (
	crand "crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/wit/bindings/wasi/random/insecure"
	"github.com/minispin/minispin/wit/bindings/wasi/random/insecureseed"
	"github.com/minispin/minispin/wit/bindings/wasi/random/random"
	"github.com/minispin/minispin/wit/value"
)

// MaxBytes is the most bytes one call of get-random-bytes or
// get-insecure-random-bytes gives; a request for more traps. The bytes are made
// in host memory first, and a guest must not choose how much of that it takes.
const MaxBytes = 16 << 20

// Sources are the random sources of one guest. The zero value has the real ones.
type Sources struct {
	// Secure gives unpredictable bytes; nil means the operating system's.
	Secure io.Reader
	// Insecure gives bytes nobody may rely on; nil means a generator seeded
	// anew in each process.
	Insecure io.Reader
}

// Fill fills b with unpredictable bytes.
func (s *Sources) Fill(b []byte) error {
	if s.Secure == nil {
		_, err := crand.Read(b) // never fails: it ends the process instead
		return err
	}
	if _, err := io.ReadFull(s.Secure, b); err != nil {
		return fmt.Errorf("read the random source: %w", err)
	}
	return nil
}

// FillInsecure fills b with bytes that only look random.
func (s *Sources) FillInsecure(b []byte) error {
	if s.Insecure != nil {
		if _, err := io.ReadFull(s.Insecure, b); err != nil {
			return fmt.Errorf("read the insecure random source: %w", err)
		}
		return nil
	}
	for ; len(b) >= 8; b = b[8:] {
		binary.LittleEndian.PutUint64(b, rand.Uint64())
	}
	if len(b) > 0 {
		var last [8]byte
		binary.LittleEndian.PutUint64(last[:], rand.Uint64())
		copy(b, last[:])
	}
	return nil
}

// Define adds wasi:random/random, insecure and insecure-seed to l; of gives the
// sources of the instance that calls.
func Define(l *component.Linker, of func(*component.Call) *Sources) error {
	for _, i := range []*component.Interface{
		random.Bind(func(c *component.Call) random.Host { return host{of(c)} }),
		insecure.Bind(func(c *component.Call) insecure.Host { return host{of(c)} }),
		insecureseed.Bind(func(c *component.Call) insecureseed.Host { return host{of(c)} }),
	} {
		if err := l.Define(i); err != nil {
			return fmt.Errorf("wasi:random: %w", err)
		}
	}
	return nil
}

type host struct{ s *Sources }

func (h host) GetRandomBytes(c *component.Call, length uint64) ([]byte, error) {
	return take(c, "get-random-bytes", length, h.s.Fill)
}

func (h host) GetRandomU64(*component.Call) (uint64, error) { return number(h.s.Fill) }

func (h host) GetInsecureRandomBytes(c *component.Call, length uint64) ([]byte, error) {
	return take(c, "get-insecure-random-bytes", length, h.s.FillInsecure)
}

func (h host) GetInsecureRandomU64(*component.Call) (uint64, error) { return number(h.s.FillInsecure) }

// InsecureSeed gives a new value each time, as the interface allows: an instance
// that asks again gains nothing, and instances must not share one.
func (h host) InsecureSeed(*component.Call) (v value.Tuple2[uint64, uint64], err error) {
	if v.F0, err = number(h.s.FillInsecure); err != nil {
		return v, err
	}
	v.F1, err = number(h.s.FillInsecure)
	return v, err
}

func take(c *component.Call, name string, length uint64, fill func([]byte) error) ([]byte, error) {
	if length > MaxBytes {
		c.Trapf("%s: %d bytes are more than the %d that one call gives", name, length, MaxBytes)
	}
	b := make([]byte, length)
	return b, fill(b)
}

func number(fill func([]byte) error) (uint64, error) {
	var b [8]byte
	err := fill(b[:])
	return binary.LittleEndian.Uint64(b[:]), err
}
