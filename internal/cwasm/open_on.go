//go:build invariants

package cwasm

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// opened arranges that an object dropped without Close stops the program with
// the stack of where it was made.
func opened[T any](object *T) {
	stack := debug.Stack()
	runtime.SetFinalizer(object, func(object *T) {
		panic(fmt.Sprintf("cwasm: %T was dropped without Close; it was made at\n%s", object, stack))
	})
}

func closed[T any](object *T) { runtime.SetFinalizer(object, nil) }
