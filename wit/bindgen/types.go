package main

import (
	"fmt"
	"strings"

	"github.com/minispin/minispin/wit"
)

// emitTypes writes the Go types of an interface.
func (p *pkg) emitTypes() {
	f := p.newFile("types.go")
	p.take("InterfaceName", "the name of the interface", p.iface.Pos)
	f.document("InterfaceName is the name components know the interface by.", "")
	f.printf("const InterfaceName = %q\n", p.iface.ID())
	for _, d := range p.iface.Types {
		name := exported(d.Name)
		p.take(name, "type "+d.Name, d.Pos)
		switch body := d.Body.(type) {
		case *wit.Record:
			f.record(d, name, body)
		case *wit.Variant:
			f.variant(d, name, body)
		case *wit.Enum:
			f.enum(d, name, body)
		case *wit.Flags:
			f.flags(d, name, body)
		case *wit.Resource:
			// Its methods belong to what the host implements.
		default:
			f.document(fmt.Sprintf("%s is the type %s.", name, d.Name), d.Docs)
			f.printf("type %s = %s\n", name, f.aliased(d))
		}
	}
}

// aliased gives the Go type an alias stands for. The alias of a resource is
// the interface the host implements, as any handle of it is.
func (f *file) aliased(d *wit.TypeDef) string {
	if ref, ok := d.Body.(*wit.Ref); ok {
		return f.defName(ref.Def)
	}
	return f.goType(d.Body)
}

func (f *file) defName(d *wit.TypeDef) string { return f.qualify(f.owner(d), exported(d.Name)) }

var goPrimitives = map[wit.Primitive]string{
	wit.Bool: "bool", wit.S8: "int8", wit.U8: "uint8", wit.S16: "int16", wit.U16: "uint16",
	wit.S32: "int32", wit.U32: "uint32", wit.S64: "int64", wit.U64: "uint64",
	wit.F32: "float32", wit.F64: "float64", wit.Char: "rune", wit.String: "string",
}

// goType gives the Go type of values of t.
func (f *file) goType(t wit.Type) string {
	switch t := t.(type) {
	case nil:
		return f.use(valuePath) + ".Unit"
	case wit.Primitive:
		return goPrimitives[t]
	case *wit.List:
		if isBytes(t) {
			return "[]byte"
		}
		return "[]" + f.goType(t.Elem)
	case *wit.Option:
		return fmt.Sprintf("%s.Option[%s]", f.use(valuePath), f.goType(t.Elem))
	case *wit.Result:
		return fmt.Sprintf("%s.Result[%s, %s]", f.use(valuePath), f.goType(t.OK), f.goType(t.Err))
	case *wit.Tuple:
		if len(t.Types) > 8 {
			refuse(f.pkg.iface.Pos, "%s has a tuple of %d types: there are no Go tuples of more than 8", f.pkg.iface.ID(), len(t.Types))
		}
		types := make([]string, len(t.Types))
		for i, e := range t.Types {
			types[i] = f.goType(e)
		}
		return fmt.Sprintf("%s.Tuple%d[%s]", f.use(valuePath), len(types), strings.Join(types, ", "))
	case *wit.Own:
		return f.defName(t.Resource.Def)
	case *wit.Borrow:
		return f.defName(t.Resource.Def)
	case *wit.Ref:
		return f.defName(t.Def)
	}
	panic(fmt.Sprintf("Go type of %T", t))
}

func (f *file) record(d *wit.TypeDef, name string, r *wit.Record) {
	f.document(fmt.Sprintf("%s is the record %s.", name, d.Name), d.Docs)
	f.printf("type %s struct {\n", name)
	seen := map[string]string{}
	for _, field := range r.Fields {
		goName := exported(field.Name)
		f.distinct(seen, goName, field.Name, d, field.Pos)
		f.memberDocs(field.Docs)
		f.printf("\t%s %s\n", goName, f.goType(field.Type))
	}
	f.printf("}\n")
	if f.gen.errors[d] {
		f.printf("\n// Error makes %s an error that functions of the interface fail with.\n", name)
		f.printf("func (v %s) Error() string {\n\ttype plain %s // without this method\n", name, name)
		f.printf("\treturn %s.Sprintf(\"%s: %%+v\", plain(v))\n}\n", f.use("fmt"), d.Name)
	}
}

func (f *file) variant(d *wit.TypeDef, name string, v *wit.Variant) {
	f.limit(d, v.Cases)
	kind := name + "Case"
	f.pkg.take(kind, "the cases of "+d.Name, d.Pos)
	f.document(fmt.Sprintf("%s is the variant %s: the field named like the case, if there is one, has its payload.", name, d.Name), d.Docs)
	f.printf("type %s struct {\n\tCase %s\n\n", name, kind)
	seen := map[string]string{"Case": "the case"}
	for _, c := range v.Cases {
		if c.Type == nil {
			continue
		}
		goName := exported(c.Name)
		f.distinct(seen, goName, c.Name, d, c.Pos)
		f.printf("\t%s %s\n", goName, f.goType(c.Type))
	}
	f.printf("}\n")
	f.document(fmt.Sprintf("%s tells the cases of %s apart.", kind, name), "")
	f.cases(d, name, kind, v.Cases)
	if f.gen.errors[d] {
		f.variantError(name, v)
	}
}

