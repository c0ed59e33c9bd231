package wasiio

import (
	"context"
	"reflect"
	"sync"
)

// waitAny waits until one of events has happened, or ctx ends. Events that can
// only block get a goroutine each; all of those have ended when waitAny returns.
func waitAny(ctx context.Context, events []Event) error {
	signals := make([]<-chan struct{}, 0, len(events)+1)
	var blockers []Event
	for _, e := range events {
		if s, ok := e.(Signaler); ok {
			signals = append(signals, s.Signal())
		} else {
			blockers = append(blockers, e)
		}
	}
	if len(blockers) == 0 {
		return selectAny(ctx, signals)
	}

	inner, cancel := context.WithCancel(ctx)
	happened := make(chan struct{}, len(blockers))
	var group sync.WaitGroup
	var panicked panicBox
	for _, e := range blockers {
		group.Go(func() {
			defer panicked.keep(happened)
			if e.Block(inner) == nil {
				happened <- struct{}{}
			}
		})
	}
	err := selectAny(ctx, append(signals, happened))
	cancel()
	group.Wait()
	panicked.rethrow()
	return err
}

// selectAny waits until one of chans can be received from, or ctx ends. Up to
// four, the usual case, need no reflection: receiving from nil never succeeds.
func selectAny(ctx context.Context, chans []<-chan struct{}) error {
	if len(chans) <= 4 {
		var c [4]<-chan struct{}
		copy(c[:], chans)
		select {
		case <-c[0]:
		case <-c[1]:
		case <-c[2]:
		case <-c[3]:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		return nil
	}
	cases := make([]reflect.SelectCase, len(chans), len(chans)+1)
	for i, ch := range chans {
		cases[i] = reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(ch)}
	}
	cases = append(cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(ctx.Done())})
	if i, _, _ := reflect.Select(cases); i == len(chans) {
		return context.Cause(ctx)
	}
	return nil
}

// panicBox carries a panic from a goroutine that waits on behalf of a guest to
// the guest's own, where it becomes a trap instead of the end of the process.
type panicBox struct {
	mu    sync.Mutex
	value any
}

func (b *panicBox) keep(happened chan<- struct{}) {
	if r := recover(); r != nil {
		b.mu.Lock()
		b.value = r
		b.mu.Unlock()
		happened <- struct{}{}
	}
}

func (b *panicBox) rethrow() {
	if b.value != nil {
		panic(b.value)
	}
}
