package abi

// Store lowers v as a value of type t to ptr in the memory of cx
// (CanonicalABI.md, section Storing). The pointer is checked for range and
// alignment. A Val that does not fit the type traps with TrapBadValue.
func Store(cx Context, t *Type, v Val, ptr uint32) {
	w := lowerer{cx: cx, mem: cx.Memory()}
	w.mem.Check(ptr, uint64(t.Size), t.Align)
	w.store(t, v, ptr)
}

// LowerFlat lowers v as a value of type t to the core values at the start of st
// (CanonicalABI.md, section Flat Lowering). The type must have a flat form. A Val
// that does not fit the type traps with TrapBadValue.
func LowerFlat(cx Context, t *Type, v Val, st []Raw) {
	w := lowerer{cx: cx, mem: cx.Memory()}
	w.flat(t, v, st)
}

// A lowerer lowers the values of one call. Its view of memory is renewed by
// every allocation, since those run guest code.
type lowerer struct {
	cx  Context
	mem Memory
}

func (w *lowerer) alloc(size, align uint32) uint32 {
	ptr := Alloc(w.cx, size, align)
	w.mem = w.cx.Memory()
	return ptr
}

func badValue(t *Type, v Val) {
	Throw(TrapBadValue, "cannot lower a value of kind %s as %s", v.kind, brief(t))
}

// check traps unless v is of the kind of t.
func check(t *Type, v Val) {
	if v.kind != t.Kind && (v.kind != KindList || t.Kind != KindFixedList) {
		badValue(t, v)
	}
}

// store lowers v to ptr.
func (w *lowerer) store(t *Type, v Val, ptr uint32) {
	check(t, v)
	switch t.Kind {
	case KindBool, KindS8, KindU8:
		w.mem.PutU8(ptr, uint8(v.bits))
	case KindS16, KindU16:
		w.mem.PutU16(ptr, uint16(v.bits))
	case KindS32, KindU32, KindF32:
		w.mem.PutU32(ptr, uint32(v.bits))
	case KindS64, KindU64, KindF64:
		w.mem.PutU64(ptr, v.bits)
	case KindChar:
		checkChar(uint32(v.bits))
		w.mem.PutU32(ptr, uint32(v.bits))
	case KindString:
		p, n := w.str(v)
		w.mem.PutU32(ptr, p)
		w.mem.PutU32(ptr+4, n)
	case KindList:
		p, n := w.list(t.Elem, v)
		w.mem.PutU32(ptr, p)
		w.mem.PutU32(ptr+4, n)
	case KindFixedList:
		if uint64(t.Len) != v.bits {
			wrongLen(t, int(t.Len), v)
		}
		w.elems(t.Elem, v, ptr)
	case KindRecord, KindTuple:
		for i, f := range w.fields(t, v) {
			u := &t.Fields[i]
			w.store(u.Type, f, ptr+u.Offset)
		}
	case KindEnum:
		storeDiscriminant(w.mem, t, ptr, lowerCase(t, v))
	case KindVariant, KindOption, KindResult:
		i := lowerCase(t, v)
		storeDiscriminant(w.mem, t, ptr, i)
		if u := t.Cases[i].Type; u != nil {
			w.store(u, casePayload(t, v), ptr+t.PayloadOffset)
		}
	case KindFlags:
		checkFlags(t, v)
		for i := range flagWords(t) {
			storeFlagWord(w.mem, t, ptr, i, lowerFlagWord(v, i))
		}
	default:
		w.mem.PutU32(ptr, w.handle(t, v))
	}
}

// flat lowers v to the core values at the start of st.
func (w *lowerer) flat(t *Type, v Val, st []Raw) {
	check(t, v)
	switch t.Kind {
	case KindBool, KindS8, KindU8, KindS16, KindU16, KindS32, KindU32, KindF32:
		// Narrow signed integers are extended to 32 bits, which the 64 of a
		// Val, extended likewise, contain.
		st[0].SetU32(uint32(v.bits))
	case KindS64, KindU64, KindF64:
		st[0].SetU64(v.bits)
	case KindChar:
		checkChar(uint32(v.bits))
		st[0].SetU32(uint32(v.bits))
	case KindString:
		p, n := w.str(v)
		st[0].SetU32(p)
		st[1].SetU32(n)
	case KindList:
		p, n := w.list(t.Elem, v)
		st[0].SetU32(p)
		st[1].SetU32(n)
	case KindFixedList:
		if uint64(t.Len) != v.bits {
			wrongLen(t, int(t.Len), v)
		}
		for _, e := range v.Elems() {
			w.flat(t.Elem, e, st)
			st = st[t.Elem.FlatCount:]
		}
	case KindRecord, KindTuple:
		for i, f := range w.fields(t, v) {
			u := t.Fields[i].Type
			w.flat(u, f, st)
			st = st[u.FlatCount:]
		}
	case KindEnum:
		st[0].SetU32(lowerCase(t, v))
	case KindVariant, KindOption, KindResult:
		i := lowerCase(t, v)
		st[0].SetU32(i)
		used := 1
		if u := t.Cases[i].Type; u != nil {
			w.flat(u, casePayload(t, v), st[1:])
			used += u.FlatCount
		}
		clear(st[used:t.FlatCount])
	case KindFlags:
		checkFlags(t, v)
		for i := range flagWords(t) {
			st[i].SetU32(lowerFlagWord(v, i))
		}
	default:
		st[0].SetU32(w.handle(t, v))
	}
}

