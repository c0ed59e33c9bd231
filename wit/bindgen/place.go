package main

import "fmt"

// place is where a value lies: in guest memory, at an offset from the address
// in a variable; or among core values, at an offset in the slice st.
type place struct {
	memory  bool
	address string // the variable, in memory
	off     uint32 // in bytes, or in core values
}

// parameter gives the place of a value that a function is given as a whole.
func parameter(memory bool) place {
	return place{memory: memory, address: "at"}
}

func (p place) plus(off uint32) place {
	p.off += off
	return p
}

// arg gives what a function that moves a value is told the place by.
func (p place) arg() string {
	switch {
	case p.memory && p.off == 0:
		return p.address
	case p.memory:
		return fmt.Sprintf("%s+%d", p.address, p.off)
	case p.off == 0:
		return "st"
	}
	return fmt.Sprintf("st[%d:]", p.off)
}

// get gives an expression for a scalar at the place: U8, U16, U32, U64, F32 or
// F64 in memory. Core values know the wide kinds only.
func (p place) get(kind string) string {
	if p.memory {
		return fmt.Sprintf("c.Mem().%s(%s)", kind, p.arg())
	}
	return fmt.Sprintf("st[%d].%s()", p.off, core(kind))
}

// put gives a statement that writes expr, of the Go type that fits kind.
func (p place) put(kind, expr string) string {
	if p.memory {
		return fmt.Sprintf("c.Mem().Put%s(%s, %s)", kind, p.arg(), expr)
	}
	return fmt.Sprintf("st[%d].Set%s(%s)", p.off, core(kind), expr)
}

// core gives the core value kind that carries a memory kind.
func core(kind string) string {
	if kind == "U8" || kind == "U16" {
		return "U32"
	}
	return kind
}

// second gives the place of the second half of a pointer and length.
func (p place) second() place {
	if p.memory {
		return p.plus(4)
	}
	return p.plus(1)
}
