package component

import "github.com/minispin/minispin/component/abi"

// guestToGuest makes the function by which component instance caller calls
// another's lifted export: arguments and result move from memory to memory.
//
// CanonicalABI.md, sections canon lift and canon lower, which meet here.
func (k *linking) guestToGuest(f *function, caller int) (HostFunc, error) {
	p, err := abi.Compile(f.typ)
	if err != nil {
		return nil, err
	}
	t := &abi.Transfer{Caller: p, Callee: p} // both sides name one resource alike
	callee := k.newExportFunc(f.name, f, caller)
	return func(caller *Call, st []Raw) (err error) {
		c, to := caller.inst.open(callee)
		defer c.Leave(&err)
		if err := c.enterable(); err != nil {
			return err
		}
		t.Params(caller, c, st, to)
		if err := c.Invoke(); err != nil {
			return err
		}
		c.EndArgs() // what is lifted goes into the caller's table at once
		t.Result(c, caller, to, st)
		return nil
	}, nil
}
