package component

import (
	"errors"
	"fmt"

	"github.com/minispin/minispin/component/binary"
	"github.com/minispin/minispin/internal/cwasm"
)

// This file holds the types of core modules against modules: a component that
// imports a core module from outside says what it must export, and what it may
// import.
//
// Explainer.md, section Core Type Definitions (core:moduletype).

// coreType is what an index of core types stands for. What is in it is turned
// into the engine's terms when an import needs it: most of what components define
// here is for built-ins that take a type, or for nobody.
type coreType struct {
	sub    *binary.CoreSubtype    // nil for a module type
	module *binary.CoreModuleType // with scope
	scope  *scope
}

// appendCoreTypes adds what a definition made in scope s adds to an index space.
func appendCoreTypes(space []*coreType, d *binary.CoreTypeDef, s *scope) []*coreType {
	if d.Module != nil {
		return append(space, &coreType{module: d.Module, scope: s})
	}
	for i := range d.Rec {
		space = append(space, &coreType{sub: &d.Rec[i], scope: s})
	}
	return space
}

// moduleType is the type of a core module.
type moduleType struct {
	imports map[coreName]cwasm.ExternType
	order   []cwasm.ImportType
	exports map[string]cwasm.ExternType
	names   []string // of the exports, in their order
}

// coreName is the two names of a core import.
type coreName struct{ module, name string }

// importedModuleType resolves the type with which a core module is imported.
func (s *scope) importedModuleType(d binary.ExternDesc) (*moduleType, error) {
	t, ok := index(s.coreTypes, d.Index)
	if !ok || t.module == nil {
		return nil, fmt.Errorf("core type index %d is not the type of a core module", d.Index)
	}
	return t.moduleType(s.k)
}

// moduleType runs the declarators of a module type.
func (t *coreType) moduleType(k *linking) (*moduleType, error) {
	if err := k.spend(len(t.module.Decls)); err != nil {
		return nil, err
	}
	m := &moduleType{imports: map[coreName]cwasm.ExternType{}, exports: map[string]cwasm.ExternType{}}
	var space []*coreType // the module type's own
	for _, d := range t.module.Decls {
		switch {
		case d.Type != nil:
			space = appendCoreTypes(space, d.Type, t.scope)
		case d.Alias != nil:
			from, err := t.alias(d.Alias, space)
			if err != nil {
				return nil, err
			}
			space = append(space, from)
		case d.Import != nil:
			et, err := externOf(space, d.Import.Type)
			if err != nil {
				return nil, fmt.Errorf("core module type: import %q %q: %w", d.Import.Module, d.Import.Name, err)
			}
			m.imports[coreName{d.Import.Module, d.Import.Name}] = et
			m.order = append(m.order, cwasm.ImportType{Module: d.Import.Module, Name: d.Import.Name, ExternType: et})
		case d.Export != nil:
			et, err := externOf(space, d.Export.Type)
			if err != nil {
				return nil, fmt.Errorf("core module type: export %q: %w", d.Export.Name, err)
			}
			m.exports[d.Export.Name] = et
			m.names = append(m.names, d.Export.Name)
		}
	}
	return m, nil
}

// alias finds what an outer alias in a module type means, where the module type
// itself is the innermost scope.
func (t *coreType) alias(a *binary.AliasOuter, own []*coreType) (*coreType, error) {
	if a.Count > 0 {
		from := t.scope
		for range a.Count - 1 {
			if from = from.parent; from == nil {
				return nil, fmt.Errorf("an outer alias reaches %d scopes out, beyond the outermost", a.Count)
			}
		}
		own = from.coreTypes
	}
	found, ok := index(own, a.Index)
	if !ok {
		return nil, fmt.Errorf("outer alias: core type index %d is out of range", a.Index)
	}
	return found, nil
}

