package abi

import (
	"errors"
	"testing"
)

func TestCatch(t *testing.T) {
	keep := errors.New("kept")
	f := func(body func()) (err error) {
		defer Catch(&err)
		err = keep
		body()
		return err
	}
	if err := f(func() {}); err != keep {
		t.Errorf("without a panic: %v", err)
	}
	var trap *Trap
	if err := f(func() { Throw(TrapBadChar, "code %d", 7) }); !errors.As(err, &trap) || trap.Code != TrapBadChar || trap.Msg != "code 7" {
		t.Errorf("trap: %v", err)
	}
	defer func() {
		if r := recover(); r != "bug" {
			t.Errorf("recovered %v, want the panic that is no trap", r)
		}
	}()
	_ = f(func() { panic("bug") })
}

func TestMemory(t *testing.T) {
	m := make(Memory, 16)
	m.PutU8(0, 1)
	m.PutU16(1, 0x203)
	m.PutU32(3, 0x4050607)
	m.PutF32(8, 0.5)
	if m.U8(0) != 1 || m.U16(1) != 0x203 || m.U32(3) != 0x4050607 || m.F32(8) != 0.5 || m.U8(2) != 2 {
		t.Errorf("% x", m)
	}
	m.PutF64(8, 0.5)
	if m.F64(8) != 0.5 || m.U64(8) != 0x3fe0000000000000 {
		t.Errorf("% x", m)
	}
	m.PutU64(8, 1)
	for size, f := range map[uint32]func(off uint32){
		1: func(off uint32) { m.U8(off); m.PutU8(off, 0) },
		2: func(off uint32) { m.U16(off); m.PutU16(off, 0) },
		4: func(off uint32) { m.U32(off); m.F32(off); m.PutU32(off, 0) },
		8: func(off uint32) { m.U64(off); m.F64(off); m.PutU64(off, 0) },
	} {
		f(16 - size)
		for _, off := range []uint32{16 - size + 1, 16, 1 << 31, 1<<32 - 1, -size} {
			wantTrap(t, TrapOutOfBounds, func() { f(off) })
		}
	}
	m.Check(16, 0, 1)
	m.Check(8, 8, 8)
	wantTrap(t, TrapOutOfBounds, func() { m.Check(17, 0, 1) })
	wantTrap(t, TrapOutOfBounds, func() { m.Check(8, 9, 8) })
	wantTrap(t, TrapOutOfBounds, func() { m.Check(8, 1<<64-1, 8) })
	wantTrap(t, TrapUnaligned, func() { m.Check(4, 4, 8) })
}

func TestRaw(t *testing.T) {
	var r Raw
	r.SetU64(1<<63 | 5)
	if r.U64() != 1<<63|5 || r.U32() != 5 {
		t.Errorf("%#x", r)
	}
	r.Hi = 1
	r.SetU32(7)
	if (r != Raw{Lo: 7}) {
		t.Errorf("a setter left other bytes: %#x", r)
	}
	r.SetF32(0.5)
	if r.F32() != 0.5 || r.U32() != 0x3f000000 {
		t.Errorf("%#x", r)
	}
	r.SetF64(0.5)
	if r.F64() != 0.5 {
		t.Errorf("%#x", r)
	}
}
