package wasihttp

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/wasi/io"
	"github.com/minispin/minispin/wit/bindings/wasi/http/types"
	"github.com/minispin/minispin/wit/bindings/wasi/io/streams"
	"github.com/minispin/minispin/wit/value"
)

// MaxOutgoingBodies is how many bodies of outgoing requests and responses an
// instance may have open at a time. One more is a trap.
const MaxOutgoingBodies = 256

// destination is where an outgoing body goes.
type destination interface {
	wasiio.Sink
	// finish ends the body in good order.
	finish(trailers []Field) error
	// abort ends a body that is not whole.
	abort(err error)
}

// outgoingBody is the resource outgoing-body. As a sink it counts what the guest
// writes and passes it on.
type outgoingBody struct {
	ctx      *Ctx
	response *outgoingResponse // nil when the body is a request's
	dst      destination

	declared bool // the fields announce the length
	length   uint64
	written  atomic.Uint64 // by the guest; read where the head is sent, on any goroutine

	streamed   bool // the stream was taken
	streamLive bool // and not dropped
	ended      bool // finished, dropped or broken
	err        error
}

var _ types.OutgoingBody = (*outgoingBody)(nil)

// open counts the body.
func (b *outgoingBody) open() error {
	if b.ctx.ledger.bodies == MaxOutgoingBodies {
		return fmt.Errorf("wasi:http: more than %d outgoing bodies are open", MaxOutgoingBodies)
	}
	b.ctx.ledger.bodies++
	return nil
}

// end notes that nothing more can be written; err says why, nil for the proper
// end.
func (b *outgoingBody) end(err error) {
	if !b.ended {
		b.ended, b.err = true, err
		b.ctx.ledger.bodies--
	}
}

// Write implements types.OutgoingBody.
func (b *outgoingBody) Write(*component.Call) (streams.OutputStream, error) {
	if b.streamed {
		return nil, value.Failed
	}
	b.streamed, b.streamLive = true, true
	return wasiio.NewSinkStream(bodySink{b}, func() { b.streamLive = false }), nil
}

// Drop implements types.OutgoingBody. A body that was not finished is cut off,
// but one that is as long as was announced is whole all the same.
func (b *outgoingBody) Drop() {
	if b.ended {
		return
	}
	if b.whole() {
		_ = b.finish(nil)
		return
	}
	b.end(errCutOff)
	b.dst.abort(errCutOff)
}

// whole reports whether the other side can tell that the body is complete.
func (b *outgoingBody) whole() bool {
	return b.lengthCounts() && b.declared && b.written.Load() == b.length
}

func (b *outgoingBody) lengthCounts() bool { return b.response == nil || b.response.lengthCounts() }

// finish ends the body in good order, or says why that cannot be.
func (b *outgoingBody) finish(trailers []Field) error {
	switch {
	case b.ended && b.err != nil:
		return b.err
	case b.ended:
		return errOver
	case b.declared && b.lengthCounts() && b.written.Load() != b.length:
		err := bodySizeCode(b.response, b.written.Load())
		b.end(err)
		b.dst.abort(err)
		return err
	}
	b.end(nil)
	return b.dst.finish(trailers)
}

// OutgoingBodyFinish implements types.Host.
func (host) OutgoingBodyFinish(_ *component.Call, this types.OutgoingBody, trailers value.Option[types.Trailers]) error {
	b := this.(*outgoingBody)
	if b.streamLive {
		return errors.New("outgoing-body.finish: the body's stream has not been dropped")
	}
	var fields []Field
	if t, ok := trailers.Get(); ok {
		f := t.(*Fields)
		fields = f.list
		defer f.Drop()
	}
	if err := b.finish(fields); err != nil {
		return ErrorCode(err)
	}
	return nil
}

// bodySink is the sink of a body's stream: it counts what the guest writes and
// passes it on.
type bodySink struct{ b *outgoingBody }

var _ wasiio.Sink = bodySink{}

// Permit implements wasiio.Sink.
func (s bodySink) Permit() (int, error) {
	if s.b.ended {
		return 0, s.b.closed()
	}
	return s.b.dst.Permit()
}

// Write implements wasiio.Sink. Bytes beyond the announced length break the body
// and none of them is sent.
func (s bodySink) Write(ctx context.Context, p []byte) error {
	b := s.b
	if b.ended {
		return b.closed()
	}
	n := b.written.Load() + uint64(len(p))
	if b.declared && n > b.length && b.lengthCounts() {
		err := bodySizeCode(b.response, n)
		b.end(err)
		b.dst.abort(err)
		return err
	}
	// Counted before, because it decides how the head is sent.
	b.written.Store(n)
	return b.dst.Write(ctx, p)
}

// Flush implements wasiio.Sink.
func (s bodySink) Flush(ctx context.Context) error {
	if s.b.ended {
		return s.b.closed()
	}
	return s.b.dst.Flush(ctx)
}

// Ready implements wasiio.Event.
func (s bodySink) Ready() bool { return s.b.ended || s.b.dst.Ready() }

// Block implements wasiio.Event.
func (s bodySink) Block(ctx context.Context) error {
	if s.b.ended {
		return nil
	}
	return s.b.dst.Block(ctx)
}

func (b *outgoingBody) closed() error {
	if b.err != nil {
		return b.err
	}
	return wasiio.ErrClosed
}

// heldBody is the destination of a response's body until the guest has given the
// response. It keeps as much as one write may carry.
type heldBody struct {
	data     []byte
	flushed  bool
	finished bool
	trailers []Field
	err      error
}

var _ destination = (*heldBody)(nil)

// Ready implements wasiio.Event.
func (h *heldBody) Ready() bool { return len(h.data) < wasiio.MaxWrite }

// Block implements wasiio.Event. What is full stays so as long as the guest
// waits: only the guest itself could give the response.
func (h *heldBody) Block(ctx context.Context) error {
	if h.Ready() {
		return nil
	}
	<-ctx.Done()
	return context.Cause(ctx)
}

// Permit implements wasiio.Sink.
func (h *heldBody) Permit() (int, error) { return wasiio.MaxWrite - len(h.data), nil }

// Write implements wasiio.Sink.
func (h *heldBody) Write(_ context.Context, p []byte) error {
	h.data = append(h.data, p...)
	return nil
}

// Flush implements wasiio.Sink.
func (h *heldBody) Flush(context.Context) error {
	h.flushed = true
	return nil
}

func (h *heldBody) finish(trailers []Field) error {
	h.finished, h.trailers = true, trailers
	return nil
}

func (h *heldBody) abort(err error) { h.err = err }

// moveTo sends what is held to dst, which is b's destination from now on.
func (h *heldBody) moveTo(ctx context.Context, b *outgoingBody, dst destination) error {
	b.dst = dst
	if h.err != nil {
		dst.abort(h.err)
		return nil
	}
	if len(h.data) > 0 {
		if err := dst.Write(ctx, h.data); err != nil {
			return err
		}
		h.data = nil
	}
	if h.flushed {
		if err := dst.Flush(ctx); err != nil {
			return err
		}
	}
	if h.finished {
		return dst.finish(h.trailers)
	}
	return nil
}