// externOf turns the type of a core import or export into the engine's terms.
func externOf(space []*coreType, t binary.CoreExternType) (cwasm.ExternType, error) {
	var out cwasm.ExternType
	if t.Limits.Shared || t.Limits.Is64 || t.Sort == binary.SortCoreMemory && t.Limits.PageSizeLog2 != 16 {
		return out, fmt.Errorf("shared memories and 64-bit ones, and pages of other than 64 KiB, are not run by this host")
	}
	switch t.Sort {
	case binary.SortCoreFunc:
		f, ok := index(space, t.Func)
		if !ok || f.sub == nil || f.sub.Func == nil {
			return out, fmt.Errorf("core type index %d is not the type of a function", t.Func)
		}
		params, err := kindsOf(f.sub.Func.Params)
		if err != nil {
			return out, err
		}
		results, err := kindsOf(f.sub.Func.Results)
		return cwasm.ExternType{Kind: cwasm.ExternFunc, Func: &cwasm.FuncType{Params: params, Results: results}}, err
	case binary.SortCoreTable:
		elem, err := kindOf(t.Value)
		l := t.Limits
		return cwasm.ExternType{Kind: cwasm.ExternTable, Table: &cwasm.TableType{Elem: elem, Min: l.Min, Max: l.Max, HasMax: l.HasMax}}, err
	case binary.SortCoreMemory:
		l := t.Limits
		return cwasm.ExternType{Kind: cwasm.ExternMemory, Memory: &cwasm.MemoryType{Min: l.Min, Max: l.Max, HasMax: l.HasMax}}, nil
	case binary.SortCoreGlobal:
		content, err := kindOf(t.Value)
		return cwasm.ExternType{Kind: cwasm.ExternGlobal, Global: &cwasm.GlobalType{Content: content, Mutable: t.Mutable}}, err
	}
	return out, fmt.Errorf("a %s is not run by this host", t.Sort)
}

func kindsOf(ts []binary.CoreValType) ([]cwasm.ValKind, error) {
	kinds := make([]cwasm.ValKind, len(ts))
	for i, t := range ts {
		var err error
		if kinds[i], err = kindOf(t); err != nil {
			return nil, err
		}
	}
	return kinds, nil
}

func kindOf(t binary.CoreValType) (cwasm.ValKind, error) {
	switch t.Kind {
	case binary.CoreI32:
		return cwasm.I32, nil
	case binary.CoreI64:
		return cwasm.I64, nil
	case binary.CoreF32:
		return cwasm.F32, nil
	case binary.CoreF64:
		return cwasm.F64, nil
	case binary.CoreV128:
		return cwasm.V128, nil
	case binary.CoreRef:
		switch {
		case t.Nullable && t.Heap == binary.HeapFunc:
			return cwasm.FuncRef, nil
		case t.Nullable && t.Heap == binary.HeapExtern:
			return cwasm.ExternRef, nil
		}
	}
	return 0, fmt.Errorf("the type %s is not run by this host", t)
}

// fits says why a module cannot stand where one of the type want is expected: it
// lacks an export, or asks for an import that it will not get.
func (k *linking) fits(m *cwasm.Module, want *moduleType) error {
	have := k.info(m)
	if err := k.spend(len(want.names) + len(have.imports)); err != nil {
		return err
	}
	for _, name := range want.names {
		t, ok := have.exports[name]
		if !ok {
			return fmt.Errorf("it has no export %q", name)
		}
		if !t.Matches(want.exports[name]) {
			return fmt.Errorf("its export %q is the %s, expected is the %s", name, t, want.exports[name])
		}
	}
	for _, imp := range have.imports {
		t, ok := want.imports[coreName{imp.Module, imp.Name}]
		if !ok {
			return fmt.Errorf("it imports %q %q, which whoever instantiates it does not know of", imp.Module, imp.Name)
		}
		if !t.Matches(imp.ExternType) {
			return fmt.Errorf("its import %q %q is the %s, it is to get the %s", imp.Module, imp.Name, imp.ExternType, t)
		}
	}
	return nil
}

// missingModule stands in for a core module, so that one run finds all that is
// missing. It is never instantiated.
func (k *linking) missingModule(t *moduleType) *cwasm.Module {
	stub := new(cwasm.Module)
	if k.infos == nil {
		k.infos = map[*cwasm.Module]*moduleInfo{}
	}
	k.infos[stub] = &moduleInfo{imports: t.order, exports: t.exports}
	return stub
}

// exportModule gives an exported core module as what it was compiled from.
func (k *linking) exportModule(name string, m *cwasm.Module) (*Component, error) {
	c, ok := k.exported[m]
	if !ok {
		var err error
		if c, err = k.moduleComponent(m); err != nil {
			return nil, fmt.Errorf("export %q: %w", name, err)
		}
		if k.exported == nil {
			k.exported = map[*cwasm.Module]*Component{}
		}
		k.exported[m] = c
	}
	named := *c
	named.name = k.main.name + "#" + name
	return &named, nil
}

// moduleComponent makes a Component of a core module of the components at hand,
// which keep the compiled code.
func (k *linking) moduleComponent(m *cwasm.Module) (*Component, error) {
	s := k.source(m)
	if s == nil {
		return nil, errors.New("a core module of nobody")
	}
	world, err := binary.DecodeComponentTypes(s.original, binary.Limits{})
	if err != nil {
		return nil, err
	}
	return &Component{
		engine: k.main.engine, world: world, main: m,
		sources: []*source{s}, modules: map[*source]*cwasm.Module{s: m},
	}, nil
}
