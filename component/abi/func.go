package abi

import "fmt"

// The limits on core values passed without going through memory
// (CanonicalABI.md, section Flattening).
const (
	MaxFlatParams      = 16
	MaxFlatAsyncParams = 4
	MaxFlatResults     = 1
)

// A Func is the type of a component function. It is plain data and may be
// written as a literal; [Compile] checks it and computes its layout.
type Func struct {
	// Params are the parameters in order; their Offset is not used.
	Params []Field
	// Result is nil when the function returns nothing.
	Result *Type
}

// A CoreFunc is the core WebAssembly type a component function has on one side
// of the boundary.
type CoreFunc struct {
	Params, Results []CoreType
}

// String returns the signature as the core text format writes it, without the
// keyword: "(param i32 i32) (result i32)".
func (c CoreFunc) String() string {
	s := ""
	if len(c.Params) > 0 {
		s = "(param"
		for _, p := range c.Params {
			s += " " + p.String()
		}
		s += ")"
	}
	if len(c.Results) > 0 {
		if s != "" {
			s += " "
		}
		s += "(result"
		for _, r := range c.Results {
			s += " " + r.String()
		}
		s += ")"
	}
	return s
}

// A Direction says which canonical definition, with which async options, a core
// function comes from or goes to.
type Direction uint8

// The directions of flatten_functype.
const (
	// CanonLift is a core function of the guest that is called as a component
	// function.
	CanonLift Direction = iota
	// CanonLower is a component function that the guest calls as a core
	// function.
	CanonLower
	// CanonLiftAsync is CanonLift with the async option and no callback.
	CanonLiftAsync
	// CanonLiftCallback is CanonLift with the async option and a callback.
	CanonLiftCallback
	// CanonLowerAsync is CanonLower with the async option.
	CanonLowerAsync
)

// Err reports why f cannot be compiled: a faulty type, a missing parameter
// type, or borrow handles in the result.
func (f *Func) Err() error {
	for i, p := range f.Params {
		if p.Type == nil {
			return fmt.Errorf("parameter %d (%q) has no type", i, p.Name)
		}
		if err := p.Type.Err(); err != nil {
			return fmt.Errorf("parameter %d (%q): %w", i, p.Name, err)
		}
	}
	if f.Result != nil {
		if err := f.Result.Err(); err != nil {
			return fmt.Errorf("result: %w", err)
		}
		if f.Result.borrows {
			return fmt.Errorf("result: %s contains borrow handles", f.Result)
		}
	}
	return nil
}

// flatParams returns the flattened parameters, and false when they are more
// than limit and so spill to memory.
func (f *Func) flatParams(limit int) ([]CoreType, bool) {
	var flat []CoreType
	n := 0
	for _, p := range f.Params {
		n += p.Type.FlatCount
		if n > limit {
			return nil, false
		}
		flat = append(flat, p.Type.Flat...)
	}
	return flat, true
}

// CoreType returns the core type of f in one direction: flatten_functype of
// CanonicalABI.md, section Flattening. f.Err must be nil.
func (f *Func) CoreType(d Direction) CoreFunc {
	limit := MaxFlatParams
	if d == CanonLowerAsync {
		limit = MaxFlatAsyncParams
	}
	params, ok := f.flatParams(limit)
	if !ok {
		params = []CoreType{I32}
	}
	c := CoreFunc{Params: params}
	results := 0
	if f.Result != nil {
		results = f.Result.FlatCount
	}
	switch d {
	case CanonLift:
		if results > MaxFlatResults {
			c.Results = []CoreType{I32}
		} else if results > 0 {
			c.Results = f.Result.Flat
		}
	case CanonLower:
		if results > MaxFlatResults {
			c.Params = append(c.Params[:len(c.Params):len(c.Params)], I32)
		} else if results > 0 {
			c.Results = f.Result.Flat
		}
	case CanonLiftCallback:
		c.Results = []CoreType{I32}
	case CanonLowerAsync:
		if results > 0 {
			c.Params = append(c.Params[:len(c.Params):len(c.Params)], I32)
		}
		c.Results = []CoreType{I32}
	}
	return c
}