func (w *lowerer) str(v Val) (ptr, length uint32) {
	ptr, length = LowerString(w.cx, v.Str())
	w.mem = w.cx.Memory()
	return ptr, length
}

func (w *lowerer) list(elem *Type, v Val) (ptr, n uint32) {
	// The first bound keeps the product of the second from wrapping.
	if v.bits > MaxListBytes || v.bits*uint64(elem.Size) > MaxListBytes {
		Throw(TrapTooLong, "list of %d elements is too long to lower", v.bits)
	}
	n = uint32(v.bits)
	ptr = w.alloc(n*elem.Size, elem.Align)
	w.elems(elem, v, ptr)
	return ptr, n
}

// elems lowers the elements of a list one after the other, from ptr on.
func (w *lowerer) elems(elem *Type, v Val, ptr uint32) {
	if v.elem != KindInvalid {
		if v.elem != elem.Kind {
			Throw(TrapBadValue, "cannot lower a list of %s as a list of %s", v.elem, brief(elem))
		}
		storeScalars(w.mem.at(ptr, uint32(v.bits)*elem.Size), v)
		return
	}
	for _, e := range v.Elems() {
		w.store(elem, e, ptr)
		ptr += elem.Size
	}
}

func (w *lowerer) fields(t *Type, v Val) []Val {
	if uint64(len(t.Fields)) != v.bits {
		wrongLen(t, len(t.Fields), v)
	}
	return v.Elems()
}

func wrongLen(t *Type, want int, v Val) {
	Throw(TrapBadValue, "cannot lower %d values as %s, which has %d", v.bits, brief(t), want)
}

func (w *lowerer) handle(t *Type, v Val) uint32 {
	switch t.Kind {
	case KindOwn:
		return w.cx.LowerOwn(t.Resource, v.ref)
	case KindBorrow:
		return w.cx.LowerBorrow(t.Resource, v.ref)
	}
	return asyncContext(w.cx, t).LowerAsync(t, v.ref)
}

// lowerCase returns the case of v, which must be one of t's.
func lowerCase(t *Type, v Val) uint32 {
	n := len(t.Cases)
	if t.Kind == KindEnum {
		n = len(t.Names)
	}
	if v.bits >= uint64(n) {
		Throw(TrapBadValue, "cannot lower case %d of %s, which has %d", v.bits, brief(t), n)
	}
	if _, has := v.Payload(); has && t.Cases[v.bits].Type == nil {
		Throw(TrapBadValue, "cannot lower a payload of case %q of %s, which has none", t.Cases[v.bits].Name, brief(t))
	}
	return uint32(v.bits)
}

// casePayload returns the payload of v, whose case has one in t.
func casePayload(t *Type, v Val) Val {
	p, ok := v.Payload()
	if !ok {
		Throw(TrapBadValue, "cannot lower case %q of %s without its payload", t.Cases[v.bits].Name, brief(t))
	}
	return p
}

func storeDiscriminant(m Memory, t *Type, ptr, i uint32) {
	switch t.DiscSize {
	case 1:
		m.PutU8(ptr, uint8(i))
	case 2:
		m.PutU16(ptr, uint16(i))
	default:
		m.PutU32(ptr, i)
	}
}

// flagWords returns how many 32-bit words flags of type t take.
func flagWords(t *Type) uint32 { return uint32(len(t.Names)+31) / 32 }

// checkFlags traps if a flag is set in v that has no label in t.
func checkFlags(t *Type, v Val) {
	for i := range v.flagWords() {
		if n := len(t.Names) - 64*i; n < 64 && v.flagWord(i)>>max(n, 0) != 0 {
			Throw(TrapBadValue, "cannot lower %s as %s, which has %d labels", v, brief(t), len(t.Names))
		}
	}
}

// lowerFlagWord returns the i-th 32 flags of v.
func lowerFlagWord(v Val, i uint32) uint32 {
	return uint32(v.flagWord(int(i/2)) >> (i % 2 * 32))
}

func storeFlagWord(m Memory, t *Type, ptr, w, bits uint32) {
	switch t.Size {
	case 1:
		m.PutU8(ptr, uint8(bits))
	case 2:
		m.PutU16(ptr, uint16(bits))
	default:
		m.PutU32(ptr+4*w, bits)
	}
}
