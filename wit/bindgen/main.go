// Command bindgen turns WIT interfaces into Go packages: what the host
// implements and what it calls in a guest.
//
// It knows WIT (package wit), the layout of values (package component/abi) and
// the surface of package component that moving them goes through; it knows
// nothing of what any interface is for. Its one central idea is that each WIT
// type has at most four small Go functions, made only if something needs them:
// Load and Store move a value from and to guest memory, Lift and Lower from and
// to core values (CanonicalABI.md, sections Loading, Storing, Flat Lifting and
// Flat Lowering), all with the offsets written out as constants. A function of
// an interface is then a short list of calls of these.
//
// Usage:
//
//	bindgen [-skip-async] [-dir package=path]... -o dir [-import path] wit-dir...
//
// Interfaces that some world exports get a typed caller; all others, and those
// that some world imports as well, get a Host interface and a Bind function.
// The Go packages replace what is in the output folder.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/minispin/minispin/wit"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bindgen:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	opts := options{dirs: map[string]string{}}
	var out string
	fs := flag.NewFlagSet("bindgen", flag.ContinueOnError)
	fs.StringVar(&out, "o", "", "`folder` the Go packages are written below")
	fs.StringVar(&opts.importPath, "import", "", "import `path` of that folder")
	fs.BoolVar(&opts.skipAsync, "skip-async", false, "leave interfaces out that use async functions, streams or futures")
	fs.Func("dir", "`package=path`: put a WIT package's interfaces below path", func(s string) error {
		id, dir, ok := strings.Cut(s, "=")
		if !ok {
			return fmt.Errorf("expected package=path")
		}
		opts.dirs[id] = dir
		return nil
	})
	if err := fs.Parse(args); err != nil {
		return err
	}
	if out == "" || opts.importPath == "" || fs.NArg() == 0 {
		return fmt.Errorf("the flags -o and -import and at least one folder of WIT are needed")
	}
	set, err := wit.Load(fs.Args()...)
	if err != nil {
		return err
	}
	files, err := generate(set, opts)
	if err != nil {
		return err
	}
	return write(out, files)
}

// write puts the files below dir and removes generated files that are there
// from before and no longer made.
func write(dir string, files map[string][]byte) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if _, keep := files[filepath.ToSlash(name)]; keep {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil || !strings.HasPrefix(string(text), header) {
			return err
		}
		return os.Remove(path)
	})
	if err != nil {
		return err
	}
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
		if old, err := os.ReadFile(path); err == nil && string(old) == string(text) {
			continue
		}
		if err := os.WriteFile(path, text, 0o666); err != nil {
			return err
		}
	}
	return nil
}
