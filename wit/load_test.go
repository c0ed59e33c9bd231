package wit

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestFormatGolden(t *testing.T) {
	set, err := Load("testdata/set")
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	fsys := fstest.MapFS{}
	for _, p := range set.Packages {
		text.WriteString(Format(p) + "\n")
		fsys[p.Name+"/p.wit"] = &fstest.MapFile{Data: []byte(Format(p))}
	}
	golden := filepath.Join("testdata", "set.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(text.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.ReplaceAll(string(want), "\r\n", "\n"), text.String()); diff != "" {
		t.Errorf("printed form changed (-want +got):\n%s", diff)
	}

	// What is printed must mean the same when it is read again.
	again, err := LoadFS(fsys)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range set.Packages {
		q := again.Package(p.ID())
		if q == nil {
			t.Fatalf("package %s is gone after printing", p.ID())
		}
		if diff := cmp.Diff(Format(p), Format(q)); diff != "" {
			t.Errorf("%s printed twice differs:\n%s", p.ID(), diff)
		}
	}
}

func TestReferencesAreResolved(t *testing.T) {
	set, err := Load("testdata/set/shop", "testdata/set/money")
	if err != nil {
		t.Fatal(err)
	}
	goods := set.Interface("demo:shop/goods@1.2.0-rc.1")
	money := set.Interface("demo:money/exchange@0.3.1")
	if goods == nil || money == nil {
		t.Fatal("interfaces are not found by id")
	}
	def := func(name string) *TypeDef {
		for _, d := range goods.Types {
			if d.Name == name {
				return d
			}
		}
		t.Fatalf("no type %s", name)
		return nil
	}
	if got := goods.Type("exchange-rate"); got != money.Types[1] {
		t.Errorf("exchange-rate is %+v, want the rate of demo:money", got)
	}
	if goods.Type("find") != nil || goods.Type("Item") != nil {
		t.Error("Type finds what is no type of that name")
	}
	price := def("item").Body.(*Record).Fields[1].Type.(*Ref)
	if price.Def != money.Types[0] || price.Def.Interface != money {
		t.Errorf("amount leads to %+v, not to the definition in demo:money", price.Def)
	}
	shelf := def("shelf")
	if got := def("rack").Target(); got != shelf {
		t.Errorf("rack is an alias of %s, want shelf", got.Name)
	}
	merge := shelf.Body.(*Resource).Funcs[3]
	if own, ok := merge.Params[0].Type.(*Own); !ok || own.Resource.Def != shelf {
		t.Errorf("parameter a is %#v, want an own handle of shelf", merge.Params[0].Type)
	}
	if _, ok := merge.Params[1].Type.(*Borrow); !ok {
		t.Errorf("parameter b is %#v, want a borrow", merge.Params[1].Type)
	}
	found := goods.Funcs[0].Result.(*Option).Elem.(*Own)
	if found.Resource.Def.Target() != shelf {
		t.Errorf("find gives a handle of %s, want one of shelf", found.Resource.Def.Target().Name)
	}
	var names []string
	for _, f := range shelf.Body.(*Resource).Funcs {
		names = append(names, f.Canonical())
	}
	names = append(names, goods.Funcs[0].Canonical())
	want := []string{"[constructor]shelf", "[method]shelf.put", "[method]shelf.take", "[static]shelf.merge", "find"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	if got := goods.Docs; got != "Things one can buy.\nThey are kept in order." {
		t.Errorf("docs of goods: %q", got)
	}
}

func TestWorldItems(t *testing.T) {
	set, err := Load("testdata/set")
	if err != nil {
		t.Fatal(err)
	}
	imports, exports := set.World("demo:shop/market@1.2.0-rc.1").Items()
	names := func(items []*WorldItem) (names []string) {
		for _, it := range items {
			names = append(names, it.Name)
		}
		return names
	}
	if diff := cmp.Diff([]string{
		"demo:money/exchange@0.3.1", "demo:shop/basket@1.2.0-rc.1", "bell", "lamp",
	}, names(imports)); diff != "" {
		t.Error("imports:", diff)
	}
	// The exchange comes by way of both included worlds and is there once.
	if diff := cmp.Diff([]string{"ring", "checkout", "demo:money/exchange@0.3.1"}, names(exports)); diff != "" {
		t.Error("exports:", diff)
	}
}

func TestAllImports(t *testing.T) {
	set, err := LoadFS(fstest.MapFS{"p.wit": {Data: []byte(`package a:b;
interface base { type t = u8; }
interface middle { use base.{t}; type m = t; }
interface far { type f = u8; }
interface taken { type x = u8; }
interface out { use middle.{m}; use taken.{x}; }
world inner { use far.{f}; }
world outer { include inner; import middle; export out; export taken; }
`)}})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, it := range set.World("a:b/outer").AllImports() {
		names = append(names, it.Name)
	}
	if diff := cmp.Diff([]string{"a:b/middle", "a:b/base", "a:b/far"}, names); diff != "" {
		t.Error(diff)
	}
}

func TestErrors(t *testing.T) {
	deep := strings.Repeat("option<", 150) + "u8" + strings.Repeat(">", 150)
	tests := []struct {
		name, src string
		want      string // position and the words that matter
	}{
		{"no package", "interface a {}", "p.wit:1:1: expected 'package'"},
		{"two packages", "package a:b; package a:c;", "p.wit:1:14: a package is declared once"},
		{"nested package", "package a:b { }", "p.wit:1:13: nested packages are not supported"},
		{"nested namespace", "package a:b:c;", "nested namespaces"},
		{"bad version", "package a:b@1.x;", "p.wit:1:13: expected a version"},
		{"leading zero", "package a:b@1.02.0;", "expected a version"},
		{"top level", "package a:b; func", "p.wit:1:14: expected use, interface or world, found 'func'"},
		{"end of file", "package a:b; interface a {", "p.wit:1:27: expected a use, a type, a function or }, found the end of the file"},
		{"keyword as name", "package a:b; interface list {}", "list is a keyword: write %list"},
		{"no colon", "package a:b;\ninterface a {\n  f func();\n}", "p.wit:3:5: expected ':', found 'func'"},
		{"no func", "package a:b; interface a { f: fun(); }", "expected func, found 'fun'"},
		{"no comma", "package a:b; interface a { record r { a: u8 b: u8 } }", "p.wit:1:45: expected ',' or '}', found 'b'"},
		{"no type", "package a:b; interface a { type t = ; }", "expected a type, found ';'"},
		{"character", "package a:b; §", "unexpected character '§'"},
		{"not utf-8", "package a:b; \xff", "not UTF-8"},
		{"dash", "package a:b; interface a--b {}", "empty word"},
		{"case", "package a:b; interface aB {}", "mixes lower and upper case"},
		{"percent", "package a:b; interface %1 {}", "expected an identifier after %"},
		{"comment", "package a:b; /* /* */", "p.wit:1:14: comment is never closed"},
		{"annotation", "package a:b; @since(feature = x) interface a {}", "p.wit:1:21: expected version"},
		{"unknown annotation", "package a:b; @until(version = 1.0.0) interface a {}", "unknown annotation @until"},
		{"empty record", "package a:b; interface a { record r {} }", "has no fields"},
		{"empty enum", "package a:b; interface a { enum r {} }", "has no cases"},
		{"empty tuple", "package a:b; interface a { type t = tuple<>; }", "tuple has no types"},
		{"payload in enum", "package a:b; interface a { enum e { a(u8) } }", "expected ',' or '}'"},
		{"list length", "package a:b; interface a { type t = list<u8, 0>; }", "expected the length of the list"},
		{"list length range", "package a:b; interface a { type t = list<u8, 4294967296>; }", "expected the length of the list"},
		{"nesting", "package a:b; interface a { type t = " + deep + "; }", "more than 100 deep"},
		{"two fields", "package a:b; interface a { record r { x: u8, X: u8 } }", "p.wit:1:46: field X of r is already there: see p.wit:1:39"},
		{"two names", "package a:b; interface a { f: func(); type f = u8; }", "p.wit:1:28: name f is already taken"},
		{"two interfaces", "package a:b; interface a {} world a {}", "p.wit:1:29: a is already defined in package a:b"},
		{"two methods", "package a:b; interface a { resource r { m: func(); m: static func(); } }", "name m is already taken"},
		{"two constructors", "package a:b; interface a { resource r { constructor(); constructor(a: u8); } }", "two constructors"},
		{"undefined", "package a:b; interface a { f: func(x: nope); }", "p.wit:1:39: type nope is not defined"},
		{"wrong case", "package a:b; interface a { type yes = u8; f: func(x: YES); }", "case matters"},
		{"function as type", "package a:b; interface a { f: func(x: f); }", "f is a function"},
		{"borrow of record", "package a:b; interface a { record r { x: u8 } f: func(x: borrow<r>); }", "r is not a resource"},
		{"own of alias", "package a:b; interface a { type r = u8; f: func(x: own<r>); }", "r is not a resource"},
		{"recursive record", "package a:b; interface a { record r { x: list<r> } }", "type r contains itself"},
		{"alias circle", "package a:b; interface a { type r = s; type s = r; }", "contains itself"},
		{"missing package", "package a:b; interface a { use c:d/e@1.0.0.{f}; }", "p.wit:1:32: package c:d@1.0.0 is not among the loaded ones"},
		{"other version", "package a:b@1.0.0; interface a { use a:b/a@2.0.0.{f}; }", "there is a:b@1.0.0"},
		{"missing interface", "package a:b; interface a { use e.{f}; }", "no interface or world named e"},
		{"missing type", "package a:b; interface e { f: func(); } interface a { use e.{f}; }", "p.wit:1:62: interface a:b/e has no type named f"},
		{"use of world", "package a:b; world w {} interface a { use w.{f}; }", "w is a world: expected an interface"},
		{"use circle", "package a:b; interface a { use b.{x}; } interface b { use a.{x}; }", "in a circle"},
		{"use of self", "package a:b; interface a { use a.{x}; }", "in a circle"},
		{"use collides", "package a:b; interface e { type t = u8; } interface a { use e.{t}; type t = u8; }", "name t is already taken"},
		{"import twice", "package a:b; interface e {} world w { import e; import e; }", "named twice"},
		{"include interface", "package a:b; interface e {} world w { include e; }", "e is an interface: expected a world"},
		{"include circle", "package a:b; world v { include w; } world w { include v; }", "include each other in a circle"},
		{"include collides", "package a:b; world v { import f: func(); } world w { include v; import f: func(); }", "two items named f"},
		{"include renames nothing", "package a:b; world v {} world w { include v with { f as g } }", "nothing named f"},
		{"use in world", "package a:b; world w { use e.{f}; }", "no interface or world named e"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := LoadFS(fstest.MapFS{"p.wit": {Data: []byte(tt.src)}})
			if err == nil {
				t.Fatal("loaded without an error")
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %q does not have %q", err, tt.want)
			}
			if !errors.As(err, new(*Error)) {
				t.Errorf("error is a %T, want a *wit.Error in it", err)
			}
		})
	}
}

