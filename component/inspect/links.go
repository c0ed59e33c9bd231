package inspect

import (
	"errors"
	"fmt"
	"slices"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/component/abi"
	"github.com/minispin/minispin/component/binary"
)

// A Status says what becomes of an import when the component is linked.
type Status string

// The statuses, from good to bad. An interface has the worst one of what is in
// it.
const (
	// Offered: the linker has it, with the same type; of a core module only that
	// it has one of the name.
	Offered Status = "offered"
	// TypesOnly: there are only types in it, so that nobody has to have it.
	TypesOnly Status = "types-only"
	// Composed: another component meets it. Whether its types fit is not looked at.
	Composed Status = "composed"
	// Denied: the linker has it, and calls are answered with a refusal.
	Denied Status = "denied"
	// Mismatch: the linker has it with another type.
	Mismatch Status = "mismatch"
	// Missing: the linker does not have it.
	Missing Status = "missing"
	// Async: it uses the component model's async half, which is not run.
	Async Status = "async"
)

var order = []Status{TypesOnly, Offered, Composed, Denied, Mismatch, Missing, Async}

// Links reports whether a component can be linked as far as an import of this
// status goes.
func (s Status) Links() bool { return slices.Index(order, s) <= slices.Index(order, Denied) }

func worse(a, b Status) Status {
	if slices.Index(order, b) > slices.Index(order, a) {
		return b
	}
	return a
}

// Import is one import of a component.
type Import struct {
	Name   string `json:"name"`
	Status Status `json:"status"`
	// Host is the linker's own name of the interface, when it differs: another
	// version on the same track.
	Host string `json:"host,omitempty"`
	// Reason says why the import is not offered, or what access to it depends on.
	Reason string `json:"reason,omitempty"`
	// Items are the functions and resources in it that are not met.
	Items []Item `json:"items,omitempty"`
}

// Item is a function or resource of an imported interface that is not met.
type Item struct {
	Name   string `json:"name"`
	Status Status `json:"status"`
	Reason string `json:"reason"`
	// Wants and Has are the component's type and the linker's, in WIT, where
	// they differ.
	Wants string `json:"wants,omitempty"`
	Has   string `json:"has,omitempty"`
}

// links matches imports with a linker.
type links struct {
	opts  Options
	types map[*typ]*abi.Type
	res   map[*typ]*abi.Resource
	work  int
}

// unmet marks a resource type that the linker has not.
type unmet struct{}

func (l *links) imports(items []item) ([]Import, error) {
	// Resources first, in order: what a function is compared with depends on
	// which of the linker's resources its handles are of.
	for _, it := range items {
		if it.inst == nil {
			if it.sort == binary.SortType && isResource(it.typ) {
				l.bind(it.typ, it.name.Name, l.opts.Linker.Interface(""))
			}
			continue
		}
		have := l.opts.Linker.Interface(it.name.Name)
		for _, e := range it.inst.items {
			if e.sort == binary.SortType && isResource(e.typ) {
				l.bind(e.typ, e.name.Name, have)
			}
		}
	}
	var out []Import
	for _, it := range items {
		if it.idle {
			continue
		}
		var imp Import
		var err error
		if by, ok := l.composed(it.name.Name); ok {
			imp = Import{Name: it.name.Name, Status: Composed, Reason: by}
		} else if it.inst != nil {
			imp, err = l.instance(it)
		} else {
			imp, err = l.plain(it)
		}
		if err != nil {
			return nil, fmt.Errorf("import %q: %w", it.name.Name, err)
		}
		if n := slices.IndexFunc(out, func(i Import) bool { return i.Name == imp.Name }); n >= 0 {
			old := &out[n] // of another section of a core module
			old.Status = worse(old.Status, imp.Status)
			old.Items = append(old.Items, imp.Items...)
			continue
		}
		out = append(out, imp)
	}
	return out, nil
}

func (l *links) composed(name string) (by string, ok bool) {
	if l.opts.Composed == nil {
		return "", false
	}
	return l.opts.Composed(name)
}

// bind finds the linker's resource that a resource type stands for.
func (l *links) bind(t *typ, name string, have *component.Interface) {
	if l.res[t] != nil {
		return
	}
	l.res[t] = &abi.Resource{Name: name, Data: unmet{}}
	if have == nil {
		return
	}
	for _, r := range have.Resources {
		if r.Name == name {
			l.res[t] = r.Type
		}
	}
}

