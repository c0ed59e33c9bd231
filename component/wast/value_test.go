package wast

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/minispin/minispin/component/abi"
)

// wastValue is a value in a script: it names its kind, but neither its type nor
// the numbers of its fields and cases.
type wastValue struct {
	Type  string
	Value json.RawMessage
}

// val makes the value that w stands for in the type t.
func (w wastValue) val(t *abi.Type) (abi.Val, error) {
	if want := t.Kind.String(); w.Type != want {
		return abi.Val{}, fmt.Errorf("a value of %s stands where %s is expected", w.Type, want)
	}
	switch t.Kind {
	case abi.KindBool:
		var b bool
		err := json.Unmarshal(w.Value, &b)
		return abi.BoolVal(b), err
	case abi.KindChar:
		s, err := w.text()
		r, n := utf8.DecodeRuneInString(s)
		if err == nil && n != len(s) {
			err = fmt.Errorf("%q is not one char", s)
		}
		return abi.CharVal(r), err
	case abi.KindString:
		s, err := w.text()
		return abi.StringVal(s), err
	case abi.KindEnum:
		s, err := w.text()
		if err != nil {
			return abi.Val{}, err
		}
		i, err := place(t.Names, s)
		return abi.EnumVal(uint32(i)), err
	case abi.KindList, abi.KindTuple, abi.KindRecord, abi.KindFlags:
		return w.aggregate(t)
	case abi.KindVariant, abi.KindOption, abi.KindResult:
		return w.choice(t)
	}
	return w.number(t.Kind)
}

func (w wastValue) text() (s string, err error) {
	err = json.Unmarshal(w.Value, &s)
	return s, err
}

// number makes an integer, or a float, whose bits a script writes in decimal.
func (w wastValue) number(k abi.Kind) (abi.Val, error) {
	s, err := w.text()
	if err != nil {
		return abi.Val{}, err
	}
	signed := func(bits int) int64 {
		var n int64
		n, err = strconv.ParseInt(s, 10, bits)
		return n
	}
	unsigned := func(bits int) uint64 {
		var n uint64
		n, err = strconv.ParseUint(s, 10, bits)
		return n
	}
	var v abi.Val
	switch k {
	case abi.KindS8:
		v = abi.S8Val(int8(signed(8)))
	case abi.KindU8:
		v = abi.U8Val(uint8(unsigned(8)))
	case abi.KindS16:
		v = abi.S16Val(int16(signed(16)))
	case abi.KindU16:
		v = abi.U16Val(uint16(unsigned(16)))
	case abi.KindS32:
		v = abi.S32Val(int32(signed(32)))
	case abi.KindU32:
		v = abi.U32Val(uint32(unsigned(32)))
	case abi.KindS64:
		v = abi.S64Val(signed(64))
	case abi.KindU64:
		v = abi.U64Val(unsigned(64))
	case abi.KindF32:
		v = abi.F32Val(math.Float32frombits(uint32(unsigned(32))))
	case abi.KindF64:
		v = abi.F64Val(math.Float64frombits(unsigned(64)))
	default:
		return v, fmt.Errorf("values of %s are not known here", k)
	}
	return v, err
}

