package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/minispin/minispin/host/outgoing"
	"github.com/minispin/minispin/instancepool"
	"github.com/minispin/minispin/manifest"
	"github.com/minispin/minispin/trigger/http/app"
	"github.com/minispin/minispin/variables"
)

// Given is what an application is given that its manifest does not have.
type Given struct {
	// Env are environment variables for all components, over the manifest's.
	Env map[string]string
	// Variables give the application's variables their values.
	Variables []variables.Provider
	// Outgoing adjusts how components send requests.
	Outgoing outgoing.Options
}

// AppRows lists the rows for a request to an application: one for each strategy
// that c names, all components under it. c.Guests does not matter.
//
// A row is one of requests that succeed: opening it fails if the application
// answers with a server error, and measuring it when a status is not that of
// the first answer.
func AppRows(m *manifest.App, q Request, given Given, c Choice) ([]Row, error) {
	if !strings.HasPrefix(q.Path, "/") {
		return nil, fmt.Errorf("the path %q does not begin with a slash", q.Path)
	}
	if _, err := q.make(); err != nil {
		return nil, fmt.Errorf("the path %q: %w", q.Path, err)
	}
	strategies, err := c.Parse()
	if err != nil {
		return nil, err
	}
	optional := strategies == nil
	if optional {
		strategies = instancepool.Strategies()
	}
	var rows []Row
	for _, s := range strategies {
		rows = append(rows, c.row(s, Row{
			Group: m.Name, Variant: string(s), optional: optional,
			Includes: "everything that is done for a request but its way over the network",
			open: func(ctx context.Context, st *stage) (subject, error) {
				return openApp(ctx, st, m, q, given, s)
			},
		}))
	}
	return rows, nil
}

// loaded is an application that is called in the process.
type loaded struct {
	*app.App
	failures *failures
	output   *output
	notFound string // the path of the first request that met no route
}

// load loads an application with all of it under one strategy.
func load(ctx context.Context, st *stage, m *manifest.App, s instancepool.Strategy, given Given) (*loaded, error) {
	l := &loaded{failures: &failures{Core: st.log.Core()}, output: &output{}}
	o := app.Options{
		Strategy: string(s), Env: given.Env, Variables: given.Variables, Outgoing: given.Outgoing, CacheDir: st.cacheDir,
		Log: zap.New(l.failures), Output: l.output,
		OnNotFound: func(path string) { l.notFound = path },
	}
	if st.progress != nil {
		o.Progress = func(component string, done, total int) { st.compiling(component)(done, total) }
	}
	var err error
	l.App, err = app.Load(ctx, m, o)
	return l, err
}

// do has a request answered.
func (l *loaded) do(q *Request) (a *answer, err error) {
	r, err := q.make()
	if err != nil {
		return nil, err
	}
	defer func() {
		switch v := recover(); v {
		case nil:
		case http.ErrAbortHandler:
			err = l.explain(errors.New("the response broke off"))
		default:
			panic(v)
		}
	}()
	a = newAnswer(nil)
	l.ServeHTTP(a, r)
	a.WriteHeader(http.StatusOK) // as a server does when the handler has not
	return a, nil
}

// explain adds to an error why a request failed, if it did.
func (l *loaded) explain(err error) error {
	if err == nil {
		return nil
	}
	if why := l.failures.last(); why != "" {
		err = fmt.Errorf("%w: %s", err, why)
	}
	if printed := l.output.first(); printed != "" {
		err = fmt.Errorf("%w\nThe guest printed:\n%s", err, printed)
	}
	return err
}

// openApp loads an application and sees what it answers.
func openApp(ctx context.Context, st *stage, m *manifest.App, q Request, given Given, s instancepool.Strategy) (subject, error) {
	l, err := load(ctx, st, m, s, given)
	if err != nil {
		return nil, err
	}
	first, err := l.do(&q)
	if err == nil {
		err = l.acceptable(&q, first)
	}
	if err != nil {
		l.Close()
		return nil, &AnswerError{fmt.Errorf("under the strategy %s: %w", s, err)}
	}
	l.output.discard()
	note := ""
	if first.status >= 400 {
		note = fmt.Sprintf("the answer is %d %s", first.status, http.StatusText(first.status))
	}
	return &local{
		note: note,
		exchange: func() error {
			a, err := l.do(&q)
			if err == nil && a.status != first.status {
				err = l.explain(fmt.Errorf("%s %s is answered with %d, and was with %d at first", q.Method, q.Path, a.status, first.status))
			}
			return err
		},
		end: l.Close,
	}, nil
}

// AnswerError says that an application does not answer as it must for a figure
// to mean anything.
type AnswerError struct{ Err error }

// Error implements error.
func (e *AnswerError) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong.
func (e *AnswerError) Unwrap() error { return e.Err }

// acceptable reports why an answer is not one to measure.
func (l *loaded) acceptable(q *Request, a *answer) error {
	switch {
	case l.notFound != "":
		var routes []string
		for _, r := range l.Listing("").Routes {
			path := r.Path
			if r.Wildcard {
				path += "/..."
			}
			routes = append(routes, path)
		}
		return fmt.Errorf("no route of the application takes %s: give a path with --path for one of %s", q.Path, strings.Join(routes, ", "))
	case a.status >= 500:
		err := l.explain(fmt.Errorf("the application answers %s %s with %d", q.Method, q.Path, a.status))
		return fmt.Errorf("%w\nWhat failures cost is not worth knowing: give a request that succeeds with --path, --method, --header and --body, or look for the cause with minispin up", err)
	}
	return nil
}

// failures keeps the error of the last failed request beside logging it.
type failures struct {
	zapcore.Core

	mu   sync.Mutex
	text string
}

// Enabled implements zapcore.Core: of lesser things nothing is kept.
func (f *failures) Enabled(l zapcore.Level) bool { return l >= zapcore.WarnLevel }

// With implements zapcore.Core. What is kept is not in the context of a logger.
func (f *failures) With([]zapcore.Field) zapcore.Core { return f }

// Check implements zapcore.Core.
func (f *failures) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if f.Enabled(e.Level) {
		return ce.AddCore(e, f)
	}
	return ce
}

// Write implements zapcore.Core.
func (f *failures) Write(e zapcore.Entry, fields []zapcore.Field) error {
	for _, field := range fields {
		if field.Key == "error" && field.Type == zapcore.StringType {
			f.mu.Lock()
			f.text = field.String
			f.mu.Unlock()
			return nil
		}
	}
	if f.Core.Enabled(e.Level) {
		return f.Core.Write(e, fields) // of something other than a request
	}
	return nil
}

func (f *failures) last() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.text
}

// output keeps what guests print first.
type output struct {
	mu        sync.Mutex
	b         bytes.Buffer
	discarded bool
}

// maxOutput is how much of a guest's output an error shows, in bytes.
const maxOutput = 2 << 10

// Writer implements app.Output.
func (o *output) Writer(string, string, app.Stream) io.Writer {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.discarded {
		return io.Discard
	}
	return o
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.b.Write(p[:min(len(p), maxOutput-o.b.Len())])
	return len(p), nil
}

func (o *output) first() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.TrimSpace(o.b.String())
}

// discard lets further output go: an application at work may print much.
func (o *output) discard() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.discarded = true
}
