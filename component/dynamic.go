package component

import "github.com/minispin/minispin/component/abi"

// CallVals calls f with values whose types are not known before run time, one
// for each parameter, and returns its result, the zero Val when it has none.
// Values that do not fit the parameters are an error, and so are all that Enter,
// Invoke and Leave fail with.
//
// Owned handles among the arguments are handed over, whatever becomes of the call:
// what does not arrive in the guest is dropped. Only of a call that could not be
// entered they stay the caller's. The result's belong to the caller.
//
// CanonicalABI.md, section canon lift.
func (in *Instance) CallVals(f *ExportFunc, args ...abi.Val) (result abi.Val, err error) {
	p, err := f.plan()
	if err != nil {
		return abi.Val{}, err
	}
	c, st := in.Enter(f)
	defer func() {
		if err != nil {
			result = abi.Val{} // the post-return function has trapped
		}
	}()
	defer c.Leave(&err)
	if err := c.enterable(); err != nil {
		return abi.Val{}, err
	}
	if p.OwnsParams() {
		c.lowerOwning(func() { p.LowerParams(c, st, args) }, func(visit func(*abi.Resource, any)) {
			for i := range min(len(args), len(f.Type.Params)) {
				abi.EachOwn(f.Type.Params[i].Type, args[i], visit)
			}
		})
	} else {
		p.LowerParams(c, st, args)
	}
	if err := c.Invoke(); err != nil {
		return abi.Val{}, err
	}
	result = p.LiftResult(c, st)
	return result, nil
}

// DynamicFunc makes a host function that takes and returns values of the given
// type as Vals, one for each parameter. The slice of arguments is used again once
// fn has returned; the values in it may be kept. An error of fn traps the guest.
// Owned handles among the arguments are fn's, also when it fails, and those in its
// result are not: what of them does not arrive in the guest is dropped. It fails
// when the type is faulty.
//
// CanonicalABI.md, section canon lower.
func DynamicFunc(name string, t *abi.Func, fn func(c *Call, args []abi.Val) (abi.Val, error)) (Func, error) {
	p, err := abi.Compile(t)
	if err != nil {
		return Func{}, err
	}
	return Func{Name: name, Type: t, Call: func(c *Call, st []Raw) error {
		if p.OwnsParams() {
			c.BeginArgs()
			c.args = p.AppendParams(c.args[:0], c, st)
			c.EndArgs()
		} else {
			c.args = p.AppendParams(c.args[:0], c, st)
		}
		v, err := fn(c, c.args)
		clear(c.args)
		if err != nil {
			return err
		}
		if p.OwnsResult() {
			c.lowerOwning(func() { p.LowerResult(c, st, v) }, func(visit func(*abi.Resource, any)) {
				abi.EachOwn(t.Result, v, visit)
			})
			return nil
		}
		p.LowerResult(c, st, v)
		return nil
	}}, nil
}
