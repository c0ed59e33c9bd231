package bench

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/perf/benchfmt"
)

var update = flag.Bool("update", false, "write the goldens")

func ptr[T any](v T) *T { return &v }

// samples are six runs around a time, as it would come from a machine with its
// moods.
func samples(n int, each time.Duration, allocs, bytes uint64, faults int64) []Sample {
	var all []Sample
	for _, percent := range []time.Duration{100, 97, 103, 99, 140, 101} {
		s := Sample{N: n, Wall: time.Duration(n) * each * percent / 100, Allocs: uint64(n) * allocs, Bytes: uint64(n) * bytes, Faults: int64(n) * faults}
		if faults < 0 {
			s.Faults = -1
		}
		all = append(all, s)
	}
	return all
}

// fixed is a report whose figures are made up.
func fixed() *Report {
	r := &Report{
		Title: "The reference exchange", Date: "2026-01-02T03:04:05Z",
		Machine: Machine{OS: "linux", Arch: "amd64", CPU: "Model <1>", CPUs: 4, GOMAXPROCS: 2, Go: "go1.26", Engine: "v39.0.1"},
		Runs:    6, Time: 200 * time.Millisecond, Parallel: 1,
		Rows: []Result{
			newResult(Row{Group: native, Variant: direct}, samples(1000000, 85*time.Nanosecond, 4, 96, 0), nil),
			newResult(Row{Group: native, Variant: forked, Includes: "a fork"}, samples(1000, 120*time.Microsecond, 0, 7, 63), nil),
			newResult(Row{Group: "rust-inbound-http", Variant: "cold"}, samples(1, 49221*time.Microsecond, 1486, 87980, 260)[:5], ptr(int64(3<<20))),
			newResult(Row{Group: "rust-inbound-http", Variant: "reset"}, samples(80000, 2512*time.Nanosecond, 17, 1528, 0), ptr(int64(81234))),
			newResult(Row{Group: "an app", Variant: "pooled"}, samples(3, 1250*time.Millisecond, 1, 1<<31, -1), nil),
		},
		Skipped: []Skip{{Name: "js-wasi-http/pooled", Reason: "no guest js-wasi-http:\nit is not in the cache"}},
	}
	r.Rows[4].Note = "the answer is 404 Not Found"
	return r
}

func TestFormats(t *testing.T) {
	parallel := fixed()
	parallel.Title, parallel.Date, parallel.Skipped = "", "", nil
	parallel.Parallel, parallel.Machine = 4, Machine{OS: "darwin", Arch: "arm64", CPUs: 1, GOMAXPROCS: 1, Go: "go1.26"}
	parallel.Rows = parallel.Rows[2:]
	for _, test := range []struct {
		golden string
		write  func(io.Writer) error
	}{
		{"report.txt", fixed().WriteTable},
		{"report.json", fixed().WriteJSON},
		{"report.bench", fixed().WriteGo},
		{"report.html", fixed().WriteHTML},
		{"parallel.txt", parallel.WriteTable},
		{"parallel.bench", parallel.WriteGo},
	} {
		t.Run(test.golden, func(t *testing.T) {
			var b bytes.Buffer
			if err := test.write(&b); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", test.golden)
			if *update {
				if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			want = bytes.ReplaceAll(want, []byte("\r\n"), []byte("\n"))
			if !bytes.Equal(b.Bytes(), want) {
				t.Errorf("got\n%s\nwant\n%s", b.Bytes(), want)
			}
		})
	}
}

// TestGoFormatIsRead reads the report with the parser of benchstat.
func TestGoFormatIsRead(t *testing.T) {
	r := fixed()
	var b bytes.Buffer
	if err := r.WriteGo(&b); err != nil {
		t.Fatal(err)
	}
	read := benchfmt.NewReader(&b, "report")
	n := 0
	for read.Scan() {
		switch rec := read.Result().(type) {
		case *benchfmt.SyntaxError:
			t.Fatal(rec)
		case *benchfmt.Result:
			if n == 0 {
				base, parts := rec.Name.Parts()
				if string(base) != "Exchange" || len(parts) != 3 || string(parts[0]) != "/native" || string(parts[1]) != "/direct" || string(parts[2]) != "-2" {
					t.Errorf("the first name: %s, %q", base, parts)
				}
				if ns, ok := rec.Value("sec/op"); !ok || ns < 84.9e-9 || ns > 85.1e-9 {
					t.Errorf("the first time: %v", rec.Values)
				}
			}
			if cpu := rec.GetConfig("cpu"); cpu != r.Machine.CPU {
				t.Errorf("the processor: %q", cpu)
			}
			n++
		}
	}
	if err := read.Err(); err != nil || n != 29 {
		t.Errorf("%d results, %v; want 29", n, err)
	}
}

// TestPageNeedsNothing: the page is one file, and runs nothing.
func TestPageNeedsNothing(t *testing.T) {
	var b bytes.Buffer
	r := fixed()
	r.Rows[4].Group, r.Skipped[0].Reason = "<script>alert(1)</script>", `"><img src=x>`
	if err := r.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"<script", "http:", "https:", "<link", "<img", "url(", "@import", "ZgotmplZ"} {
		if strings.Contains(b.String(), bad) {
			t.Errorf("the page has %q", bad)
		}
	}
}

