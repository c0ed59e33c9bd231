package cwasm

// #include "cwasm.h"
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/bytecodealliance/wasmtime-go/v39"
)

// Module is compiled code. It is safe for concurrent use.
type Module struct {
	engine *Engine

	mu     sync.Mutex
	types  *Types                           // nil until asked for
	load   func() (*wasmtime.Module, error) // of a deferred module that has not been needed yet
	module *wasmtime.Module                 // nil before that, and once closed
}

// Types are the types of a module's imports and exports, in the order of its
// sections. They must not be changed.
type Types struct {
	Imports []ImportType
	Exports []ExportType
}

// Compile validates and compiles a core module in the binary format.
func (e *Engine) Compile(wasm []byte) (*Module, error) {
	if len(wasm) == 0 {
		return nil, errors.New("compile module: no bytes")
	}
	return e.module("compile module", func(engine *wasmtime.Engine) (*wasmtime.Module, error) {
		return wasmtime.NewModule(engine, wasm)
	})
}

// Deserialize loads code made by [Module.Serialize]. The bytes are trusted:
// code that was tampered with runs unchecked. The engine itself refuses code
// of another version or configuration.
func (e *Engine) Deserialize(code []byte) (*Module, error) {
	if len(code) == 0 {
		return nil, errors.New("deserialize module: no bytes")
	}
	return e.module("deserialize module", func(engine *wasmtime.Engine) (*wasmtime.Module, error) {
		return wasmtime.NewModuleDeserialize(engine, code)
	})
}

// DeserializeFile is [Engine.Deserialize] of a file, which is mapped rather
// than read. The file must not change while the module is in use.
func (e *Engine) DeserializeFile(path string) (*Module, error) {
	return e.module("deserialize module file "+path, func(engine *wasmtime.Engine) (*wasmtime.Module, error) {
		return wasmtime.NewModuleDeserializeFile(engine, path)
	})
}

// ValidateComponent asks the engine's own validator about a component in the
// binary format. The engine compiles what is in it to find out, so the caller
// hands over a component whose function bodies are trivial. A component that
// uses features newer than the engine is refused as well.
func (e *Engine) ValidateComponent(wasm []byte) error {
	if len(wasm) == 0 {
		return errors.New("validate component: no bytes")
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.closed {
		return fmt.Errorf("validate component: engine: %w", ErrClosed)
	}
	var component *C.wasmtime_component_t
	if err := C.wasmtime_component_new(e.raw, (*C.uint8_t)(&wasm[0]), C.size_t(len(wasm)), &component); err != nil {
		return fmt.Errorf("validate component: %w", takeError(err))
	}
	C.wasmtime_component_delete(component)
	return nil
}

func (e *Engine) module(what string, load func(*wasmtime.Engine) (*wasmtime.Module, error)) (*Module, error) {
	loaded, err := e.load(what, load)
	if err != nil {
		return nil, err
	}
	m := &Module{engine: e, module: loaded}
	opened(m)
	return m, nil
}

func (e *Engine) load(what string, load func(*wasmtime.Engine) (*wasmtime.Module, error)) (*wasmtime.Module, error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.closed {
		return nil, fmt.Errorf("%s: engine: %w", what, ErrClosed)
	}
	loaded, err := load(e.engine)
	if err != nil {
		return nil, fmt.Errorf("%s: %s", what, reason(err.Error()))
	}
	return loaded, nil
}

// Deferred returns a module that load makes, by this engine, when a plan first
// needs its code, which it may never do. types must be those of the module.
func (e *Engine) Deferred(types *Types, load func() (*Module, error)) *Module {
	m := &Module{engine: e, types: types}
	m.load = func() (*wasmtime.Module, error) {
		made, err := load()
		if err != nil {
			return nil, err
		}
		made.mu.Lock()
		defer made.mu.Unlock()
		module := made.module
		made.module = nil // it is m's now
		closed(made)
		return module, nil
	}
	opened(m)
	return m
}

// Describe gives a module the types that another one made of the same bytes had,
// which are otherwise asked of the engine.
func (m *Module) Describe(types *Types) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.types = types
}

// Serialize returns the compiled code, for [Engine.Deserialize] of an engine
// with the same fingerprint.
func (m *Module) Serialize() ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.ready(); err != nil {
		return nil, fmt.Errorf("serialize module: %w", err)
	}
	code, err := m.module.Serialize()
	if err != nil {
		return nil, fmt.Errorf("serialize module: %w", err)
	}
	return code, nil
}

// ready makes a deferred module; m.mu is held.
func (m *Module) ready() error {
	if m.load != nil {
		loaded, err := m.load()
		if err != nil {
			return err
		}
		m.module, m.load = loaded, nil
	}
	if m.module == nil {
		return ErrClosed
	}
	return nil
}

// Types returns the types of what the module imports and exports. They must
// have been asked for before a module is closed, otherwise there are none.
func (m *Module) Types() *Types {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.types == nil {
		if m.module == nil {
			return &Types{}
		}
		m.types = typesOf(m.module)
	}
	return m.types
}

// Imports returns the module's imports in the order of its import section.
// The caller must not change the slice.
func (m *Module) Imports() []ImportType { return m.Types().Imports }

// Exports returns the module's exports in the order of its export section.
// The caller must not change the slice.
func (m *Module) Exports() []ExportType { return m.Types().Exports }

// Close releases the module. Plans made from it keep what they need. Closing
// twice does nothing.
func (m *Module) Close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.module == nil && m.load == nil {
		return
	}
	if m.module != nil {
		m.module.Close()
	}
	m.module, m.load = nil, nil
	closed(m)
}

// retain returns a C reference to the module that outlives m. The caller deletes
// it.
func (m *Module) retain() (*C.wasmtime_module_t, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.ready(); err != nil {
		return nil, fmt.Errorf("module: %w", err)
	}
	ref := C.wasmtime_module_clone(modulePtr(m.module))
	runtime.KeepAlive(m.module)
	return ref, nil
}
