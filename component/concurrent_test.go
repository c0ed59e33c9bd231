package component

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"weak"

	"github.com/minispin/minispin/component/abi"
)

// TestConcurrentInstances has 64 goroutines use one linked component while the
// garbage collector runs all the time: values, resources, traps and
// cancellations, each seeing its own host value and nothing of the others.
func TestConcurrentInstances(t *testing.T) {
	for name, cfg := range map[string]EngineConfig{
		"on-demand": {Tick: time.Millisecond},
		"pooling":   {Tick: time.Millisecond, Pool: &PoolConfig{Instances: 64, Memories: 128}},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := NewEngine(cfg)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(e.Close)
			pre := buildText(t, e, concurrentHost(t), "pair", guestPair(stringFunc, "utf16", "utf8"))
			f := export(t, pre, "", "f")

			stop := make(chan struct{})
			var collector, workers sync.WaitGroup
			collector.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						runtime.GC()
					}
				}
			})
			rounds := 20
			if testing.Short() {
				rounds = 4
			}
			for g := range 64 {
				workers.Go(func() {
					for round := range rounds {
						if err := oneRequest(pre, f, g, round); err != nil {
							t.Errorf("goroutine %d, round %d: %v", g, round, err)
							return
						}
					}
				})
			}
			workers.Wait()
			close(stop)
			collector.Wait()
		})
	}
}

// requestState is the host value of one instance.
type requestState struct {
	id    string
	calls atomic.Int32
}

func concurrentHost(t *testing.T) *Linker {
	return hostAPI(t, dynamic(t, "f", stringFunc, func(c *Call, args []abi.Val) (abi.Val, error) {
		st := c.Host().(*requestState)
		st.calls.Add(1)
		switch s := args[0].Str(); s {
		case "trap":
			c.Trapf("as asked")
		case "panic":
			panic("as asked")
		case "wait":
			<-c.Context().Done()
			return abi.Val{}, c.Context().Err()
		default:
			return abi.StringVal(st.id + s), nil
		}
		return abi.Val{}, nil
	}))
}

func oneRequest(pre *InstancePre, f *ExportFunc, g, round int) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	st := &requestState{id: fmt.Sprintf("%d/%d:", g, round)}
	in, err := pre.Instantiate(ctx, InstantiateOptions{Host: st})
	if err != nil {
		return err
	}
	defer in.Close()
	for i := range 3 {
		text := strings.Repeat("é☃", 1+100*i)
		v, err := in.CallVals(f, abi.StringVal(text))
		if err != nil {
			return err
		}
		if v.Str() != st.id+text {
			return fmt.Errorf("got %.40q, want %.40q", v.Str(), st.id+text)
		}
	}
	if n := st.calls.Load(); n != 3 {
		return fmt.Errorf("%d calls reached this instance's host value, want 3", n)
	}
	var fatal string
	switch (g + round) % 4 {
	case 0:
		fatal = "trap"
	case 1:
		fatal = "panic"
	case 2:
		fatal = "wait"
		time.AfterFunc(time.Millisecond, cancel)
	default:
		return nil
	}
	if _, err := in.CallVals(f, abi.StringVal(fatal)); err == nil {
		return fmt.Errorf("%s: no error", fatal)
	}
	return nil
}

// TestHostValuesAreCollected: nothing that is used again for later instances
// keeps a host's value alive.
func TestHostValuesAreCollected(t *testing.T) {
	h := &counters{}
	pre := build(t, engine(t), h.linker(t), "host-resource.wat")
	var hosts []weak.Pointer[requestState]
	var reps []weak.Pointer[counter]
	for range 10 {
		st := &requestState{}
		in, err := pre.Instantiate(context.Background(), InstantiateOptions{Host: st})
		if err != nil {
			t.Fatal(err)
		}
		c := caller{t: t, in: in}
		c.must("drop", c.must("new", 1))
		c.must("get", c.must("new", 2))
		c.must("many", 3)
		for _, v := range h.made {
			reps = append(reps, weak.Make(v))
		}
		hosts = append(hosts, weak.Make(st))
		in.Close()
		h.made = nil
	}
	alive := func() (n int) {
		for _, p := range hosts {
			if p.Value() != nil {
				n++
			}
		}
		for _, p := range reps {
			if p.Value() != nil {
				n++
			}
		}
		return n
	}
	for range 10 {
		if runtime.GC(); alive() == 0 {
			break
		}
	}
	if n := alive(); n > 0 {
		t.Errorf("%d of %d host values are still alive", n, len(hosts)+len(reps))
	}
	runtime.KeepAlive(pre)
}

// TestTablesStartEmpty: a table used again shows nothing of its last instance.
func TestTablesStartEmpty(t *testing.T) {
	h := &counters{}
	pre := build(t, engine(t), h.linker(t), "host-resource.wat")
	for range 5 {
		in, err := pre.Instantiate(context.Background(), InstantiateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		c := caller{t: t, in: in}
		if got := c.must("new", 1); got != 1 {
			t.Errorf("the first handle is %d", got)
		}
		c.must("many", 4)
		c.traps("unknown handle index 9", "get", 9)
		in.Close()
	}
	h.checkDrops(t)
}
