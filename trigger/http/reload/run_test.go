package reload

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// project is an application of one file, which a build may make of another.
type project struct {
	dir     string
	handler Handler
	events  chan Event
	force   chan struct{}
	loads   atomic.Int64
}

func (p *project) path(name string) string { return filepath.Join(p.dir, name) }

// start runs a project. Files that begin with "bad" do not load.
func start(t *testing.T, build func(p *project) error) *project {
	t.Helper()
	p := &project{dir: t.TempDir(), events: make(chan Event, 100), force: make(chan struct{})}
	write(t, p.path("src/main"), "1")
	if build == nil {
		write(t, p.path("app"), "1")
	}
	w := NewWatcher(10*time.Millisecond, nil)
	c := Config{
		Watcher: w, Force: p.force,
		Report: func(e Event) { p.events <- e },
		Inputs: func() (load, build Inputs) {
			return Inputs{Files: []string{p.path("app")}},
				Inputs{Patterns: []Pattern{{p.dir, "src/**"}}, Exclude: []string{p.path("app")}}
		},
		Load: func(context.Context) (App, error) {
			p.loads.Add(1)
			text, err := os.ReadFile(p.path("app"))
			if err == nil && string(text[:min(3, len(text))]) == "bad" {
				err = errors.New("it is bad")
			}
			if err != nil {
				return nil, err
			}
			return newFake(string(text)), nil
		},
	}
	if build != nil {
		c.Build = func(context.Context) error { return build(p) }
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); Run(ctx, &p.handler, c) }()
	t.Cleanup(func() {
		cancel()
		<-done
		w.Close()
		p.handler.Close(context.Background())
	})
	return p
}

func (p *project) expect(t *testing.T, kind EventKind) Event {
	t.Helper()
	select {
	case e := <-p.events:
		if e.Kind != kind {
			t.Fatalf("got %+v, want an event of the kind %v", e, kind)
		}
		return e
	case <-time.After(10 * time.Second):
		t.Fatalf("no event of the kind %v", kind)
	}
	panic("not reached")
}

func (p *project) serves(t *testing.T, want string) {
	t.Helper()
	if got := get(&p.handler).Body.String(); got != want {
		t.Errorf("%q is served, not %q", got, want)
	}
}

func (p *project) quiet(t *testing.T) {
	t.Helper()
	select {
	case e := <-p.events:
		t.Fatalf("got %+v", e)
	case <-time.After(250 * time.Millisecond):
	}
}

func TestRunLoadsWhatChanges(t *testing.T) {
	p := start(t, nil)
	p.expect(t, Loaded)
	p.serves(t, "1")

	write(t, p.path("app"), "2")
	if e := p.expect(t, Loaded); len(e.Paths) != 1 || e.Paths[0] != p.path("app") {
		t.Errorf("changed: %v", e.Paths)
	}
	p.serves(t, "2")

	loads := p.loads.Load()
	write(t, p.path("app"), "2") // the same bytes
	write(t, p.path("beside"), "not an input")
	write(t, p.path("src/main"), "nothing is built")
	p.quiet(t)
	if n := p.loads.Load(); n != loads {
		t.Errorf("%d loads without a change", n-loads)
	}

	p.force <- struct{}{}
	p.expect(t, Loaded)
	if n := p.loads.Load(); n != loads+1 {
		t.Errorf("%d loads by force", n-loads)
	}
}

func TestRunKeepsWhatWorks(t *testing.T) {
	p := start(t, nil)
	p.expect(t, Loaded)

	write(t, p.path("app"), "bad")
	if e := p.expect(t, LoadFailed); e.Err == nil {
		t.Error("no error")
	}
	p.serves(t, "1")
	p.quiet(t) // it is not tried again

	write(t, p.path("app"), "1")
	p.expect(t, Reverted)
	p.serves(t, "1")

	if err := os.Remove(p.path("app")); err != nil {
		t.Fatal(err)
	}
	if e := p.expect(t, LoadFailed); !errors.Is(e.Err, os.ErrNotExist) {
		t.Error(e.Err)
	}
	p.serves(t, "1")
	write(t, p.path("app"), "3")
	p.expect(t, Loaded)
	p.serves(t, "3")
}

