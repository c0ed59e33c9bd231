package app

import "io"

// Output receives what guests print.
type Output interface {
	// Writer returns where the standard output or standard error of a component
	// goes while it serves a request. It is asked when the guest first prints,
	// once for each stream and request, and used by one goroutine. A Writer that
	// is an io.Closer is closed when the request is over.
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
	w      io.Writer
}

// Write implements io.Writer. It never fails: that nobody listens is no affair
// of the guest's.
func (p *printer) Write(b []byte) (int, error) {
	if p.st.output == nil {
		return len(b), nil
	}
	if p.w == nil {
		p.w = p.st.output.Writer(p.st.component, p.st.request.String(), p.stream)
	}
	_, _ = p.w.Write(b)
	return len(b), nil
}

func (p *printer) close() {
	if c, ok := p.w.(io.Closer); ok {
		_ = c.Close()
	}
}
