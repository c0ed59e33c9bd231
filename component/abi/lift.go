package abi

// DefaultLiftLimit is how many bytes of host memory the values lifted in one
// call may take unless the [Plan] says otherwise. A guest that lets many list
// elements point to the same bytes could otherwise make the host copy far more
// than the guest's own memory holds.
const DefaultLiftLimit = 128 << 20

// valSize is what a Val costs against the lift limit.
const valSize = 32

// Load lifts the value of type t at ptr in the memory of cx (CanonicalABI.md,
// section Loading). The pointer is checked for range and alignment.
func Load(cx Context, t *Type, ptr uint32) Val {
	l := newLifter(cx, DefaultLiftLimit)
	l.mem.Check(ptr, uint64(t.Size), t.Align)
	return l.load(t, ptr)
}

// LiftFlat lifts a value of type t from the core values at the start of st
// (CanonicalABI.md, section Flat Lifting). The type must have a flat form.
func LiftFlat(cx Context, t *Type, st []Raw) Val {
	l := newLifter(cx, DefaultLiftLimit)
	return l.flat(t, st)
}

// A lifter lifts the values of one call. No guest code runs while it does, so
// the view of memory stays good.
type lifter struct {
	cx   Context
	mem  Memory
	left int64 // host memory that may still be taken, in bytes
	// slab is where the Vals of records and payloads are cut from, so that a
	// list of records does not cost an allocation for each.
	slab []Val
	// chunk is the length of the slab made last; they double.
	chunk int
}

func newLifter(cx Context, limit int64) lifter {
	return lifter{cx: cx, mem: cx.Memory(), left: limit}
}

func (l *lifter) charge(n uint64) {
	if n > uint64(l.left) {
		Throw(TrapLiftLimit, "lifted values take too much host memory")
	}
	l.left -= int64(n)
}

const maxSlab = 1024

// vals returns n fresh Vals.
func (l *lifter) vals(n int) []Val {
	l.charge(uint64(n) * valSize)
	if n > len(l.slab) {
		if n >= maxSlab {
			return make([]Val, n)
		}
		l.chunk = min(max(n, 2*l.chunk), maxSlab)
		l.slab = make([]Val, l.chunk)
	}
	s := l.slab[:n:n]
	l.slab = l.slab[n:]
	return s
}

// load lifts the value at ptr.
func (l *lifter) load(t *Type, ptr uint32) Val {
	switch t.Kind {
	case KindBool:
		return BoolVal(l.mem.U8(ptr) != 0)
	case KindS8:
		return S8Val(int8(l.mem.U8(ptr)))
	case KindU8:
		return U8Val(l.mem.U8(ptr))
	case KindS16:
		return S16Val(int16(l.mem.U16(ptr)))
	case KindU16:
		return U16Val(l.mem.U16(ptr))
	case KindS32:
		return S32Val(int32(l.mem.U32(ptr)))
	case KindU32:
		return U32Val(l.mem.U32(ptr))
	case KindS64:
		return S64Val(int64(l.mem.U64(ptr)))
	case KindU64:
		return U64Val(l.mem.U64(ptr))
	case KindF32:
		return Val{kind: KindF32, bits: uint64(canonical32(l.mem.U32(ptr)))}
	case KindF64:
		return Val{kind: KindF64, bits: canonical64(l.mem.U64(ptr))}
	case KindChar:
		return l.char(l.mem.U32(ptr))
	case KindString:
		return l.str(l.mem.U32(ptr), l.mem.U32(ptr+4))
	case KindList:
		return l.list(t.Elem, l.mem.U32(ptr), l.mem.U32(ptr+4))
	case KindFixedList:
		return l.elems(t.Elem, ptr, t.Len)
	case KindRecord, KindTuple:
		vs := l.vals(len(t.Fields))
		for i := range t.Fields {
			f := &t.Fields[i]
			vs[i] = l.load(f.Type, ptr+f.Offset)
		}
		return several(t.Kind, vs)
	case KindEnum:
		return EnumVal(checkCase(t, loadDiscriminant(l.mem, t, ptr)))
	case KindVariant, KindOption, KindResult:
		i := checkCase(t, loadDiscriminant(l.mem, t, ptr))
		u := t.Cases[i].Type
		if u == nil {
			return Val{kind: t.Kind, bits: uint64(i)}
		}
		return l.payload(t.Kind, i, l.load(u, ptr+t.PayloadOffset))
	case KindFlags:
		return l.flags(t, func(w uint32) uint32 { return loadFlagWord(l.mem, t, ptr, w) })
	}
	return l.handle(t, l.mem.U32(ptr))
}