func TestRunBeginsWithAFailure(t *testing.T) {
	p := start(t, func(p *project) error { return errors.New("no compiler") })
	p.expect(t, Building)
	p.expect(t, BuildFailed)
	if w := get(&p.handler); w.Code != 503 {
		t.Errorf("status %d", w.Code)
	}
}

func TestRunDoesNotTellOfHalfAFile(t *testing.T) {
	p := start(t, nil)
	p.expect(t, Loaded)
	f, err := os.Create(p.path("app"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var pause time.Duration // the longest
	for i := range 20 {     // for longer than the watcher waits
		fmt.Fprintf(f, "bad %d", i)
		start := time.Now()
		time.Sleep(8 * time.Millisecond)
		pause = max(pause, time.Since(start))
	}
	if err := f.Truncate(0); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("whole"), 0); err != nil {
		t.Fatal(err)
	}
	if pause > settle/2 {
		t.Skipf("this machine makes pauses of %v", pause)
	}
	p.expect(t, Loaded)
	p.serves(t, "whole")
}

// compile builds by copying.
func compile(p *project) error {
	text, err := os.ReadFile(p.path("src/main"))
	if err == nil && string(text) == "wrong" {
		return errors.New("it does not compile")
	}
	if err != nil {
		return err
	}
	return os.WriteFile(p.path("app"), text, 0o644)
}

func TestRunBuilds(t *testing.T) {
	p := start(t, compile)
	p.expect(t, Building)
	p.expect(t, Loaded)
	p.serves(t, "1")

	write(t, p.path("src/main"), "2")
	p.expect(t, Building)
	p.expect(t, Loaded)
	p.serves(t, "2")

	write(t, p.path("src/main"), "wrong")
	p.expect(t, Building)
	p.expect(t, BuildFailed)
	p.serves(t, "2")
	p.quiet(t)

	write(t, p.path("src/main"), "2") // built again, with the same outcome
	p.expect(t, Building)
	p.quiet(t)

	write(t, p.path("src/more"), "more")
	p.expect(t, Building)
	p.quiet(t)
}

func TestRunNoticesChangesDuringABuild(t *testing.T) {
	first := true
	p := start(t, func(p *project) error {
		err := compile(p)
		if first {
			first = false
			err = errors.Join(err, os.WriteFile(p.path("src/main"), []byte("2"), 0o644))
		}
		return err
	})
	p.expect(t, Building)
	p.expect(t, Loaded)
	p.expect(t, Building)
	p.expect(t, Loaded)
	p.serves(t, "2")
	p.quiet(t)
}

func TestRunIgnoresWhatBuildsWrite(t *testing.T) {
	n := 0
	p := start(t, func(p *project) error {
		n++
		return errors.Join(compile(p), os.WriteFile(p.path("src/generated"), fmt.Append(nil, n), 0o644))
	})
	p.expect(t, Building)
	p.expect(t, Loaded)
	p.expect(t, Building)
	if e := p.expect(t, OutputIgnored); len(e.Paths) != 1 || e.Paths[0] != p.path("src/generated") {
		t.Errorf("ignored: %v", e.Paths)
	}
	p.quiet(t)
	write(t, p.path("src/main"), "2")
	p.expect(t, Building)
	p.expect(t, Loaded)
	p.serves(t, "2")
	p.quiet(t)
}

func TestRunWithoutWatcher(t *testing.T) {
	var h Handler
	ctx, cancel := context.WithCancel(t.Context())
	force := make(chan struct{})
	events := make(chan Event, 10)
	n := 0
	done := make(chan struct{})
	go func() {
		defer close(done)
		Run(ctx, &h, Config{
			Load:   func(context.Context) (App, error) { n++; return newFake(fmt.Sprint(n)), nil },
			Report: func(e Event) { events <- e },
			Force:  force, Loaded: true,
		})
	}()
	force <- struct{}{}
	<-events
	if got := get(&h).Body.String(); got != "1" {
		t.Errorf("got %q", got)
	}
	cancel()
	<-done
	h.Close(context.Background())
}
