package binary

import "fmt"

// CanonLift makes a component function out of a core function.
//
// Binary.md, section Canonical Definitions; CanonicalABI.md, section
// "canon lift".
type CanonLift struct {
	At
	Core    uint32 // index among the core functions
	Options CanonOptions
	Type    uint32 // index among the types, a function type
}

// Adds implements Def.
func (*CanonLift) Adds() (Sort, int) { return SortFunc, 1 }

// CanonLower makes a core function out of a component function.
//
// CanonicalABI.md, section "canon lower".
type CanonLower struct {
	At
	Func    uint32 // index among the functions
	Options CanonOptions
}

// Adds implements Def.
func (*CanonLower) Adds() (Sort, int) { return SortCoreFunc, 1 }

// CanonResourceNew makes the core function that wraps a representation in an
// owning handle.
type CanonResourceNew struct {
	At
	Resource uint32 // index among the types
}

// Adds implements Def.
func (*CanonResourceNew) Adds() (Sort, int) { return SortCoreFunc, 1 }

// CanonResourceDrop makes the core function that drops a handle.
type CanonResourceDrop struct {
	At
	Resource uint32 // index among the types
}

// Adds implements Def.
func (*CanonResourceDrop) Adds() (Sort, int) { return SortCoreFunc, 1 }

// CanonResourceRep makes the core function that gives the representation
// behind a handle.
type CanonResourceRep struct {
	At
	Resource uint32 // index among the types
}

// Adds implements Def.
func (*CanonResourceRep) Adds() (Sort, int) { return SortCoreFunc, 1 }

// CanonBuiltin makes a core function out of one of the built-ins for
// concurrency: tasks, waitables, streams, futures, error contexts, threads.
// The field comments tell which kinds use which; the others leave it zero.
type CanonBuiltin struct {
	At
	Kind BuiltinKind

	// Type is the index of the stream or future type for the stream and future
	// built-ins, and of a core function type for thread.new-indirect,
	// thread.spawn-ref and thread.spawn-indirect.
	Type uint32

	// Index is the slot for context.get and context.set, the core memory for
	// waitable-set.wait and waitable-set.poll, and the core table for
	// thread.new-indirect and thread.spawn-indirect.
	Index uint32

	// Core is the type of the slot for context.get and context.set.
	Core CoreValType

	// Result is the result of the task for task.return; nil for none.
	Result *ValType

	// Options belong to task.return, to reading and writing of streams and
	// futures, and to error-context.new and .debug-message.
	Options CanonOptions

	// Async belongs to subtask.cancel and to cancelling reads and writes.
	Async bool

	// Cancellable belongs to waitable-set.wait and .poll and to the thread
	// built-ins that suspend or yield.
	Cancellable bool

	// Shared belongs to the built-ins of shared-everything threads.
	Shared bool
}

// Adds implements Def.
func (*CanonBuiltin) Adds() (Sort, int) { return SortCoreFunc, 1 }

// BuiltinKind tells the built-ins apart. Its number is the byte that stands
// for the built-in in the binary format.
type BuiltinKind uint8

// The built-ins. Explainer.md, section Canonical Built-ins.
const (
	TaskCancel                 BuiltinKind = 0x05
	SubtaskCancel              BuiltinKind = 0x06
	TaskReturn                 BuiltinKind = 0x09
	ContextGet                 BuiltinKind = 0x0a
	ContextSet                 BuiltinKind = 0x0b
	ThreadYield                BuiltinKind = 0x0c
	SubtaskDrop                BuiltinKind = 0x0d
	StreamNew                  BuiltinKind = 0x0e
	StreamRead                 BuiltinKind = 0x0f
	StreamWrite                BuiltinKind = 0x10
	StreamCancelRead           BuiltinKind = 0x11
	StreamCancelWrite          BuiltinKind = 0x12
	StreamDropReadable         BuiltinKind = 0x13
	StreamDropWritable         BuiltinKind = 0x14
	FutureNew                  BuiltinKind = 0x15
	FutureRead                 BuiltinKind = 0x16
	FutureWrite                BuiltinKind = 0x17
	FutureCancelRead           BuiltinKind = 0x18
	FutureCancelWrite          BuiltinKind = 0x19
	FutureDropReadable         BuiltinKind = 0x1a
	FutureDropWritable         BuiltinKind = 0x1b
	ErrorContextNew            BuiltinKind = 0x1c
	ErrorContextDebugMessage   BuiltinKind = 0x1d
	ErrorContextDrop           BuiltinKind = 0x1e
	WaitableSetNew             BuiltinKind = 0x1f
	WaitableSetWait            BuiltinKind = 0x20
	WaitableSetPoll            BuiltinKind = 0x21
	WaitableSetDrop            BuiltinKind = 0x22
	WaitableJoin               BuiltinKind = 0x23
	BackpressureInc            BuiltinKind = 0x24
	BackpressureDec            BuiltinKind = 0x25
	ThreadIndex                BuiltinKind = 0x26
	ThreadNewIndirect          BuiltinKind = 0x27
	ThreadResumeLater          BuiltinKind = 0x28
	ThreadSuspend              BuiltinKind = 0x29
	ThreadSuspendThenResume    BuiltinKind = 0x2a
	ThreadYieldThenResume      BuiltinKind = 0x2b
	ThreadSuspendThenPromote   BuiltinKind = 0x2c
	ThreadYieldThenPromote     BuiltinKind = 0x2d
	ThreadSpawnRef             BuiltinKind = 0x40
	ThreadSpawnIndirect        BuiltinKind = 0x41
	ThreadAvailableParallelism BuiltinKind = 0x42
)

