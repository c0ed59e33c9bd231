package binary

const (
	canonLift         = 0x00
	canonLower        = 0x01
	canonResourceNew  = 0x02
	canonResourceDrop = 0x03
	canonResourceRep  = 0x04
)

// canon reads a canonical definition. Binary.md, section Canonical Definitions.
func (d *decoder) canon() Def {
	at := At(d.offset())
	c := d.byte("canonical definition")
	switch c {
	case canonLift:
		d.expect(0x00, "sort func")
		l := &CanonLift{At: at, Core: d.index(SortCoreFunc), Options: d.canonOptions()}
		l.Type, _ = d.typeIndex(shapeFunc)
		return l
	case canonLower:
		d.expect(0x00, "sort func")
		return &CanonLower{At: at, Func: d.index(SortFunc), Options: d.canonOptions()}
	case canonResourceNew:
		t, _ := d.typeIndex(shapeResource)
		return &CanonResourceNew{at, t}
	case canonResourceDrop:
		t, _ := d.typeIndex(shapeResource)
		return &CanonResourceDrop{at, t}
	case canonResourceRep:
		t, _ := d.typeIndex(shapeResource)
		return &CanonResourceRep{at, t}
	}
	return d.builtin(at, c)
}

func (d *decoder) builtin(at At, c byte) Def {
	b := &CanonBuiltin{At: at, Kind: BuiltinKind(c)}
	form := FormAsyncBuiltin
	switch b.Kind {
	case TaskCancel, SubtaskDrop, WaitableSetNew, WaitableSetDrop, WaitableJoin, BackpressureInc, BackpressureDec:
	case TaskReturn:
		b.Result = d.resultList(&measure{})
		b.Options = d.canonOptions()
	case ContextGet, ContextSet:
		b.Core = d.coreValType()
		b.Index = d.u32("context slot")
	case SubtaskCancel:
		b.Async = d.flag("async")
	case StreamNew, StreamDropReadable, StreamDropWritable, FutureNew, FutureDropReadable, FutureDropWritable:
		b.Type, _ = d.typeIndex(shapeValue)
	case StreamRead, StreamWrite, FutureRead, FutureWrite:
		b.Type, _ = d.typeIndex(shapeValue)
		b.Options = d.canonOptions()
	case StreamCancelRead, StreamCancelWrite, FutureCancelRead, FutureCancelWrite:
		b.Type, _ = d.typeIndex(shapeValue)
		b.Async = d.flag("async")
	case ErrorContextNew, ErrorContextDebugMessage:
		form = FormErrorContext
		b.Options = d.canonOptions()
	case ErrorContextDrop:
		form = FormErrorContext
	case WaitableSetWait, WaitableSetPoll:
		b.Cancellable = d.flag("cancellable")
		b.Index = d.index(SortCoreMemory)
	case ThreadYield:
		b.Cancellable = d.flag("cancellable")
	case ThreadSuspend, ThreadSuspendThenResume, ThreadYieldThenResume, ThreadSuspendThenPromote, ThreadYieldThenPromote:
		form = FormThreadBuiltin
		b.Cancellable = d.flag("cancellable")
	case ThreadIndex, ThreadResumeLater:
		form = FormThreadBuiltin
	case ThreadNewIndirect:
		form = FormThreadBuiltin
		b.Type = d.coreTypeOf(coreShapeFunc, "function type")
		b.Index = d.index(SortCoreTable)
	case ThreadSpawnRef:
		form = FormThreadBuiltin
		b.Shared = d.flag("shared")
		b.Type = d.coreTypeOf(coreShapeFunc, "function type")
	case ThreadSpawnIndirect:
		form = FormThreadBuiltin
		b.Shared = d.flag("shared")
		b.Type = d.coreTypeOf(coreShapeFunc, "function type")
		b.Index = d.index(SortCoreTable)
	case ThreadAvailableParallelism:
		form = FormThreadBuiltin
		b.Shared = d.flag("shared")
	default:
		d.badByte(c, "canonical definition")
		return nil
	}
	d.newer(form)
	return b
}

// The leading bytes of canonical options.
const (
	optUTF8 = iota
	optUTF16
	optLatin1UTF16
	optMemory
	optRealloc
	optPostReturn
	optAsync
	optCallback
	optCoreType
	optGC
	numOpts
)

var optNames = [numOpts]string{
	"string-encoding", "string-encoding", "string-encoding", "memory", "realloc",
	"post-return", "async", "callback", "core-type", "gc",
}

func (d *decoder) canonOptions() CanonOptions {
	var o CanonOptions
	var seen [numOpts]bool
	for n := d.count("canonical options", numOpts); n > 0 && d.ok(); n-- {
		start := d.offset()
		c := d.byte("canonical option")
		if c >= numOpts {
			d.badByte(c, "canonical option")
			return o
		}
		kind := c
		switch c {
		case optUTF8, optUTF16, optLatin1UTF16:
			kind = optUTF8 // one kind of option, and only one value of it
			o.StringEncoding = StringEncoding(c)
		case optMemory:
			o.Memory = OptIndex{d.index(SortCoreMemory), true}
		case optRealloc:
			o.Realloc = OptIndex{d.index(SortCoreFunc), true}
		case optPostReturn:
			o.PostReturn = OptIndex{d.index(SortCoreFunc), true}
		case optAsync:
			d.newer(FormAsyncOption)
			o.Async = true
		case optCallback:
			d.newer(FormAsyncOption)
			o.Callback = OptIndex{d.index(SortCoreFunc), true}
		case optCoreType:
			d.newer(FormGC)
			o.CoreType = OptIndex{d.coreTypeOf(coreShapeFunc, "function type"), true}
		case optGC:
			d.newer(FormGC)
			o.GC = true
		}
		if seen[kind] {
			d.failAt(start, "canonical option %s is given twice", optNames[kind])
		}
		seen[kind] = true
	}
	return o
}
