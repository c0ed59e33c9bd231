package abi

import "fmt"

// A Transfer moves the parameters and the result of a call from one guest to
// another, lifting and lowering in one pass: from memory to memory, or from
// stack to stack, with no Go value in between save for the representations of
// resources. It is immutable and safe for concurrent use.
//
// The two guests see the same structural type, but each names resources by its
// own [Resource], and each has its own Context.
type Transfer struct {
	// Caller and Callee are the plans of the function as the importing and as
	// the exporting guest see its type.
	Caller, Callee *Plan
}

// NewTransfer plans calls of a function whose type is callee where it is exported
// and caller where it is imported. The two must be structurally equal; that their
// resources match was checked when they were linked.
func NewTransfer(caller, callee *Func) (*Transfer, error) {
	if err := EqualFunc(caller, callee, func(_, _ *Resource) bool { return true }); err != nil {
		return nil, fmt.Errorf("function types of importer and exporter: %w", err)
	}
	p, err := Compile(caller)
	if err != nil {
		return nil, err
	}
	q, err := Compile(callee)
	if err != nil {
		return nil, err
	}
	return &Transfer{Caller: p, Callee: q}, nil
}

// Params moves the arguments: from holds the caller's core parameters of
// Caller.Lower and is left as it is, to receives the callee's core parameters of
// Callee.Lift. Memory for what the arguments point to is taken from the callee's
// realloc.
func (t *Transfer) Params(caller, callee Context, from, to []Raw) {
	src, dst := t.Caller.params, t.Callee.params
	if src == nil {
		return
	}
	c := newCopier(caller, callee)
	if !t.Caller.spilled {
		c.flat(src, dst, from, to)
		return
	}
	ptr := from[0].U32()
	c.srcMem.Check(ptr, uint64(src.Size), src.Align)
	dstPtr := c.alloc(dst.Size, dst.Align)
	c.mem(src, dst, ptr, dstPtr)
	to[0].SetU32(dstPtr)
}

// Result moves the result back: from holds the callee's core results of
// Callee.Lift, and to the caller's core parameters of Caller.Lower as they were
// given, which end with the pointer to the result if there is one. A core result
// is left in to[0].
func (t *Transfer) Result(callee, caller Context, from, to []Raw) {
	src, dst := t.Callee.Func.Result, t.Caller.Func.Result
	if src == nil {
		return
	}
	c := newCopier(callee, caller)
	if !t.Callee.retptr {
		c.flat(src, dst, from, to)
		return
	}
	ptr, dstPtr := from[0].U32(), t.Caller.resultPointer(to)
	c.srcMem.Check(ptr, uint64(src.Size), src.Align)
	c.dstMem.Check(dstPtr, uint64(dst.Size), dst.Align)
	c.mem(src, dst, ptr, dstPtr)
}

// A copier is one Transfer in progress. Both views of memory are renewed by each
// allocation: the two guests may share a memory.
type copier struct {
	src, dst       Context
	srcMem, dstMem Memory
}

func newCopier(src, dst Context) copier {
	return copier{src: src, dst: dst, srcMem: src.Memory(), dstMem: dst.Memory()}
}

func (c *copier) renew() {
	c.srcMem, c.dstMem = c.src.Memory(), c.dst.Memory()
}

func (c *copier) alloc(size, align uint32) uint32 {
	ptr := Alloc(c.dst, size, align)
	c.renew()
	return ptr
}

// mem moves a value of type s at from, as a value of type d, to the address to.
// Padding is not touched: it could carry what the source guest keeps to itself.
func (c *copier) mem(s, d *Type, from, to uint32) {
	if s.plain {
		copy(c.dstMem.at(to, s.Size), c.srcMem.at(from, s.Size))
		return
	}
	switch s.Kind {
	case KindBool:
		c.dstMem.PutU8(to, b2u8(c.srcMem.U8(from) != 0))
	case KindChar:
		u := c.srcMem.U32(from)
		checkChar(u)
		c.dstMem.PutU32(to, u)
	case KindString:
		ptr, n := c.str(c.srcMem.U32(from), c.srcMem.U32(from+4))
		c.dstMem.PutU32(to, ptr)
		c.dstMem.PutU32(to+4, n)
	case KindList:
		ptr, n := c.list(s.Elem, d.Elem, c.srcMem.U32(from), c.srcMem.U32(from+4))
		c.dstMem.PutU32(to, ptr)
		c.dstMem.PutU32(to+4, n)
	case KindFixedList:
		c.elems(s.Elem, d.Elem, from, to, s.Len)
	case KindRecord, KindTuple:
		for i := range s.Fields {
			f := &s.Fields[i]
			c.mem(f.Type, d.Fields[i].Type, from+f.Offset, to+f.Offset)
		}
	case KindEnum:
		storeDiscriminant(c.dstMem, d, to, checkCase(s, loadDiscriminant(c.srcMem, s, from)))
	case KindVariant, KindOption, KindResult:
		i := checkCase(s, loadDiscriminant(c.srcMem, s, from))
		storeDiscriminant(c.dstMem, d, to, i)
		if u := s.Cases[i].Type; u != nil {
			c.mem(u, d.Cases[i].Type, from+s.PayloadOffset, to+s.PayloadOffset)
		}
	case KindFlags:
		for w := range flagWords(s) {
			storeFlagWord(c.dstMem, d, to, w, maskFlags(s, w, loadFlagWord(c.srcMem, s, from, w)))
		}
	default:
		c.dstMem.PutU32(to, c.handle(s, d, c.srcMem.U32(from)))
	}
}

