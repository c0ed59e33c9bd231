package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/minispin/minispin/instancepool"
	"github.com/minispin/minispin/manifest"
	"github.com/minispin/minispin/templates"
)

// completeCommand is minispin complete, which the scripts of minispin completion
// run at each press of the key. It prints a line for each candidate: the word, and
// after a tab what it means. Two lines are for the shell to act on: ":files" stands
// for the names of files, ":dirs" for those of directories.
type completeCommand struct {
	Current string   `help:"The word to complete, as far as it is there."`
	Words   []string `arg:"" optional:"" passthrough:"" help:"The words between minispin and that one."`
}

// Run prints the candidates.
func (c *completeCommand) Run(p *process, ctx *kong.Context) error {
	words := c.Words
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	l := readLine(ctx.Model.Node, words)
	for _, candidate := range l.candidates(c.Current) {
		if strings.HasPrefix(candidate.word, ":") || strings.HasPrefix(candidate.word, c.Current) {
			candidate.print(p.stdout)
		}
	}
	return nil
}

// candidate is a word that may stand where one is being typed.
type candidate struct{ word, meaning string }

var (
	anyFile      = candidate{word: ":files"}
	anyDirectory = candidate{word: ":dirs"}
)

func (c candidate) print(w io.Writer) {
	meaning, _, _ := strings.Cut(c.meaning, "\n")
	if first, _, more := strings.Cut(meaning, ". "); more {
		meaning = first
	}
	fmt.Fprintf(w, "%s\t%s\n", c.word, strings.TrimSuffix(meaning, "."))
}

// line is what the words of a command line mean as far as they have been typed,
// whether or not they are right.
type line struct {
	command   *kong.Node
	flags     map[string][]string // values, by flag
	arguments []string
	pending   *kong.Flag // waits for its value
	verbatim  bool       // after --
}

func readLine(root *kong.Node, words []string) *line {
	l := &line{command: root, flags: map[string][]string{}}
	for _, word := range words {
		switch {
		case l.pending != nil:
			l.set(l.pending, word)
			l.pending = nil
		case l.verbatim:
			l.arguments = append(l.arguments, word)
		case word == "--":
			l.verbatim = true
		case strings.HasPrefix(word, "--"):
			name, value, given := strings.Cut(word[2:], "=")
			if f := l.flag(name); f != nil {
				l.note(f, value, given)
			}
		case strings.HasPrefix(word, "-") && len(word) > 1:
			l.short(word[1:])
		default:
			l.word(word)
		}
	}
	return l
}

func (l *line) set(f *kong.Flag, value string) { l.flags[f.Name] = append(l.flags[f.Name], value) }

// note takes in a flag, with its value if that was given.
func (l *line) note(f *kong.Flag, value string, given bool) {
	if given || f.IsBool() {
		l.set(f, value)
	} else {
		l.pending = f
	}
}

// short takes in flags of one letter: several of them, of which the last may have
// its value behind it.
func (l *line) short(letters string) {
	for i, letter := range letters {
		f := l.find(func(f *kong.Flag) bool { return f.Short == letter })
		if f == nil {
			return
		}
		rest := letters[i+len(string(letter)):]
		l.note(f, strings.TrimPrefix(rest, "="), rest != "")
		if !f.IsBool() {
			return
		}
	}
}

func (l *line) word(word string) {
	for _, child := range l.command.Children {
		if len(l.arguments) == 0 && (child.Name == word || slices.Contains(child.Aliases, word)) {
			l.command = child
			return
		}
	}
	l.arguments = append(l.arguments, word)
}

// find returns the flag of the command, or of one it belongs to, that is wanted.
func (l *line) find(wanted func(*kong.Flag) bool) *kong.Flag {
	for node := l.command; node != nil; node = node.Parent {
		for _, f := range node.Flags {
			if wanted(f) {
				return f
			}
		}
	}
	return nil
}

func (l *line) flag(name string) *kong.Flag {
	return l.find(func(f *kong.Flag) bool { return f.Name == name || slices.Contains(f.Aliases, name) })
}

// candidates returns what the word being typed may become; current is what there is
// of it.
func (l *line) candidates(current string) []candidate {
	if l.pending != nil {
		return l.values(l.pending, "")
	}
	if strings.HasPrefix(current, "-") && !l.verbatim {
		if name, _, given := strings.Cut(strings.TrimPrefix(current, "--"), "="); given {
			if f := l.flag(name); f != nil {
				return l.values(f, "--"+name+"=")
			}
			return nil
		}
		return l.options()
	}
	if children := l.commands(); len(children) > 0 && len(l.arguments) == 0 {
		return children
	}
	return l.argument()
}