// instance matches an imported interface.
func (l *links) instance(it item) (Import, error) {
	name := it.name.Name
	imp := Import{Name: name, Status: TypesOnly}
	have := l.opts.Linker.Interface(name)
	if have != nil {
		imp.Status = Offered
		if have.Name != name {
			imp.Host = have.Name
		}
	}
	needed := false // somebody has to have it
	for _, e := range it.inst.items {
		async := e.fn != nil && usesAsync(e.fn.typ, &l.work)
		owned := e.sort == binary.SortType && e.typ.def == nil && e.typ.home != nil && e.typ.home.id == name
		if e.sort == binary.SortType && !owned {
			continue
		}
		needed = true
		if async {
			imp.add(Item{e.name.Name, Async, "it uses the component model's async half", "", ""})
			continue
		}
		if have == nil {
			continue
		}
		bad, err := l.item(e, have)
		if err != nil {
			return imp, err
		}
		if bad != nil {
			imp.add(*bad)
		}
	}
	switch {
	case imp.Status == Async:
		imp.Reason = asyncReason
	case have == nil && needed:
		imp.Status, imp.Reason = Missing, l.versions(name)
	case imp.Status == Offered && l.opts.Grant != nil:
		var denied bool
		if imp.Reason, denied = l.opts.Grant(name); denied {
			imp.Status = Denied
		}
	}
	return imp, nil
}

const asyncReason = "it uses the component model's async half, as WASI 0.3 does, which this host does not run"

func (i *Import) add(bad Item) {
	i.Items = append(i.Items, bad)
	i.Status = worse(i.Status, bad.Status)
	if i.Reason == "" {
		i.Reason = "the host has the interface, but not all that the component wants of it"
	}
}

// versions says that an interface is missing, and which other versions there are.
func (l *links) versions(name string) string {
	want, err := binary.ParseInterfaceName(name)
	if err != nil {
		return "this host has no such interface"
	}
	var have []string
	for _, n := range l.opts.Linker.Interfaces() {
		id, err := binary.ParseInterfaceName(n)
		if err != nil {
			continue
		}
		if id.Namespace == want.Namespace && id.Package == want.Package && id.Interface == want.Interface {
			have = append(have, n)
		}
	}
	if len(have) == 0 {
		return "this host has no such interface"
	}
	slices.Sort(have)
	return fmt.Sprintf("this host has the interface in another version only: %v", have)
}

// item matches a function or resource of an interface that the linker has; nil
// when it is met.
func (l *links) item(e item, have *component.Interface) (*Item, error) {
	bad := &Item{Name: e.name.Name}
	switch {
	case e.sort == binary.SortType:
		if _, missing := l.res[e.typ].Data.(unmet); !missing {
			return nil, nil
		}
		bad.Status, bad.Reason = Missing, "the host's interface has no such resource"
		return bad, nil
	case e.sort == binary.SortCoreModule:
		// Its type is compared when it is linked, and not here.
		if slices.ContainsFunc(have.Modules, func(m component.NamedModule) bool { return m.Name == e.name.Name }) {
			return nil, nil
		}
		bad.Status, bad.Reason = Missing, "the host's interface has no such core module"
		return bad, nil
	case e.fn == nil:
		bad.Status, bad.Reason = Missing, fmt.Sprintf("a host interface cannot supply a %s", e.sort)
		return bad, nil
	}
	n := slices.IndexFunc(have.Funcs, func(f component.Func) bool { return f.Name == e.name.Name })
	if n < 0 {
		bad.Status, bad.Reason = Missing, "the host's interface has no such function"
		return bad, nil
	}
	want, err := l.funcType(e.fn)
	if err != nil {
		return nil, err
	}
	has := have.Funcs[n].Type
	if err := abi.EqualFunc(want, has, sameOrUnmet); err != nil {
		bad.Status, bad.Reason = Mismatch, "its type is not the host's: "+err.Error()
		bad.Wants, bad.Has = want.String(), has.String()
		return bad, nil
	}
	return nil, nil
}

// sameOrUnmet lets a resource that is missing itself pass: it is in the list.
func sameOrUnmet(want, have *abi.Resource) bool {
	_, missing := want.Data.(unmet)
	return missing || want == have
}

