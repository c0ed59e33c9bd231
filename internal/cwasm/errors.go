package cwasm

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ianlancetaylor/demangle"
)

// ErrInterrupted is matched by the error of every call that was ended from
// outside, by deadline or by cancellation.
var ErrInterrupted = errors.New("guest interrupted")

// ErrDeadline is the interruption of a guest that ran past its deadline. It
// matches [ErrInterrupted].
var ErrDeadline error = &interruption{"guest ran past its deadline"}

// ErrCanceled is the interruption of a guest by [Store.Cancel]. It matches
// [ErrInterrupted].
var ErrCanceled error = &interruption{"guest was cancelled"}

// ErrClosed is the error of using a store, plan, module or engine after it
// was closed.
var ErrClosed = errors.New("already closed")

// ErrPoolExhausted is matched by the error of making a store when the pooling
// allocator has no slot left for one of its instances, memories or tables.
var ErrPoolExhausted = errors.New("instance pool is exhausted")

// EngineError is a refusal by the engine outside guest code: a module that
// exceeds the store's limits, an import that does not fit, a pool without a
// free slot.
type EngineError struct {
	Message string // the engine's wording
}

// Error returns the engine's wording.
func (e *EngineError) Error() string { return e.Message }

// Is makes the engine's refusals matchable.
func (e *EngineError) Is(target error) bool {
	return target == ErrPoolExhausted && strings.Contains(e.Message, "maximum concurrent")
}

type interruption struct{ text string }

func (e *interruption) Error() string        { return e.text }
func (e *interruption) Is(target error) bool { return target == ErrInterrupted }

// TrapCode says why a guest trapped. The numbers up to TrapOutOfFuel are the
// engine's own.
type TrapCode int

// The trap codes a guest can meet under the features this package enables.
const (
	TrapStackOverflow       TrapCode = 0
	TrapMemoryOutOfBounds   TrapCode = 1
	TrapHeapMisaligned      TrapCode = 2
	TrapTableOutOfBounds    TrapCode = 3
	TrapIndirectCallToNull  TrapCode = 4
	TrapBadSignature        TrapCode = 5
	TrapIntegerOverflow     TrapCode = 6
	TrapIntegerDivideByZero TrapCode = 7
	TrapBadIntConversion    TrapCode = 8
	TrapUnreachable         TrapCode = 9
	TrapInterrupt           TrapCode = 10
	TrapOutOfFuel           TrapCode = 12

	// TrapHost is the trap made from a host function's error or panic.
	TrapHost TrapCode = -1
	// TrapOther is a trap or engine error without a code known here.
	TrapOther TrapCode = -2
)

var trapNames = map[TrapCode]string{
	TrapStackOverflow:       "call stack exhausted",
	TrapMemoryOutOfBounds:   "out of bounds memory access",
	TrapHeapMisaligned:      "misaligned memory access",
	TrapTableOutOfBounds:    "out of bounds table access",
	TrapIndirectCallToNull:  "call of a null table element",
	TrapBadSignature:        "indirect call type mismatch",
	TrapIntegerOverflow:     "integer overflow",
	TrapIntegerDivideByZero: "integer divide by zero",
	TrapBadIntConversion:    "invalid conversion to integer",
	TrapUnreachable:         "unreachable",
	TrapInterrupt:           "interrupted",
	TrapOutOfFuel:           "out of fuel",
	TrapHost:                "host function failed",
	TrapOther:               "trap",
}

// String returns a short description of the code.
func (c TrapCode) String() string {
	if s, ok := trapNames[c]; ok {
		return s
	}
	return fmt.Sprintf("trap code %d", int(c))
}

// Frame is one guest function on the stack at the moment of a trap.
type Frame struct {
	Func         string // from the name section, or empty
	Module       string // from the name section, or empty
	FuncIndex    uint32 // index in the module's function index space
	FuncOffset   uint32 // bytes from the start of the function, 0xffffffff when unknown
	ModuleOffset uint32 // bytes from the start of the module, 0xffffffff when unknown
}

// String returns the frame as "module!function @ 0xoffset", leaving out what is
// not known. The names that Rust and C++ compilers make are shown as they stand
// in the source.
func (f Frame) String() string {
	name := demangle.Filter(f.Func, demangle.NoClones)
	if name == "" {
		name = fmt.Sprintf("func[%d]", f.FuncIndex)
	}
	if f.Module != "" {
		name = f.Module + "!" + name
	}
	if f.ModuleOffset != 0xffffffff {
		name += fmt.Sprintf(" @ 0x%x", f.ModuleOffset)
	}
	return name
}

// Trap is the error of a guest call that did not return. After it the state
// of the guest is whatever the trap left, so that the store is fit only for
// closing unless its owner knows better.
//
// When a host function failed, or the guest was interrupted, errors.Is and
// errors.As see through the trap to that error.
type Trap struct {
	Code    TrapCode
	Message string  // the engine's wording, without the backtrace
	Frames  []Frame // innermost first, cut off after 64

	cause error
}

// Error returns the reason of the trap without its backtrace.
func (t *Trap) Error() string {
	if t.cause != nil {
		return t.cause.Error()
	}
	if t.Message != "" {
		return "wasm trap: " + t.Message
	}
	return "wasm trap: " + t.Code.String()
}

// Unwrap returns the host function's error or the interruption behind the
// trap, nil for a trap the guest's own code raised.
func (t *Trap) Unwrap() error { return t.cause }

// Backtrace returns the guest's stack as lines of text, innermost first.
func (t *Trap) Backtrace() []string {
	lines := make([]string, len(t.Frames))
	for i, f := range t.Frames {
		lines[i] = f.String()
	}
	return lines
}

// PanicError is the error of a guest call in which a host function panicked.
type PanicError struct {
	Value any    // what was given to panic
	Stack []byte // the goroutine's stack, as runtime/debug prints it
}

// Error returns the panic's value, without the stack.
func (e *PanicError) Error() string {
	return fmt.Sprintf("host function panicked: %v", e.Value)
}

// Unwrap returns the panic's value when that is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// LinkError is the error of a plan whose imports cannot be met.
type LinkError struct {
	Step   int    // index into PlanConfig.Steps
	Module string // import module name
	Name   string // import field name
	Reason string
}

// Error says which import of which step cannot be met, and why.
func (e *LinkError) Error() string {
	return fmt.Sprintf("link step %d: import %q %q: %s", e.Step, e.Module, e.Name, e.Reason)
}
