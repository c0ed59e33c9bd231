package denied

import (
	"testing"

	"github.com/minispin/minispin/component"
)

// TestGrant: of every interface that is denied it is known what would grant it.
func TestGrant(t *testing.T) {
	l := component.NewLinker()
	if err := Define(l); err != nil {
		t.Fatal(err)
	}
	for _, name := range l.Interfaces() {
		if Grant(name) == "" {
			t.Errorf("no key for %s", name)
		}
	}
	if key := Grant("wasi:io/streams@0.2.6"); key != "" {
		t.Errorf("wasi:io needs %s", key)
	}
}
