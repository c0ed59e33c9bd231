package wasirc

import (
	"fmt"
	"strings"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/component/abi"
)

// The versions of the candidates, which imports must name exactly.
const (
	Version20231018 = "0.2.0-rc-2023-10-18"
	Version20231110 = "0.2.0-rc-2023-11-10"
)

// Versions lists the versions of all candidates.
func Versions() []string { return []string{Version20231018, Version20231110} }

// candidate is a release candidate: the interfaces that guests import of it.
type candidate struct {
	version    string
	interfaces []derived
}

// derived is an interface of a candidate: that of 0.2 of the same name, with what
// is different in it.
type derived struct {
	name   string
	change func(d *derivation)
}

// derivation is an interface of a candidate while it is made.
type derivation struct {
	*component.Interface
	linker *component.Linker // has 0.2
}

// Define adds the interfaces of both candidates to l, which must have those of 0.2.
func Define(l *component.Linker) error {
	for _, c := range []*candidate{&rc1018, &rc1110} {
		if err := c.define(l); err != nil {
			return fmt.Errorf("WASI %s: %w", c.version, err)
		}
	}
	return nil
}

func (c *candidate) define(l *component.Linker) error {
	for _, in := range c.interfaces {
		base := l.Interface(in.name + "@0.2.0")
		if base == nil {
			return fmt.Errorf("%s@0.2 is not defined", in.name)
		}
		d := &derivation{linker: l, Interface: &component.Interface{
			Name:      in.name + "@" + c.version,
			Funcs:     append([]component.Func(nil), base.Funcs...),
			Resources: append([]component.NamedResource(nil), base.Resources...),
		}}
		if in.change != nil {
			in.change(d)
		}
		if err := l.Define(d.Interface); err != nil {
			return err
		}
	}
	return nil
}

// function returns the function of i called name, to be changed.
func function(i *component.Interface, name string) *component.Func {
	for n := range i.Funcs {
		if i.Funcs[n].Name == name {
			return &i.Funcs[n]
		}
	}
	panic("wasirc: " + i.Name + " has no function " + name)
}

// base returns a function of an interface of 0.2.
func (d *derivation) base(iface, name string) component.Func {
	return *function(d.linker.Interface(iface+"@0.2.0"), name)
}

// rename gives a function another name, and its parameter besides self another
// one if it has any.
func (d *derivation) rename(from, to, param string) {
	f := function(d.Interface, from)
	f.Name = strings.Replace(f.Name, from, to, 1)
	t := &abi.Func{Params: append([]abi.Field(nil), f.Type.Params...), Result: f.Type.Result}
	if len(t.Params) > 1 {
		t.Params[1].Name = param
	}
	f.Type = t
}

// dynamic is a function of a candidate on values of its own types.
type dynamic = func(c *component.Call, args []abi.Val) (abi.Val, error)

// put adds a function of the candidate's own, or puts it in the place of the one
// of that name.
func (d *derivation) put(name string, t *abi.Func, fn dynamic) {
	f, err := component.DynamicFunc(name, t, fn)
	if err != nil {
		panic(fmt.Sprintf("wasirc: %s %s: %v", d.Name, name, err))
	}
	d.putFunc(f)
}

// putFunc is put for a function on flattened values.
func (d *derivation) putFunc(f component.Func) {
	for n := range d.Funcs {
		if d.Funcs[n].Name == f.Name {
			d.Funcs[n] = f
			return
		}
	}
	d.Funcs = append(d.Funcs, f)
}

// without takes a resource out.
func (d *derivation) without(resource string) {
	kept := d.Resources[:0]
	for _, r := range d.Resources {
		if r.Name != resource {
			kept = append(kept, r)
		}
	}
	d.Resources = kept
}
