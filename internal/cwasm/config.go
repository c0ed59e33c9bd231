package cwasm

// #include "snapshot.h"
import "C"

import (
	"errors"
	"fmt"
	"math"

	"github.com/bytecodealliance/wasmtime-go/v39"
)

// DefaultMaxWasmStack is the guest stack when [Config] names none. A guest
// that overflows its stack costs the host time in proportion to the size, so
// it is smaller than the engine's own default.
const DefaultMaxWasmStack = 512 << 10

// Config says how an engine is made. The zero value is an engine with the
// on-demand allocator.
type Config struct {
	// MaxWasmStack is the size of the guest stack in bytes; zero means
	// DefaultMaxWasmStack. A guest that calls the host and is called back
	// spends from the same stack.
	MaxWasmStack int

	// Pooling selects the pooling allocator, which makes instances in slots
	// reserved in advance. Nil selects the on-demand allocator.
	Pooling *Pooling

	// Reset makes stores that can be put back to a snapshot, which takes
	// memories of a kind of their own on the on-demand allocator. It cannot
	// be had together with Pooling, nor where ResetSupported says why not.
	Reset *Reset
}

// Pooling sizes the pooling allocator. Zero fields take the defaults given
// here. Every memory reserves its full 4 GiB of address space and guards;
// only what is used of it takes memory.
type Pooling struct {
	Instances uint32 // core instances alive at once; 1000
	Memories  uint32 // linear memories alive at once; as Instances
	Tables    uint32 // tables alive at once; as Instances

	MaxMemoriesPerModule uint32 // 1
	MaxTablesPerModule   uint32 // 4

	MaxMemoryBytes   uint64 // greatest size of one memory; 128 MiB
	TableElements    uint64 // greatest size of one table; 100,000
	CoreInstanceSize uint64 // greatest bookkeeping of one instance, in bytes; 1 MiB

	// WarmSlots is the number of unused slots kept mapped with the image of
	// the module last run in them; 100.
	WarmSlots uint32

	// MemoryKeepResident is the part of a freed memory, in bytes, that is
	// zeroed by hand and kept instead of being given back to the system; 0.
	// All of it is zeroed, written or not, so it pays only for memories that
	// are small and wholly used.
	MemoryKeepResident uint64

	// TableKeepResident is the same for tables; 64 KiB. No more than the
	// table's real size is zeroed, which saves a system call and a page fault
	// for each.
	TableKeepResident uint64
}

// withDefaults returns p with its zero fields filled in.
func (p Pooling) withDefaults() Pooling {
	def32 := func(v *uint32, d uint32) {
		if *v == 0 {
			*v = d
		}
	}
	def64 := func(v *uint64, d uint64) {
		if *v == 0 {
			*v = d
		}
	}
	def32(&p.Instances, 1000)
	def32(&p.Memories, p.Instances)
	def32(&p.Tables, p.Instances)
	def32(&p.MaxMemoriesPerModule, 1)
	def32(&p.MaxTablesPerModule, 4)
	def32(&p.WarmSlots, 100)
	def64(&p.MaxMemoryBytes, 128<<20)
	def64(&p.TableElements, 100_000)
	def64(&p.CoreInstanceSize, 1<<20)
	def64(&p.TableKeepResident, 64<<10)
	return p
}

// validate refuses what the engine would answer with an abort of the process.
func (c Config) validate() error {
	if c.MaxWasmStack < 0 {
		return fmt.Errorf("engine config: negative guest stack of %d bytes", c.MaxWasmStack)
	}
	if c.MaxWasmStack > 0 && c.MaxWasmStack < 16<<10 {
		return fmt.Errorf("engine config: guest stack of %d bytes is too small", c.MaxWasmStack)
	}
	if c.MaxWasmStack > 4<<20 {
		return fmt.Errorf("engine config: guest stack of %d bytes does not fit a thread's stack", c.MaxWasmStack)
	}
	if c.Reset != nil {
		if c.Pooling != nil {
			return errors.New("engine config: pooled stores cannot be reset")
		}
		return c.Reset.validate()
	}
	if c.Pooling == nil {
		return nil
	}
	p := c.Pooling.withDefaults()
	if p.MaxMemoryBytes > 4<<30 {
		return fmt.Errorf("engine config: memories of %d bytes exceed 4 GiB", p.MaxMemoryBytes)
	}
	if p.TableElements > math.MaxUint32 {
		return fmt.Errorf("engine config: tables of %d elements exceed 32 bits", p.TableElements)
	}
	// Address space is 47 bits on the smallest supported machines, and a
	// reservation that fails inside the engine takes the process with it.
	if reserve := uint64(p.Memories) * (4<<30 + 64<<20); reserve > 1<<46 {
		return fmt.Errorf("engine config: %d pooled memories reserve %d TiB of address space", p.Memories, reserve>>40)
	}
	return nil
}

// wasmtime builds the engine's configuration. Every feature is set, on or off,
// so that a new engine version cannot turn one on unseen.
func (c Config) wasmtime() *wasmtime.Config {
	w := wasmtime.NewConfig()
	stack := c.MaxWasmStack
	if stack == 0 {
		stack = DefaultMaxWasmStack
	}
	w.SetMaxWasmStack(stack)
	w.SetEpochInterruption(true)
	w.SetConsumeFuel(false)
	w.SetStrategy(wasmtime.StrategyCranelift)
	w.SetCraneliftOptLevel(wasmtime.OptLevelSpeed)
	w.SetParallelCompilation(true)

	w.SetWasmBulkMemory(true)
	w.SetWasmMultiValue(true)
	w.SetWasmMultiMemory(true)
	w.SetWasmSIMD(true)
	w.SetWasmRelaxedSIMD(true)
	w.SetWasmTailCall(true)
	w.SetWasmReferenceTypes(true)
	w.SetWasmThreads(false)
	w.SetWasmMemory64(false)
	w.SetWasmWideArithmetic(false)
	// With typed references on, the C API aborts the process when asked for
	// the type of an import that uses one.
	w.SetWasmFunctionReferences(false)
	w.SetWasmGC(false)

	C.cwasm_config_fix(configPtr(w))
	if c.Reset != nil {
		C.cwasm_config_reset(configPtr(w), C.int(c.Reset.Bounds))
	}
	if c.Pooling != nil {
		p := c.Pooling.withDefaults()
		C.cwasm_config_pooling(configPtr(w), &C.cwasm_pooling{
			instances:           C.uint32_t(p.Instances),
			memories:            C.uint32_t(p.Memories),
			tables:              C.uint32_t(p.Tables),
			memories_per_module: C.uint32_t(p.MaxMemoriesPerModule),
			tables_per_module:   C.uint32_t(p.MaxTablesPerModule),
			warm_slots:          C.uint32_t(p.WarmSlots),
			memory_bytes:        C.size_t(p.MaxMemoryBytes),
			table_elements:      C.size_t(p.TableElements),
			instance_size:       C.size_t(p.CoreInstanceSize),
			memory_resident:     C.size_t(p.MemoryKeepResident),
			table_resident:      C.size_t(p.TableKeepResident),
		})
	}
	return w
}

var errNoEngine = errors.New("the engine refused its configuration")
