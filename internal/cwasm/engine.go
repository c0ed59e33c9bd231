package cwasm

// #cgo noescape cwasm_tick
// #cgo nocallback cwasm_tick
// #include "cwasm.h"
import "C"

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"
	"runtime"
	"sync"
	"time"

	"github.com/bytecodealliance/wasmtime-go/v39"
	"golang.org/x/sys/cpu"
)

// DefaultTick is the period of [Engine.StartTicker] when none is given: how
// late a deadline or a cancellation may take effect in running guest code.
const DefaultTick = 5 * time.Millisecond

// Engine compiles modules and owns the allocator of their instances. Modules
// of one engine cannot be used with another. It is safe for concurrent use.
type Engine struct {
	config Config
	engine *wasmtime.Engine
	raw    *C.wasm_engine_t // own reference, independent of engine's

	mu       sync.RWMutex // held for reading while the engine is used
	closed   bool
	stop     chan struct{} // closed to stop the ticker; nil when none runs
	finished chan struct{} // closed by the ticker when it is gone
}

// NewEngine makes an engine. With pooling, the address space for all slots is
// reserved here.
func NewEngine(c Config) (*Engine, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	if c.Pooling != nil {
		p := c.Pooling.withDefaults()
		c.Pooling = &p
	}
	if c.Reset != nil {
		r := c.Reset.withDefaults()
		c.Reset = &r
	}
	engine := wasmtime.NewEngineWithConfig(c.wasmtime())
	ptr := enginePtr(engine)
	if ptr == nil {
		return nil, errNoEngine
	}
	e := &Engine{config: c, engine: engine, raw: C.wasmtime_engine_clone(ptr)}
	opened(e)
	return e, nil
}

// Close stops the ticker and releases the engine. Modules, plans and stores
// made from it stay valid, but running guests can no longer be interrupted.
// Close waits for compilations under way. Closing twice does nothing.
func (e *Engine) Close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return
	}
	e.closed = true
	if e.stop != nil {
		close(e.stop)
		<-e.finished
	}
	C.wasm_engine_delete(e.raw)
	e.raw = nil
	e.engine.Close()
	closed(e)
}

// StartTicker starts the goroutine that lets deadlines and cancellations take
// effect, once every period; zero means [DefaultTick]. Without it guest code
// cannot be interrupted. before, unless it is nil, is called before each tick, for
// cancellations that are to take effect at it. Starting it again does nothing.
func (e *Engine) StartTicker(period time.Duration, before func()) {
	if period <= 0 {
		period = DefaultTick
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || e.stop != nil {
		return
	}
	e.stop, e.finished = make(chan struct{}), make(chan struct{})
	go tick(e.raw, period, before, e.stop, e.finished)
}

func tick(engine *C.wasm_engine_t, period time.Duration, before func(), stop <-chan struct{}, finished chan<- struct{}) {
	defer close(finished)
	t := time.NewTicker(period)
	defer t.Stop()
	for {
		select {
		case <-stop:
			return
		case <-t.C:
			if before != nil {
				before()
			}
			C.cwasm_tick(engine, C.uint64_t(hostTime(time.Now())))
		}
	}
}

// clockBase is the zero of the clock that deadlines are compared on. It holds
// a monotonic reading, so a change of the wall clock moves no deadline.
var clockBase = time.Now()

// hostTime converts t to that clock. It is never zero, which means "none".
func hostTime(t time.Time) uint64 {
	return uint64(max(t.Sub(clockBase), 1))
}

// Fingerprint identifies everything that compiled code depends on: the
// engine's version and configuration and the machine's instruction set. Code
// from [Module.Serialize] must be given only to an engine with the same
// fingerprint.
func (e *Engine) Fingerprint() string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s/%s\n", EngineVersion, runtime.GOOS, runtime.GOARCH)
	fmt.Fprintf(h, "stack %d\n", e.config.MaxWasmStack)
	if r := e.config.Reset; r != nil {
		fmt.Fprintf(h, "reset, bounds %d\n", r.Bounds) // the code differs
	}
	for _, features := range []any{cpu.X86, cpu.ARM64} {
		v := reflect.ValueOf(features)
		for i := range v.NumField() {
			if f := v.Field(i); f.Kind() == reflect.Bool && f.Bool() {
				fmt.Fprintln(h, v.Type().Field(i).Name)
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Wat assembles the text format, of a module or a component, into the binary
// format.
func Wat(text string) ([]byte, error) {
	wasm, err := wasmtime.Wat2Wasm(text)
	if err != nil {
		return nil, fmt.Errorf("assemble text format: %w", err)
	}
	return wasm, nil
}

// nop crosses into C and back: the floor under every other figure.
func nop() { C.cwasm_nop() }