// aggregate makes a value of several others.
func (w wastValue) aggregate(t *abi.Type) (abi.Val, error) {
	switch t.Kind {
	case abi.KindFlags:
		var labels []string
		if err := json.Unmarshal(w.Value, &labels); err != nil {
			return abi.Val{}, err
		}
		words := make([]uint64, (len(t.Names)+63)/64)
		for _, l := range labels {
			i, err := place(t.Names, l)
			if err != nil {
				return abi.Val{}, err
			}
			words[i/64] |= 1 << (i % 64)
		}
		return abi.FlagsVal(words...), nil
	case abi.KindRecord:
		var pairs []field
		if err := json.Unmarshal(w.Value, &pairs); err != nil {
			return abi.Val{}, err
		}
		if len(pairs) != len(t.Fields) {
			return abi.Val{}, fmt.Errorf("%d fields, the record has %d", len(pairs), len(t.Fields))
		}
		elems := make([]wastValue, len(pairs))
		for i, p := range pairs {
			if p.name != t.Fields[i].Name {
				return abi.Val{}, fmt.Errorf("field %d is called %s, in the record %s", i, p.name, t.Fields[i].Name)
			}
			elems[i] = p.value
		}
		vs, err := vals(elems, t.Fields)
		return abi.RecordVal(vs...), err
	}
	var elems []wastValue
	if err := json.Unmarshal(w.Value, &elems); err != nil {
		return abi.Val{}, err
	}
	if t.Kind == abi.KindTuple {
		vs, err := vals(elems, t.Fields)
		return abi.TupleVal(vs...), err
	}
	vs, err := vals(elems, slices.Repeat([]abi.Field{{Type: t.Elem}}, len(elems)))
	return abi.ListVal(vs...), err
}

// field is a field of a record, which a script writes as a pair.
type field struct {
	name  string
	value wastValue
}

func (f *field) UnmarshalJSON(b []byte) error {
	pair := []any{&f.name, &f.value}
	return json.Unmarshal(b, &pair)
}

// choice makes one case of several.
func (w wastValue) choice(t *abi.Type) (abi.Val, error) {
	name, payload := "", (*wastValue)(nil)
	var err error
	switch t.Kind {
	case abi.KindVariant:
		var v struct {
			Case    string
			Payload *wastValue
		}
		err = json.Unmarshal(w.Value, &v)
		name, payload = v.Case, v.Payload
	case abi.KindOption:
		name = "none"
		if err = json.Unmarshal(w.Value, &payload); payload != nil {
			name = "some"
		}
	case abi.KindResult:
		var cases map[string]*wastValue
		err = json.Unmarshal(w.Value, &cases)
		for c, p := range cases {
			name, payload = map[string]string{"Ok": "ok", "Err": "error"}[c], p
		}
	}
	if err != nil {
		return abi.Val{}, err
	}
	i := slices.IndexFunc(t.Cases, func(c abi.Case) bool { return c.Name == name })
	if i < 0 {
		return abi.Val{}, fmt.Errorf("the %s has no case %q", t.Kind, name)
	}
	var in *abi.Val
	switch pt := t.Cases[i].Type; {
	case (pt == nil) != (payload == nil):
		return abi.Val{}, fmt.Errorf("case %s of the %s: a payload without a type, or a type without a payload", name, t.Kind)
	case pt != nil:
		v, err := payload.val(pt)
		if err != nil {
			return abi.Val{}, err
		}
		in = &v
	}
	switch {
	case t.Kind == abi.KindResult && i == 0:
		return abi.OkVal(in), nil
	case t.Kind == abi.KindResult:
		return abi.ErrVal(in), nil
	case t.Kind == abi.KindOption && in == nil:
		return abi.NoneVal(), nil
	case t.Kind == abi.KindOption:
		return abi.SomeVal(*in), nil
	case in == nil:
		return abi.CaseVal(uint32(i)), nil
	}
	return abi.PayloadVal(uint32(i), *in), nil
}

// vals makes the values of fields or parameters.
func vals(ws []wastValue, types []abi.Field) ([]abi.Val, error) {
	if len(ws) != len(types) {
		return nil, fmt.Errorf("%d values, %d are expected", len(ws), len(types))
	}
	vs := make([]abi.Val, len(ws))
	for i, w := range ws {
		var err error
		if vs[i], err = w.val(types[i].Type); err != nil {
			return nil, fmt.Errorf("value %d: %w", i, err)
		}
	}
	return vs, nil
}

func place(labels []string, label string) (int, error) {
	if i := slices.Index(labels, label); i >= 0 {
		return i, nil
	}
	return 0, fmt.Errorf("there is no label %q", label)
}
