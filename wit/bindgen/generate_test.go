package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/minispin/minispin/wit"
)

// TestGenerated compares what is checked in with what the generator makes
// today. The packages below internal are the golden output for testdata/demo.
func TestGenerated(t *testing.T) {
	for _, tt := range []struct {
		name, in, out string
		opts          options
	}{
		{"demo", "testdata/demo", "internal", options{importPath: "github.com/minispin/minispin/wit/bindgen/internal"}},
		{"bindings", "../packages", "../bindings", options{
			importPath: "github.com/minispin/minispin/wit/bindings",
			dirs:       map[string]string{"fermyon:spin": "fermyon/spin1"},
			skipAsync:  true,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			set, err := wit.Load(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			files, err := generate(set, tt.opts)
			if err != nil {
				t.Fatal(err)
			}
			for name, want := range files {
				got, err := os.ReadFile(filepath.Join(tt.out, filepath.FromSlash(name)))
				if err != nil {
					t.Error(err)
				} else if !bytes.Equal(bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n")), want) {
					t.Errorf("%s is not what the generator makes: run go generate", name)
				}
			}
			err = filepath.WalkDir(tt.out, func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				name, err := filepath.Rel(tt.out, path)
				if err != nil {
					return err
				}
				if _, ok := files[filepath.ToSlash(name)]; !ok {
					t.Errorf("%s is not made by the generator", path)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	many := strings.Repeat("x%,", 257)
	for i := range 257 {
		many = strings.Replace(many, "%", string(rune('a'+i/26))+string(rune('a'+i%26)), 1)
	}
	tests := []struct{ name, src, want string }{
		{"async function", "interface i { f: async func(); }", "p.wit:2:15: a:b/i uses async functions"},
		{"stream", "interface i { f: func() -> stream<u8>; }", "streams or futures"},
		{"nested future", "interface i { type t = list<option<future>>; }", "streams or futures"},
		{"error context", "interface i { f: func(e: error-context); }", "error contexts"},
		{"fixed list", "interface i { f: func(l: list<u8, 4>); }", "a list of fixed length"},
		{"wide tuple", "interface i { f: func(t: tuple<u8, u8, u8, u8, u8, u8, u8, u8, u8>); }", "a tuple of 9 types"},
		{"many cases", "interface i { enum e { " + many + " } }", "more than 256 cases"},
		{"guest resource", "interface i { resource r; f: func(); } world w { export i; }", "resources of guests are not supported"},
		{"type names", "interface i { type http-x = u8; type HTTP-x = u8; }", "is already taken"},
		{"Go type names", "interface i { type a-b = u8; type a-B = u8; }", "is already taken"},
		{"case and type", "interface i { enum e { a } type e-a = u8; }", "would be called EA in Go"},
		{"field names", "interface i { record r { a1: u8, a-1: u8 } }", "a1 and a-1 of r would both be called A1 in Go"},
		{"host names", "interface i { resource r { constructor(); } new-r: func(); }", "would both be called NewR in Go"},
		{"method drop", "interface i { resource r { drop: func(); } }", "would both be called Drop in Go"},
		{"reserved package name", "interface i { type host = u8; f: func(); }", "would be called Host in Go"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			set, err := wit.LoadFS(fstest.MapFS{"p.wit": {Data: []byte("package a:b;\n" + tt.src)}})
			if err == nil {
				_, err = generate(set, options{importPath: "x"})
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestSkipAsync(t *testing.T) {
	set, err := wit.LoadFS(fstest.MapFS{"p.wit": {Data: []byte(`package a:b;
interface now { f: func(); }
interface later { type t = u8; f: async func(); }`)}})
	if err != nil {
		t.Fatal(err)
	}
	files, err := generate(set, options{importPath: "x", skipAsync: true})
	if err != nil {
		t.Fatal(err)
	}
	if files["a/b/now/host.go"] == nil {
		t.Error("nothing was made for the interface without async functions")
	}
	for name := range files {
		if strings.Contains(name, "later") {
			t.Errorf("%s was made for an asynchronous interface", name)
		}
	}
}

func TestSharedFolder(t *testing.T) {
	set, err := wit.LoadFS(fstest.MapFS{
		"a/p.wit": {Data: []byte("package a:b@1.0.0; interface i {}")},
		"b/p.wit": {Data: []byte("package a:b@1.1.0; interface i {}")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := generate(set, options{importPath: "x"}); err == nil || !strings.Contains(err.Error(), "would share the folder a/b1/i") {
		t.Errorf("got %v", err)
	}
	files, err := generate(set, options{importPath: "x", dirs: map[string]string{"a:b@1.1.0": "a/newer"}})
	if err != nil || files["a/newer/i/types.go"] == nil {
		t.Errorf("with another folder: %v", err)
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"input-stream": "InputStream", "DNS-timeout": "DNSTimeout", "http-error": "HTTPError",
		"get": "Get", "is-ipv6": "IsIpv6", "db-value": "DBValue", "a1-b2": "A1B2",
	} {
		if got := exported(name); got != want {
			t.Errorf("exported(%s) = %s, want %s", name, got, want)
		}
	}
	f := &file{imports: map[string]string{"x/types": "types"}}
	for name, want := range map[string]string{
		"len": "length", "type": "typ", "range": "rangeArg", "string": "stringArg", "st": "stArg",
		"types": "typesArg", "max-tokens": "maxTokens", "URL-path": "urlPath", "x": "x",
	} {
		if got := f.local(name); got != want {
			t.Errorf("local(%s) = %s, want %s", name, got, want)
		}
	}
	g := &generator{options: options{dirs: map[string]string{"fermyon:spin": "fermyon/spin1"}}}
	for _, tt := range []struct{ ns, pkg, version, iface, want string }{
		{"wasi", "io", "0.2.12", "streams", "wasi/io/streams"},
		{"wasi", "io", "0.2.12", "error", "wasi/io/ioerror"},
		{"wasi", "keyvalue", "0.2.0-draft2", "store", "wasi/keyvaluedraft2/store"},
		{"wasi", "config", "0.2.0-draft-2024-09-27", "store", "wasi/configdraft20240927/store"},
		{"fermyon", "spin", "", "inbound-http", "fermyon/spin1/inboundhttp"},
		{"fermyon", "spin", "2.0.0", "key-value", "fermyon/spin2/keyvalue"},
		{"spin", "key-value", "3.0.0", "key-value", "spin/keyvalue3/keyvalue"},
	} {
		i := &wit.Interface{Name: tt.iface, Package: &wit.Package{Namespace: tt.ns, Name: tt.pkg, Version: tt.version}}
		if got := g.packageDir(i); got != tt.want {
			t.Errorf("folder of %s is %s, want %s", i.ID(), got, tt.want)
		}
	}
}

// Writing takes away what a former run made, and nothing else.
func TestWrite(t *testing.T) {
	dir := t.TempDir()
	if err := write(dir, map[string][]byte{"a/types.go": []byte(header), "b/types.go": []byte(header)}); err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(dir, "b", "own.go")
	if err := os.WriteFile(own, []byte("package b\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := write(dir, map[string][]byte{"a/types.go": []byte(header + "// new\n")}); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "a", "types.go")); err != nil || !strings.HasSuffix(string(text), "// new\n") {
		t.Errorf("a/types.go: %q, %v", text, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "b", "types.go")); !os.IsNotExist(err) {
		t.Errorf("b/types.go is still there: %v", err)
	}
	if _, err := os.Stat(own); err != nil {
		t.Errorf("a file by hand is gone: %v", err)
	}
}

func TestRunNeedsArguments(t *testing.T) {
	for _, args := range [][]string{{}, {"-o", t.TempDir()}, {"-dir", "x", "-o", "y", "-import", "z", "w"}, {"-o", "x", "-import", "y", "no-such-folder"}} {
		if err := run(args); err == nil {
			t.Errorf("run(%q) gave no error", args)
		}
	}
}
