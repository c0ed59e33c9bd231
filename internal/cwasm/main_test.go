package cwasm

import (
	"os"
	"testing"
	"time"
)

// engines shared by the tests; making a pooling engine reserves terabytes of
// address space, once is enough.
var onDemand, pooling *Engine

func TestMain(m *testing.M) {
	var err error
	if onDemand, err = NewEngine(Config{}); err != nil {
		panic(err)
	}
	if pooling, err = NewEngine(Config{Pooling: &Pooling{Instances: 300}}); err != nil {
		panic(err)
	}
	onDemand.StartTicker(2*time.Millisecond, nil)
	pooling.StartTicker(2*time.Millisecond, nil)
	code := m.Run()
	onDemand.Close()
	pooling.Close()
	if n := LiveStores(); n != 0 && code == 0 {
		println("stores left open:", n)
		code = 1
	}
	for _, object := range OpenObjects() {
		println("left open:", object)
		code = 1
	}
	os.Exit(code)
}

// compile assembles and compiles a module that is closed with the test.
func compile(t testing.TB, e *Engine, wat string) *Module {
	t.Helper()
	wasm, err := Wat(wat)
	if err != nil {
		t.Fatal(err)
	}
	m, err := e.Compile(wasm)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

// single plans one module whose imports are the given host functions in
// order; its exports go into slots in order.
func single(t testing.TB, e *Engine, wat string, hosts ...HostImport) *Plan {
	t.Helper()
	m := compile(t, e, wat)
	step := Step{Module: m}
	for i := range hosts {
		step.Imports = append(step.Imports, Import{Kind: FromHost, Host: i})
	}
	for i, exp := range m.Exports() {
		step.Fetch = append(step.Fetch, Fetch{exp.Name, i})
	}
	return plan(t, PlanConfig{Engine: e, Steps: []Step{step}, Hosts: hosts, Slots: len(m.Exports())})
}

func plan(t testing.TB, c PlanConfig) *Plan {
	t.Helper()
	p, err := NewPlan(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func instantiate(t testing.TB, p *Plan, opts StoreOptions) *Store {
	t.Helper()
	s, err := p.Instantiate(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}
