package binary

import (
	"slices"
	"strings"
	"testing"
)

// worldSection is a component-type section as bindings generators write it.
func worldSection(tb testing.TB, name string, encoding int, text string) []byte {
	tb.Helper()
	c := assemble(tb, text)
	c = append(c, sec(0, str(encodingSection), worldFormat, encoding)...)
	c = append(c, sec(0, str("producers"), 1, str("processed-by"), 1, str("generator"), str("0.1.0"))...)
	return sec(0, str(name), c)
}

const worldOne = `(component
  (type (component
    (type (component
      (type $streams-type (instance
        (export "output-stream" (type $out (sub resource)))
        (export "[method]output-stream.flush" (func (param "self" (borrow $out))))))
      (import "wasi:io/streams@0.2.0" (instance $streams (type $streams-type)))
      (alias export $streams "output-stream" (type $out))
      (import "log" (func (param "to" (borrow $out))))
      (type $handler (instance (export "handle" (func (result u32)))))
      (export "example:greet/handler@1.0.0" (instance (type $handler)))))
    (export "example:greet/one@1.0.0" (component (type 0)))))
  (export "one" (type 0)))`

const worldTwo = `(component
  (type (component
    (type (component
      (type (instance
        (export "poll" (func))))
      (import "wasi:io/poll@0.2.0" (instance (type 0)))
      (type (instance
        (export "output-stream" (type $out (sub resource)))
        (export "[method]output-stream.write" (func (param "self" (borrow $out))))))
      (import "wasi:io/streams@0.2.0" (instance (type 1)))
      (export "run" (func))))
    (export "example:greet/two" (component (type 0)))))
  (export "two" (type 0)))`

func itemNames(items []WorldItem) []string {
	var names []string
	for _, i := range items {
		names = append(names, i.Name.Name)
	}
	return names
}

func TestDecodeComponentTypes(t *testing.T) {
	module := cat(coreStart,
		worldSection(t, "component-type:one", 0, worldOne),
		sec(0, str("other"), "not a world"),
		worldSection(t, "component-type:two", 0, worldTwo))
	w, err := DecodeComponentTypes(module, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if len(w.Sections) != 2 {
		t.Fatalf("%d sections, want 2", len(w.Sections))
	}
	one, two := w.Sections[0], w.Sections[1]
	if one.Section != "component-type:one" || one.Name != "example:greet/one@1.0.0" || one.StringEncoding != UTF8 || two.Name != "example:greet/two" {
		t.Errorf("sections %+v and %+v", one, two)
	}
	if v, _ := two.Producers.Version("processed-by", "generator"); v != "0.1.0" {
		t.Errorf("producers %v", two.Producers)
	}
	if got, want := itemNames(w.Imports), []string{"wasi:io/streams@0.2.0", "log", "wasi:io/poll@0.2.0"}; !slices.Equal(got, want) {
		t.Errorf("imports %q, want %q", got, want)
	}
	if got, want := itemNames(w.Exports), []string{"example:greet/handler@1.0.0", "run"}; !slices.Equal(got, want) {
		t.Errorf("exports %q, want %q", got, want)
	}
	streams := w.Import("wasi:io/streams@0.2.0")
	if streams == nil || len(streams.Sources) != 2 || streams.Sources[0].Section != one || streams.Sources[1].Section != two {
		t.Fatalf("streams: %+v", streams)
	}
	// The second section's source leads to the second section's type.
	src := streams.Sources[1]
	iface, ok := typeSpace(src.Section.Type.Decls)[src.Desc.Index].(*InstanceType)
	if !ok {
		t.Fatalf("source %+v is no instance type", src)
	}
	last := iface.Decls[len(iface.Decls)-1].(*ExportDecl)
	if last.Name.Name != "[method]output-stream.write" {
		t.Errorf("last export %s", last.Name)
	}
	if w.Export("nothing") != nil || w.Import("run") != nil {
		t.Error("found what is not there")
	}
}

func TestNoComponentTypes(t *testing.T) {
	w, err := DecodeComponentTypes([]byte(coreStart), Limits{})
	if err != nil || len(w.Sections) != 0 || w.Import("a") != nil {
		t.Errorf("%+v, %v", w, err)
	}
}

func TestOldComponentTypes(t *testing.T) {
	// The older format may hold a package, in which each world stands in a type
	// of its own or all in one.
	pkg := assemble(t, `(component
      (type (component
        (type (component (import "a" (func))))
        (export "example:p/first" (component (type 0)))
        (type (component (import "b" (func))))
        (export "example:p/second" (component (type 1)))))
      (export "first" (type 0)))`)
	w, err := DecodeComponentTypes(cat(coreStart, sec(0, str("component-type:x"), worldFormatOld, 2, str("second"), pkg)), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if s := w.Sections[0]; s.Name != "example:p/second" || s.StringEncoding != Latin1UTF16 || w.Import("b") == nil || w.Import("a") != nil {
		t.Errorf("section %+v, imports %q", s, itemNames(w.Imports))
	}
}

func TestDecodeComponentTypesRefuses(t *testing.T) {
	encoding := func(parts ...any) []byte { return sec(0, str(encodingSection), cat(parts...)) }
	one := assemble(t, worldOne)
	tests := []struct {
		name     string
		sections []byte
		err      string
	}{
		{"garbage", sec(0, str("component-type"), "garbage"), "magic number"},
		{"empty", sec(0, str("component-type")), "unexpected end"},
		{"broken component", sec(0, str("component-type:x"), one[:len(one)-1]), `custom section "component-type:x"`},
		{"no encoding", sec(0, str("component-type"), one), "no custom section"},
		{"newer format", sec(0, str("component-type"), one, encoding(5, 0)), "format (byte 0x04) expected"},
		{"string encoding", sec(0, str("component-type"), one, encoding(4, 3)), "string encoding expected"},
		{"long encoding", sec(0, str("component-type"), one, encoding(4, 0, 0)), "1 bytes left over"},
		{"no world", sec(0, str("component-type"), preamble, encoding(4, 0)), "no world"},
		{"old format, no such world", sec(0, str("component-type"), 3, 0, str("three"), one), `no world named "three"`},
		{"encodings differ", cat(worldSection(t, "component-type:a", 0, worldOne), worldSection(t, "component-type:b", 1, worldTwo)), "has string encoding utf16 here and utf8"},
		{"sorts differ", cat(worldSection(t, "component-type:a", 0, worldTwo), worldSection(t, "component-type:b", 0,
			strings.Replace(worldTwo, `(export "run" (func))`, `(export "run" (instance))`, 1))), `"run" is of sort instance here and func in`},
	}
	for _, tt := range tests {
		w, err := DecodeComponentTypes(cat(coreStart, tt.sections), Limits{})
		if err == nil {
			t.Errorf("%s: accepted, imports %q", tt.name, itemNames(w.Imports))
			continue
		}
		if !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.err)
		}
	}
}

func TestWorldOffsets(t *testing.T) {
	module := cat(coreStart, worldSection(t, "component-type", 0, worldOne))
	w, err := DecodeComponentTypes(module, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	// Offsets count from the start of the module, also inside the section.
	c := w.Sections[0].Component
	if !IsComponent(module[c.Offset:]) {
		t.Errorf("no component at offset %d", c.Offset)
	}
	if e := FindCustom(c.Customs, encodingSection); string(module[e.Offset:e.Offset+2]) != "\x04\x00" {
		t.Errorf("no encoding at offset %d", e.Offset)
	}
}
