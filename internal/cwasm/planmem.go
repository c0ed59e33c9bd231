package cwasm

// #include <stdlib.h>
// #include "cwasm.h"
import "C"

import (
	"errors"
	"fmt"
	"strconv"
	"unsafe"
)

// planMemory is the C half of a plan: a cwasm_plan and all it points to.
type planMemory struct {
	plan *C.cwasm_plan

	// Everything to release, in order of making.
	blocks  []unsafe.Pointer
	types   []*C.wasm_functype_t // of the host functions
	modules []*C.wasmtime_module_t
	pres    []*C.wasmtime_instance_pre_t
}

// array allocates zeroed C memory for n values and returns it as a slice.
func array[T any](m *planMemory, n int) []T {
	if n == 0 {
		return nil
	}
	var zero T
	block := C.calloc(C.size_t(n), C.size_t(unsafe.Sizeof(zero)))
	m.blocks = append(m.blocks, block)
	return unsafe.Slice((*T)(block), n)
}

func (m *planMemory) text(s string) *C.char {
	c := C.CString(s)
	m.blocks = append(m.blocks, unsafe.Pointer(c))
	return c
}

// newPlanMemory builds the C half of p, whose imports have been checked.
func newPlanMemory(c PlanConfig, p *Plan) (*planMemory, error) {
	c.Engine.mu.RLock()
	defer c.Engine.mu.RUnlock()
	if c.Engine.closed {
		return nil, fmt.Errorf("engine: %w", ErrClosed)
	}
	m := &planMemory{}
	plan := &array[C.cwasm_plan](m, 1)[0]
	m.plan = plan
	plan.engine = C.wasmtime_engine_clone(c.Engine.raw)
	plan.slots_len = C.uint32_t(len(p.slots))
	plan.raw_len = 4
	for _, s := range p.slots {
		plan.raw_len = max(plan.raw_len, C.uint32_t(s.arity))
	}
	m.hosts(c.Hosts)
	m.state(c.State)
	steps := array[C.cwasm_step](m, len(c.Steps))
	plan.steps, plan.steps_len = unsafe.SliceData(steps), C.uint32_t(len(steps))
	externs := map[int]int{} // host function -> its place in host_externs
	for i, step := range c.Steps {
		if err := m.step(&steps[i], step, externs); err != nil {
			m.free()
			return nil, fmt.Errorf("step %d: %w", i, err)
		}
	}
	if err := m.externs(externs); err != nil {
		m.free()
		return nil, err
	}
	return m, nil
}

// externs makes the linker from which each store gets the host functions that
// steps import beside exports of other steps.
func (m *planMemory) externs(externs map[int]int) error {
	if len(externs) == 0 {
		return nil
	}
	linker := C.wasmtime_linker_new(m.plan.engine)
	m.plan.host_linker = linker
	list := array[C.cwasm_fetch](m, len(externs))
	for host, place := range externs {
		name := strconv.Itoa(host)
		list[place] = C.cwasm_fetch{name: m.text(name), name_len: C.size_t(len(name)), slot: C.uint32_t(place)}
		if err := m.define(linker, "", name, host); err != nil {
			return err
		}
	}
	m.plan.host_externs, m.plan.host_externs_len = unsafe.SliceData(list), C.uint32_t(len(list))
	return nil
}

// define adds a host function to a linker under a name.
func (m *planMemory) define(linker *C.wasmtime_linker_t, module, name string, host int) error {
	cModule, cName := C.CString(module), C.CString(name)
	defer C.free(unsafe.Pointer(cModule))
	defer C.free(unsafe.Pointer(cName))
	env := &unsafe.Slice(m.plan.hosts, len(m.types))[host]
	err := C.cwasm_define(linker, cModule, C.size_t(len(module)), cName, C.size_t(len(name)), m.types[host], env)
	if err != nil {
		return fmt.Errorf("define import %q %q: %w", module, name, takeError(err))
	}
	return nil
}

func (m *planMemory) hosts(hosts []HostImport) {
	list := array[C.cwasm_host](m, len(hosts))
	for i, h := range hosts {
		list[i] = C.cwasm_host{index: C.uint32_t(i), mem_slot: C.int32_t(h.MemSlot)}
		m.types = append(m.types, functype(h.Type))
	}
	m.plan.hosts = unsafe.SliceData(list)
}

