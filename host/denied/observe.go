package denied

import "github.com/minispin/minispin/component"

// Observer may be implemented by the value that an embedder gives to each
// instance (component.InstantiateOptions.Host), to learn what guests ask for in
// vain.
type Observer interface {
	// Denied is told after the guest has been given its answer: the name of the
	// interface, as fermyon:spin/key-value@2.0.0, and that of the function in it,
	// as [static]store.open. It is told of every call, and must neither keep c nor
	// call the guest.
	Denied(c *component.Call, iface, function string)
}

// observed makes the functions of i tell the Observer of their instance, if it
// has one. A call that traps, such as one of a method with a handle that cannot
// exist, is not told of: the trap speaks for itself.
func observed(i *component.Interface) *component.Interface {
	for n := range i.Funcs {
		f := &i.Funcs[n]
		name, call := f.Name, f.Call
		f.Call = func(c *component.Call, st []component.Raw) error {
			err := call(c, st)
			if o, ok := c.Host().(Observer); ok && err == nil {
				o.Denied(c, i.Name, name)
			}
			return err
		}
	}
	return i
}
