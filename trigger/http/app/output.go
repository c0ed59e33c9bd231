package app

import (
	"io"
	"sync"

	"github.com/minispin/minispin/host/wasi/io"
)

// Output receives what guests print.
type Output interface {
	// Writer returns where the standard output or standard error of a component
	// goes while it serves a request. It is asked when the guest first prints,
	// once for each stream and request. A Writer that is an io.Closer is closed
	// when the guest has ended. It may take its time: the guest waits for it, but
	// not beyond its own end, so that Close may come during the last Write, or
	// right before it.
	Writer(component, request string, stream Stream) io.Writer
}

// Stream is one of a guest's two output streams.
type Stream int

// The output streams.
const (
	Stdout Stream = iota
	Stderr
)

// String returns the name of the stream.
func (s Stream) String() string {
	if s == Stdout {
		return "stdout"
	}
	return "stderr"
}

// printer is one output stream of a guest during one request. It asks for its
// writer when it is first used.
type printer struct {
	st     *state
	stream Stream

	mu     sync.Mutex // a Write that the guest did not wait for may meet close
	w      io.Writer
	closed bool
}

// Write implements io.Writer. It never fails: that nobody listens is no affair
// of the guest's.
func (p *printer) Write(b []byte) (int, error) {
	if w := p.writer(); w != nil {
		_, _ = w.Write(b)
	}
	return len(b), nil
}

// Blocking implements wasiio.Blocker.
func (p *printer) Blocking() wasiio.Blocking {
	if p.st.output == nil {
		return wasiio.NeverBlocks
	}
	return wasiio.MayBlock
}

func (p *printer) writer() io.Writer {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.w == nil && !p.closed && p.st.output != nil {
		p.w = p.st.output.Writer(p.st.component, p.st.request.String(), p.stream)
	}
	return p.w
}

func (p *printer) close() {
	p.mu.Lock()
	w := p.w
	p.closed = true
	p.mu.Unlock()
	if c, ok := w.(io.Closer); ok {
		_ = c.Close()
	}
}
