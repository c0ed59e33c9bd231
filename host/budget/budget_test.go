package budget

import (
	"sync"
	"testing"
)

func TestBudget(t *testing.T) {
	b := New(2)
	for i, want := range []bool{true, true, false, false} {
		if got := b.Take(); got != want {
			t.Errorf("take %d: %v", i, got)
		}
	}
	if b.Held() != 2 {
		t.Errorf("%d are held", b.Held())
	}
	b.GiveBack()
	if !b.Take() || b.Take() {
		t.Error("what was given back is not there once")
	}
	if New(0).Take() {
		t.Error("took of nothing")
	}
}

// A nil Budget gives what is asked for.
func TestNoBudget(t *testing.T) {
	var b *Budget
	for range 3 {
		if !b.Take() {
			t.Error("refused")
		}
	}
	b.GiveBack()
	if b.Held() != 0 {
		t.Errorf("%d are held", b.Held())
	}
}

// Those that take at once never have more than there is, and in the end nothing
// is held.
func TestBudgetTogether(t *testing.T) {
	const most = 3
	b := New(most)
	places := make(chan struct{}, most)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				if !b.Take() {
					continue
				}
				select {
				case places <- struct{}{}:
					<-places
				default:
					t.Error("more are held than there are")
				}
				b.GiveBack()
			}
		})
	}
	all.Wait()
	if b.Held() != 0 {
		t.Errorf("%d are held", b.Held())
	}
}
