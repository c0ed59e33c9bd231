package binary

import (
	"fmt"
	"reflect"
	"strings"
)

// dump writes a value of the syntax tree as indented text, one definition or
// field a line, with fields that are zero left out. Bytes are given by their
// number, offsets not at all, so that goldens stay readable.
func dump(v any) string {
	var b strings.Builder
	dumpValue(&b, reflect.ValueOf(v), "")
	return b.String()
}

func dumpValue(b *strings.Builder, v reflect.Value, indent string) {
	if s, ok := dumpLeaf(v); ok {
		b.WriteString(s + "\n")
		return
	}
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		dumpValue(b, v.Elem(), indent)
	case reflect.Slice:
		fmt.Fprintf(b, "%d items\n", v.Len())
		for i := range v.Len() {
			fmt.Fprintf(b, "%s  %d: ", indent, i)
			dumpValue(b, v.Index(i), indent+"  ")
		}
	case reflect.Struct:
		b.WriteString(v.Type().Name())
		b.WriteByte('\n')
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if f.Type == reflect.TypeFor[At]() || f.Name == "Offset" || v.Field(i).IsZero() {
				continue
			}
			fmt.Fprintf(b, "%s  %s: ", indent, f.Name)
			dumpValue(b, v.Field(i), indent+"  ")
		}
	default:
		fmt.Fprintf(b, "%v\n", v)
	}
}

// dumpLeaf gives small things in one line.
func dumpLeaf(v reflect.Value) (string, bool) {
	switch x := v.Interface().(type) {
	case ValType:
		if x.IsIndex() {
			return fmt.Sprintf("type %d", x.Index), true
		}
		return x.Prim.String(), true
	case *ValType:
		if x == nil {
			return "none", true
		}
		return dumpLeaf(reflect.ValueOf(*x))
	case OptIndex:
		return fmt.Sprint(x.Index), true
	case CoreValType:
		return x.String(), true
	case []byte:
		return fmt.Sprintf("%d bytes", len(x)), true
	case PrimDef:
		return x.Prim.String(), true
	case fmt.Stringer:
		if v.Kind() != reflect.Struct && v.Kind() != reflect.Pointer && v.Kind() != reflect.Interface {
			return x.String(), true
		}
	}
	if n, ok := v.Interface().(ExternName); ok && n.Attrs == nil {
		return fmt.Sprintf("%q (kind %d)", n.Name, n.Kind), true
	}
	if v.Kind() == reflect.String {
		return fmt.Sprintf("%q", v.String()), true
	}
	return "", false
}
