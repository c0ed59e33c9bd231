package abi

// DefaultMaxHandles is the number of handles a [Table] holds at most when
// [Table.SetMax] was not called. The specification would permit 2^28-1.
const DefaultMaxHandles = 1 << 16

// maxTableLength is the specification's own bound: an index must leave four bits
// free in the packed results of the async built-ins.
const maxTableLength = 1<<28 - 1

// A Table is the handle table of one component instance (CanonicalABI.md,
// section Table State): indices start at 1, and the index freed last is given
// out first. The zero Table is empty and ready for use. A Table belongs to one
// goroutine at a time.
//
// Methods that take an index from the guest trap when it is not what the
// operation needs.
type Table struct {
	// entries[i] holds the handle of index i+1.
	entries []entry
	// free is the index freed last, 0 when none is; each free entry holds the
	// one freed before it.
	free uint32
	live int
	max  int
	// epoch counts Resets, so that a Lend from before one does nothing.
	epoch uint32
}

// An entry is one element of the table: a resource handle (resource set), some
// other object of the runtime (state other), or free.
type entry struct {
	rep      any
	resource *Resource
	scope    *Scope
	lends    uint32
	nextFree uint32
	state    entryState
}

type entryState uint8

const (
	entryFree entryState = iota
	entryOwn
	entryBorrow
	entryObject
)

// A Scope counts the borrow handles that were put into a table for the duration
// of one call of the guest: num_borrows of a task (CanonicalABI.md, section
// Tasks).
type Scope struct{ borrows int }

// Begin starts the scope of a new call; a Scope may be used again and again.
func (s *Scope) Begin() { s.borrows = 0 }

// Outstanding returns how many borrow handles given out in the scope have not
// been dropped. A call that returns while it is not zero must trap.
func (s *Scope) Outstanding() int { return s.borrows }

// End traps when borrow handles given out in the scope are still in the table.
func (s *Scope) End() {
	if s.borrows > 0 {
		Throw(TrapBorrowsRemain, "borrow handles still remain at the end of the call: %d", s.borrows)
	}
}

// A Lend is the claim a running call has on a handle it lifted as a borrow.
type Lend struct {
	table *Table
	index uint32
	epoch uint32
}

// End gives the handle back. It must be called once, when the call that borrowed
// is over. The zero Lend, and one from before a Reset of its table, do nothing.
func (l Lend) End() {
	if l.table != nil && l.table.epoch == l.epoch {
		l.table.entries[l.index-1].lends--
	}
}

// SetMax bounds the number of handles; 0 means [DefaultMaxHandles].
func (t *Table) SetMax(n int) { t.max = n }

// Len returns the number of handles in the table.
func (t *Table) Len() int { return t.live }

// AddOwn adds an owned handle of type r with representation rep and returns its
// index: lower_own and resource.new.
func (t *Table) AddOwn(r *Resource, rep any) uint32 {
	i := t.add()
	e := &t.entries[i-1]
	e.state, e.resource, e.rep = entryOwn, r, rep
	return i
}

// AddBorrow adds a borrow handle that has to be dropped before the call of scope
// returns: lower_borrow.
func (t *Table) AddBorrow(r *Resource, rep any, scope *Scope) uint32 {
	i := t.add()
	e := &t.entries[i-1]
	e.state, e.resource, e.rep, e.scope = entryBorrow, r, rep, scope
	scope.borrows++
	return i
}

// AddObject adds something that is not a resource handle: a subtask, waitable
// set, stream or future end, or error context, which share the table.
func (t *Table) AddObject(obj any) uint32 {
	i := t.add()
	e := &t.entries[i-1]
	e.state, e.rep = entryObject, obj
	return i
}

// Rep returns the representation behind a handle of type r: resource.rep.
func (t *Table) Rep(r *Resource, i uint32) any {
	return t.get(r, i).rep
}

// Lend returns the representation behind a handle of type r and counts the
// handle as lent until the returned Lend ends: lift_borrow.
func (t *Table) Lend(r *Resource, i uint32) (any, Lend) {
	e := t.get(r, i)
	e.lends++
	return e.rep, Lend{table: t, index: i, epoch: t.epoch}
}

// RemoveOwn takes an owned handle of type r out of the table and returns its
// representation: lift_own.
func (t *Table) RemoveOwn(r *Resource, i uint32) any {
	e := t.get(r, i)
	t.checkNotLent(e)
	if e.state != entryOwn {
		Throw(TrapWrongHandle, "cannot lift own resource from a borrow: handle index %d is borrowed", i)
	}
	rep := e.rep
	t.release(i)
	return rep
}