// flat moves a value from the core values at the start of from to those at the
// start of to, which may be the same slice.
func (c *copier) flat(s, d *Type, from, to []Raw) {
	switch s.Kind {
	case KindBool:
		to[0].SetU32(uint32(b2u8(from[0].U32() != 0)))
	case KindS8:
		to[0].SetU32(uint32(int32(int8(from[0].U32()))))
	case KindU8:
		to[0].SetU32(uint32(uint8(from[0].U32())))
	case KindS16:
		to[0].SetU32(uint32(int32(int16(from[0].U32()))))
	case KindU16:
		to[0].SetU32(uint32(uint16(from[0].U32())))
	case KindS32, KindU32, KindF32:
		to[0].SetU32(from[0].U32())
	case KindS64, KindU64, KindF64:
		to[0].SetU64(from[0].U64())
	case KindChar:
		u := from[0].U32()
		checkChar(u)
		to[0].SetU32(u)
	case KindString:
		ptr, n := c.str(from[0].U32(), from[1].U32())
		to[0].SetU32(ptr)
		to[1].SetU32(n)
	case KindList:
		ptr, n := c.list(s.Elem, d.Elem, from[0].U32(), from[1].U32())
		to[0].SetU32(ptr)
		to[1].SetU32(n)
	case KindFixedList:
		for range s.Len {
			c.flat(s.Elem, d.Elem, from, to)
			from, to = from[s.Elem.FlatCount:], to[s.Elem.FlatCount:]
		}
	case KindRecord, KindTuple:
		for i := range s.Fields {
			u := s.Fields[i].Type
			c.flat(u, d.Fields[i].Type, from, to)
			from, to = from[u.FlatCount:], to[u.FlatCount:]
		}
	case KindEnum:
		to[0].SetU32(checkCase(s, from[0].U32()))
	case KindVariant, KindOption, KindResult:
		i := checkCase(s, from[0].U32())
		to[0].SetU32(i)
		used := 1
		if u := s.Cases[i].Type; u != nil {
			c.flat(u, d.Cases[i].Type, from[1:], to[1:])
			used += u.FlatCount
		}
		clear(to[used:s.FlatCount])
	case KindFlags:
		for w := range flagWords(s) {
			to[w].SetU32(maskFlags(s, w, from[w].U32()))
		}
	default:
		to[0].SetU32(c.handle(s, d, from[0].U32()))
	}
}

func (c *copier) str(ptr, length uint32) (dstPtr, dstLength uint32) {
	dstPtr, dstLength = copyString(c.src, c.dst, ptr, length)
	c.renew()
	return dstPtr, dstLength
}

func (c *copier) list(s, d *Type, ptr, n uint32) (dstPtr, dstLen uint32) {
	checkList(c.srcMem, s, ptr, n, "list content out-of-bounds")
	dstPtr = c.allocList(n*d.Size, d.Align)
	c.elems(s, d, ptr, dstPtr, n)
	return dstPtr, n
}

// allocList is alloc for a list's elements, which the trap of an allocator that
// gave a bad address names.
func (c *copier) allocList(size, align uint32) uint32 {
	defer func() {
		r := recover()
		if t, ok := r.(*Trap); ok && t.Code == TrapBadRealloc {
			Throw(t.Code, "list content out-of-bounds or misaligned: %s", t.Msg)
		}
		if r != nil {
			panic(r)
		}
	}()
	return c.alloc(size, align)
}

func (c *copier) elems(s, d *Type, from, to, n uint32) {
	if s.plain {
		copy(c.dstMem.at(to, n*d.Size), c.srcMem.at(from, n*s.Size))
		return
	}
	for range n {
		c.mem(s, d, from, to)
		from += s.Size
		to += d.Size
	}
}

func (c *copier) handle(s, d *Type, h uint32) uint32 {
	switch s.Kind {
	case KindOwn:
		return c.dst.LowerOwn(d.Resource, c.src.LiftOwn(s.Resource, h))
	case KindBorrow:
		return c.dst.LowerBorrow(d.Resource, c.src.LiftBorrow(s.Resource, h))
	}
	return asyncContext(c.dst, d).LowerAsync(d, asyncContext(c.src, s).LiftAsync(s, h))
}

func b2u8(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}
