package cwasm

// #include <stdlib.h>
// #include "cwasm.h"
import "C"

import (
	"errors"
	"sync"
	"sync/atomic"
)

// The registry connects the C half of a store, its cell, with the Go half. A
// host function arrives in Go with nothing but the cell's index.
//
// Cells are handed out again, most recently used first, and never freed: their
// number is that of the most stores that were ever alive together. The
// generation counts the stores a cell has had.

const (
	chunkBits  = 8
	chunkCells = 1 << chunkBits
	maxChunks  = 1 << 12
)

var errTooManyStores = errors.New("too many stores alive at once")

type entry struct {
	store *Store // owned by the store between acquire and release
	cell  *C.cwasm_cell
}

var registry struct {
	chunks [maxChunks]atomic.Pointer[[chunkCells]entry]

	mu   sync.Mutex
	free []uint32
	used uint32 // cells ever made
	live int
}

// acquire gives s a cell of its own.
func acquire(s *Store) error {
	r := &registry
	r.mu.Lock()
	defer r.mu.Unlock()
	var index uint32
	if n := len(r.free); n > 0 {
		index = r.free[n-1]
		r.free = r.free[:n-1]
	} else {
		index = r.used
		if index>>chunkBits == maxChunks {
			return errTooManyStores
		}
		if r.chunks[index>>chunkBits].Load() == nil {
			r.chunks[index>>chunkBits].Store(new([chunkCells]entry))
		}
		cell := (*C.cwasm_cell)(C.calloc(1, C.sizeof_cwasm_cell))
		cell.index = C.uint32_t(index)
		r.chunks[index>>chunkBits].Load()[index%chunkCells].cell = cell
		r.used++
	}
	e := &r.chunks[index>>chunkBits].Load()[index%chunkCells]
	e.store = s
	e.cell.generation++
	s.cell = e.cell
	s.generation.Store(uint64(e.cell.generation))
	r.live++
	return nil
}

// release takes the cell of s back. Its C store must be gone.
func release(s *Store) {
	r := &registry
	index := uint32(s.cell.index)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.chunks[index>>chunkBits].Load()[index%chunkCells].store = nil
	r.free = append(r.free, index)
	r.live--
}

// storeAt returns the store that a running guest belongs to.
func storeAt(index uint32) *Store {
	return registry.chunks[index>>chunkBits].Load()[index%chunkCells].store
}

// LiveStores returns the number of stores not yet closed in this process.
func LiveStores() int {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	return registry.live
}
