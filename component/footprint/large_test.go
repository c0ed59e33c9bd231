package footprint_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"runtime"
	"strings"
	"testing"

	"github.com/minispin/minispin/component/footprint"
)

// TestLargeCode: code that is walked in parts gives what it gives in one go, the
// first change and the first mistake by the order of functions.
func TestLargeCode(t *testing.T) {
	const funcs, size = 4000, 1000
	module := func(change map[int][]byte) []byte {
		b := []byte("\x00asm\x01\x00\x00\x00\x01\x04\x01\x60\x00\x00") // type 0: (func)
		section := func(id byte, body []byte) {
			b = append(b, id)
			b = binary.AppendUvarint(b, uint64(len(body)))
			b = append(b, body...)
		}
		section(3, append(binary.AppendUvarint(nil, funcs), make([]byte, funcs)...))
		section(4, []byte{2, 0x70, 0, 1, 0x70, 0, 1})                         // two tables
		section(5, []byte{1, 0, 1})                                           // a memory
		section(6, []byte{2, 0x7f, 1, 0x41, 0, 0x0b, 0x7f, 1, 0x41, 0, 0x0b}) // two mutable globals
		code := binary.AppendUvarint(nil, funcs)
		for i := range funcs {
			body := append([]byte{0}, change[i]...)
			body = append(body, bytes.Repeat([]byte{0x01}, size-len(body)-1)...)
			code = binary.AppendUvarint(code, size)
			code = append(append(code, body...), 0x0b)
		}
		section(10, code)
		return b
	}
	set := func(global byte) []byte { return []byte{0x41, 0, 0x24, global} }
	sound := map[int][]byte{
		5: set(1), 1700: set(0), 3900: set(0), 3999: set(1),
		2100: {0x41, 0, 0xd0, 0x70, 0x26, 1}, // table.set 1
		1100: {0x41, 0, 0x40, 0, 0x1a},       // memory.grow
		2900: {0x41, 0, 0x40, 0, 0x1a},
		3500: {0xfc, 0x0d, 0},                          // elem.drop
		3100: {0xd0, 0x70, 0x41, 1, 0xfc, 15, 1, 0x1a}, // table.grow 1
	}
	broken := maps.Clone(sound)
	broken[3300], broken[2500] = []byte{0xff}, []byte{0xfe, 0xff}
	for _, procs := range []int{1, 2, 3, 8} {
		t.Run(fmt.Sprint(procs), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			m := scan(t, module(sound))
			for name, tt := range map[string]struct {
				have *footprint.Change
				want string
			}{
				"global 0": {m.Globals[0].Set, "global.set in function 1700"},
				"global 1": {m.Globals[1].Set, "global.set in function 5"},
				"table 1":  {m.Tables[1].Change, "table.set in function 2100"},
				"grown":    {m.Tables[1].Grow, "table.grow in function 3100"},
				"memory":   {m.Grows, "memory.grow in function 1100"},
				"drop":     {m.Drops, "elem.drop in function 3500"},
			} {
				if tt.have == nil || tt.have.String() != tt.want {
					t.Errorf("%s: %v, want %s", name, tt.have, tt.want)
				}
			}
			if m.Tables[0].Change != nil {
				t.Errorf("table 0: %v", m.Tables[0].Change)
			}
			if _, err := footprint.Scan(module(broken)); err == nil || !strings.Contains(err.Error(), "function 2500") {
				t.Errorf("%v, want the mistake in function 2500", err)
			}
			if _, err := footprint.Scan(module(sound)[:2_000_000]); err == nil {
				t.Error("a module that is cut off was read")
			}
		})
	}
}
