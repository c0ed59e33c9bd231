package app

import (
	"sync"

	"go.uber.org/zap"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/denied"
)

// denials is which interfaces a component has asked for in vain. Each is logged
// once: a guest that can do without goes on asking, and one that cannot
// fails with an error of its own making, which is easier to understand beside the
// line.
type denials struct {
	log       *zap.Logger
	component string
	told      sync.Map // by the name of the interface
}

// Denied implements denied.Observer.
func (s *state) Denied(_ *component.Call, iface, function string) {
	d := s.denials
	if _, told := d.told.LoadOrStore(iface, true); told {
		return
	}
	d.log.Warn("the component asks for what this host does not have; its functions answer with an error, and that is not mentioned again",
		zap.String("component", d.component), zap.String("interface", iface), zap.String("function", function),
		zap.Stringer("request_id", s.request))
}

var _ denied.Observer = (*state)(nil)
