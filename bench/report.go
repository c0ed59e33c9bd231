package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"time"

	"golang.org/x/perf/benchmath"
)

// Report is what a run has found.
type Report struct {
	// Title says what was measured, and Date when; both may be empty.
	Title    string        `json:"title,omitempty"`
	Date     string        `json:"date,omitempty"`
	Machine  Machine       `json:"machine"`
	Runs     int           `json:"runs"`
	Time     time.Duration `json:"time_ns"` // for each run of a row
	Parallel int           `json:"parallel"`
	Rows     []Result      `json:"rows"`
	Skipped  []Skip        `json:"skipped,omitempty"`
}

// Result is what was found of a row. Where several exchanges were made at a
// time, the time of one is the time of all divided by their number.
type Result struct {
	Group    string `json:"group"`
	Variant  string `json:"variant"`
	Includes string `json:"includes,omitempty"`
	// Note is what a reader should know before trusting the figures.
	Note string `json:"note,omitempty"`
	// Time is the time of one exchange, in nanoseconds.
	Time Estimate `json:"time"`
	// Allocs and Bytes are allocations of one exchange on the Go heap, those of
	// the process that measures: the median.
	Allocs float64 `json:"allocs"`
	Bytes  float64 `json:"bytes"`
	// Faults are page faults of one exchange, the median; nil where not known.
	Faults *float64 `json:"faults,omitempty"`
	// Resident is how many bytes of memory one more exchange takes while it is
	// under way, the instance with all its host keeps for it but the thread; nil
	// where that cannot be seen.
	Resident *int64   `json:"resident,omitempty"`
	Samples  []Sample `json:"samples"`
}

// Name returns the name of the row.
func (r *Result) Name() string { return r.Group + "/" + r.Variant }

// Estimate is a median with an interval that holds the true one with a
// probability of Confidence. Of too few samples there is no interval: Low and
// High are then nil.
type Estimate struct {
	Median     float64  `json:"median"`
	Low        *float64 `json:"low,omitempty"`
	High       *float64 `json:"high,omitempty"`
	Confidence float64  `json:"confidence,omitempty"`
}

const confidence = 0.95

// estimate makes no assumption on how values are distributed.
func estimate(values []float64) Estimate {
	sorted := append([]float64(nil), values...) // NewSample sorts in place
	s := benchmath.AssumeNothing.Summary(benchmath.NewSample(sorted, &benchmath.DefaultThresholds), confidence)
	e := Estimate{Median: s.Center}
	if !math.IsInf(s.Lo, 0) && !math.IsInf(s.Hi, 0) {
		e.Low, e.High, e.Confidence = &s.Lo, &s.Hi, s.Confidence
	}
	return e
}

// Spread returns by which part of the median the interval's ends differ from it
// at the most, and whether there is one.
func (e Estimate) Spread() (float64, bool) {
	if e.Low == nil || e.High == nil || e.Median == 0 {
		return 0, false
	}
	return max(*e.High-e.Median, e.Median-*e.Low) / e.Median, true
}

// newResult sums up the samples of a row.
func newResult(r Row, samples []Sample, resident *int64) Result {
	res := Result{Group: r.Group, Variant: r.Variant, Includes: r.Includes, Resident: resident, Samples: samples}
	each := func(total func(Sample) float64) Estimate {
		var values []float64
		for _, s := range samples {
			values = append(values, s.per(total(s)))
		}
		return estimate(values)
	}
	res.Time = each(func(s Sample) float64 { return float64(s.Wall) })
	res.Allocs = each(func(s Sample) float64 { return float64(s.Allocs) }).Median
	res.Bytes = each(func(s Sample) float64 { return float64(s.Bytes) }).Median
	if len(samples) > 0 && samples[0].Faults >= 0 {
		f := each(func(s Sample) float64 { return float64(s.Faults) }).Median
		res.Faults = &f
	}
	return res
}

// baseline is what rows are compared with.
type baseline struct {
	name  string // of the column
	time  float64
	title string
}

// baselines returns what the report's rows can be compared with: the native
// rows, or the fastest row where there are none.
func (r *Report) baselines() []baseline {
	var all []baseline
	for i := range r.Rows {
		row := &r.Rows[i]
		if row.Group == native && (row.Variant == direct || row.Variant == forked) {
			all = append(all, baseline{"× " + row.Variant, row.Time.Median, row.Name()})
		}
	}
	if len(all) == 0 && len(r.Rows) > 0 {
		fastest := &r.Rows[0]
		for i := range r.Rows {
			if r.Rows[i].Time.Median < fastest.Time.Median {
				fastest = &r.Rows[i]
			}
		}
		all = append(all, baseline{"× " + fastest.Variant, fastest.Time.Median, fastest.Name()})
	}
	return all
}

// notes returns what is to be said of rows below their figures.
func (r *Report) notes() []string {
	var all []string
	for i := range r.Rows {
		if n := r.Rows[i].Note; n != "" {
			all = append(all, r.Rows[i].Name()+": "+n)
		}
	}
	return all
}

// conditions says on one line how the figures came about.
func (r *Report) conditions() string {
	s := fmt.Sprintf("%d rounds of %v", r.Runs, r.Time)
	if r.Runs == 1 {
		s = fmt.Sprintf("one round of %v", r.Time)
	}
	if r.Parallel > 1 {
		s += fmt.Sprintf(", %d exchanges at a time", r.Parallel)
	}
	return s
}

// describe says on one line what the machine is.
func (m Machine) describe() string {
	s := m.OS + "/" + m.Arch
	if m.CPU != "" {
		s += ", " + m.CPU
	}
	s += fmt.Sprintf(", %d CPU", m.CPUs)
	if m.CPUs != 1 {
		s += "s"
	}
	if m.GOMAXPROCS != m.CPUs {
		s += fmt.Sprintf(" (GOMAXPROCS %d)", m.GOMAXPROCS)
	}
	s += ", " + m.Go
	if m.Engine != "" {
		s += ", wasmtime-go " + m.Engine
	}
	return s
}

// WriteJSON writes the report as a JSON object.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
