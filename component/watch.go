package component

import "sync"

// watch is the list of an engine's instances whose contexts can end. Guest code
// is interrupted at ticks only, so that it is enough to look at the contexts
// then; to be told by each would cost a small request a tenth of its time. The
// list goes through the instances themselves and allocates nothing.
type watch struct {
	mu    sync.Mutex
	first *Instance
}

// links are an Instance's place in the list; the list's lock guards them.
type links struct {
	in         bool
	prev, next *Instance
}

// add has the end of in's context cancel what runs in it, until remove.
func (w *watch) add(in *Instance) {
	w.mu.Lock()
	defer w.mu.Unlock()
	in.watched = links{in: true, next: w.first}
	if w.first != nil {
		w.first.watched.prev = in
	}
	w.first = in
}

// remove takes in off the list, if it is on it.
func (w *watch) remove(in *Instance) {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := in.watched
	if !l.in {
		return
	}
	if l.prev != nil {
		l.prev.watched.next = l.next
	} else {
		w.first = l.next
	}
	if l.next != nil {
		l.next.watched.prev = l.prev
	}
	in.watched = links{}
}

// look cancels the instances whose contexts have ended.
func (w *watch) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for in := w.first; in != nil; in = in.watched.next {
		if in.ctx.Err() != nil {
			in.cancel.Cancel()
		}
	}
}
