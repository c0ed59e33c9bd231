package manifest

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"github.com/minispin/minispin/manifest/glob"
)

// This file reads files and exclude_files. What can be known without looking at
// the files themselves is checked here, the rest by whoever puts them in place.

// readFiles reads files, whose elements are patterns or tables of a source and a
// destination.
func readFiles(c *Component, v value) []File {
	elems := v.list("strings or tables with source and destination")
	if len(elems) > 0 {
		c.uses(FeatureFiles, v)
	}
	var out []File
	for _, elem := range elems {
		if s, ok := elem.data.(string); ok {
			checkFilePattern(elem, s)
			out = append(out, File{Pattern: s})
			continue
		}
		t, ok := elem.table("a string, or a table with source and destination")
		if !ok {
			continue
		}
		var f File
		if source, ok := t.need("source", "a file or directory, relative to the manifest's directory"); ok {
			if f.Source, ok = source.text(); ok {
				checkFileSource(source, f.Source)
			}
		}
		if destination, ok := t.need("destination", "the path at which the guest sees it"); ok {
			if f.Destination, ok = destination.text(); ok {
				checkFileDestination(destination, f.Destination)
			}
		}
		t.done(map[string]string{
			"exclude":       "exclude_files of the component holds for all its files",
			"exclude_files": "it belongs into the component, and holds for all its files",
		})
		out = append(out, f)
	}
	return out
}

func checkFilePattern(v value, pattern string) {
	last := pattern[strings.LastIndexByte(pattern, '/')+1:]
	switch {
	case pattern == "":
		v.fail("must not be empty", "")
		return
	case last == "." || last == "..":
		v.fail(fmt.Sprintf("a path ending in %q says nothing of where the guest is to see it", last),
			placement(pattern, "/"))
		return
	case strings.HasPrefix(pattern, "/"), filepath.IsAbs(pattern):
		v.fail(fmt.Sprintf("%q is an absolute path; patterns start from the directory of the manifest", pattern),
			"for a directory elsewhere: "+placement(literalPart(pattern), "/…"))
		return
	case pattern == "*" || pattern == "**/*":
		v.warn(fmt.Sprintf("%q gives the guest everything in the application's directory, the manifest included", pattern),
			fmt.Sprintf("if that is meant, write %q", "./"+pattern))
	}
	p, ok := checkGlob(v, pattern, "for a file of that name: "+placement(pattern, "/"+pattern))
	if ok && p.Outside() {
		v.fail(fmt.Sprintf("%q leads out of the directory of the manifest", pattern),
			"for a directory elsewhere: "+placement(literalPart(pattern), "/…"))
	}
}

// placement writes an entry of files as a table.
func placement(source, destination string) string {
	return fmt.Sprintf("write { source = %q, destination = %q }", source, destination)
}

// literalPart returns the directory that all matches of pattern are in.
func literalPart(pattern string) string {
	dir := ""
	for elem := range strings.SplitAfterSeq(pattern, "/") {
		if glob.Has(elem) {
			break
		}
		dir += elem
	}
	return path.Clean(dir)
}

// checkGlob reports what is wrong with a pattern; asName is the hint for one that
// may be meant as a name.
func checkGlob(v value, pattern, asName string) (*glob.Pattern, bool) {
	p, err := glob.Parse(pattern)
	if err == nil {
		return p, true
	}
	hint := ""
	switch {
	case strings.Contains(pattern, "**"):
		hint = "any number of directories is written **/, as in assets/**/*.js"
	case strings.Contains(pattern, "["):
		hint = asName
	}
	v.fail(fmt.Sprintf("%q %v", pattern, err), hint)
	return nil, false
}

func checkFileSource(v value, source string) {
	switch {
	case source == "":
		v.fail("must not be empty", `the directory of the manifest itself is "."`)
	case strings.IndexByte(source, 0) >= 0:
		v.fail("has a zero byte, which no path has", "")
	}
}

func checkFileDestination(v value, destination string) {
	clean := path.Clean(strings.TrimLeft(destination, "/"))
	switch {
	case strings.IndexByte(destination, 0) >= 0:
		v.fail("has a zero byte, which no path has", "")
	case clean == ".." || strings.HasPrefix(clean, "../"):
		v.fail(fmt.Sprintf("%q leads out of what the guest can see", destination), `the root of it is "/"`)
	}
}

// readExcludeFiles reads the patterns of files that are left out.
func readExcludeFiles(t *table) []string {
	v, ok := t.get("exclude_files")
	if !ok {
		return nil
	}
	var out []string
	for _, elem := range v.list("strings") {
		pattern, ok := elem.text()
		switch {
		case !ok:
		case pattern == "":
			elem.fail("must not be empty", "")
		default:
			checkGlob(elem, pattern, "a bracket that is part of a name is written [[]")
		}
		out = append(out, pattern)
	}
	if _, ok := t.m["files"]; !ok && len(out) > 0 {
		v.warn("has no effect without files", "")
	}
	return out
}
