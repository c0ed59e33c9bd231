package component

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/minispin/minispin/internal/cwasm"
)

// TestMain fails the run when a test left a store, another object of the engine
// or a goroutine behind.
func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 {
		code = leaks()
	}
	os.Exit(code)
}

func leaks() int {
	if n := cwasm.LiveStores(); n > 0 {
		fmt.Fprintf(os.Stderr, "%d stores were not closed\n", n)
		return 1
	}
	for _, o := range cwasm.OpenObjects() {
		fmt.Fprintf(os.Stderr, "not closed: %s\n", o)
		return 1
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