func TestLoadErrors(t *testing.T) {
	if _, err := Load(filepath.Join(t.TempDir(), "nothing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing folder: %v", err)
	}
	if _, err := Load(t.TempDir()); err == nil || !strings.Contains(err.Error(), "no package found") {
		t.Errorf("empty folder: %v", err)
	}
	for _, tt := range []struct{ name, second, want string }{
		{"x/b.wit", "package a:c;", "x/b.wit:1:1: package is named a:c here and a:b in the same folder: see x/a.wit:1:1"},
		{"y/a.wit", "package a:b;", "y/a.wit:1:1: package a:b is already loaded: see x/a.wit:1:1"},
	} {
		_, err := LoadFS(fstest.MapFS{
			"x/a.wit": {Data: []byte("package a:b;")},
			tt.name:   {Data: []byte(tt.second)},
		})
		if err == nil || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}

// All mistakes about names are told in one run.
func TestErrorsAreGathered(t *testing.T) {
	_, err := LoadFS(fstest.MapFS{
		"p.wit": {Data: []byte("package a:b; interface a { f: func(x: one, y: two); }")},
	})
	if err == nil || strings.Count(err.Error(), "is not defined") != 2 {
		t.Errorf("got %v, want two errors", err)
	}
}

func FuzzLoad(f *testing.F) {
	for _, name := range []string{"shop/shop.wit", "money/money.wit", "money/bank.wit"} {
		src, err := os.ReadFile(filepath.Join("testdata", "set", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(src))
	}
	f.Add("package a:b; interface i { type a = b; type b = a; }")
	f.Add("package a:b; world v { include w; } world w { include v with { a as b } }")
	f.Fuzz(func(t *testing.T, src string) {
		set, err := LoadFS(fstest.MapFS{"p.wit": {Data: []byte(src)}})
		if err != nil {
			return
		}
		once := Format(set.Packages[0])
		again, err := LoadFS(fstest.MapFS{"p.wit": {Data: []byte(once)}})
		if err != nil {
			t.Fatalf("printed form does not load: %v\n%s", err, once)
		}
		if twice := Format(again.Packages[0]); twice != once {
			t.Fatalf("printed form changes when printed again:\n%s\n%s", once, twice)
		}
	})
}