// plain matches an import outside of any interface.
func (l *links) plain(it item) (Import, error) {
	imp := Import{Name: it.name.Name, Status: Offered}
	if it.sort == binary.SortType && !(it.typ.def == nil && it.typ.home != nil && it.typ.home.id == "") {
		imp.Status = TypesOnly
		return imp, nil
	}
	if it.fn != nil && usesAsync(it.fn.typ, &l.work) {
		imp.Status, imp.Reason = Async, asyncReason
		return imp, nil
	}
	have := l.opts.Linker.Interface("")
	if have == nil {
		have = &component.Interface{}
	}
	bad, err := l.item(it, have)
	if bad == nil || err != nil {
		return imp, err
	}
	imp.Status, imp.Reason = bad.Status, "this host has no such import: it meets interfaces only"
	if it.sort == binary.SortCoreModule {
		imp.Reason = "this host has no such core module"
		return imp, nil
	}
	if bad.Status == Mismatch || it.fn == nil && it.sort != binary.SortType {
		imp.Reason = bad.Reason
		if bad.Wants != "" {
			imp.Items = []Item{*bad}
		}
	}
	return imp, nil
}

// funcType turns a function's type into the runtime's terms.
func (l *links) funcType(f *fun) (*abi.Func, error) {
	d, ok := f.typ.def.(*binary.FuncType)
	if !ok {
		return nil, errors.New("its type is not one of a function")
	}
	out := &abi.Func{}
	for _, p := range d.Params {
		t, err := l.val(f.typ.scope, p.Type)
		if err != nil {
			return nil, err
		}
		out.Params = append(out.Params, abi.Field{Name: p.Label, Type: t})
	}
	var err error
	out.Result, err = l.opt(f.typ.scope, d.Result)
	return out, err
}

var abiPrims = map[binary.PrimType]*abi.Type{
	binary.Bool: abi.Bool, binary.S8: abi.S8, binary.U8: abi.U8, binary.S16: abi.S16,
	binary.U16: abi.U16, binary.S32: abi.S32, binary.U32: abi.U32, binary.S64: abi.S64,
	binary.U64: abi.U64, binary.F32: abi.F32, binary.F64: abi.F64, binary.Char: abi.Char,
	binary.String: abi.String, binary.ErrorContext: abi.ErrorContext,
}

func (l *links) val(s *scope, v binary.ValType) (*abi.Type, error) {
	if !v.IsIndex() {
		return abiPrims[v.Prim], nil
	}
	t, err := at(s.types, v.Index, "type")
	if err != nil {
		return nil, err
	}
	if done := l.types[t]; done != nil {
		return done, nil
	}
	done, err := l.def(t)
	if err == nil {
		l.types[t] = done
	}
	return done, err
}

func (l *links) opt(s *scope, v *binary.ValType) (*abi.Type, error) {
	if v == nil {
		return nil, nil
	}
	return l.val(s, *v)
}

func (l *links) resource(s *scope, i uint32) (*abi.Resource, error) {
	t, err := at(s.types, i, "type")
	if err != nil {
		return nil, err
	}
	if l.res[t] == nil { // the component's own
		l.res[t] = &abi.Resource{Name: t.name}
	}
	return l.res[t], nil
}

