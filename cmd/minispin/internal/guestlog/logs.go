package guestlog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// What a component may print, both streams together.
const (
	// DefaultRate is how much a component may print in the long run, in bytes a
	// second.
	DefaultRate = 8 << 20
	// DefaultBurst is how much it may print at once.
	DefaultBurst = 16 << 20
)

// Stream is one of the two streams a guest prints on.
type Stream int

// The streams.
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

// Options say where guests' output goes. The zero value takes it nowhere.
type Options struct {
	// Echo receives the records of all components, each in one Write.
	Echo io.Writer
	// Follow, if not empty, names the components whose records Echo receives.
	Follow []string
	// Prefix puts the ids of the component and of the request before each
	// record that is echoed, and before them the name Application if it has one.
	Prefix      bool
	Application string
	// Dir is the directory of the log files, made when it is absent. Empty means
	// no files.
	Dir string
	// Truncate empties the files; otherwise they are appended to.
	Truncate bool
	// Rate and Burst bound what a component may print; zero means DefaultRate
	// and DefaultBurst.
	Rate, Burst int
	// OnError is told of the first failure to write to a file, such as that of a
	// full disk. Nothing more is written to that file. It may be nil.
	OnError func(component string, err error)
}

// Logs is the output of the components of an application. Several goroutines may
// use it.
type Logs struct {
	components map[string]*log
}

// Open opens the log files of the components with the given ids and returns
// their Logs. The caller must Close it.
func Open(components []string, o Options) (*Logs, error) {
	for _, id := range o.Follow {
		if !slices.Contains(components, id) {
			return nil, fmt.Errorf("cannot follow the component %q: the application has no such component; it has %s", id, strings.Join(components, ", "))
		}
	}
	if o.Dir != "" {
		if err := os.MkdirAll(o.Dir, 0o755); err != nil {
			return nil, fmt.Errorf("making the directory for log files: %w", err)
		}
	}
	if o.Rate == 0 {
		o.Rate = DefaultRate
	}
	if o.Burst == 0 {
		o.Burst = DefaultBurst
	}
	l := &Logs{components: make(map[string]*log, len(components))}
	for _, id := range components {
		c := &log{id: id, name: id, prefix: o.Prefix, onError: o.OnError, budget: newBudget(o.Rate, o.Burst)}
		if o.Application != "" {
			c.name = o.Application + " " + id
		}
		l.components[id] = c
		if len(o.Follow) == 0 || slices.Contains(o.Follow, id) {
			c.echo = o.Echo
		}
		for _, stream := range []Stream{Stdout, Stderr} {
			if o.Dir == "" {
				break
			}
			f, err := openFile(filepath.Join(o.Dir, FileName(id, stream)), o.Truncate)
			if err != nil {
				l.Close()
				return nil, err
			}
			c.files[stream] = f
		}
	}
	return l, nil
}

func openFile(path string, truncate bool) (*os.File, error) {
	flags := os.O_WRONLY | os.O_CREATE | os.O_APPEND
	if truncate {
		flags |= os.O_TRUNC
	}
	f, err := os.OpenFile(path, flags, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening a component's log file: %w", err)
	}
	return f, nil
}

// FileName returns the name of the log file of a component's stream. Characters
// of the id that not every file system takes are replaced.
func FileName(component string, stream Stream) string {
	safe := func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', strings.ContainsRune("-_.", r):
			return r
		}
		return '_'
	}
	return strings.Map(safe, component) + "_" + stream.String() + ".txt"
}

// Writer returns a writer for what a component prints on a stream while it serves
// a request. It is to be closed so that a last line without an end is taken down. Output of a component that was not named to Open
// is discarded.
func (l *Logs) Writer(component, request string, stream Stream) io.WriteCloser {
	c := l.components[component]
	if c == nil {
		c = &log{}
	}
	return &lines{log: c, request: request, stream: stream}
}

// Close says how much was dropped that has not been said yet and closes the
// files. Writers may still be written to, to no effect.
func (l *Logs) Close() error {
	var errs []error
	for _, c := range l.components {
		errs = append(errs, c.close())
	}
	return errors.Join(errs...)
}

// log is the output of one component.
type log struct {
	id      string
	name    string // with that of the application
	prefix  bool
	onError func(component string, err error)

	mu     sync.Mutex
	echo   io.Writer // nil for none
	files  [2]*os.File
	budget budget
	line   bytes.Buffer // space for an echoed record
}

// record takes down a record, which ends with a newline.
func (c *log) record(request string, stream Stream, line []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if !c.budget.take(len(line), now) {
		return
	}
	if n := c.budget.report(now); n > 0 {
		c.note(n)
	}
	c.write(stream, line)
	if c.echo == nil {
		return
	}
	if c.prefix {
		c.line.Reset()
		fmt.Fprintf(&c.line, "[%s %s] ", c.name, request)
		c.line.Write(line)
		line = c.line.Bytes()
	}
	// Standard error is the last resort: there is nobody to tell.
	_, _ = c.echo.Write(line)
}

// note says that n bytes were dropped, wherever they would have gone.
func (c *log) note(n int) {
	line := fmt.Appendf(nil, "minispin: component %s prints too fast: %d bytes of its output were dropped\n", c.name, n)
	c.write(Stderr, line)
	if c.echo != nil {
		_, _ = c.echo.Write(line)
	}
}

// write writes to a stream's file, if there is one.
func (c *log) write(stream Stream, line []byte) {
	f := c.files[stream]
	if f == nil {
		return
	}
	if _, err := f.Write(line); err != nil {
		c.files[stream] = nil
		_ = f.Close() // the failed write is what counts
		if c.onError != nil {
			c.onError(c.id, fmt.Errorf("writing a component's log file: %w", err))
		}
	}
}

func (c *log) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.budget.dropped > 0 {
		c.note(c.budget.dropped)
		c.budget.dropped = 0
	}
	c.echo = nil
	var errs []error
	for i, f := range c.files {
		if f != nil {
			errs = append(errs, f.Close())
		}
		c.files[i] = nil
	}
	return errors.Join(errs...)
}
