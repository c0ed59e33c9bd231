package footprint

import (
	"fmt"
	"runtime"
	"sync"
)

// walker reads the code section. The first error sticks and ends all reading.
type walker struct {
	m    *Module
	b    []byte
	pos  int
	base int    // offset of b[0] in the module
	fn   uint32 // the function being read
	err  error
}

func (w *walker) fail(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf("code section at byte %#x: function %d: %s", w.base+w.pos, w.fn, fmt.Sprintf(format, args...))
	}
	w.pos = len(w.b)
}

func (w *walker) byte() byte {
	if w.pos >= len(w.b) {
		w.fail("unexpected end")
		return 0
	}
	c := w.b[w.pos]
	w.pos++
	return c
}

func (w *walker) skip(n int) {
	if n > len(w.b)-w.pos {
		w.fail("unexpected end")
		return
	}
	w.pos += n
}

// u32 reads an unsigned number.
func (w *walker) u32() uint32 {
	var n uint64
	for shift := 0; shift < 35; shift += 7 {
		c := w.byte()
		n |= uint64(c&0x7f) << shift
		if c < 0x80 {
			if n>>32 != 0 {
				break
			}
			return uint32(n)
		}
	}
	w.fail("number longer than 32 bits")
	return 0
}

// leb passes over a number of at most the given bytes.
func (w *walker) leb(most int) {
	for range most {
		if w.byte() < 0x80 {
			return
		}
	}
	w.fail("number longer than %d bytes", most)
}

// code walks all function bodies. first is the index of the first of them.
func (w *walker) code(first uint32) error {
	w.fn = first
	var bodies []body
	for n := w.u32(); n > 0 && w.err == nil; n-- {
		size := w.u32()
		if w.err != nil {
			break
		}
		if uint64(size) > uint64(len(w.b)-w.pos) {
			w.fail("body of %d bytes reaches beyond the section", size)
			break
		}
		bodies = append(bodies, body{w.fn, w.pos, w.pos + int(size)})
		w.pos += int(size)
		w.fn++
	}
	if w.err == nil && w.pos != len(w.b) {
		w.fail("%d bytes left over at the end", len(w.b)-w.pos)
	}
	if err := w.walkAll(bodies); err != nil {
		return err // of a function before what is wrong with the section
	}
	return w.err
}

// body is where a function's body begins and ends.
type body struct {
	fn       uint32
	from, to int
}

// parallelCode is the size from which code is walked by several goroutines.
const parallelCode = 1 << 20

// walkAll walks bodies in order, or parts of them side by side. The error is that
// of the first function that has one.
func (w *walker) walkAll(bodies []body) error {
	parts := split(bodies, min(runtime.GOMAXPROCS(0), 1+len(w.b)/parallelCode))
	if len(parts) == 1 {
		return w.walk(w.m, bodies)
	}
	found := make([]*Module, len(parts))
	errs := make([]error, len(parts))
	var g sync.WaitGroup
	for i, part := range parts {
		found[i] = w.m.blank()
		g.Go(func() { errs[i] = w.walk(found[i], part) })
	}
	g.Wait()
	for i, f := range found {
		if errs[i] != nil {
			return errs[i]
		}
		w.m.merge(f)
	}
	return nil
}

// split cuts bodies into at most n parts of about the same number of bytes.
func split(bodies []body, n int) [][]body {
	var parts [][]body
	for ; n > 1 && len(bodies) > 1; n-- {
		share := bodies[0].from + (bodies[len(bodies)-1].to-bodies[0].from)/n
		i := 1
		for i < len(bodies) && bodies[i].to <= share {
			i++
		}
		parts = append(parts, bodies[:i])
		bodies = bodies[i:]
	}
	return append(parts, bodies)
}

// walk notes in m what the code of bodies changes.
func (w *walker) walk(m *Module, bodies []body) error {
	for _, b := range bodies {
		f := &walker{m: m, b: w.b[:b.to], pos: b.from, base: w.base, fn: b.fn}
		if f.body(); f.err != nil {
			return f.err
		}
	}
	return nil
}

