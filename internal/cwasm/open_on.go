//go:build invariants

package cwasm

import (
	"fmt"
	"runtime/debug"
	"sync"
)

// open holds the stack of where each object not yet closed was made.
var open struct {
	sync.Mutex
	stacks map[any]string
}

func opened(object any) {
	open.Lock()
	defer open.Unlock()
	if open.stacks == nil {
		open.stacks = map[any]string{}
	}
	open.stacks[object] = string(debug.Stack())
}

func closed(object any) {
	open.Lock()
	defer open.Unlock()
	if _, ok := open.stacks[object]; !ok {
		panic(fmt.Sprintf("cwasm: %T was closed twice", object))
	}
	delete(open.stacks, object)
}

// OpenObjects describes every engine, module, plan and store that was made
// and not closed, with the stack of where it was made. It is nil unless the
// program was built with the tag "invariants".
func OpenObjects() []string {
	open.Lock()
	defer open.Unlock()
	var list []string
	for object, stack := range open.stacks {
		list = append(list, fmt.Sprintf("%T made at\n%s", object, stack))
	}
	return list
}
