package abi

import "fmt"

// A TrapCode classifies why the Canonical ABI ended a call.
type TrapCode uint8

// The reasons for a trap.
const (
	// TrapOther is a reason without a code of its own.
	TrapOther TrapCode = iota
	// TrapOutOfBounds: a pointer, or pointer and length, leaves guest memory.
	TrapOutOfBounds
	// TrapUnaligned: a pointer is not a multiple of its type's alignment.
	TrapUnaligned
	// TrapTooLong: a string or list exceeds the length the ABI permits.
	TrapTooLong
	// TrapBadString: the bytes of a string are not valid in its encoding.
	TrapBadString
	// TrapBadChar: a char is a surrogate or above U+10FFFF.
	TrapBadChar
	// TrapBadDiscriminant: a variant's discriminant names no case.
	TrapBadDiscriminant
	// TrapBadRealloc: realloc returned a pointer out of bounds or unaligned.
	TrapBadRealloc
	// TrapUnknownHandle: a handle index has no entry in the table.
	TrapUnknownHandle
	// TrapWrongHandle: a handle is of another resource type, or of another kind
	// (borrow for own), than the operation needs.
	TrapWrongHandle
	// TrapHandleLent: a handle was dropped or transferred while lent.
	TrapHandleLent
	// TrapBorrowsRemain: a call returned without dropping what it borrowed.
	TrapBorrowsRemain
	// TrapTableFull: the handle table has reached its limit.
	TrapTableFull
	// TrapLiftLimit: a lifted value would take more host memory than a call may.
	TrapLiftLimit
	// TrapBadValue: a Go value of the host does not fit the type it is lowered
	// as. This is a fault of the host, not of the guest.
	TrapBadValue
)

// A Trap is the error of a call that the Canonical ABI ended. Where the
// component model's test suite expects certain words, Msg starts with them.
type Trap struct {
	Code TrapCode
	Msg  string
}

// Error returns the message of the trap.
func (t *Trap) Error() string { return t.Msg }

// Throw ends the running lift or lower by panicking with a *[Trap]. Every panic
// that this package raises on purpose goes through it; whoever calls into the
// package recovers with [Catch] or on their own, and any other panic is a bug.
func Throw(code TrapCode, format string, args ...any) {
	panic(&Trap{Code: code, Msg: fmt.Sprintf(format, args...)})
}

// Catch, when deferred, recovers a panic raised by [Throw] and stores the trap in
// *err. Other panics pass through it.
func Catch(err *error) {
	switch r := recover().(type) {
	case nil:
	case *Trap:
		*err = r
	default:
		panic(r)
	}
}
