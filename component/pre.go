package component

import (
	"sync"
	"sync/atomic"

	"github.com/minispin/minispin/internal/cwasm"
)

// InstancePre is a component linked with host interfaces: the list of core
// instantiations that remain to be done for each Instance, with every name
// resolved. It may be used from several goroutines.
type InstancePre struct {
	name         string
	watch        *watch // the engine's
	plan         *cwasm.Plan
	instances    int     // component instances in the graph
	hostEntering [][]int // by component instance: what a call from the host enters
	steps        int     // core instances that are made
	main         int     // the component instance that is the main part itself
	initialize   int     // slot of a core module's _initialize, or -1
	funcs        map[string]*ExportFunc
	exports      map[string]map[string]*ExportFunc
	modules      map[string]*Component // exported core modules, by instance and name with "#" between
	core         map[string]int
	views        []func(any) any // by component instance, see Part.View; nil when no part has one
	hostNames    map[int]string  // of host functions, as reasons call them

	notResettable atomic.Pointer[NotResettableError]

	// states holds *[]componentInstance with empty handle tables. Nothing else
	// of an Instance is used again: a host that keeps one too long must not get
	// hold of another request's.
	states sync.Pool
}

// Name returns the name the component was compiled under.
func (p *InstancePre) Name() string { return p.name }

// Close frees the linked plan. All instances must have been closed.
func (p *InstancePre) Close() { p.plan.Close() }

func (p *InstancePre) take() *[]componentInstance {
	if s, ok := p.states.Get().(*[]componentInstance); ok {
		return s
	}
	s := make([]componentInstance, p.instances)
	for i := range s {
		s[i].index = i
	}
	return &s
}
