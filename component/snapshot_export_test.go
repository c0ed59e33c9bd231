package component

import (
	"bytes"
	"fmt"

	"github.com/google/go-cmp/cmp"

	"github.com/minispin/minispin/internal/cwasm"
)

// StateOf copies what the guests of a resettable instantiation can change.
func StateOf(r *Resettable) cwasm.State { return r.store.State() }

// CompareState says how two states of one instantiation differ. References to
// functions mean nothing in another one.
func CompareState(got, want cwasm.State) string {
	if len(got.Memories) != len(want.Memories) {
		return fmt.Sprintf("%d memories, not %d", len(got.Memories), len(want.Memories))
	}
	for i, w := range want.Memories {
		g := got.Memories[i]
		if len(g) != len(w) {
			return fmt.Sprintf("memory %d has %d bytes, not %d", i, len(g), len(w))
		}
		if bytes.Equal(g, w) {
			continue
		}
		for at := range w {
			if g[at] != w[at] {
				return fmt.Sprintf("memory %d at %#x is %#x, not %#x", i, at, g[at], w[at])
			}
		}
	}
	return cmp.Diff(want.Globals, got.Globals) + cmp.Diff(want.Tables, got.Tables)
}
