package instancepool

import (
	"fmt"
	"os"
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
	// Unavailable are strategies that must not be used in this process, with the
	// reason.
	Unavailable map[Strategy]error

	mu      sync.Mutex
	engines map[kind]*engine
}

// engine is an engine with the permits for its slots.
type engine struct {
	*component.Engine
	slots chan struct{} // nil when only memory bounds the instances
	dir   string        // for compiled code, removed in the end; "" for none
}

func (en *engine) removeDir() {
	if en.dir != "" {
		_ = os.RemoveAll(en.dir) // what is left of it harms nobody
	}
}

// kind tells the engines apart that strategies need.
type kind int

const (
	onDemand   kind = iota
	pooling         // with slots
	resettable      // with memories that can be put back
	compiling       // on demand, keeping no code
	loading         // on demand, keeping code in any case
)

func kindOf(s Strategy) kind {
	switch s {
	case Cold:
		return compiling
	case Precompiled:
		return loading
	case Pooled:
		return pooling
	case Reset:
		return resettable
	}
	return onDemand
}

// get returns the engine of a strategy.
func (e *Engines) get(s Strategy) (*engine, error) {
	if err := e.Unavailable[s]; err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	k := kindOf(s)
	if en := e.engines[k]; en != nil {
		return en, nil
	}
	cfg := component.EngineConfig{CacheDir: e.CacheDir}
	en := &engine{}
	switch k {
	case compiling:
		cfg.CacheDir = ""
	case loading:
		if cfg.CacheDir == "" {
			dir, err := os.MkdirTemp("", "minispin-code-")
			if err != nil {
				return nil, fmt.Errorf("a directory for compiled code: %w", err)
			}
			cfg.CacheDir, en.dir = dir, dir
		}
	case resettable:
		if err := component.ResetSupported(); err != nil {
			return nil, err
		}
		cfg.Reset = &component.ResetConfig{}
	case pooling:
		n := e.Instances
		if n == 0 {
			n = DefaultSlots
		}
		cfg.Pool = &component.PoolConfig{Instances: n, MemoryBytes: e.MemoryBytes}
		en.slots = make(chan struct{}, max(n, 0))
	}
	var err error
	if en.Engine, err = component.NewEngine(cfg); err != nil {
		en.removeDir()
		return nil, err
	}
	if e.engines == nil {
		e.engines = map[kind]*engine{}
	}
	e.engines[k] = en
	return en, nil
}

// Close frees the engines. All pools must have been closed.
func (e *Engines) Close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for k, en := range e.engines {
		en.Close()
		en.removeDir()
		delete(e.engines, k)
	}
}
