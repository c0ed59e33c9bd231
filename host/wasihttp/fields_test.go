package wasihttp

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/minispin/minispin/wit/bindings/wasi/http/types"
	"github.com/minispin/minispin/wit/value"
)

type entry = value.Tuple2[string, []byte]

func entriesOf(list ...string) []entry {
	var entries []entry
	for i := 0; i < len(list); i += 2 {
		entries = append(entries, entry{F0: list[i], F1: []byte(list[i+1])})
	}
	return entries
}

func TestFieldNamesAndValues(t *testing.T) {
	tests := []struct {
		name, value string
		want        error
	}{
		{"x-a", "b", nil},
		{"X-A", "", nil},
		{"!#$%&'*+-.^_`|~09", "v", nil},
		{"x", "tab\tand \xff", nil},
		{"proxy-status", "v", nil},
		{"", "v", errInvalidSyntax},
		{"a b", "v", errInvalidSyntax},
		{"a:", "v", errInvalidSyntax},
		{":status", "200", errInvalidSyntax},
		{"a\r", "v", errInvalidSyntax},
		{"\u00e4", "v", errInvalidSyntax},
		{"x", "a\r\nb: c", errInvalidSyntax},
		{"x", "a\nb", errInvalidSyntax},
		{"x", "a\x00", errInvalidSyntax},
		{"x", "\x7f", errInvalidSyntax},
		{"connection", "close", errForbidden},
		{"Host", "a", errForbidden},
		{"HTTP2-Settings", "a", errForbidden},
		{"keep-alive", "a", errForbidden},
		{"proxy-authenticate", "a", errForbidden},
		{"proxy-authorization", "a", errForbidden},
		{"Proxy-Connection", "a", errForbidden},
		{"Transfer-Encoding", "chunked", errForbidden},
		{"upgrade", "a", errForbidden},
	}
	h := host{&Ctx{}}
	for _, test := range tests {
		f, _ := newFields(&h.x.ledger)
		if err := f.Append(nil, test.name, []byte(test.value)); err != test.want {
			t.Errorf("append(%q, %q) = %v, want %v", test.name, test.value, err, test.want)
		}
		if err := f.Set(nil, test.name, [][]byte{[]byte(test.value)}); err != test.want {
			t.Errorf("set(%q, %q) = %v, want %v", test.name, test.value, err, test.want)
		}
		if _, err := h.FieldsFromList(nil, entriesOf(test.name, test.value)); err != test.want {
			t.Errorf("from-list(%q, %q) = %v, want %v", test.name, test.value, err, test.want)
		}
		frozen := hostFields(nil)
		want := test.want
		if want == nil {
			want = errImmutable
		}
		if err := frozen.Append(nil, test.name, []byte(test.value)); err != want {
			t.Errorf("append(%q) to immutable fields = %v, want %v", test.name, err, want)
		}
	}
}

func TestFieldsOrder(t *testing.T) {
	h := host{&Ctx{}}
	made, err := h.FieldsFromList(nil, entriesOf("B", "1", "a", "2", "b", "3", "c", "4"))
	if err != nil {
		t.Fatal(err)
	}
	f := made.(*Fields)
	check := func(want ...string) {
		t.Helper()
		var got []string
		entries, _ := f.Entries(nil)
		size := 0
		for _, e := range entries {
			got = append(got, e.F0, string(e.F1))
			size += len(e.F0) + len(e.F1) + fieldOverhead
		}
		if !slices.Equal(got, want) {
			t.Errorf("entries %q, want %q", got, want)
		}
		if f.size != size {
			t.Errorf("size %d, want %d", f.size, size)
		}
	}
	check("b", "1", "a", "2", "b", "3", "c", "4")
	if got, _ := f.Get(nil, "B"); len(got) != 2 || string(got[0])+string(got[1]) != "13" {
		t.Errorf("get: %q", got)
	}
	if got, _ := f.Get(nil, "nothing"); len(got) != 0 {
		t.Errorf("get: %q", got)
	}
	if err := f.Set(nil, "B", [][]byte{[]byte("x"), []byte("y")}); err != nil {
		t.Fatal(err)
	}
	check("b", "x", "b", "y", "a", "2", "c", "4")
	if err := f.Delete(nil, "A"); err != nil {
		t.Fatal(err)
	}
	check("b", "x", "b", "y", "c", "4")
	clone, err := f.clone(&h.x.ledger)
	if err != nil {
		t.Fatal(err)
	}
	if err := clone.Append(nil, "d", nil); err != nil {
		t.Fatal(err)
	}
	check("b", "x", "b", "y", "c", "4")
	if has, _ := clone.Has(nil, "D"); !has {
		t.Error("the clone lacks what was appended")
	}
	if err := f.Set(nil, "c", nil); err != nil {
		t.Fatal(err)
	}
	check("b", "x", "b", "y")
	f.Drop()
	clone.Drop()
	if h.x.ledger.size != 0 {
		t.Errorf("%d bytes are still counted", h.x.ledger.size)
	}
}

