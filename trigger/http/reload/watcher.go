package reload

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

// DefaultDebounce is how long nothing may have happened to the watched files
// before they are looked at.
const DefaultDebounce = 50 * time.Millisecond

// pollEvery is how often files are looked at that cannot be watched.
const pollEvery = time.Second

// Watcher tells when files may have changed. It is for one goroutine.
type Watcher struct {
	debounce time.Duration
	warn     func(error)
	fs       *fsnotify.Watcher // nil if there can be none
	poll     bool              // some directory is not watched
	digests  digests
}

// NewWatcher returns a Watcher that waits until nothing has happened for the time
// debounce, 0 meaning [DefaultDebounce]. warn is told once if the system cannot
// watch, such as for a limit; files are then looked at every second. The caller
// must Close it.
func NewWatcher(debounce time.Duration, warn func(error)) *Watcher {
	if debounce <= 0 {
		debounce = DefaultDebounce
	}
	w := &Watcher{debounce: debounce, warn: warn, digests: digests{}}
	var err error
	if w.fs, err = fsnotify.NewBufferedWatcher(1024); err != nil {
		w.fs = nil
		w.pollFor(err)
	}
	return w
}

func (w *Watcher) pollFor(err error) {
	if !w.poll && w.warn != nil {
		w.warn(fmt.Errorf("files cannot be watched and are looked at every %v: %w", pollEvery, err))
	}
	w.poll = true
}

// Close stops watching.
func (w *Watcher) Close() error {
	if w.fs == nil {
		return nil
	}
	return w.fs.Close()
}

// Scan takes a snapshot of each set of inputs, and sees to it that Wait returns
// after a change of any of them. Sets of an earlier Scan are no longer watched.
func (w *Watcher) Scan(sets ...Inputs) []Snapshot {
	files := make([]map[string]bool, len(sets))
	// A directory that is made while others are looked at is found the next
	// time around, since the one it is in is watched by then.
	for range 10 {
		all := map[string]bool{}
		for i, in := range sets {
			var dirs map[string]bool
			files[i], dirs = in.find()
			maps.Copy(all, dirs)
		}
		if !w.watch(all) {
			break
		}
	}
	snapshots := make([]Snapshot, len(sets))
	known := digests{}
	for i := range sets {
		snapshots[i] = Snapshot{}
		for f := range files[i] {
			if sum, ok := w.digests.of(f); ok {
				snapshots[i][f] = sum
				known[f] = w.digests[f]
			}
		}
	}
	w.digests = known // of files that are gone nothing is kept
	return snapshots
}

// watch watches the directories and no others. It reports whether there are new
// ones among them.
func (w *Watcher) watch(dirs map[string]bool) (added bool) {
	if w.fs == nil {
		return false
	}
	watched := w.fs.WatchList()
	for _, dir := range watched {
		if !dirs[dir] {
			_ = w.fs.Remove(dir) // it may be gone, and its watch with it
		}
	}
	for dir := range dirs {
		if slices.Contains(watched, dir) {
			continue
		}
		if err := w.fs.Add(dir); err != nil {
			if existing(dir) == dir { // and has not just been removed
				w.pollFor(err)
			}
			continue
		}
		added = true
	}
	return added
}

// Wait returns when something may have changed and nothing has happened since for
// a while, or with ctx's error when that ends.
func (w *Watcher) Wait(ctx context.Context) error {
	var events <-chan fsnotify.Event
	var errs <-chan error
	if w.fs != nil {
		events, errs = w.fs.Events, w.fs.Errors
	}
	var tick <-chan time.Time
	if w.poll {
		t := time.NewTimer(pollEvery)
		defer t.Stop()
		tick = t.C
	}
	var quiet *time.Timer
	var over <-chan time.Time
	var latest time.Time // for a directory in which there is always something going on
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick:
			return nil
		case <-over:
			return nil
		case e := <-events:
			if e.Op == fsnotify.Chmod {
				continue
			}
		case <-errs: // events were lost, and files have to be looked at all the more
		}
		now := time.Now()
		if quiet == nil {
			latest = now.Add(max(20*w.debounce, time.Second))
			quiet = time.NewTimer(w.debounce)
			defer quiet.Stop()
			over = quiet.C
			continue
		}
		quiet.Reset(min(w.debounce, max(0, latest.Sub(now))))
	}
}