// Remove takes a handle of type r out of the table: resource.drop. It reports
// whether the handle was owned, in which case destroying rep is up to the
// caller; for a borrow handle the count of its scope goes down.
func (t *Table) Remove(r *Resource, i uint32) (rep any, owned bool) {
	e := t.get(r, i)
	t.checkNotLent(e)
	rep, owned = e.rep, e.state == entryOwn
	if !owned {
		e.scope.borrows--
	}
	t.release(i)
	return rep, owned
}

// Object returns what [Table.AddObject] added.
func (t *Table) Object(i uint32) any {
	e := t.entry(i)
	if e.state != entryObject {
		Throw(TrapWrongHandle, "handle index %d used with the wrong type, found a resource", i)
	}
	return e.rep
}

// RemoveObject takes out of the table what [Table.AddObject] added.
func (t *Table) RemoveObject(i uint32) any {
	obj := t.Object(i)
	t.release(i)
	return obj
}

// Reset empties the table, calling Drop for every owned handle of a resource
// type that has one, in order of their indices. The memory of a table that was
// not unusually large is kept. If a Drop panics, the table is empty all the same
// and the drops after it are made before the panic goes on.
func (t *Table) Reset() {
	entries := t.entries
	t.entries, t.free, t.live = nil, 0, 0
	t.epoch++
	dropAll(entries)
	clear(entries)
	if cap(entries) <= keepEntries {
		t.entries = entries[:0]
	}
}

// keepEntries is the capacity up to which a Reset keeps a table's memory: tables
// of pooled instances should not stay as large as their worst request.
const keepEntries = 1024

func dropAll(entries []entry) {
	for i := range entries {
		if e := &entries[i]; e.state == entryOwn && e.resource != nil && e.resource.Drop != nil {
			dropOne(e, entries[i+1:])
		}
	}
}

// dropOne drops e, and if that panics drops the rest on the way out.
func dropOne(e *entry, rest []entry) {
	done := false
	defer func() {
		if !done {
			dropAll(rest)
		}
	}()
	e.resource.Drop(e.rep)
	done = true
}

// add returns the index of an entry that is free for the caller to fill.
func (t *Table) add() uint32 {
	limit := t.max
	if limit <= 0 {
		limit = DefaultMaxHandles
	}
	limit = min(limit, maxTableLength)
	if t.live >= limit {
		Throw(TrapTableFull, "handle table full: %d handles", t.live)
	}
	t.live++
	if i := t.free; i != 0 {
		t.free = t.entries[i-1].nextFree
		return i
	}
	t.entries = append(t.entries, entry{})
	return uint32(len(t.entries))
}

// release frees the entry of index i.
func (t *Table) release(i uint32) {
	t.entries[i-1] = entry{nextFree: t.free}
	t.free = i
	t.live--
}

// entry returns the entry in use at index i.
func (t *Table) entry(i uint32) *entry {
	if uint64(i)-1 >= uint64(len(t.entries)) || t.entries[i-1].state == entryFree {
		Throw(TrapUnknownHandle, "unknown handle index %d", i)
	}
	return &t.entries[i-1]
}

// get returns the entry of a handle of type r.
func (t *Table) get(r *Resource, i uint32) *entry {
	e := t.entry(i)
	if e.resource != r || e.state == entryObject {
		wrongHandle(i, r, e.resource)
	}
	return e
}

func wrongHandle(i uint32, want, have *Resource) {
	const msg = "handle index %d used with the wrong type, expected %s but found %s"
	switch {
	case have == nil:
		Throw(TrapWrongHandle, msg, i, origin(want), "something that is no resource")
	case want != nil && want.Data != nil && have.Data != nil:
		Throw(TrapWrongHandle, msg+" (%s, %s)", i, origin(want), "a different "+origin(have), want, have)
	}
	Throw(TrapWrongHandle, msg, i, origin(want), origin(have))
}

// origin words a resource type for a message.
func origin(r *Resource) string {
	switch {
	case r == nil:
		return "a resource"
	case r.Data != nil:
		return "guest-defined resource"
	}
	return "host resource " + r.Name
}

func (t *Table) checkNotLent(e *entry) {
	if e.lends > 0 {
		Throw(TrapHandleLent, "cannot remove owned resource while borrowed")
	}
}
