package instancepool

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/component/abi"
)

// keptBy is how many instances a pool of counters keeps.
func keptBy(t *testing.T, p *Pool[*component.ExportFunc]) int {
	t.Helper()
	switch x := p.execution.(type) {
	case *resetting[*component.ExportFunc]:
		x.idle.mu.Lock()
		defer x.idle.mu.Unlock()
		return len(x.idle.free)
	case *reusing[*component.ExportFunc]:
		x.idle.mu.Lock()
		defer x.idle.mu.Unlock()
		return len(x.idle.free)
	}
	t.Fatalf("%T keeps nothing", p.execution)
	return 0
}

// crowd runs n requests at the same time.
func crowd(t *testing.T, p *Pool[*component.ExportFunc], n int) {
	t.Helper()
	var inside, done sync.WaitGroup
	inside.Add(n)
	for range n {
		done.Go(func() {
			err := p.Run(context.Background(), nil, func(in *component.Instance, f *component.ExportFunc) error {
				inside.Done()
				inside.Wait()
				_, err := in.CallVals(f, abi.U32Val(plainly))
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
}

// TestCrowdLeaves: the instances that a crowd needed are given up when none needs
// them any more, under load and without; one is kept.
func TestCrowdLeaves(t *testing.T) {
	for _, s := range []Strategy{Reset, Reuse} {
		for _, load := range []string{"none", "some"} {
			t.Run(string(s)+"/load "+load, func(t *testing.T) {
				p := counterPool(t, s, func(c *Config[*component.ExportFunc]) { c.IdleTime = 20 * time.Millisecond })
				for range 2 {
					crowd(t, p, 8)
					for end := time.Now().Add(10 * time.Second); keptBy(t, p) > 1; {
						if time.Now().After(end) {
							t.Fatalf("%d instances are kept", keptBy(t, p))
						}
						if load == "none" {
							time.Sleep(time.Millisecond)
						} else if _, err := next(p, context.Background(), plainly); err != nil {
							t.Fatal(err)
						}
					}
				}
				time.Sleep(50 * time.Millisecond)
				if n := keptBy(t, p); n != 1 {
					t.Errorf("in the end %d instances are kept, want 1", n)
				}
			})
		}
	}
}

func TestCrowdStays(t *testing.T) {
	for name, idle := range map[string]time.Duration{"for a while": 0, "forever": -1} {
		t.Run(name, func(t *testing.T) {
			p := counterPool(t, Reset, func(c *Config[*component.ExportFunc]) { c.IdleTime = idle })
			crowd(t, p, 8)
			time.Sleep(50 * time.Millisecond)
			if n := keptBy(t, p); n != 8 {
				t.Errorf("%d instances are kept, want 8", n)
			}
		})
	}
}
