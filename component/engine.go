package component

import (
	"fmt"
	"time"

	"github.com/minispin/minispin/internal/cwasm"
)

// Engine compiles components and owns the memory their instances live in. It
// may be used from several goroutines.
type Engine struct {
	core    *cwasm.Engine
	cache   *codeCache
	resets  bool // instances can be put back
	lenient bool // for tests: components are not validated

	verdicts verdicts
	watch    watch
}

// EngineConfig says how an Engine allocates and where it keeps compiled code.
type EngineConfig struct {
	// Pool makes instances live in slots reserved ahead, which is faster than
	// mapping memory for each. Nil allocates on demand.
	Pool *PoolConfig
	// Reset makes instances that can be put back to the state they were
	// instantiated with, see InstancePre.InstantiateResettable. It excludes
	// Pool, and needs what ResetSupported looks for.
	Reset *ResetConfig
	// CacheDir is a directory for compiled code, made when it is absent. Empty
	// compiles every time.
	CacheDir string
	// Tick is how late a deadline or a cancellation may take effect in running
	// guest code. Default 5 ms.
	Tick time.Duration
}

// PoolConfig sizes the pooling allocator. Zero fields have defaults.
type PoolConfig struct {
	// Instances is how many component instances may exist at a time, default
	// 1,000. A component of several core modules takes as many core instances.
	Instances int
	// Memories is how many linear memories may exist at a time, default
	// Instances. A component with several memories takes as many.
	Memories int
	// MemoryBytes is the largest size of one linear memory, default 4 GiB. It
	// costs address space that is reserved anyway; Limits bound what is used.
	MemoryBytes uint64
}

// A component of an interpreted language brings dozens of core instances and
// several tables, mostly small; only memories reserve address space.
const (
	defaultPoolInstances     = 1_000
	coreInstancesPerInstance = 64
	tablesPerInstance        = 8
	tablesPerModule          = 64

	// Each memory reserves more than 4 GiB of a 47-bit address space.
	maxPoolInstances = 20_000
)

func pooling(p *PoolConfig) (*cwasm.Pooling, error) {
	n := p.Instances
	if n == 0 {
		n = defaultPoolInstances
	}
	if n < 0 || n > maxPoolInstances {
		return nil, fmt.Errorf("pooling allocator: %d instances, at most %d can be had", n, maxPoolInstances)
	}
	memories := p.Memories
	if memories == 0 {
		memories = n
	}
	if memories < 0 || memories > maxPoolInstances {
		return nil, fmt.Errorf("pooling allocator: %d memories, at most %d can be had", memories, maxPoolInstances)
	}
	mem := p.MemoryBytes
	if mem == 0 {
		mem = 4 << 30
	}
	return &cwasm.Pooling{
		Instances:      uint32(n * coreInstancesPerInstance),
		Memories:       uint32(memories),
		Tables:         uint32(n * tablesPerInstance),
		MaxMemoryBytes: mem,

		MaxMemoriesPerModule: uint32(min(defaultMemories, memories)),
		MaxTablesPerModule:   uint32(min(tablesPerModule, n*tablesPerInstance)),
	}, nil
}

// NewEngine makes an engine. It fails when the address space for the pool
// cannot be had or the cache directory cannot be made or is open to others.
func NewEngine(cfg EngineConfig) (*Engine, error) {
	var cc cwasm.Config
	if cfg.Pool != nil {
		var err error
		if cc.Pooling, err = pooling(cfg.Pool); err != nil {
			return nil, err
		}
	}
	if cfg.Reset != nil {
		cc.Reset = cfg.Reset.core()
	}
	core, err := cwasm.NewEngine(cc)
	if err != nil {
		return nil, err
	}
	e := &Engine{core: core, resets: cfg.Reset != nil, verdicts: newVerdicts()}
	if cfg.CacheDir != "" {
		if e.cache, err = openCodeCache(cfg.CacheDir, core.Fingerprint()); err != nil {
			core.Close()
			return nil, err
		}
	}
	core.StartTicker(cfg.Tick, e.watch.look)
	return e, nil
}

// Close frees the engine. Components compiled by it must have been closed.
func (e *Engine) Close() { e.core.Close() }
