package component

import (
	"fmt"
	"strings"

	"github.com/minispin/minispin/component/binary"
)

// Linker holds the host interfaces that components are linked against. It is
// filled once and then read: Link may be called from several goroutines, but
// not beside Define.
type Linker struct {
	interfaces map[string]*Interface     // by track, see track
	core       map[string]*CoreInterface // by module name
	keepShims  bool                      // for tests: see elide
}

// NewLinker returns a Linker with no interfaces.
func NewLinker() *Linker {
	return &Linker{interfaces: map[string]*Interface{}, core: map[string]*CoreInterface{}}
}

// Define adds a host interface. An import is met by an interface of the same
// name on the same semver track: a host that defines @0.2.6 serves imports of
// every @0.2.x. It fails when the track is taken or the interface names a
// function, resource or core module twice.
func (l *Linker) Define(i *Interface) error {
	if err := i.index(); err != nil {
		return err
	}
	key := track(i.Name)
	if old := l.interfaces[key]; old != nil {
		return fmt.Errorf("interface %s is already defined, as %s", i.Name, old.Name)
	}
	l.interfaces[key] = i
	return nil
}

// DefineCore adds host functions for core modules to import by core module
// name. It fails when the module name is taken.
func (l *Linker) DefineCore(c *CoreInterface) error {
	if l.core[c.Module] != nil {
		return fmt.Errorf("core module name %s is already defined", c.Module)
	}
	l.core[c.Module] = c
	return nil
}

// lookup returns the interface that meets an import of the given name, or nil.
func (l *Linker) lookup(name string) *Interface { return l.interfaces[track(name)] }

// Interfaces returns the names of the defined interfaces, in no order.
func (l *Linker) Interfaces() []string {
	names := make([]string, 0, len(l.interfaces))
	for _, i := range l.interfaces {
		names = append(names, i.Name)
	}
	return names
}

// Interface returns the interface that meets an import of the given name, nil
// when there is none. It must not be changed.
func (l *Linker) Interface(name string) *Interface { return l.lookup(name) }

// Core returns the host functions that core modules import under a core module
// name, nil when there are none. It must not be changed.
func (l *Linker) Core(module string) *CoreInterface { return l.core[module] }

// track is what an interface name and a host's have in common when the one
// stands for the other: the name with its version cut to its track.
func track(name string) string {
	base, version, ok := strings.Cut(name, "@")
	if !ok {
		return name
	}
	return base + "@" + binary.VersionTrack(version)
}
