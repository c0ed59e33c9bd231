package component

import (
	"fmt"

	"github.com/minispin/minispin/component/abi"
)

// ResourceType is the identity of a resource type: two handles have the same
// type when they point to the same ResourceType.
type ResourceType = abi.Resource

// NewHostResource makes a resource type whose values live in the host. drop is
// called once for each owned value, with what LowerOwn was given, when the
// guest drops its handle or its instance ends; it may be nil.
//
// CanonicalABI.md, section canon resource.drop.
func NewHostResource(name string, drop func(rep any)) *ResourceType {
	return &ResourceType{Name: name, Drop: drop}
}

// Interface is one WIT interface as the host implements it: what an import of
// that name is linked to.
type Interface struct {
	// Name is the interface's id with its version, as wasi:io/streams@0.2.6.
	// A name without a package is a function or an inline interface imported
	// by the world itself; the empty name holds the world's own functions,
	// resources and core modules.
	Name      string
	Funcs     []Func
	Resources []NamedResource
	Modules   []NamedModule

	funcs     map[string]*Func
	resources map[string]*ResourceType
	modules   map[string]*Component
}

// Func is a host function with its name in the interface, such as
// [method]input-stream.read, and its type for the check at link time.
type Func struct {
	Name string
	Type *abi.Func
	Call HostFunc
}

// NamedResource is a resource type an interface exports under a name.
type NamedResource struct {
	Name string
	Type *ResourceType
}

// NamedModule is a core module that an interface exports under a name. A component
// that imports it instantiates it, as often as it likes, with imports of its own
// choosing.
//
// Explainer.md, section Import and Export Definitions (core module).
type NamedModule struct {
	Name string
	// Module is a core module, compiled by the engine of the components that
	// import it. It is used while they are linked, and not after.
	Module *Component
}

func (i *Interface) index() error {
	i.funcs = make(map[string]*Func, len(i.Funcs))
	for n := range i.Funcs {
		f := &i.Funcs[n]
		if i.funcs[f.Name] != nil {
			return fmt.Errorf("interface %s defines %s twice", i.Name, f.Name)
		}
		if f.Call == nil || f.Type == nil {
			return fmt.Errorf("interface %s: function %s has no type or no implementation", i.Name, f.Name)
		}
		i.funcs[f.Name] = f
	}
	i.resources = make(map[string]*ResourceType, len(i.Resources))
	for _, r := range i.Resources {
		if i.resources[r.Name] != nil {
			return fmt.Errorf("interface %s defines resource %s twice", i.Name, r.Name)
		}
		i.resources[r.Name] = r.Type
	}
	i.modules = make(map[string]*Component, len(i.Modules))
	for _, m := range i.Modules {
		if i.modules[m.Name] != nil {
			return fmt.Errorf("interface %s defines core module %s twice", i.Name, m.Name)
		}
		if m.Module == nil || !m.Module.IsModule() {
			return fmt.Errorf("interface %s: %s is not a core module", i.Name, m.Name)
		}
		i.modules[m.Name] = m.Module
	}
	return nil
}

// CoreInterface is a set of core functions under one core module name, for core
// modules whose imports are not the component model's: WASI preview 1.
type CoreInterface struct {
	// Module is the core module name of the imports, such as
	// wasi_snapshot_preview1.
	Module string
	Funcs  []CoreFunc
}

// CoreFunc is a host function with a core type. Its Call sees the memory that
// the importing module exports under the name memory.
type CoreFunc struct {
	Name            string
	Params, Results []abi.CoreType
	Call            HostFunc
}
