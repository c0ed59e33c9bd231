package wasihttp

import (
	"errors"
	"fmt"
	"slices"
	"unsafe"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/wit/bindings/wasi/http/types"
	"github.com/minispin/minispin/wit/value"
)

// Bounds on the fields a guest makes. The size of a field is that of its name
// and its value and fieldOverhead bytes, which is how HTTP/2 counts (RFC 9113,
// section 6.5.2). header-error has no case for fields that are too large, so
// that going beyond a bound is a trap.
const (
	// MaxFields is how many fields one fields resource may have.
	MaxFields = 4096
	// MaxFieldsBytes is the size that one fields resource may have.
	MaxFieldsBytes = 128 << 10
	// MaxAllFieldsBytes is the size of all fields resources of an instance
	// together, those that were dropped left out.
	MaxAllFieldsBytes = 1 << 20

	fieldOverhead = 32
	// An empty fields resource costs something, too.
	fieldsOverhead = 64
)

// Field is one header or trailer field. Name is in lower case.
type Field struct {
	Name, Value string
}

func (f *Field) size() int { return len(f.Name) + len(f.Value) + fieldOverhead }

// Fields is the resource fields: names and values in their order, a name as
// often as it occurs.
type Fields struct {
	list   []Field
	size   int
	ledger *ledger // nil when not counted: the fields are the host's
	// owners counts the handles and resources that have the fields: those of a
	// request or response are shared with every handle its method headers gives.
	owners int
	frozen bool
}

var _ types.Fields = (*Fields)(nil)

// ledger counts what one instance has.
type ledger struct {
	size   int // of its fields
	bodies int // outgoing ones that are open
}

func (l *ledger) charge(n int) error {
	if l.size+n > MaxAllFieldsBytes {
		return fmt.Errorf("wasi:http fields: those of the instance take more than %d bytes together", MaxAllFieldsBytes)
	}
	l.size += n
	return nil
}

// newFields makes empty, mutable fields with one owner.
func newFields(l *ledger) (*Fields, error) {
	if err := l.charge(fieldsOverhead); err != nil {
		return nil, err
	}
	return &Fields{ledger: l, owners: 1}, nil
}

// hostFields makes immutable fields of what a host has received.
func hostFields(list []Field) Fields { return Fields{list: list, owners: 1, frozen: true} }

// NewFields implements types.Host.
func (h host) NewFields(*component.Call) (types.Fields, error) { return newFields(&h.x.ledger) }

// FieldsFromList implements types.Host.
func (h host) FieldsFromList(_ *component.Call, entries []value.Tuple2[string, []byte]) (types.Fields, error) {
	f, err := newFields(&h.x.ledger)
	if err != nil {
		return nil, err
	}
	f.list = make([]Field, 0, min(len(entries), MaxFields))
	for i := range entries {
		if err := f.Append(nil, entries[i].F0, entries[i].F1); err != nil {
			f.Drop()
			return nil, err
		}
	}
	return f, nil
}

// share gives the fields another owner, after which they are immutable.
func (f *Fields) share() *Fields {
	f.frozen = true
	f.owners++
	return f
}

// Drop implements types.Fields.
func (f *Fields) Drop() {
	if f.owners--; f.owners == 0 && f.ledger != nil {
		f.ledger.size -= f.size + fieldsOverhead
	}
}

// Get implements types.Fields.
func (f *Fields) Get(_ *component.Call, name string) ([][]byte, error) {
	name = lower(name)
	var values [][]byte
	for i := range f.list {
		if f.list[i].Name == name {
			values = append(values, bytesOf(f.list[i].Value))
		}
	}
	return values, nil
}

// Has implements types.Fields.
func (f *Fields) Has(_ *component.Call, name string) (bool, error) {
	return f.index(lower(name)) >= 0, nil
}

