//go:build invariants

package cwasm

import (
	"strings"
	"testing"
)

func TestOpenObjects(t *testing.T) {
	p := single(t, onDemand, `(module)`)
	before := len(OpenObjects())
	s := instantiate(t, p, StoreOptions{})
	list := OpenObjects()
	if len(list) != before+1 {
		t.Errorf("%d objects open, want %d", len(list), before+1)
	}
	if all := strings.Join(list, ""); !strings.Contains(all, "*cwasm.Store") || !strings.Contains(all, "TestOpenObjects") {
		t.Errorf("the open store is not told of:\n%s", all)
	}
	s.Close()
	if n := len(OpenObjects()); n != before {
		t.Errorf("%d objects open after Close, want %d", n, before)
	}
	defer func() {
		if recover() == nil {
			t.Error("a second release goes unseen")
		}
	}()
	closed(s)
}