// def turns the definition of a value type into the runtime's terms.
func (l *links) def(t *typ) (*abi.Type, error) {
	s := t.scope
	var errs []error
	val := func(v binary.ValType) *abi.Type {
		t, err := l.val(s, v)
		errs = append(errs, err)
		return t
	}
	opt := func(v *binary.ValType) *abi.Type {
		t, err := l.opt(s, v)
		errs = append(errs, err)
		return t
	}
	var made func() *abi.Type // once the parts are known to be sound
	switch d := t.def.(type) {
	case binary.PrimDef:
		return abiPrims[d.Prim], nil
	case *binary.RecordType:
		var fields []abi.Field
		for _, f := range d.Fields {
			fields = append(fields, abi.Field{Name: f.Label, Type: val(f.Type)})
		}
		made = func() *abi.Type { return abi.Record(fields...) }
	case *binary.VariantType:
		var cases []abi.Case
		for _, c := range d.Cases {
			cases = append(cases, abi.Case{Name: c.Label, Type: opt(c.Type)})
		}
		made = func() *abi.Type { return abi.Variant(cases...) }
	case *binary.TupleType:
		var parts []*abi.Type
		for _, v := range d.Types {
			parts = append(parts, val(v))
		}
		made = func() *abi.Type { return abi.Tuple(parts...) }
	case *binary.EnumType:
		return abi.Enum(d.Labels...), nil
	case *binary.FlagsType:
		return abi.Flags(d.Labels...), nil
	case *binary.ListType:
		elem := val(d.Elem)
		made = func() *abi.Type { return abi.List(elem) }
	case *binary.FixedListType:
		elem := val(d.Elem)
		made = func() *abi.Type { return abi.FixedList(elem, d.Len) }
	case *binary.MapType:
		k, v := val(d.Key), val(d.Value)
		made = func() *abi.Type { return abi.List(abi.Tuple(k, v)) }
	case *binary.OptionType:
		elem := val(d.Elem)
		made = func() *abi.Type { return abi.Option(elem) }
	case *binary.ResultType:
		ok, bad := opt(d.OK), opt(d.Err)
		made = func() *abi.Type { return abi.Result(ok, bad) }
	case *binary.OwnType, *binary.BorrowType:
		make, i := abi.Own, uint32(0)
		if own, ok := d.(*binary.OwnType); ok {
			i = own.Resource
		} else {
			make, i = abi.Borrow, d.(*binary.BorrowType).Resource
		}
		r, err := l.resource(s, i)
		if err != nil {
			return nil, err
		}
		return make(r), nil
	default:
		return nil, fmt.Errorf("a type (%T) that no host function can have", t.def)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return made(), nil
}

// usesAsync reports whether a function, or a type in it, is of the async half.
func usesAsync(t *typ, work *int) bool {
	if *work++; t == nil || *work > maxText {
		return false
	}
	s := t.scope
	val := func(v binary.ValType) bool {
		if !v.IsIndex() {
			return v.Prim == binary.ErrorContext
		}
		in, err := at(s.types, v.Index, "type")
		return err == nil && usesAsync(in, work)
	}
	opt := func(v *binary.ValType) bool { return v != nil && val(*v) }
	switch d := t.def.(type) {
	case *binary.StreamType, *binary.FutureType:
		return true
	case binary.PrimDef:
		return d.Prim == binary.ErrorContext
	case *binary.FuncType:
		if d.Async || opt(d.Result) {
			return true
		}
		return slices.ContainsFunc(d.Params, func(f binary.Field) bool { return val(f.Type) })
	case *binary.RecordType:
		return slices.ContainsFunc(d.Fields, func(f binary.Field) bool { return val(f.Type) })
	case *binary.VariantType:
		return slices.ContainsFunc(d.Cases, func(c binary.Case) bool { return opt(c.Type) })
	case *binary.TupleType:
		return slices.ContainsFunc(d.Types, val)
	case *binary.ListType:
		return val(d.Elem)
	case *binary.FixedListType:
		return val(d.Elem)
	case *binary.MapType:
		return val(d.Key) || val(d.Value)
	case *binary.OptionType:
		return val(d.Elem)
	case *binary.ResultType:
		return opt(d.OK) || opt(d.Err)
	}
	return false
}

// coreImports matches the imports of a core module that are not of its world.
func (l *links) coreImports(m *binary.Module, world []Import) []Import {
	var out []Import
	known := map[string]bool{"$root": true}
	for _, i := range world {
		known[i.Name] = true
	}
	byModule := map[string]int{}
	for _, imp := range m.Imports {
		have := l.opts.Linker.Core(imp.Module)
		if have == nil && (known[imp.Module] || len(imp.Module) > 8 && imp.Module[:8] == "[export]") {
			continue
		}
		n, ok := byModule[imp.Module]
		if !ok {
			n = len(out)
			byModule[imp.Module] = n
			i := Import{Name: imp.Module, Status: Offered}
			if have == nil {
				i.Status = Missing
				i.Reason = "the module's component-type sections do not describe it, and this host has no core module of that name"
			}
			out = append(out, i)
		}
		if have == nil {
			continue
		}
		f := slices.IndexFunc(have.Funcs, func(f component.CoreFunc) bool { return f.Name == imp.Name })
		if f < 0 || imp.Type.Sort != binary.SortCoreFunc {
			out[n].add(Item{imp.Name, Missing, "the host has no such function", "", ""})
			continue
		}
		has := abi.CoreFunc{Params: have.Funcs[f].Params, Results: have.Funcs[f].Results}
		if wants, ok := coreType(m.FuncType(imp.Type.Func)); !ok || wants.String() != has.String() {
			out[n].add(Item{imp.Name, Mismatch, "its type is not the host's", wants.String(), has.String()})
		}
	}
	return out
}

func coreType(t *binary.CoreFuncType) (abi.CoreFunc, bool) {
	var out abi.CoreFunc
	if t == nil {
		return out, false
	}
	all := true
	conv := func(list []binary.CoreValType) (ts []abi.CoreType) {
		for _, v := range list {
			switch v.Kind {
			case binary.CoreI32:
				ts = append(ts, abi.I32)
			case binary.CoreI64:
				ts = append(ts, abi.I64)
			case binary.CoreF32:
				ts = append(ts, abi.F32Core)
			case binary.CoreF64:
				ts = append(ts, abi.F64Core)
			default:
				all = false
			}
		}
		return ts
	}
	out.Params, out.Results = conv(t.Params), conv(t.Results)
	return out, all
}
