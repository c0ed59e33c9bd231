package abi

import "testing"

func TestPrimitiveLayout(t *testing.T) {
	for _, tt := range []struct {
		typ         *Type
		size, align uint32
	}{
		{Bool, 1, 1}, {S16, 2, 2}, {U32, 4, 4}, {F64, 8, 8}, {Char, 4, 4}, {String, 8, 4},
	} {
		if tt.typ.Size != tt.size || tt.typ.Align != tt.align {
			t.Errorf("%s: size %d align %d, want %d %d", tt.typ, tt.typ.Size, tt.typ.Align, tt.size, tt.align)
		}
	}
}
