package wasihttp

import (
	"strings"
	"testing"

	"github.com/minispin/minispin/wit/value"
)

// FuzzFields makes a guest of random bytes: each step of it is a call on one of
// four fields resources. Whatever it does, the accounts must be right, no field
// may be one that could not be sent, and bounds must hold.
func FuzzFields(f *testing.F) {
	f.Add([]byte("\x00x-a\x00value\x01x-a\x00other\x02X-A\x00\x03x-a\x00"))
	f.Add([]byte("\x01host\x00x\x01a b\x00x\x01a\x00\r\n\x04\x05\x06\x07"))
	f.Fuzz(func(t *testing.T, program []byte) {
		x := &Ctx{}
		h := host{x}
		var all [4]*Fields
		for len(program) > 0 {
			op := program[0]
			name, rest, _ := strings.Cut(string(program[1:]), "\x00")
			if len(rest) > 0 && op&0x80 != 0 {
				rest = strings.Repeat(rest, int(op))
			}
			v := rest[:min(len(rest), 4096)]
			program = program[1+min(len(name), len(program)-1):]
			at := int(op>>3) & 3
			if all[at] == nil {
				made, err := h.NewFields(nil)
				if err != nil {
					continue
				}
				all[at] = made.(*Fields)
			}
			fields := all[at]
			switch op & 7 {
			case 0, 1:
				_ = fields.Append(nil, name, []byte(v))
			case 2:
				_ = fields.Set(nil, name, [][]byte{[]byte(v), []byte(name), []byte(v)})
			case 3:
				_ = fields.Delete(nil, name)
			case 4:
				if other, err := fields.clone(&x.ledger); err == nil {
					if old := all[(at+1)&3]; old != nil {
						old.Drop()
					}
					all[(at+1)&3] = other
				}
			case 5:
				entries := make([]value.Tuple2[string, []byte], int(op))
				for i := range entries {
					entries[i] = value.Tuple2[string, []byte]{F0: name, F1: []byte(v)}
				}
				if made, err := h.FieldsFromList(nil, entries); err == nil {
					made.Drop()
				}
			case 6:
				fields.share().Drop()
			case 7:
				fields.Drop()
				all[at] = nil
			}
		}
		sum := 0
		for _, fields := range all {
			if fields == nil {
				continue
			}
			size := 0
			for i := range fields.list {
				fl := &fields.list[i]
				size += fl.size()
				if !ValidField(fl.Name, fl.Value) || fl.Name != strings.ToLower(fl.Name) {
					t.Errorf("field %q: %q", fl.Name, fl.Value)
				}
			}
			if size != fields.size || len(fields.list) > MaxFields || size > MaxFieldsBytes {
				t.Errorf("%d fields of %d bytes, counted as %d", len(fields.list), size, fields.size)
			}
			sum += size + fieldsOverhead
		}
		if sum != x.ledger.size || sum > MaxAllFieldsBytes {
			t.Errorf("%d bytes, counted as %d", sum, x.ledger.size)
		}
	})
}
