package wasiio

import (
	"context"
	"io"
	"sync"
)

// Pipe is a Sink whose other end is an io.ReadCloser: what a guest writes is
// read by Go code that may start later and be slower. It holds one write at a
// time; the guest is permitted the next when the reader has taken all of it, and
// can wait for that together with other events. The reader's end may be used by
// another goroutine.
type Pipe struct {
	mu       sync.Mutex
	buf      []byte
	unread   []byte // in buf
	writeEnd error  // what the reader gets after unread, once set
	readEnd  error  // what the writer gets, once set

	readable chan struct{} // one token: unread or writeEnd or readEnd changed
	writable chan struct{} // made when someone waits; closed when ready
}

var _ interface {
	Sink
	Signaler
	io.ReadCloser
} = (*Pipe)(nil)

// NewPipe returns an empty pipe, open at both ends.
func NewPipe() *Pipe { return &Pipe{readable: make(chan struct{}, 1)} }

// Permit implements Sink: MaxWrite bytes when everything written was read.
func (p *Pipe) Permit() (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.readEnd != nil:
		return 0, p.readEnd
	case p.writeEnd != nil:
		return 0, ErrClosed
	case len(p.unread) > 0:
		return 0, nil
	}
	return MaxWrite, nil
}

// Write implements Sink: it copies b and never waits.
func (p *Pipe) Write(_ context.Context, b []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.readEnd != nil:
		return p.readEnd
	case p.writeEnd != nil:
		return ErrClosed
	case len(p.unread) == 0:
		p.buf = p.buf[:0]
	}
	// Not always the first: one permit may be spent in several writes.
	taken := len(p.buf) - len(p.unread)
	p.buf = append(p.buf, b...)
	p.unread = p.buf[taken:]
	p.wakeReader()
	return nil
}

// Flush implements Sink. The reader is never kept waiting for bytes that are
// there, so there is nothing to push.
func (p *Pipe) Flush(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.readEnd
}

// Ready implements Event for the writing end.
func (p *Pipe) Ready() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ready()
}

func (p *Pipe) ready() bool {
	return p.readEnd != nil || p.writeEnd != nil || len(p.unread) == 0
}

// Signal implements Signaler for the writing end.
func (p *Pipe) Signal() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ready() {
		return closedChan
	}
	if p.writable == nil {
		p.writable = make(chan struct{})
	}
	return p.writable
}

// Block implements Event for the writing end.
func (p *Pipe) Block(ctx context.Context) error { return onClose(p.Signal()).Block(ctx) }

// CloseWrite ends the bytes with err, or in good order when err is nil: the
// reader gets err or io.EOF after what was written. The first call counts.
func (p *Pipe) CloseWrite(err error) {
	if err == nil {
		err = io.EOF
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.writeEnd == nil {
		p.writeEnd = err
		p.wakeReader()
		p.wakeWriter()
	}
}

// Read implements io.Reader. It waits until there are bytes or either end is
// closed.
func (p *Pipe) Read(b []byte) (int, error) {
	for {
		if n, err, ok := p.tryRead(b); ok {
			return n, err
		}
		<-p.readable
	}
}

func (p *Pipe) tryRead(b []byte) (n int, err error, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.readEnd != nil:
		// Another Read that waits must see it too.
		p.wakeReader()
		return 0, io.ErrClosedPipe, true
	case len(p.unread) > 0:
		n = copy(b, p.unread)
		if p.unread = p.unread[n:]; len(p.unread) == 0 {
			p.wakeWriter()
		}
		return n, nil, true
	case p.writeEnd != nil:
		return 0, p.writeEnd, true
	case len(b) == 0:
		return 0, nil, true
	}
	return 0, nil, false
}

// Close implements io.Closer for the reading end: the writer's stream is closed
// and what was not read is dropped.
func (p *Pipe) Close() error {
	p.CloseRead(nil)
	return nil
}

// CloseRead gives up reading: the writer gets err, or stream-error closed when
// err is nil. The first call counts.
func (p *Pipe) CloseRead(err error) {
	if err == nil {
		err = ErrClosed
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.readEnd == nil {
		p.readEnd, p.unread, p.buf = err, nil, nil
		p.wakeReader()
		p.wakeWriter()
	}
}

func (p *Pipe) wakeReader() {
	select {
	case p.readable <- struct{}{}:
	default:
	}
}

func (p *Pipe) wakeWriter() {
	if p.writable != nil {
		close(p.writable)
		p.writable = nil
	}
}
