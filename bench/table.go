package bench

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// cells returns the figures of a report as text: the names of the columns, and
// the rows with the row's name first.
func (r *Report) cells() (head []string, rows [][]string) {
	base := r.baselines()
	head = []string{"", "time", "±"}
	for _, b := range base {
		head = append(head, b.name)
	}
	head = append(head, "allocs", "heap", "faults", "memory")
	for i := range r.Rows {
		row := &r.Rows[i]
		spread := "?"
		if s, ok := row.Time.Spread(); ok {
			spread = fmt.Sprintf("%.0f%%", 100*s)
		}
		cells := []string{row.Name(), duration(row.Time.Median), spread}
		for _, b := range base {
			cells = append(cells, grouped(row.Time.Median/b.time))
		}
		faults, memory := "–", "–"
		if row.Faults != nil {
			faults = count(*row.Faults)
		}
		if row.Resident != nil {
			memory = size(float64(*row.Resident))
		}
		rows = append(rows, append(cells, count(row.Allocs), size(row.Bytes), faults, memory))
	}
	return head, rows
}

// legend explains the columns.
const legend = `time: median of one exchange; ±: the ends of its 95% confidence interval, "?" of
too few runs; ×: times the row of that name; allocs and heap: on the Go heap of
this process; faults: page faults; memory: what one more exchange under way
takes of it for itself.`

// WriteTable writes the report for people.
func (r *Report) WriteTable(w io.Writer) error {
	head, rows := r.cells()
	width := make([]int, len(head))
	for _, cells := range append([][]string{head}, rows...) {
		for i, c := range cells {
			width[i] = max(width[i], utf8.RuneCountInString(c))
		}
	}
	var b strings.Builder
	line := func(cells []string) {
		for i, c := range cells {
			space := strings.Repeat(" ", width[i]-utf8.RuneCountInString(c))
			if i == 0 {
				b.WriteString(c + space)
			} else {
				b.WriteString("  " + space + c)
			}
		}
		b.WriteByte('\n')
	}
	if r.Title != "" {
		fmt.Fprintln(&b, r.Title)
	}
	fmt.Fprintf(&b, "%s\n%s\n\n", r.Machine.describe(), r.conditions())
	line(head)
	group := ""
	for i, cells := range rows {
		if g := r.Rows[i].Group; g != group && i > 0 {
			b.WriteByte('\n')
		}
		group = r.Rows[i].Group
		line(cells)
	}
	fmt.Fprintf(&b, "\n%s\n", legend)
	for i, n := range r.notes() {
		if i == 0 {
			b.WriteString("\nTake note:\n")
		}
		fmt.Fprintf(&b, "  %s\n", n)
	}
	for i, s := range r.Skipped {
		if i == 0 {
			b.WriteString("\nNot measured:\n")
		}
		fmt.Fprintf(&b, "  %s: %s\n", s.Name, strings.ReplaceAll(s.Reason, "\n", "\n    "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteGo writes the report as Go's benchmarks do, a line for each run of a row,
// for benchstat and other tools to read.
func (r *Report) WriteGo(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "goos: %s\ngoarch: %s\npkg: github.com/minispin/minispin/bench\n", r.Machine.OS, r.Machine.Arch)
	if r.Machine.CPU != "" {
		fmt.Fprintf(&b, "cpu: %s\n", r.Machine.CPU)
	}
	for i := range r.Rows {
		row := &r.Rows[i]
		name := benchmarkName(row.Group) + "/" + benchmarkName(row.Variant)
		if r.Parallel > 1 {
			name += fmt.Sprintf("/parallel=%d", r.Parallel)
		}
		if r.Machine.GOMAXPROCS > 1 {
			name += fmt.Sprintf("-%d", r.Machine.GOMAXPROCS)
		}
		for _, s := range row.Samples {
			fmt.Fprintf(&b, "BenchmarkExchange/%s\t%d\t%s ns/op\t%.0f B/op\t%.0f allocs/op", name, s.N,
				significant(s.per(float64(s.Wall))), s.per(float64(s.Bytes)), s.per(float64(s.Allocs)))
			if s.Faults >= 0 {
				fmt.Fprintf(&b, "\t%s faults/op", count(s.per(float64(s.Faults))))
			}
			if row.Resident != nil {
				fmt.Fprintf(&b, "\t%d resident-B", *row.Resident)
			}
			b.WriteByte('\n')
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// benchmarkName makes text a part of a benchmark's name.
func benchmarkName(text string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r == '/' || r == 0x7f {
			return '_'
		}
		return r
	}, text)
}