func (f *file) variantError(name string, v *wit.Variant) {
	f.printf("\n// Error makes %s an error that functions of the interface fail with.\n", name)
	f.printf("func (v %s) Error() string {\n", name)
	var text, other []string
	for _, c := range v.Cases {
		switch {
		case c.Type == nil:
		case canon(c.Type) == wit.String:
			text = append(text, c.Name)
		default:
			other = append(other, c.Name)
		}
	}
	if len(text)+len(other) > 0 {
		f.printf("\tswitch v.Case {\n")
		for _, c := range text {
			f.printf("\tcase %s%s:\n\t\treturn \"%s: \" + v.%s\n", name, exported(c), c, exported(c))
		}
		for _, c := range other {
			f.printf("\tcase %s%s:\n\t\treturn %s.Sprintf(\"%s: %%v\", v.%s)\n", name, exported(c), f.use("fmt"), c, exported(c))
		}
		f.printf("\t}\n")
	}
	f.printf("\treturn v.Case.String()\n}\n")
}

func (f *file) enum(d *wit.TypeDef, name string, e *wit.Enum) {
	f.limit(d, e.Cases)
	f.document(fmt.Sprintf("%s is the enum %s.", name, d.Name), d.Docs)
	f.cases(d, name, name, e.Cases)
	if f.gen.errors[d] {
		f.printf("\n// Error makes %s an error that functions of the interface fail with.\n", name)
		f.printf("func (v %s) Error() string { return v.String() }\n", name)
	}
}

// cases writes an integer type with a constant and a name for each case.
func (f *file) cases(d *wit.TypeDef, prefix, kind string, cases []wit.Case) {
	f.printf("type %s uint8\n\n// The cases of %s.\nconst (\n", kind, prefix)
	for n, c := range cases {
		goName := prefix + exported(c.Name)
		f.pkg.take(goName, "case "+c.Name+" of "+d.Name, c.Pos)
		f.memberDocs(c.Docs)
		if n == 0 {
			f.printf("\t%s %s = iota\n", goName, kind)
		} else {
			f.printf("\t%s\n", goName)
		}
	}
	f.printf(")\n")
	table := strings.ToLower(prefix[:1]) + prefix[1:] + "Names"
	f.pkg.take(table, "the names of "+d.Name, d.Pos)
	f.printf("\nvar %s = [...]string{\n", table)
	for _, c := range cases {
		f.printf("\t%q,\n", c.Name)
	}
	f.printf("}\n\n// String gives the name the case has in WIT.\n")
	f.printf("func (v %s) String() string {\n\tif int(v) < len(%s) {\n\t\treturn %s[v]\n\t}\n", kind, table, table)
	f.printf("\treturn \"no case of %s\"\n}\n", d.Name)
}

func (f *file) flags(d *wit.TypeDef, name string, fl *wit.Flags) {
	if len(fl.Flags) > 64 {
		refuse(d.Pos, "%s has more than 64 flags", d.Name)
	}
	f.document(fmt.Sprintf("%s is the flags type %s: any of its bits together.", name, d.Name), d.Docs)
	f.printf("type %s uint%d\n\n// The bits of %s.\nconst (\n", name, flagBits(fl), name)
	for n, c := range fl.Flags {
		goName := name + exported(c.Name)
		f.pkg.take(goName, "flag "+c.Name+" of "+d.Name, c.Pos)
		f.memberDocs(c.Docs)
		if n == 0 {
			f.printf("\t%s %s = 1 << iota\n", goName, name)
		} else {
			f.printf("\t%s\n", goName)
		}
	}
	f.printf(")\n")
}

// flagBits gives the width of the Go type for flags, which is that of their
// memory form.
func flagBits(fl *wit.Flags) int {
	switch n := len(fl.Flags); {
	case n <= 8:
		return 8
	case n <= 16:
		return 16
	case n <= 32:
		return 32
	}
	return 64
}

func (f *file) limit(d *wit.TypeDef, cases []wit.Case) {
	if len(cases) > 256 {
		refuse(d.Pos, "%s has more than 256 cases", d.Name)
	}
}

// distinct makes sure that the members of a type have different Go names.
func (f *file) distinct(seen map[string]string, goName, name string, d *wit.TypeDef, pos wit.Pos) {
	if old, ok := seen[goName]; ok {
		refuse(pos, "%s and %s of %s would both be called %s in Go", old, name, d.Name, goName)
	}
	seen[goName] = name
}

