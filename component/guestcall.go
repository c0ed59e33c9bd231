package component

import "github.com/minispin/minispin/component/abi"

// guestToGuest makes the function that one component instance calls another's
// lifted export by: arguments and result move from memory to memory.
//
// CanonicalABI.md, sections canon lift and canon lower, which meet here.
func guestToGuest(f *function) (HostFunc, error) {
	t, err := abi.NewTransfer(f.typ, f.typ)
	if err != nil {
		return nil, err
	}
	callee := newExportFunc(f.name, f)
	return func(caller *Call, st []Raw) (err error) {
		c, to := caller.inst.Enter(callee)
		defer c.Leave(&err)
		if err := c.enterable(); err != nil {
			return err
		}
		t.Params(caller, c, st, to)
		if err := c.Invoke(); err != nil {
			return err
		}
		t.Result(c, caller, to, st)
		return nil
	}, nil
}
