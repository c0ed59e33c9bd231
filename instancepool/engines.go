package instancepool

import (
	"sync"

	"github.com/minispin/minispin/component"
)

// DefaultSlots is how many instances the engine of the pooled strategy has room
// for when Engines does not say.
const DefaultSlots = 1000

// Engines makes the engines that strategies need, each on first use, and owns
// them. It may be used from several goroutines.
type Engines struct {
	// CacheDir is where compiled code is kept; empty keeps none. It must not
	// be changed after the first use, nor may the fields below.
	CacheDir string
	// Instances is how many instances the pooling allocator has slots for, those
	// of all components together; 0 means DefaultSlots.
	Instances int
	// MemoryBytes is the largest linear memory a slot has room for; 0 means the
	// component package's default.
	MemoryBytes uint64

	mu      sync.Mutex
	engines map[Strategy]*engine
}

// engine is an engine with the permits for its slots.
type engine struct {
	*component.Engine
	slots chan struct{} // nil when only memory bounds the instances
}

// get returns the engine of a strategy.
func (e *Engines) get(s Strategy) (*engine, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if en := e.engines[s]; en != nil {
		return en, nil
	}
	cfg := component.EngineConfig{CacheDir: e.CacheDir}
	en := &engine{}
	if s == Pooled {
		n := e.Instances
		if n == 0 {
			n = DefaultSlots
		}
		cfg.Pool = &component.PoolConfig{Instances: n, MemoryBytes: e.MemoryBytes}
		en.slots = make(chan struct{}, max(n, 0))
	}
	var err error
	if en.Engine, err = component.NewEngine(cfg); err != nil {
		return nil, err
	}
	if e.engines == nil {
		e.engines = map[Strategy]*engine{}
	}
	e.engines[s] = en
	return en, nil
}

// Close frees the engines. All pools must have been closed.
func (e *Engines) Close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for s, en := range e.engines {
		en.Close()
		delete(e.engines, s)
	}
}