func TestImmutableFields(t *testing.T) {
	h := host{&Ctx{}}
	made, _ := h.FieldsFromList(nil, entriesOf("a", "1"))
	response, err := h.NewOutgoingResponse(nil, made)
	if err != nil {
		t.Fatal(err)
	}
	child, _ := response.Headers(nil)
	for name, err := range map[string]error{
		"set":    child.Set(nil, "a", nil),
		"append": child.Append(nil, "a", nil),
		"delete": child.Delete(nil, "a"),
	} {
		if err != errImmutable {
			t.Errorf("%s = %v, want immutable", name, err)
		}
	}
	child.Drop()
	if h.x.ledger.size == 0 {
		t.Error("fields of a response are no longer counted when a handle is dropped")
	}
	response.Drop()
	if h.x.ledger.size != 0 {
		t.Errorf("%d bytes are still counted", h.x.ledger.size)
	}
}

func TestFieldsLimits(t *testing.T) {
	isTrap := func(err error) bool {
		_, refused := errors.AsType[types.HeaderError](err)
		return err != nil && !refused
	}
	t.Run("one value", func(t *testing.T) {
		h := host{&Ctx{}}
		f, _ := newFields(&h.x.ledger)
		if err := f.Append(nil, "a", make([]byte, 0)); err != nil {
			t.Fatal(err)
		}
		if err := f.Append(nil, "a", []byte(strings.Repeat("x", MaxFieldsBytes))); !isTrap(err) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("number", func(t *testing.T) {
		h := host{&Ctx{}}
		f, _ := newFields(&h.x.ledger)
		var err error
		n := 0
		for ; err == nil; n++ {
			err = f.Append(nil, "a", nil)
		}
		if !isTrap(err) || n > MaxFields+1 {
			t.Errorf("%v after %d fields", err, n)
		}
	})
	t.Run("list", func(t *testing.T) {
		h := host{&Ctx{}}
		if _, err := h.FieldsFromList(nil, make([]entry, 0)); err != nil {
			t.Fatal(err)
		}
		long := slices.Repeat(entriesOf("a", "b"), 1_000_000)
		if _, err := h.FieldsFromList(nil, long); !isTrap(err) {
			t.Errorf("got %v", err)
		}
		if h.x.ledger.size != fieldsOverhead {
			t.Errorf("a list that was refused is counted: %d bytes", h.x.ledger.size)
		}
	})
	t.Run("together", func(t *testing.T) {
		h := host{&Ctx{}}
		f, _ := newFields(&h.x.ledger)
		if err := f.Append(nil, "a", []byte(strings.Repeat("x", 100<<10))); err != nil {
			t.Fatal(err)
		}
		var err error
		n := 0
		for ; err == nil && n < 1000; n++ {
			_, err = f.clone(&h.x.ledger)
		}
		if !isTrap(err) || n > 11 {
			t.Errorf("%v after %d clones", err, n)
		}
	})
}

func TestContentLength(t *testing.T) {
	tests := []struct {
		values   []string
		want     uint64
		declared bool
		bad      bool
	}{
		{nil, 0, false, false},
		{[]string{"0"}, 0, true, false},
		{[]string{"42", "42"}, 42, true, false},
		{[]string{"42", "43"}, 0, true, true},
		{[]string{"+1"}, 0, true, true},
		{[]string{""}, 0, true, true},
		{[]string{"1, 1"}, 0, true, true},
		{[]string{"99999999999999999999"}, 0, true, true},
	}
	for _, test := range tests {
		var f Fields
		for _, v := range test.values {
			f.list = append(f.list, Field{"content-length", v})
		}
		n, declared, err := f.contentLength()
		if n != test.want || declared != test.declared || (err != nil) != test.bad {
			t.Errorf("%q: %d, %t, %v", test.values, n, declared, err)
		}
	}
}
