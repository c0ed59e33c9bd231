package component

import (
	"sync"

	"github.com/minispin/minispin/internal/cwasm"
)

// InstancePre is a component linked with host interfaces: the list of core
// instantiations that remain to be done for each Instance, with every name
// resolved. It may be used from several goroutines.
type InstancePre struct {
	name       string
	plan       *cwasm.Plan
	instances  int // component instances in the graph
	initialize int // slot of a core module's _initialize, or -1
	funcs      map[string]*ExportFunc
	exports    map[string]map[string]*ExportFunc
	core       map[string]int

	shells sync.Pool // *Instance, with grown tables and call records
}

// Name returns the name the component was compiled under.
func (p *InstancePre) Name() string { return p.name }

// Close frees the linked plan. All instances must have been closed.
func (p *InstancePre) Close() { p.plan.Close() }

func (p *InstancePre) take() *Instance {
	if in, ok := p.shells.Get().(*Instance); ok {
		return in
	}
	in := &Instance{pre: p, cis: make([]componentInstance, p.instances)}
	for i := range in.cis {
		in.cis[i].index = i
	}
	return in
}

func (p *InstancePre) give(in *Instance) { p.shells.Put(in) }
