package instancepool

import (
	"sync"

	"github.com/minispin/minispin/component"
)

// Engines makes the engines that strategies need, each on first use, and owns
// them. It may be used from several goroutines.
type Engines struct {
	// CacheDir is where compiled code is kept; empty keeps none. It must not
	// be changed after the first use.
	CacheDir string
	// Instances is how many instances the pooling allocator has slots for;
	// 0 means the component package's default.
	Instances int
	// MemoryBytes is the largest linear memory a slot has room for; 0 means the
	// component package's default.
	MemoryBytes uint64

	mu      sync.Mutex
	engines map[Strategy]*component.Engine
}

// For returns the engine of a strategy.
func (e *Engines) For(s Strategy) (*component.Engine, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if en := e.engines[s]; en != nil {
		return en, nil
	}
	cfg := component.EngineConfig{CacheDir: e.CacheDir}
	if s == Pooled {
		cfg.Pool = &component.PoolConfig{Instances: e.Instances, MemoryBytes: e.MemoryBytes}
	}
	en, err := component.NewEngine(cfg)
	if err != nil {
		return nil, err
	}
	if e.engines == nil {
		e.engines = map[Strategy]*component.Engine{}
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
