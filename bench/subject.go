package bench

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// Sample is what a batch of exchanges took.
type Sample struct {
	N      int           `json:"n"`      // exchanges
	Wall   time.Duration `json:"ns"`     // from the first to the end of the last
	Allocs uint64        `json:"allocs"` // of the Go heap, in all
	Bytes  uint64        `json:"bytes"`  // of the Go heap, in all
	Faults int64         `json:"faults"` // page faults of the process and its children; -1 where not known
}

// per returns what one exchange took of total.
func (s Sample) per(total float64) float64 { return total / float64(s.N) }

// subject is a row that is ready to be measured.
type subject interface {
	// measure makes n exchanges on some goroutines at a time.
	measure(n, parallel int) (Sample, error)
	close()
}

// local is a subject in this process: a function that makes one exchange, and
// may be called on several goroutines.
type local struct {
	exchange func() error
	// held, where set, makes an exchange that passes the gate while what
	// answers it is alive.
	held func(*gate) error
	// several is how many exchanges are held to find what one keeps.
	several int
	// note is what a reader of the figure should know.
	note string
	end  func()
}

func (l *local) measure(n, parallel int) (Sample, error) { return measure(n, parallel, l.exchange) }

func (l *local) close() {
	if l.end != nil {
		l.end()
	}
}

// measure times n exchanges. The garbage of before is collected first, so that
// a row pays for its own alone.
func measure(n, parallel int, exchange func() error) (Sample, error) {
	s := Sample{N: n}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	faults := pageFaults()
	start := time.Now()
	err := repeat(n, parallel, exchange)
	s.Wall = time.Since(start)
	if s.Faults = pageFaults(); s.Faults >= 0 {
		s.Faults -= faults
	}
	runtime.ReadMemStats(&after)
	s.Allocs, s.Bytes = after.Mallocs-before.Mallocs, after.TotalAlloc-before.TotalAlloc
	return s, err
}

// repeat calls exchange n times on parallel goroutines, until one fails.
func repeat(n, parallel int, exchange func() error) error {
	if parallel <= 1 {
		for range n {
			if err := exchange(); err != nil {
				return err
			}
		}
		return nil
	}
	// The goroutines take from a common store, so that they end together, and
	// take much at once, for the store not to be what is measured.
	portion := int64(max(1, n/(64*parallel)))
	var taken atomic.Int64
	errs := make([]error, parallel)
	var wg sync.WaitGroup
	for i := range parallel {
		wg.Go(func() {
			for {
				end := taken.Add(portion)
				for range min(portion, int64(n)-(end-portion)) {
					if errs[i] = exchange(); errs[i] != nil {
						taken.Store(int64(n))
						return
					}
				}
				if end >= int64(n) {
					return
				}
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// gate is where exchanges are held.
type gate struct{ inside, release chan struct{} }

func (g *gate) wait() {
	g.inside <- struct{}{}
	<-g.release
}

// makeThreads sees to it that there are threads for n guests. The runtime keeps
// threads once they are made, so that otherwise the first row whose guests are
// held in the middle of a call would be charged with them, and no other.
func makeThreads(n int) {
	var ready, done sync.WaitGroup
	ready.Add(n)
	release := make(chan struct{})
	for range n {
		done.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			ready.Done()
			<-release
		})
	}
	ready.Wait()
	close(release)
	done.Wait()
}

// resident returns by how many bytes the memory of the process that is its own
// grows with one more exchange under way, the Go part of it included but for the
// thread. ok tells whether that can be known here.
func (l *local) resident() (bytes int64, ok bool, err error) {
	if l.held == nil {
		return 0, false, nil
	}
	g := &gate{inside: make(chan struct{}), release: make(chan struct{})}
	ended := make(chan error)
	var errs []error
	started, inside := 0, 0
	// hold has n exchanges more wait at the gate.
	hold := func(n int) {
		started += n
		for range n {
			go func() { ended <- l.held(g) }()
		}
		for inside+len(errs) < started {
			select {
			case <-g.inside:
				inside++
			case err := <-ended:
				errs = append(errs, err)
			}
		}
	}
	// The first one finds what is kept of earlier ones, and touches for the first
	// time what all share.
	hold(1)
	// From here on what is allocated is memory anew, and stays.
	debug.FreeOSMemory()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	before, known := privateMemory()
	hold(l.several)
	after, _ := privateMemory()
	held := inside
	close(g.release)
	for len(errs) < started {
		errs = append(errs, <-ended)
	}
	if err := errors.Join(errs...); err != nil {
		return 0, false, fmt.Errorf("with %d exchanges at a time: %w", started, err)
	}
	return (after - before) / int64(l.several), known && held == started, nil
}
