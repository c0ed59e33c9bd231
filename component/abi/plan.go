package abi

import "fmt"

// A Plan is a function type made ready for calls: its core types in both
// directions, and how its parameters and result travel. Plans are immutable,
// except for LiftLimit, and safe for concurrent use.
type Plan struct {
	Func *Func
	// Lift and Lower are the core types of the function on the side that
	// exports it (canon lift) and on the side that imports it (canon lower).
	Lift, Lower CoreFunc
	// LiftLimit is how many bytes of host memory the values lifted by one call
	// of LiftParams or LiftResult may take. Compile sets [DefaultLiftLimit];
	// change it before the plan is used.
	LiftLimit int64

	// params are the parameters as one tuple, nil when there are none.
	params *Type
	// spilled: the parameters are passed as a pointer to that tuple.
	spilled bool
	// retptr: the result is passed through memory, by a pointer which the callee
	// returns, or which the caller gives after the parameters.
	retptr bool
}

// Compile checks the function type and plans its calls.
func Compile(f *Func) (*Plan, error) {
	if err := f.Err(); err != nil {
		return nil, fmt.Errorf("function type: %w", err)
	}
	p := &Plan{
		Func:      f,
		Lift:      f.CoreType(CanonLift),
		Lower:     f.CoreType(CanonLower),
		LiftLimit: DefaultLiftLimit,
		retptr:    f.Result != nil && f.Result.FlatCount > MaxFlatResults,
	}
	if len(f.Params) > 0 {
		types := make([]*Type, len(f.Params))
		for i, q := range f.Params {
			types[i] = q.Type
		}
		p.params = Tuple(types...)
		if err := p.params.Err(); err != nil {
			return nil, fmt.Errorf("function type: parameters together: %w", err)
		}
		p.spilled = p.params.FlatCount > MaxFlatParams
	}
	return p, nil
}

// StackLen returns the length of the slice that holds the core parameters and
// then the core results, for calls in either direction.
func (p *Plan) StackLen() int {
	return max(len(p.Lift.Params), len(p.Lift.Results), len(p.Lower.Params), len(p.Lower.Results))
}

// Needs reports which canonical options the function cannot do without in one of
// the synchronous directions: a memory, or a memory and a realloc function.
func (p *Plan) Needs(d Direction) (memory, realloc bool) {
	params := p.params != nil && (p.params.pointers || p.spilled)
	result := p.Func.Result != nil && p.Func.Result.pointers
	memory = params || result || p.retptr
	if d == CanonLower {
		return memory, result
	}
	return memory, params
}

// LiftParams lifts the arguments with which a guest calls the function: st holds
// the core parameters of [Plan.Lower], and cx is the guest's side
// (CanonicalABI.md, sections Lifting and Lowering Values and canon lower). The
// values are those of the parameters in order.
func (p *Plan) LiftParams(cx Context, st []Raw) []Val {
	if p.params == nil {
		return nil
	}
	return p.AppendParams(make([]Val, 0, len(p.params.Fields)), cx, st)
}

// AppendParams is [Plan.LiftParams] that appends to vals, so that a caller may
// use one slice for many calls. When it traps, the slice may hold some of the
// values.
func (p *Plan) AppendParams(vals []Val, cx Context, st []Raw) []Val {
	if p.params == nil {
		return vals
	}
	l := newLifter(cx, p.LiftLimit)
	l.charge(uint64(len(p.params.Fields)) * valSize)
	if !p.spilled {
		for i := range p.params.Fields {
			t := p.params.Fields[i].Type
			vals = append(vals, l.flat(t, st))
			st = st[t.FlatCount:]
		}
		return vals
	}
	ptr := st[0].U32()
	l.mem.Check(ptr, uint64(p.params.Size), p.params.Align)
	for i := range p.params.Fields {
		f := &p.params.Fields[i]
		vals = append(vals, l.load(f.Type, ptr+f.Offset))
	}
	return vals
}

// LowerResult lowers the result for a guest that called the function. In st it
// expects the core parameters of [Plan.Lower] still, which may end with the
// pointer to store the result through, and leaves the core result, if there is
// one, in st[0]. A function without result takes the zero Val.
func (p *Plan) LowerResult(cx Context, st []Raw, v Val) {
	t := p.Func.Result
	if t == nil {
		if v.kind != KindInvalid {
			Throw(TrapBadValue, "cannot lower a result of a function that has none")
		}
		return
	}
	w := lowerer{cx: cx, mem: cx.Memory()}
	if !p.retptr {
		w.flat(t, v, st)
		return
	}
	ptr := p.resultPointer(st)
	w.mem.Check(ptr, uint64(t.Size), t.Align)
	w.store(t, v, ptr)
}

// resultPointer returns the pointer through which a caller wants its result.
func (p *Plan) resultPointer(st []Raw) uint32 {
	return st[len(p.Lower.Params)-1].U32()
}

// LowerParams lowers arguments for a call of a guest's function: args are the
// values of the parameters in order, cx is the guest's side, and st receives the
// core parameters of [Plan.Lift] (section canon lift).
func (p *Plan) LowerParams(cx Context, st []Raw, args []Val) {
	if len(args) != len(p.Func.Params) {
		Throw(TrapBadValue, "cannot lower %d arguments for %d parameters", len(args), len(p.Func.Params))
	}
	if p.params == nil {
		return
	}
	w := lowerer{cx: cx, mem: cx.Memory()}
	// Each by itself, and not as a tuple, which would have to be allocated.
	if !p.spilled {
		for i, a := range args {
			t := p.params.Fields[i].Type
			w.flat(t, a, st)
			st = st[t.FlatCount:]
		}
		return
	}
	ptr := w.alloc(p.params.Size, p.params.Align)
	for i, a := range args {
		f := &p.params.Fields[i]
		w.store(f.Type, a, ptr+f.Offset)
	}
	st[0].SetU32(ptr)
}

// LiftResult lifts what a guest's function returned: st holds the core results of
// [Plan.Lift]. It must be called before the guest's post-return function runs.
// A function without result gives the zero Val.
func (p *Plan) LiftResult(cx Context, st []Raw) Val {
	t := p.Func.Result
	if t == nil {
		return Val{}
	}
	l := newLifter(cx, p.LiftLimit)
	if !p.retptr {
		return l.flat(t, st)
	}
	ptr := st[0].U32()
	l.mem.Check(ptr, uint64(t.Size), t.Align)
	return l.load(t, ptr)
}
