package manifest

import (
	"fmt"
	"io"
	"iter"
	"os"
)

// A Document is a file of TOML beside a manifest that is read by the same rules:
// whole before it is judged, with a place for everything there is to say.
type Document struct {
	// Root is the table of the file's top-level keys.
	Root Table
	r    *reader
}

// ReadDocument decodes the TOML in data; name is what messages call it. The error
// is an [*Error].
func ReadDocument(data []byte, name string) (*Document, error) {
	r, root, err := open(data, name)
	if err != nil {
		return nil, err
	}
	return &Document{Root: Table{root}, r: r}, nil
}

// LoadDocument reads the file at path as a Document.
func LoadDocument(path string) (*Document, error) {
	data, err := readBounded(path)
	if err != nil {
		return nil, err
	}
	return ReadDocument(data, path)
}

// readBounded reads a file that is no larger than a manifest may be.
func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err == nil && len(data) > maxSize {
		err = fmt.Errorf("%s is larger than %d MiB", path, maxSize>>20)
	}
	return data, err
}

// Finish returns what there is to say about the document: an [*Error] with all
// that was found wrong, or the warnings.
func (d *Document) Finish() ([]Diagnostic, error) { return d.r.finish() }

// A Value is a value in a Document. The methods that read it as a type report one
// of another type and return false.
type Value struct{ v value }

// Fail reports an error about the value.
func (v Value) Fail(reason, hint string) { v.v.fail(reason, hint) }

// Warn reports something about the value that stops nothing.
func (v Value) Warn(reason, hint string) { v.v.warn(reason, hint) }

// Line returns the line that the value is written in.
func (v Value) Line() int { return v.v.r.src.diagnostic(v.v.at.value, "", "", "").Line }

// Text reads a string.
func (v Value) Text() (string, bool) { return v.v.text() }

// Boolean reads true or false.
func (v Value) Boolean() (bool, bool) { return v.v.boolean() }

// Integer reads an integer of at least low.
func (v Value) Integer(low int64) (int64, bool) { return v.v.integer(low) }

// List reads an array of wanted, which completes "wants an array of …".
func (v Value) List(wanted string) []Value {
	var out []Value
	for _, e := range v.v.list(wanted) {
		out = append(out, Value{e})
	}
	return out
}

// Texts reads an array of strings.
func (v Value) Texts() []string { return v.v.texts() }

// Table reads a table.
func (v Value) Table() (Table, bool) {
	t, ok := v.v.table("a table")
	return Table{t}, ok
}

// A Table is a table in a Document. The keys that it is asked for are those that it may
// have.
type Table struct{ t *table }

// Fail reports an error about the table, where it begins.
func (t Table) Fail(reason, hint string) { t.t.failKey(reason, hint) }

// Get returns the value of key, if there is one.
func (t Table) Get(key string) (Value, bool) {
	v, ok := t.t.get(key)
	return Value{v}, ok
}

// Need is Get for a key that the table must have; Done reports it if it has not.
func (t Table) Need(key, hint string) (Value, bool) {
	v, ok := t.t.need(key, hint)
	return Value{v}, ok
}

// Sub returns the table at key, if there is one.
func (t Table) Sub(key string) (Table, bool) {
	sub, ok := t.t.sub(key)
	return Table{sub}, ok
}

// Entries returns the keys and values in the order of the text. It is for tables
// whose keys are the author's.
func (t Table) Entries() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		t.t.entries(func(name string, v value) bool { return yield(name, Value{v}) })
	}
}

// Done reports the keys that the table was not asked for, and those that it needs
// and lacks.
func (t Table) Done() { t.t.done(nil) }