func functype(t FuncType) *C.wasm_functype_t {
	kinds := make([]C.uint8_t, 0, len(t.Params)+len(t.Results)+1)
	for _, k := range t.Params {
		kinds = append(kinds, C.uint8_t(k))
	}
	for _, k := range t.Results {
		kinds = append(kinds, C.uint8_t(k))
	}
	kinds = append(kinds, 0) // an address even when there are none
	return C.cwasm_functype(&kinds[0], C.size_t(len(t.Params)), C.size_t(len(t.Results)))
}

func (m *planMemory) step(out *C.cwasm_step, step Step, externs map[int]int) error {
	fetches := array[C.cwasm_fetch](m, len(step.Fetch))
	for i, f := range step.Fetch {
		fetches[i] = C.cwasm_fetch{name: m.text(f.Export), name_len: C.size_t(len(f.Export)), slot: C.uint32_t(f.Slot)}
	}
	out.fetches, out.fetches_len = unsafe.SliceData(fetches), C.uint32_t(len(fetches))

	module, err := step.Module.retain()
	if err != nil {
		return err
	}
	m.modules = append(m.modules, module)
	out.module = module
	if bindable(step) {
		pre, err := m.bind(module, step)
		out.pre = pre
		return err
	}
	imports := array[C.cwasm_import](m, len(step.Imports))
	for i, from := range step.Imports {
		if from.Kind == FromSlot {
			imports[i] = C.cwasm_import{from_slot: 1, index: C.uint32_t(from.Slot)}
			continue
		}
		place, ok := externs[from.Host]
		if !ok {
			place = len(externs)
			externs[from.Host] = place
		}
		imports[i] = C.cwasm_import{index: C.uint32_t(place)}
	}
	out.imports, out.imports_len = unsafe.SliceData(imports), C.uint32_t(len(imports))
	m.plan.imports_max = max(m.plan.imports_max, out.imports_len)
	return nil
}

// bindable reports whether all imports are host functions that the engine's
// linker, which knows them by name, can tell apart.
func bindable(step Step) bool {
	byName := map[[2]string]int{}
	for i, imp := range step.Module.Imports() {
		if step.Imports[i].Kind != FromHost {
			return false
		}
		name := [2]string{imp.Module, imp.Name}
		if host, ok := byName[name]; ok && host != step.Imports[i].Host {
			return false
		}
		byName[name] = step.Imports[i].Host
	}
	return true
}

// bind links the module with its host functions, once for all stores.
func (m *planMemory) bind(module *C.wasmtime_module_t, step Step) (*C.wasmtime_instance_pre_t, error) {
	linker := C.wasmtime_linker_new(m.plan.engine)
	defer C.wasmtime_linker_delete(linker)
	C.wasmtime_linker_allow_shadowing(linker, true)
	for i, imp := range step.Module.Imports() {
		if err := m.define(linker, imp.Module, imp.Name, step.Imports[i].Host); err != nil {
			return nil, err
		}
	}
	var pre *C.wasmtime_instance_pre_t
	if err := C.wasmtime_linker_instantiate_pre(linker, module, &pre); err != nil {
		return nil, fmt.Errorf("link: %w", takeError(err))
	}
	m.pres = append(m.pres, pre)
	return pre, nil
}

// takeError turns an engine error into a Go error and frees it.
func takeError(err *C.wasmtime_error_t) error {
	var message C.wasm_byte_vec_t
	C.cwasm_take_error(err, &message)
	text := C.GoStringN(message.data, C.int(message.size))
	C.wasm_byte_vec_delete(&message)
	return errors.New(reason(text))
}

func (m *planMemory) free() {
	for _, pre := range m.pres {
		C.wasmtime_instance_pre_delete(pre)
	}
	if m.plan.host_linker != nil {
		C.wasmtime_linker_delete(m.plan.host_linker)
	}
	for _, module := range m.modules {
		C.wasmtime_module_delete(module)
	}
	for _, t := range m.types {
		C.wasm_functype_delete(t)
	}
	C.wasm_engine_delete(m.plan.engine)
	for _, block := range m.blocks {
		C.free(block)
	}
	*m = planMemory{}
}