// flat lifts a value from the core values at the start of st.
func (l *lifter) flat(t *Type, st []Raw) Val {
	switch t.Kind {
	case KindBool:
		return BoolVal(st[0].U32() != 0)
	case KindS8:
		return S8Val(int8(st[0].U32()))
	case KindU8:
		return U8Val(uint8(st[0].U32()))
	case KindS16:
		return S16Val(int16(st[0].U32()))
	case KindU16:
		return U16Val(uint16(st[0].U32()))
	case KindS32:
		return S32Val(int32(st[0].U32()))
	case KindU32:
		return U32Val(st[0].U32())
	case KindS64:
		return S64Val(int64(st[0].U64()))
	case KindU64:
		return U64Val(st[0].U64())
	case KindF32:
		return Val{kind: KindF32, bits: uint64(canonical32(st[0].U32()))}
	case KindF64:
		return Val{kind: KindF64, bits: canonical64(st[0].U64())}
	case KindChar:
		return l.char(st[0].U32())
	case KindString:
		return l.str(st[0].U32(), st[1].U32())
	case KindList:
		return l.list(t.Elem, st[0].U32(), st[1].U32())
	case KindFixedList:
		vs := l.vals(int(t.Len))
		for i := range vs {
			vs[i] = l.flat(t.Elem, st)
			st = st[t.Elem.FlatCount:]
		}
		return ListVal(vs...)
	case KindRecord, KindTuple:
		vs := l.vals(len(t.Fields))
		for i := range t.Fields {
			u := t.Fields[i].Type
			vs[i] = l.flat(u, st)
			st = st[u.FlatCount:]
		}
		return several(t.Kind, vs)
	case KindEnum:
		return EnumVal(checkCase(t, st[0].U32()))
	case KindVariant, KindOption, KindResult:
		i := checkCase(t, st[0].U32())
		u := t.Cases[i].Type
		if u == nil {
			return Val{kind: t.Kind, bits: uint64(i)}
		}
		return l.payload(t.Kind, i, l.flat(u, st[1:]))
	case KindFlags:
		return l.flags(t, func(w uint32) uint32 { return st[w].U32() })
	}
	return l.handle(t, st[0].U32())
}

func (l *lifter) char(c uint32) Val {
	checkChar(c)
	return CharVal(rune(c))
}

func (l *lifter) str(ptr, length uint32) Val {
	t := readText(l.mem, l.cx.Encoding(), ptr, length, hostStringBounds)
	size := uint64(len(t.bytes))
	if t.form != formUTF8 {
		size *= 2 // the most that UTF-8 takes for Latin-1, and more than for UTF-16
	}
	l.charge(size)
	return StringVal(t.decode())
}

func (l *lifter) list(elem *Type, ptr, n uint32) Val {
	checkList(l.mem, elem, ptr, n, "list pointer/length out of bounds of memory")
	return l.elems(elem, ptr, n)
}

// checkList traps unless a list of n elements at ptr is permitted and lies in
// mem (load_list_from_range). oob words the trap for one that does not.
func checkList(mem Memory, elem *Type, ptr, n uint32, oob string) {
	size := uint64(n) * uint64(elem.Size)
	if size > MaxListBytes {
		Throw(TrapTooLong, "%s: list of %d bytes is too long", oob, size)
	}
	if ptr&(elem.Align-1) != 0 {
		unaligned(ptr, elem.Align)
	}
	if uint64(ptr)+size > uint64(len(mem)) {
		Throw(TrapOutOfBounds, "%s: %d bytes at %#x, memory has %d", oob, size, ptr, len(mem))
	}
}

// elems lifts n elements that lie one after the other.
func (l *lifter) elems(elem *Type, ptr, n uint32) Val {
	if isScalar(elem.Kind) {
		size := n * elem.Size
		l.charge(uint64(size))
		return loadScalars(elem.Kind, l.mem.at(ptr, size), n)
	}
	vs := l.vals(int(n))
	for i := range vs {
		vs[i] = l.load(elem, ptr)
		ptr += elem.Size
	}
	return ListVal(vs...)
}

func (l *lifter) payload(k Kind, index uint32, v Val) Val {
	p := &l.vals(1)[0]
	*p = v
	return choice(k, index, p)
}

// flags lifts flags whose w-th 32 bits word returns. Bits without a label are
// dropped.
func (l *lifter) flags(t *Type, word func(w uint32) uint32) Val {
	n := uint32(len(t.Names))
	if n <= 32 {
		return FlagsVal(uint64(maskFlags(t, 0, word(0))))
	}
	words := make([]uint64, (n+63)/64)
	for w := range (n + 31) / 32 {
		words[w/2] |= uint64(maskFlags(t, w, word(w))) << (w % 2 * 32)
	}
	return FlagsVal(words...)
}

func (l *lifter) handle(t *Type, h uint32) Val {
	switch t.Kind {
	case KindOwn:
		return OwnVal(l.cx.LiftOwn(t.Resource, h))
	case KindBorrow:
		return BorrowVal(l.cx.LiftBorrow(t.Resource, h))
	}
	return asyncVal(t.Kind, asyncContext(l.cx, t).LiftAsync(t, h))
}

func asyncContext(cx Context, t *Type) AsyncContext {
	a, ok := cx.(AsyncContext)
	if !ok {
		Throw(TrapOther, "values of type %s are not supported", t)
	}
	return a
}

// loadDiscriminant returns the discriminant of the variant at ptr.
func loadDiscriminant(m Memory, t *Type, ptr uint32) uint32 {
	switch t.DiscSize {
	case 1:
		return uint32(m.U8(ptr))
	case 2:
		return uint32(m.U16(ptr))
	}
	return m.U32(ptr)
}

// checkCase returns i if it is the index of a case of t, and traps if not.
func checkCase(t *Type, i uint32) uint32 {
	n := len(t.Cases)
	if t.Kind == KindEnum {
		n = len(t.Names)
	}
	if uint64(i) >= uint64(n) {
		Throw(TrapBadDiscriminant, "invalid variant discriminant: %d of %d cases", i, n)
	}
	return i
}

// loadFlagWord returns the w-th 32 flags, unmasked, of the flags at ptr.
func loadFlagWord(m Memory, t *Type, ptr, w uint32) uint32 {
	switch t.Size {
	case 1:
		return uint32(m.U8(ptr))
	case 2:
		return uint32(m.U16(ptr))
	}
	return m.U32(ptr + 4*w)
}

// maskFlags clears the bits of the w-th 32 flags that have no label.
func maskFlags(t *Type, w, bits uint32) uint32 {
	if n := uint32(len(t.Names)) - 32*w; n < 32 {
		bits &= 1<<n - 1
	}
	return bits
}