// body walks one function: its locals, then instructions up to the end that
// closes it, which must be the last byte.
func (w *walker) body() {
	for n := w.u32(); n > 0 && w.err == nil; n-- {
		w.u32()
		w.valueType()
	}
	depth := 1
	for w.err == nil {
		op := w.byte()
		switch plain[op] {
		case immNone:
		case immBlock:
			depth++
			w.blockType()
		case immEnd:
			if depth--; depth == 0 {
				if left := len(w.b) - w.pos; left > 0 {
					w.fail("%d bytes left over after the end", left)
				}
				return
			}
		case immIndex:
			i := w.u32()
			switch op {
			case opGlobalSet:
				if g, ok := w.m.globals[i]; ok {
					w.note(&w.m.Globals[g].Set, "global.set")
				}
			case opTableSet:
				w.changesTable(i, "table.set")
			case opMemoryGrow:
				w.note(&w.m.Grows, "memory.grow")
			}
		case immMisc:
			w.misc()
		case immVector:
			op := w.u32()
			imm := vectorImmediate(op)
			if imm == immUnknown {
				w.fail("unknown vector instruction %#x", op)
			}
			w.immediate(imm)
		case immUnknown:
			w.fail("unknown instruction %#02x", op)
		default:
			w.immediate(plain[op])
		}
	}
}

// misc walks one of the instructions that begin with the byte 0xfc.
func (w *walker) misc() {
	op := w.u32()
	if w.err != nil {
		return
	}
	if uint64(op) >= uint64(len(misc)) {
		w.fail("unknown instruction 0xfc %d", op)
		return
	}
	switch op {
	case miscDataDrop:
		w.u32()
		w.note(&w.m.Drops, "data.drop")
	case miscElemDrop:
		w.u32()
		w.note(&w.m.Drops, "elem.drop")
	case miscTableInit:
		w.u32()
		w.changesTable(w.u32(), "table.init")
	case miscTableCopy:
		w.changesTable(w.u32(), "table.copy")
		w.u32()
	case miscTableFill:
		w.changesTable(w.u32(), "table.fill")
	case miscTableGrow:
		i := w.u32()
		w.changesTable(i, "table.grow")
		if w.err == nil {
			w.note(&w.m.Tables[i].Grow, "table.grow")
		}
	default:
		w.immediate(misc[op])
	}
}

// immediate passes over what follows an opcode.
func (w *walker) immediate(imm immediate) {
	switch imm {
	case immIndex:
		w.u32()
	case immIndex2:
		w.u32()
		w.u32()
	case immTable:
		for n := uint64(w.u32()) + 1; n > 0 && w.err == nil; n-- {
			w.u32()
		}
	case immTypes:
		for n := w.u32(); n > 0 && w.err == nil; n-- {
			w.valueType()
		}
	case immHeapType:
		w.leb(5)
	case immMemArg:
		w.memArg()
	case immMemLane:
		w.memArg()
		w.byte()
	case immI32:
		w.leb(5)
	case immI64:
		w.leb(10)
	case imm1:
		w.skip(1)
	case imm4:
		w.skip(4)
	case imm8:
		w.skip(8)
	case imm16:
		w.skip(16)
	}
}

// memArg passes over the alignment, the memory when its bit is set, and the
// offset of an access.
func (w *walker) memArg() {
	const namesMemory = 1 << 6
	if w.u32()&namesMemory != 0 {
		w.u32()
	}
	w.leb(10)
}

// blockType passes over a block type: nothing, one value type or an index.
func (w *walker) blockType() {
	if w.pos < len(w.b) && isTypedRef(w.b[w.pos]) {
		w.valueType()
		return
	}
	w.leb(5)
}

// valueType passes over a value type.
func (w *walker) valueType() {
	if c := w.byte(); isTypedRef(c) {
		w.leb(5)
	}
}

// isTypedRef reports whether a heap type follows: (ref t) or (ref null t).
func isTypedRef(c byte) bool { return c == 0x63 || c == 0x64 }

// note keeps the first change of a kind.
func (w *walker) note(to **Change, op string) {
	if *to == nil && w.err == nil {
		*to = &Change{Op: op, Func: w.fn}
	}
}

func (w *walker) changesTable(i uint32, op string) {
	if w.err != nil {
		return
	}
	if uint64(i) >= uint64(len(w.m.Tables)) {
		w.fail("%s: table %d is out of bounds, there are %d", op, i, len(w.m.Tables))
		return
	}
	w.note(&w.m.Tables[i].Change, op)
}
