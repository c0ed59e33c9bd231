package bench

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"strings"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// page is what the template of a report shows.
type page struct {
	*Report
	Heading             string
	Machine, Conditions string
	Axis                []tick
	Grid                string // the path of a line at each mark
	Groups              []pageGroup
	Head                []string
	Cells               [][]string
	Notes               []string
	Legend              string
}

// tick is a mark of the axis of times. Its label may be empty.
type tick struct {
	At    float64 // in percent of the width
	Label string
}

type pageGroup struct {
	Name string
	Bars []bar
}

// bar is a row of the chart. Lengths are in percent of the width.
type bar struct {
	Variant, Includes string
	Time, Compared    string
	Length            float64
	Low, High         float64 // of the confidence interval; equal for none
}

// axis is a logarithmic scale of times between two powers of ten.
type axis struct{ from, to float64 }

// newAxis returns the scale that has room for all times.
func newAxis(rows []Result) axis {
	a := axis{math.Inf(1), math.Inf(-1)}
	for i := range rows {
		if t := rows[i].Time.Median; t > 0 {
			a.from, a.to = min(a.from, math.Floor(math.Log10(t))), max(a.to, math.Ceil(math.Log10(t)))
		}
	}
	switch {
	case a.from > a.to:
		return axis{0, 1}
	case a.from == a.to:
		a.to++
	}
	return a
}

// at returns where a time is, in percent of the width.
func (a axis) at(ns float64) float64 {
	if ns <= 0 {
		return 0
	}
	p := 100 * (math.Log10(ns) - a.from) / (a.to - a.from)
	return math.Round(100*min(max(p, 0), 100)) / 100
}

// maxLabels is how many marks can have a label on a narrow screen.
const maxLabels = 6

// ticks returns a mark for each power of ten. Of many only some have a label.
func (a axis) ticks() []tick {
	every := int(a.to-a.from)/maxLabels + 1
	var all []tick
	for i := range int(a.to-a.from) + 1 {
		ns := math.Pow(10, a.from+float64(i))
		t := tick{At: a.at(ns)}
		if i%every == 0 {
			t.Label = strings.NewReplacer(".00 ", " ", ".0 ", " ").Replace(duration(ns))
		}
		all = append(all, t)
	}
	return all
}

// grid returns the path of vertical lines at the marks.
func grid(ticks []tick) string {
	var b strings.Builder
	for _, t := range ticks {
		fmt.Fprintf(&b, "M%g 0V14", t.At)
	}
	return b.String()
}

// WriteHTML writes the report as a page that needs nothing else: bars on a
// logarithmic scale, and all figures in a table.
func (r *Report) WriteHTML(w io.Writer) error {
	a := newAxis(r.Rows)
	p := page{
		Report: r, Heading: r.Title, Machine: r.Machine.describe(), Conditions: r.conditions(),
		Axis: a.ticks(), Notes: r.notes(), Legend: legend,
	}
	if p.Heading == "" {
		p.Heading = "What a request costs"
	}
	p.Grid = grid(p.Axis)
	p.Head, p.Cells = r.cells()
	base := r.baselines()
	for i := range r.Rows {
		row := &r.Rows[i]
		if n := len(p.Groups); n == 0 || p.Groups[n-1].Name != row.Group {
			p.Groups = append(p.Groups, pageGroup{Name: row.Group})
		}
		b := bar{Variant: row.Variant, Includes: row.Includes, Time: duration(row.Time.Median), Length: a.at(row.Time.Median)}
		if row.Time.Low != nil {
			b.Low, b.High = a.at(*row.Time.Low), a.at(*row.Time.High)
		}
		// The last of them is the most telling: what a process would cost.
		if n := len(base); n > 0 && base[n-1].title != row.Name() {
			b.Compared = fmt.Sprintf("%s × %s", grouped(row.Time.Median/base[n-1].time), base[n-1].title)
		}
		g := &p.Groups[len(p.Groups)-1]
		g.Bars = append(g.Bars, b)
	}
	return pageTemplate.Execute(w, p)
}
