package files

import (
	"sync"
	"sync/atomic"

	"github.com/minispin/minispin/wit/bindings/wasi/filesystem/types"
)

// Budget is how many files and directories several instances may have open
// together, those included that an instance kept when it went on to its next
// request. It may be used by several goroutines at once.
type Budget struct {
	max  int64
	open atomic.Int64
}

// NewBudget returns a budget of max files and directories.
func NewBudget(max int) *Budget { return &Budget{max: int64(max)} }

// process is the budget of all instances there are: half of the descriptors that
// the process may have. The others are for connections.
var process = sync.OnceValue(func() *Budget { return NewBudget(descriptors() / 2) })

func (b *Budget) take() bool {
	if b == nil {
		return true
	}
	if b.open.Add(1) > b.max {
		b.open.Add(-1)
		return false
	}
	return true
}

func (b *Budget) giveBack() {
	if b != nil {
		b.open.Add(-1)
	}
}

// take makes room for one more descriptor. Whoever does not come to use it, or has
// closed it, calls giveBack.
func (s *Session) take() error {
	switch {
	case len(s.open) >= MaxOpen || !process().take():
		return types.ErrorCodeQuota
	case !s.Budget.take():
		process().giveBack()
		return types.ErrorCodeQuota
	}
	return nil
}

func (s *Session) giveBack() {
	s.Budget.giveBack()
	process().giveBack()
}