func (f *file) memberDocs(docs string) {
	if docs != "" {
		f.printf("%s", comment(docs))
	}
}

// emitDescriptors writes the descriptors of the named types, which the check
// at link time compares with what a component asks for.
func (p *pkg) emitDescriptors() {
	f := p.newFile("values.go")
	p.values = f
	for _, d := range p.iface.Types {
		name := exported(d.Name)
		switch body := d.Body.(type) {
		case *wit.Resource:
			p.take(name+"Resource", "the identity of "+d.Name, d.Pos)
			f.document(fmt.Sprintf("%sResource is the identity of the resource type %s; its values are of type %s.", name, d.Name, name), "")
			f.printf("var %sResource = %s.NewHostResource(%q, func(rep any) { rep.(%s).Drop() })\n",
				name, f.use(componentPath), d.Name, name)
			continue
		case *wit.Record:
			f.descriptor(d, name)
			f.printf("Record(\n")
			for _, field := range body.Fields {
				f.printf("\tabi.Field{Name: %q, Type: %s},\n", field.Name, f.abiType(field.Type))
			}
		case *wit.Variant:
			f.descriptor(d, name)
			f.printf("Variant(\n")
			for _, c := range body.Cases {
				if c.Type == nil {
					f.printf("\tabi.Case{Name: %q},\n", c.Name)
				} else {
					f.printf("\tabi.Case{Name: %q, Type: %s},\n", c.Name, f.abiType(c.Type))
				}
			}
		case *wit.Enum:
			f.descriptor(d, name)
			f.printf("Enum(\n")
			for _, c := range body.Cases {
				f.printf("\t%q,\n", c.Name)
			}
		case *wit.Flags:
			f.descriptor(d, name)
			f.printf("Flags(\n")
			for _, c := range body.Flags {
				f.printf("\t%q,\n", c.Name)
			}
		default:
			continue
		}
		f.printf(")\n")
	}
}

func (f *file) descriptor(d *wit.TypeDef, name string) {
	f.pkg.take(name+"ABI", "the descriptor of "+d.Name, d.Pos)
	f.document(fmt.Sprintf("%sABI describes %s to the check at link time.", name, d.Name), "")
	f.printf("var %sABI = %s.", name, f.use(abiPath))
}

// abiType gives a Go expression for the descriptor of a type.
func (f *file) abiType(t wit.Type) string {
	abi := f.use(abiPath) + "."
	switch t := canon(t).(type) {
	case wit.Primitive:
		return abi + exported(t.String())
	case *wit.List:
		return abi + "List(" + f.abiType(t.Elem) + ")"
	case *wit.Option:
		return abi + "Option(" + f.abiType(t.Elem) + ")"
	case *wit.Result:
		parts := [2]string{"nil", "nil"}
		for i, part := range []wit.Type{t.OK, t.Err} {
			if part != nil {
				parts[i] = f.abiType(part)
			}
		}
		return abi + "Result(" + parts[0] + ", " + parts[1] + ")"
	case *wit.Tuple:
		types := make([]string, len(t.Types))
		for i, e := range t.Types {
			types[i] = f.abiType(e)
		}
		return abi + "Tuple(" + strings.Join(types, ", ") + ")"
	case *wit.Own:
		return abi + "Own(" + f.identity(t.Resource.Def) + ")"
	case *wit.Borrow:
		return abi + "Borrow(" + f.identity(t.Resource.Def) + ")"
	case *wit.Ref:
		return f.qualify(f.owner(t.Def), exported(t.Def.Name)+"ABI")
	}
	panic(fmt.Sprintf("descriptor of %T", t))
}

// identity gives a Go expression for the identity of a resource type.
func (f *file) identity(d *wit.TypeDef) string {
	d = d.Target()
	return f.qualify(f.owner(d), exported(d.Name)+"Resource")
}

// funcABI gives a Go expression for the type of a function.
func (f *file) funcABI(fn *wit.Func) string {
	abi := f.use(abiPath)
	var fields []string
	if fn.Kind == wit.Method {
		fields = append(fields, fmt.Sprintf("{Name: \"self\", Type: %s.Borrow(%s)}", abi, f.identity(fn.Resource)))
	}
	for _, a := range fn.Params {
		fields = append(fields, fmt.Sprintf("{Name: %q, Type: %s}", a.Name, f.abiType(a.Type)))
	}
	s := "&" + abi + ".Func{"
	if fields != nil {
		s += "Params: []" + abi + ".Field{" + strings.Join(fields, ", ") + "}"
	}
	if fn.Result != nil {
		if fields != nil {
			s += ", "
		}
		s += "Result: " + f.abiType(fn.Result)
	}
	return s + "}"
}