var builtinNames = map[BuiltinKind]string{
	TaskCancel:                 "task.cancel",
	SubtaskCancel:              "subtask.cancel",
	TaskReturn:                 "task.return",
	ContextGet:                 "context.get",
	ContextSet:                 "context.set",
	ThreadYield:                "thread.yield",
	SubtaskDrop:                "subtask.drop",
	StreamNew:                  "stream.new",
	StreamRead:                 "stream.read",
	StreamWrite:                "stream.write",
	StreamCancelRead:           "stream.cancel-read",
	StreamCancelWrite:          "stream.cancel-write",
	StreamDropReadable:         "stream.drop-readable",
	StreamDropWritable:         "stream.drop-writable",
	FutureNew:                  "future.new",
	FutureRead:                 "future.read",
	FutureWrite:                "future.write",
	FutureCancelRead:           "future.cancel-read",
	FutureCancelWrite:          "future.cancel-write",
	FutureDropReadable:         "future.drop-readable",
	FutureDropWritable:         "future.drop-writable",
	ErrorContextNew:            "error-context.new",
	ErrorContextDebugMessage:   "error-context.debug-message",
	ErrorContextDrop:           "error-context.drop",
	WaitableSetNew:             "waitable-set.new",
	WaitableSetWait:            "waitable-set.wait",
	WaitableSetPoll:            "waitable-set.poll",
	WaitableSetDrop:            "waitable-set.drop",
	WaitableJoin:               "waitable.join",
	BackpressureInc:            "backpressure.inc",
	BackpressureDec:            "backpressure.dec",
	ThreadIndex:                "thread.index",
	ThreadNewIndirect:          "thread.new-indirect",
	ThreadResumeLater:          "thread.resume-later",
	ThreadSuspend:              "thread.suspend",
	ThreadSuspendThenResume:    "thread.suspend-then-resume",
	ThreadYieldThenResume:      "thread.yield-then-resume",
	ThreadSuspendThenPromote:   "thread.suspend-then-promote",
	ThreadYieldThenPromote:     "thread.yield-then-promote",
	ThreadSpawnRef:             "thread.spawn-ref",
	ThreadSpawnIndirect:        "thread.spawn-indirect",
	ThreadAvailableParallelism: "thread.available-parallelism",
}

// String gives the built-in as the text format spells it.
func (k BuiltinKind) String() string {
	if s, ok := builtinNames[k]; ok {
		return s
	}
	return fmt.Sprintf("builtin(%#x)", uint8(k))
}

// StringEncoding is how strings lie in the memory of a core instance.
type StringEncoding uint8

// The string encodings. UTF-8 is the default. The numbers are those of the
// canonical option.
const (
	UTF8        StringEncoding = 0x00
	UTF16       StringEncoding = 0x01
	Latin1UTF16 StringEncoding = 0x02
)

// String gives the encoding as the text format spells it.
func (e StringEncoding) String() string {
	switch e {
	case UTF8:
		return "utf8"
	case UTF16:
		return "utf16"
	case Latin1UTF16:
		return "latin1+utf16"
	}
	return fmt.Sprintf("string-encoding(%d)", uint8(e))
}

// CanonOptions are the options of a canonical definition. The zero value means
// that none was given.
type CanonOptions struct {
	StringEncoding StringEncoding
	Memory         OptIndex // among the core memories
	Realloc        OptIndex // among the core functions
	PostReturn     OptIndex // among the core functions
	Callback       OptIndex // among the core functions
	CoreType       OptIndex // among the core types
	Async          bool
	GC             bool
}