func TestEstimate(t *testing.T) {
	for _, test := range []struct {
		values         []float64
		median         float64
		low, high, pct float64 // low 0: no interval
	}{
		{[]float64{5}, 5, 0, 0, 0},
		{[]float64{3, 1, 2}, 2, 0, 0, 0},
		{[]float64{5, 4, 3, 2, 1}, 3, 0, 0, 0},
		{[]float64{6, 5, 4, 3, 2, 1}, 3.5, 1, 6, 2.5 / 3.5},
		// The bounds of ten are the second and the ninth: the binomial
		// distribution has 97.9% between them.
		{[]float64{10, 1, 9, 2, 8, 3, 7, 4, 6, 5}, 5.5, 2, 9, 3.5 / 5.5},
		{[]float64{7, 7, 7, 7, 7, 7, 7, 1000, 7, 7}, 7, 7, 7, 0},
	} {
		before := append([]float64(nil), test.values...)
		e := estimate(test.values)
		spread, ok := e.Spread()
		if e.Median != test.median || ok != (test.low != 0) || ok && (*e.Low != test.low || *e.High != test.high || spread != test.pct || e.Confidence < confidence) {
			t.Errorf("%v: %+v, spread %v %v", test.values, e, spread, ok)
		}
		for i := range before {
			if before[i] != test.values[i] {
				t.Fatalf("the samples were sorted: %v", test.values)
			}
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{duration(0), "0 ns"}, {duration(85.34), "85.3 ns"}, {duration(999.4), "999 ns"}, {duration(999.7), "1.00 µs"},
		{duration(2512), "2.51 µs"}, {duration(49221000), "49.2 ms"}, {duration(1.25e9), "1.25 s"}, {duration(7.2e12), "7200 s"},
		{size(0), "0 B"}, {size(96), "96 B"}, {size(1023.7), "1.00 KiB"}, {size(1528), "1.49 KiB"}, {size(3 << 20), "3.00 MiB"}, {size(1 << 41), "2048 GiB"},
		{grouped(1), "1.00"}, {grouped(0.000712), "0.000712"}, {grouped(29.55), "29.6"}, {grouped(1412.2), "1,412"}, {grouped(1234567), "1,234,567"},
		{grouped(-1234), "-1,234"}, {grouped(123), "123"},
		{count(0), "0"}, {count(0.004), "0"}, {count(0.0481), "0.0481"}, {count(17), "17"}, {count(17.31), "17.3"}, {count(1486), "1486"},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}
