package component

import "github.com/minispin/minispin/internal/cwasm"

// Trap is the error of a call in which guest code trapped, or was ended from
// outside. It has the guest's stack (Backtrace), and sees through to the host
// function's error or the interruption behind it, if there is one.
type Trap = cwasm.Trap

// ErrInterrupted is matched by the error of a call that was ended from outside,
// by its context or by Cancel.
var ErrInterrupted = cwasm.ErrInterrupted

// ErrDeadline is the interruption of a guest that ran past the deadline of its
// instance's context. It matches ErrInterrupted.
var ErrDeadline = cwasm.ErrDeadline
