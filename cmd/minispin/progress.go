package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/minispin/minispin/cmd/minispin/internal/console"
)

const (
	// statusAfter is how long preparing components takes before a terminal shows
	// it: what is over at once need not flash up.
	statusAfter = 200 * time.Millisecond
	// noticeAfter is the same for what is no terminal, where a line stays.
	noticeAfter = time.Second
)

// progress tells how far the preparation of components is: on a terminal in the
// status line, elsewhere in one line and only if it takes long.
type progress struct {
	out     *console.Console
	started time.Time
	stopped chan struct{}
	done    sync.WaitGroup

	mu   sync.Mutex
	text string
}

// startProgress begins to tell. The caller must stop it.
func startProgress(out *console.Console) *progress {
	p := &progress{out: out, started: time.Now(), stopped: make(chan struct{}), text: "Preparing components"}
	p.done.Go(p.tell)
	return p
}

// update says how many of a component's core modules are compiled.
func (p *progress) update(component string, done, total int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text = fmt.Sprintf("Preparing %s: %d of %d modules compiled", component, done, total)
}

// stop takes the status line away.
func (p *progress) stop() {
	close(p.stopped)
	p.done.Wait()
	p.out.Status("")
}

func (p *progress) tell() {
	wait, every := statusAfter, 100*time.Millisecond
	if !p.out.Terminal() {
		wait = noticeAfter
	}
	select {
	case <-p.stopped:
		return
	case <-time.After(wait):
	}
	if !p.out.Terminal() {
		_, _ = io.WriteString(p.out, "Preparing components takes a moment\n")
		return
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		p.mu.Lock()
		text := p.text
		p.mu.Unlock()
		p.out.Status(fmt.Sprintf("%s (%d s)", text, int(time.Since(p.started).Seconds())))
		select {
		case <-p.stopped:
			return
		case <-tick.C:
		}
	}
}