// Set implements types.Fields. The values come where the first of the old ones
// was.
func (f *Fields) Set(_ *component.Call, name string, values [][]byte) error {
	name, err := checkName(name)
	if err != nil {
		return err
	}
	for _, v := range values {
		if !validValue(v) {
			return errInvalidSyntax
		}
	}
	if f.frozen {
		return errImmutable
	}
	at := f.index(name)
	f.remove(name)
	if at < 0 {
		at = len(f.list)
	}
	added := make([]Field, len(values))
	for i, v := range values {
		if err := f.grow(len(f.list)+i+1, len(name)+len(v)+fieldOverhead); err != nil {
			return err
		}
		added[i] = Field{name, string(v)}
	}
	f.list = slices.Insert(f.list, at, added...)
	return nil
}

// Delete implements types.Fields.
func (f *Fields) Delete(_ *component.Call, name string) error {
	name, err := checkName(name)
	if err != nil {
		return err
	}
	if f.frozen {
		return errImmutable
	}
	f.remove(name)
	return nil
}

// Append implements types.Fields.
func (f *Fields) Append(_ *component.Call, name string, v []byte) error {
	name, err := checkName(name)
	if err != nil {
		return err
	}
	if !validValue(v) {
		return errInvalidSyntax
	}
	if f.frozen {
		return errImmutable
	}
	if err := f.grow(len(f.list)+1, len(name)+len(v)+fieldOverhead); err != nil {
		return err
	}
	f.list = append(f.list, Field{name, string(v)})
	return nil
}

// Entries implements types.Fields.
func (f *Fields) Entries(*component.Call) ([]value.Tuple2[string, []byte], error) {
	entries := make([]value.Tuple2[string, []byte], len(f.list))
	for i := range f.list {
		entries[i] = value.Tuple2[string, []byte]{F0: f.list[i].Name, F1: bytesOf(f.list[i].Value)}
	}
	return entries, nil
}

// Clone implements types.Fields.
func (f *Fields) Clone(c *component.Call) (types.Fields, error) {
	return f.clone(&ctxOf(c).ledger)
}

func (f *Fields) clone(l *ledger) (*Fields, error) {
	// The host's own fields may exceed what a guest's may have.
	size := 0
	for i := range f.list {
		size += f.list[i].size()
	}
	g, err := newFields(l)
	if err != nil {
		return nil, err
	}
	if err := g.grow(len(f.list), size); err != nil {
		g.Drop()
		return nil, err
	}
	g.list = slices.Clone(f.list)
	return g, nil
}

// grow accounts for size more bytes, with which the fields will number n.
func (f *Fields) grow(n, size int) error {
	switch {
	case n > MaxFields:
		return fmt.Errorf("wasi:http fields: more than %d of them", MaxFields)
	case f.size+size > MaxFieldsBytes:
		return fmt.Errorf("wasi:http fields: more than %d bytes", MaxFieldsBytes)
	}
	if f.ledger != nil {
		if err := f.ledger.charge(size); err != nil {
			return err
		}
	}
	f.size += size
	return nil
}

func (f *Fields) index(name string) int {
	return slices.IndexFunc(f.list, func(have Field) bool { return have.Name == name })
}

func (f *Fields) remove(name string) {
	f.list = slices.DeleteFunc(f.list, func(have Field) bool {
		if have.Name != name {
			return false
		}
		n := have.size()
		f.size -= n
		if f.ledger != nil {
			f.ledger.size -= n
		}
		return true
	})
}

// errContentLength is returned for fields that declare no single length.
var errContentLength = errors.New("content-length is not one decimal number")

// contentLength returns the length that the fields declare, and whether they do.
// The same value may occur several times, as RFC 9110 permits in section 8.6.
func (f *Fields) contentLength() (n uint64, declared bool, err error) {
	for i := range f.list {
		if f.list[i].Name != "content-length" {
			continue
		}
		v, ok := parseLength(f.list[i].Value)
		if !ok || declared && v != n {
			return 0, true, errContentLength
		}
		n, declared = v, true
	}
	return n, declared, nil
}

// parseLength reads a decimal number that fits an int64, which is what net/http
// counts bodies in.
func parseLength(s string) (n uint64, ok bool) {
	if s == "" || len(s) > 18 {
		return 0, false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + uint64(s[i]-'0')
	}
	return n, true
}

// bytesOf returns the bytes of s without a copy. They are for reading only, as
// the bindings do with what they lower to guest memory.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