func (l *line) commands() []candidate {
	var found []candidate
	for _, child := range l.command.Children {
		if !child.Hidden {
			found = append(found, candidate{child.Name, child.Help})
		}
	}
	return found
}

// options returns the flags that may follow: not those that are there and may be
// only once.
func (l *line) options() []candidate {
	var found []candidate
	for node := l.command; node != nil; node = node.Parent {
		for _, f := range node.Flags {
			if _, there := l.flags[f.Name]; f.Hidden || there && !f.IsCumulative() {
				continue
			}
			found = append(found, candidate{"--" + f.Name, f.Help})
		}
	}
	return found
}

// argument returns what may stand where an argument is being typed.
func (l *line) argument() []candidate {
	i := len(l.arguments)
	if n := len(l.command.Positional); n > 0 && i >= n && l.command.Positional[n-1].IsCumulative() {
		i = n - 1
	}
	if i >= len(l.command.Positional) {
		return nil
	}
	switch p := l.command.Positional[i]; {
	case p.Enum != "":
		return words(p.EnumSlice(), "")
	case p.Name == "name":
		return nil
	default:
		return []candidate{anyFile}
	}
}

// values returns what the value of a flag may be, with a prefix before each.
func (l *line) values(f *kong.Flag, prefix string) []candidate {
	switch f.Name {
	case "strategy":
		return words(instancepool.Names(), prefix)
	case "component-id", "follow":
		return l.components(prefix)
	case "profile":
		return l.profiles(prefix)
	case "template":
		return l.templates(prefix)
	case "tag":
		return tags(prefix)
	case "value":
		return l.parameters(prefix)
	}
	switch {
	case f.Enum != "":
		return words(f.EnumSlice(), prefix)
	case f.PlaceHolder == "FILE" || f.PlaceHolder == "PATH":
		return []candidate{anyFile}
	case f.PlaceHolder == "DIR":
		return []candidate{anyDirectory}
	}
	return nil
}

func words(all []string, prefix string) []candidate {
	var found []candidate
	for _, word := range all {
		found = append(found, candidate{word: prefix + word})
	}
	return found
}

// manifest reads the application that the line is about; nil if there is none to
// be read.
func (l *line) manifest() *manifest.App {
	path := ""
	if given := l.flags["from"]; len(given) > 0 {
		path = given[len(given)-1]
	} else if p := l.command.Positional; len(p) > 0 && p[0].Name == "manifest" && len(l.arguments) > 0 {
		path = l.arguments[0]
	}
	if path == "" {
		found, err := findManifest("", "")
		if err != nil {
			return nil
		}
		path = found
	}
	m, err := manifest.Load(path, manifest.Options{Purpose: manifest.ToBuild})
	if err != nil {
		return nil
	}
	return m
}

func (l *line) components(prefix string) []candidate {
	var found []candidate
	if m := l.manifest(); m != nil {
		for _, c := range m.Components {
			found = append(found, candidate{prefix + c.ID, c.Description})
		}
	}
	return found
}

func (l *line) profiles(prefix string) []candidate {
	var names []string
	if m := l.manifest(); m != nil {
		for _, c := range m.Components {
			for _, p := range c.Profiles {
				names = append(names, p.Name)
			}
		}
	}
	slices.Sort(names)
	return words(slices.Compact(names), prefix)
}

func (l *line) templates(prefix string) []candidate {
	var found []candidate
	for _, t := range templates.All() {
		if t.HasTag(l.flags["tag"]...) && (l.command.Name != "add" || !t.Bare()) {
			found = append(found, candidate{prefix + t.ID, t.Description})
		}
	}
	return found
}

func tags(prefix string) []candidate {
	var all []string
	for _, t := range templates.All() {
		all = append(all, t.Tags...)
	}
	slices.Sort(all)
	return words(slices.Compact(all), prefix)
}

// parameters returns those of the template that was chosen, of all if none was.
func (l *line) parameters(prefix string) []candidate {
	chosen := ""
	if given := l.flags["template"]; len(given) > 0 {
		chosen = given[len(given)-1]
	}
	var found []candidate
	for _, t := range templates.All() {
		if t.ID != cmp.Or(chosen, t.ID) {
			continue
		}
		for _, p := range t.Parameters {
			c := candidate{prefix + p.Name + "=", p.Prompt}
			if !slices.Contains(found, c) {
				found = append(found, c)
			}
		}
	}
	return found
}
