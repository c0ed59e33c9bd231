package binary

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// FuzzDecode looks for inputs that make the decoder panic, hang, or accept a
// tree that is not sound. Run it with -fuzzminimizetime=1s: there are many
// seeds, and by default each new input is made smaller for a minute.
func FuzzDecode(f *testing.F) {
	for _, b := range textComponents(f) {
		f.Add(b)
	}
	for _, c := range wastCommands(f) {
		f.Add(c.Binary)
	}
	f.Add(assemble(f, moduleText))
	f.Add(cat(coreStart, worldSection(f, "component-type:one", 0, worldOne), worldSection(f, "component-type:two", 0, worldTwo)))
	f.Add(nest(5))
	f.Add(nestTypes(5))
	f.Add(pairs(5))
	guests, _ := filepath.Glob(filepath.Join("..", "..", "guests", "bin", "*.wasm"))
	for _, file := range guests {
		// Larger ones slow the fuzzer down more than they teach it.
		const size = 64 << 10
		if b, err := os.ReadFile(file); err == nil && len(b) <= size {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		c, err := Decode(b, Limits{})
		if err != nil {
			checkError(t, b, err)
		} else {
			checkTree(t, b, c)
			again, err := Decode(b, Limits{})
			if err != nil || dump(again) != dump(c) {
				t.Errorf("decoding again gives something else: %v", err)
			}
		}
		m, err := DecodeModule(b, Limits{})
		if err != nil {
			checkError(t, b, err)
		} else {
			for i := range m.Customs {
				// Errors are fine here, panics are not.
				_, _ = m.Customs[i].Names()
				_, _ = m.Customs[i].Producers()
			}
			if w, err := m.World(Limits{}); err == nil {
				for _, s := range w.Sections {
					checkTree(t, b, s.Component)
				}
			}
		}
		if !bytes.Equal(b, before) {
			t.Error("the input was changed")
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	for name, text := range textComponents(b) {
		b.Run(filepath.Base(name), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Decode(text, Limits{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
