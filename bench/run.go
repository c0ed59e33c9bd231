package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"
)

// Options are how rows are measured. The zero value is a good one.
type Options struct {
	// Runs is how often each row is measured; 0 means DefaultRuns. A confidence
	// interval needs at least six.
	Runs int
	// Time is how long a row is measured for each time; 0 means DefaultTime.
	Time time.Duration
	// Parallel is how many goroutines make exchanges at a time; 0 means 1.
	Parallel int
	// CacheDir is a directory for compiled code; empty keeps none.
	CacheDir string
	// Log receives what the host has to say of other things than failed requests,
	// which become errors. Nil means no log.
	Log *zap.Logger
	// Progress, when set, is told what is going on, from several goroutines.
	Progress func(string)
}

// What Options mean by their zero values.
const (
	DefaultRuns = 10
	DefaultTime = 200 * time.Millisecond
)

func (o *Options) fill() error {
	switch {
	case o.Runs < 0:
		return fmt.Errorf("%d runs: at least one is needed", o.Runs)
	case o.Time < 0:
		return fmt.Errorf("a time of %v: it must be more than none", o.Time)
	case o.Parallel < 0:
		return fmt.Errorf("%d goroutines: at least one is needed", o.Parallel)
	}
	if o.Runs == 0 {
		o.Runs = DefaultRuns
	}
	if o.Time == 0 {
		o.Time = DefaultTime
	}
	if o.Parallel == 0 {
		o.Parallel = 1
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	return nil
}

// Bounds for rows whose single exchange takes longer than the time for all of
// them: what they may take, in units of what all runs should, and how many runs
// they get in any case.
const (
	patience = 3
	minRuns  = 3
)

// Run measures rows. Those that are impossible here are listed in the report; it
// fails if no other is left but native ones, and when an exchange goes wrong.
// ctx ends it between two batches.
func Run(ctx context.Context, rows []Row, o Options) (*Report, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	st, err := newStage(&o)
	if err != nil {
		return nil, err
	}
	defer st.close()
	makeThreads(maxHeld + 1)
	r := &runner{Options: o}
	defer r.close()
	if err := r.open(ctx, st, rows); err != nil {
		return nil, err
	}
	for round := range o.Runs {
		for _, c := range r.courses {
			if err := r.turn(ctx, round, c); err != nil {
				return nil, err
			}
		}
	}
	return r.report(), nil
}

// runner is what Run is about.
type runner struct {
	Options
	courses []*course
	skipped []Skip
}

// course is a row in the course of being measured.
type course struct {
	Row
	subject  subject
	batch    int
	spent    time.Duration
	samples  []Sample
	resident *int64
}

// open prepares the rows, and finds how many exchanges fit into the time.
func (r *runner) open(ctx context.Context, st *stage, rows []Row) error {
	guests, asked := 0, 0
	for _, row := range rows {
		if row.Group != native {
			asked++
		}
		r.tell("preparing %s", row.Name())
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		s, err := row.open(ctx, st)
		if err != nil {
			_, wrong := errors.AsType[*AnswerError](err)
			if !row.optional || wrong {
				return fmt.Errorf("%s: %w", row.Name(), err)
			}
			r.skipped = append(r.skipped, Skip{Name: row.Name(), Reason: err.Error()})
			continue
		}
		c := &course{Row: row, subject: s}
		r.courses = append(r.courses, c)
		if row.Group != native {
			guests++
		}
		r.tell("warming up %s", row.Name())
		if err := r.warmUp(ctx, c); err != nil {
			return fmt.Errorf("%s: %w", row.Name(), err)
		}
	}
	if guests == 0 && asked > 0 {
		var errs []error
		for _, s := range r.skipped {
			errs = append(errs, fmt.Errorf("%s: %s", s.Name, s.Reason))
		}
		return errors.Join(errs...)
	}
	return nil
}

// warmUp runs a row until its speed is known.
func (r *runner) warmUp(ctx context.Context, c *course) error {
	if l, ok := c.subject.(*local); ok {
		bytes, known, err := l.resident()
		if err != nil {
			return err
		}
		if known {
			c.resident = &bytes
		}
	}
	n, total := 1, time.Duration(0)
	for {
		s, err := c.subject.measure(n, r.Parallel)
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		total += s.Wall
		// The last batch is long enough to tell the speed, or slow enough that
		// nothing is gained by another.
		if s.Wall >= r.Time/8 || total >= r.Time {
			c.batch = max(1, r.Parallel, int(float64(n)*float64(r.Time)/float64(max(1, s.Wall))))
			return nil
		}
		n *= 2
	}
}

// turn measures a row once, unless it has had more than its share.
func (r *runner) turn(ctx context.Context, round int, c *course) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if len(c.samples) >= minRuns && c.spent > patience*time.Duration(r.Runs)*r.Time {
		return nil
	}
	r.tell("round %d of %d: %s, %s left", round+1, r.Runs, c.Name(), r.left(round, c))
	// What has run since has filled the processor's caches with its own.
	if n := c.batch / 32; n > 0 {
		if _, err := c.subject.measure(n, r.Parallel); err != nil {
			return fmt.Errorf("%s: %w", c.Name(), err)
		}
	}
	s, err := c.subject.measure(c.batch, r.Parallel)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Name(), err)
	}
	c.spent += s.Wall
	c.samples = append(c.samples, s)
	return nil
}

// left says about how long it will still take from c's turn on.
func (r *runner) left(round int, c *course) time.Duration {
	turns := (r.Runs - round) * len(r.courses)
	for _, before := range r.courses {
		if before == c {
			break
		}
		turns--
	}
	return (time.Duration(turns) * r.Time).Round(time.Second)
}

func (r *runner) tell(format string, args ...any) {
	if r.Progress != nil {
		r.Progress(fmt.Sprintf(format, args...))
	}
}

func (r *runner) close() {
	for _, c := range r.courses {
		c.subject.close()
	}
}

// report makes the report of what was measured.
func (r *runner) report() *Report {
	rep := &Report{
		Machine: ThisMachine(), Runs: r.Runs, Time: r.Time, Parallel: r.Parallel, Skipped: r.skipped,
	}
	for _, c := range r.courses {
		res := newResult(c.Row, c.samples, c.resident)
		if l, ok := c.subject.(*local); ok {
			res.Note = l.note
		}
		rep.Rows = append(rep.Rows, res)
	}
	return rep
}
