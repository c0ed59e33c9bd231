package wasiio

import (
	"bytes"
	"io"
	"strings"
)

// Blocking says how long a Read or Write of the Go value beneath a stream may
// take, and so where it is made.
type Blocking uint8

const (
	// MayBlock: for ever, and nothing can interrupt it. The call is made on a
	// goroutine of its own, which the stream gives up on when the context ends;
	// the goroutine stays until the call returns.
	MayBlock Blocking = iota
	// EndsWithContext: it may wait, but returns soon after the context of the
	// guest's call has ended, because its owner sees to that (by closing the
	// connection, or by a deadline on it). It is made on the guest's goroutine.
	EndsWithContext
	// NeverBlocks: it works in memory, and is made on the guest's goroutine.
	NeverBlocks
)

// Blocker is implemented by readers and writers that know their own Blocking.
type Blocker interface{ Blocking() Blocking }

// BlockingOf returns what v, a reader or writer, says of itself; in-memory types
// of the standard library are known, and anything else may block.
func BlockingOf(v any) Blocking {
	switch v := v.(type) {
	case Blocker:
		return v.Blocking()
	case *bytes.Reader, *strings.Reader, *bytes.Buffer, *strings.Builder:
		return NeverBlocks
	}
	if v == any(io.Discard) {
		return NeverBlocks
	}
	return MayBlock
}
