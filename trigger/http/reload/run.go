package reload

import (
	"context"
	"time"
)

// Config says what Run watches, and what it does then.
type Config struct {
	// Inputs returns the files that the application is loaded from, and those it
	// is built from, as things stand. They are asked for again after every change.
	Inputs func() (load, build Inputs)
	// Build makes what is loaded. Nil means that nothing is built.
	Build func(ctx context.Context) error
	// Load makes a generation.
	Load func(ctx context.Context) (App, error)
	// Report is told what happens. It may be nil.
	Report func(Event)

	// Watcher notices changes. Nil means that only Force leads to a new
	// generation.
	Watcher *Watcher
	// Force makes for a new generation although nothing has changed. It may be
	// nil.
	Force <-chan struct{}
	// Loaded says that the Handler has a generation already that was loaded from
	// the inputs as they were in the snapshot Served. Without it one is loaded first.
	Loaded bool
	Served Snapshot
}

// EventKind says what happened.
type EventKind int

// The kinds of events.
const (
	// Building is the start of a build.
	Building EventKind = iota
	// BuildFailed is a build that has failed; nothing is loaded then.
	BuildFailed
	// LoadFailed is an application that could not be loaded.
	LoadFailed
	// Loaded is a new generation, current from now on.
	Loaded
	// Reverted is a change back to what is being served, after one that failed.
	Reverted
	// OutputIgnored is a file among the inputs of builds that a build writes, and
	// differently each time. Its changes do not lead to builds any more.
	OutputIgnored
)

// Event is something that happened.
type Event struct {
	Kind  EventKind
	Err   error         // of the two failures
	Paths []string      // the files that changed, as far as is known
	Took  time.Duration // from the moment at which the change was noticed
}

// Run keeps the current generation of h what its files say, until ctx ends. A
// failure leaves the generation in place that was there.
func Run(ctx context.Context, h *Handler, c Config) {
	if c.Report == nil {
		c.Report = func(Event) {}
	}
	r := &runner{Config: c, handler: h, served: c.Served, tried: c.Served, fine: c.Loaded, outputs: map[string]bool{}}
	r.step(ctx, !c.Loaded)
	for r.wait(ctx) {
	}
}

type runner struct {
	Config
	handler *Handler

	served, tried Snapshot // what was loaded last with success, and at all
	fine          bool     // tried was loaded
	built         Snapshot // what was built from last; nil before the first build
	buildErr      bool
	outputs       map[string]bool // inputs of builds that builds write
	suspects      map[string]bool // what changed during the last build
}

// wait waits for a reason to look at files, and does so. It returns false when
// ctx ends.
func (r *runner) wait(ctx context.Context) bool {
	if r.Watcher == nil {
		select {
		case <-ctx.Done():
			return false
		case <-r.Force:
			r.step(ctx, true)
			return true
		}
	}
	waiting, stop := context.WithCancel(ctx)
	defer stop()
	forced := make(chan bool, 1)
	go func() {
		defer stop()
		select {
		case <-r.Force:
			forced <- true
		case <-waiting.Done():
			forced <- false
		}
	}()
	_ = r.Watcher.Wait(waiting) // its error is looked for in ctx
	stop()
	force := <-forced
	if ctx.Err() != nil {
		return false
	}
	r.step(ctx, force)
	return true
}

// scan takes snapshots of what is loaded and of what is built from.
func (r *runner) scan() (load, build Snapshot) {
	if r.Watcher == nil {
		return nil, nil
	}
	loadIn, buildIn := r.Inputs()
	if r.Build == nil {
		return r.Watcher.Scan(loadIn)[0], nil
	}
	s := r.Watcher.Scan(loadIn, buildIn)
	return s[0], s[1].without(r.outputs)
}

// step builds and loads what has changed.
func (r *runner) step(ctx context.Context, force bool) {
	start := time.Now()
	load, build := r.scan()
	if r.Build != nil && (r.built == nil || len(r.built.Changed(build)) > 0) {
		if !r.build(ctx, build) {
			return
		}
		load, _ = r.scan()
	}
	if r.buildErr {
		return
	}
	changed := r.tried.Changed(load)
	if len(changed) == 0 && !force {
		return
	}
	if !force && !r.fine && r.served != nil && len(r.served.Changed(load)) == 0 {
		r.tried, r.fine = load, true
		r.Report(Event{Kind: Reverted, Paths: changed})
		return
	}
	for {
		app, err := r.Load(ctx)
		if err == nil {
			r.handler.Swap(app)
			r.served, r.tried, r.fine = load, load, true
			r.Report(Event{Kind: Loaded, Paths: changed, Took: time.Since(start)})
			return
		}
		if ctx.Err() != nil {
			return
		}
		if r.stillWriting(ctx, load) {
			load, _ = r.scan()
			continue
		}
		r.tried, r.fine = load, false
		r.Report(Event{Kind: LoadFailed, Err: err, Paths: changed, Took: time.Since(start)})
		return
	}
}

// settle is how long files that failed to load must stay as they are before that
// is told. Linkers and copies make pauses.
const settle = 100 * time.Millisecond

// stillWriting waits a little and reports whether the files differ from load: what
// failed to load was then half-written, and the failure is not worth telling.
func (r *runner) stillWriting(ctx context.Context, load Snapshot) bool {
	if r.Watcher == nil {
		return false
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(max(settle, r.Watcher.debounce)):
	}
	now, _ := r.scan()
	return len(load.Changed(now)) > 0
}

// build builds from what is in the snapshot from.
func (r *runner) build(ctx context.Context, from Snapshot) bool {
	start := time.Now()
	var changed []string
	if r.built != nil {
		changed = r.built.Changed(from)
	}
	ofBuilds := len(changed) > 0
	for _, p := range changed {
		ofBuilds = ofBuilds && r.suspects[p]
	}
	r.Report(Event{Kind: Building, Paths: changed})
	err := r.Build(ctx)
	r.built, r.buildErr = from, err != nil
	if ctx.Err() != nil {
		return false
	}
	_, after := r.scan()
	during := map[string]bool{}
	var ignored []string
	for _, p := range from.Changed(after) {
		during[p] = true
		if ofBuilds && r.suspects[p] {
			// A build was done for this change of an earlier build, and has made
			// another: that would go on for ever.
			r.outputs[p] = true
			ignored = append(ignored, p)
		}
	}
	r.suspects = during
	if len(ignored) > 0 {
		r.built = r.built.without(r.outputs)
		r.Report(Event{Kind: OutputIgnored, Paths: ignored})
	}
	if err != nil {
		r.Report(Event{Kind: BuildFailed, Err: err, Took: time.Since(start)})
	}
	return err == nil
}
