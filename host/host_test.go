package host

import (
	"slices"
	"strings"
	"testing"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/wit"
	"github.com/minispin/minispin/wit/packages"
)

// exported are the interfaces that guests export, so that no host has them.
var exported = []string{
	"wasi:http/incoming-handler", "wasi:cli/run",
	"fermyon:spin/inbound-http", "fermyon:spin/inbound-redis",
}

// TestEveryInterfaceIsDefined fails when an interface is described and neither
// offered nor denied: guests that import it would not start.
func TestEveryInterfaceIsDefined(t *testing.T) {
	l := component.NewLinker()
	if err := Define(l); err != nil {
		t.Fatal(err)
	}
	defined := l.Interfaces()
	set, err := wit.LoadFS(packages.Files)
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, p := range set.Packages {
		for _, i := range p.Interfaces {
			id := i.ID()
			base, _, _ := strings.Cut(id, "@")
			if slices.Contains(exported, base) || !needsHost(i) {
				continue
			}
			count++
			if !slices.Contains(defined, id) {
				t.Errorf("%s is in wit/packages and nobody defines it", id)
			}
		}
	}
	if count < 40 {
		t.Errorf("only %d interfaces were looked at", count)
	}
}

// needsHost reports whether the interface has functions or resources.
func needsHost(i *wit.Interface) bool {
	return len(i.Funcs) > 0 || slices.ContainsFunc(i.Types, func(d *wit.TypeDef) bool {
		_, ok := d.Body.(*wit.Resource)
		return ok
	})
}
