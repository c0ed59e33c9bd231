package app

import (
	_ "embed"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/component/abi"
)

//go:embed testdata/incoming.wat
var incomingText string

// A textGuest is code for testdata/incoming.wat.
type textGuest struct {
	start  string // runs at instantiation
	handle string // runs for the request
	fault  func() // what the guest calls as $fault
}

const endless = "(loop $l (br $l))"

// serveText serves an application of one text guest, whose component is called
// text.
func serveText(t testing.TB, m mode, g textGuest, settings string) *site {
	t.Helper()
	wat := strings.NewReplacer("START", g.start, "HANDLE", g.handle).Replace(incomingText)
	return serve(t, m, application(t, guest{id: "text", source: text(t, "text", wat), settings: settings}), func(l *component.Linker) error {
		return l.Define(&component.Interface{Name: "test:host/fault", Funcs: []component.Func{{
			Name: "fault", Type: &abi.Func{},
			Call: func(*component.Call, []component.Raw) error {
				if g.fault != nil {
					g.fault()
				}
				return nil
			},
		}}})
	})
}

// text writes the text of a component to a file for a guest's source.
func text(t testing.TB, name, wat string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name+".wat")
	if err := os.WriteFile(path, []byte(wat), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
