package cwasm

// #cgo noescape cwasm_frame_get
// #cgo nocallback cwasm_frame_get
// #include "cwasm.h"
import "C"

import (
	"strconv"
	"strings"
)

// failed makes the error of a call or instantiation that did not end well,
// and clears what the call left behind in the store.
func (s *Store) failed(status C.int) error {
	s.spoiled = true
	cause := s.hostErr
	s.hostErr = nil
	interrupted := s.cell.interrupted
	s.cell.interrupted = C.CWASM_NOT_INTERRUPTED
	if status == C.CWASM_INTERRUPTED {
		return interruptedBy(interrupted, nil)
	}
	message, code, frames := s.takeFailure()
	switch {
	case cause != nil:
		return &Trap{Code: TrapHost, Message: message, Frames: frames, cause: cause}
	case interrupted != C.CWASM_NOT_INTERRUPTED:
		return interruptedBy(interrupted, frames)
	case code == TrapOther && len(frames) == 0:
		return &EngineError{message}
	default:
		return &Trap{Code: code, Message: message, Frames: frames}
	}
}

func interruptedBy(why C.uint32_t, frames []Frame) *Trap {
	t := &Trap{Code: TrapInterrupt, Frames: frames, cause: ErrDeadline}
	if why == C.CWASM_CANCELED {
		t.cause = ErrCanceled
	}
	t.Message = t.cause.Error()
	return t
}

// maxFrames bounds the backtrace: a guest that overflows its stack leaves ten
// thousand frames, of which the innermost tell all there is to tell.
const maxFrames = 64

// takeFailure reads the trap or error of the last call and frees it.
func (s *Store) takeFailure() (message string, code TrapCode, frames []Frame) {
	var f C.cwasm_failure
	C.cwasm_take_failure(s.cell, &f)
	defer C.cwasm_failure_free(&f)
	message = reason(C.GoStringN(f.message.data, C.int(f.message.size)))
	code = TrapOther
	if f.code >= 0 {
		code = TrapCode(f.code)
	}
	if message == "" {
		message = code.String()
	}
	frames = make([]Frame, min(int(f.frames.size), maxFrames))
	for i := range frames {
		var c C.cwasm_frame
		C.cwasm_frame_get(&f, C.size_t(i), &c)
		frames[i] = Frame{
			Func:         C.GoStringN(c._func, C.int(c.func_len)),
			Module:       C.GoStringN(c.module, C.int(c.module_len)),
			FuncIndex:    uint32(c.func_index),
			FuncOffset:   uint32(c.func_offset),
			ModuleOffset: uint32(c.module_offset),
		}
	}
	return message, code, frames
}

// reason cuts an engine message down to the reason, on one line. The engine
// prints the guest's backtrace first, which Trap.Frames carries in a usable
// form, then the causes, one a line and numbered when there are several, and
// then its own backtrace when the environment asks Rust for backtraces.
func reason(message string) string {
	message, _, _ = strings.Cut(strings.TrimRight(message, "\x00"), "\nStack backtrace:")
	head, causes, _ := strings.Cut(message, "Caused by:")
	if strings.HasPrefix(head, "error while executing") {
		head = ""
	}
	var parts []string
	for _, line := range append([]string{head}, strings.Split(causes, "\n")...) {
		line = strings.Join(strings.Fields(line), " ")
		if number, rest, ok := strings.Cut(line, ": "); ok && isNumber(number) {
			line = rest
		}
		if line = strings.TrimPrefix(line, "wasm trap: "); line != "" {
			parts = append(parts, line)
		}
	}
	return strings.Join(parts, ": ")
}

func isNumber(s string) bool {
	_, err := strconv.Atoi(s)
	return err == nil
}
