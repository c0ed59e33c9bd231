package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/minispin/minispin/instancepool"
)

// counted returns a row whose exchanges take a time, and how many were made.
func counted(variant string, each time.Duration) (Row, *int) {
	n := new(int)
	return Row{Group: "test", Variant: variant, open: func(context.Context, *stage) (subject, error) {
		return &local{exchange: func() error { *n++; time.Sleep(each); return nil }}, nil
	}}, n
}

// failing returns a row that cannot be opened.
func failing(variant string, err error) Row {
	return Row{Group: "test", Variant: variant, optional: true, open: func(context.Context, *stage) (subject, error) { return nil, err }}
}

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // where time is exact
		quick, n := counted("quick", 50*time.Microsecond)
		slow, slowN := counted("slow", 30*time.Millisecond)
		var told []string
		rep, err := Run(context.Background(), []Row{quick, failing("none", errors.New("not here")), slow}, Options{
			Runs: 8, Time: 4 * time.Millisecond, Progress: func(s string) { told = append(told, s) },
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(rep.Rows) != 2 || rep.Rows[0].Name() != "test/quick" || rep.Rows[1].Name() != "test/slow" {
			t.Fatalf("rows %+v", rep.Rows)
		}
		q, s := rep.Rows[0], rep.Rows[1]
		if len(q.Samples) != 8 || q.Samples[0].N != 80 || q.Time.Median != 50e3 || q.Time.Low == nil || *q.Time.Low != 50e3 {
			t.Errorf("quick: %+v", q)
		}
		// Until a batch takes an eighth of the time, then the runs, each after a
		// little to warm up.
		if want := 1 + 2 + 4 + 8 + 16 + 8*(80+80/32); *n != want {
			t.Errorf("quick: %d exchanges, want %d", *n, want)
		}
		// All eight runs of it would take more than seven times what they should.
		if len(s.Samples) != 4 || s.Samples[0].N != 1 || s.Time.Median != 30e6 || s.Time.Low != nil || *slowN != 5 {
			t.Errorf("slow: %d exchanges, %+v", *slowN, s)
		}
		if want := []Skip{{"test/none", "not here"}}; !slices.Equal(rep.Skipped, want) {
			t.Errorf("skipped %+v", rep.Skipped)
		}
		for _, want := range []string{"preparing test/quick", "warming up test/slow", "round 1 of 8: test/quick, 0s left"} {
			if !slices.Contains(told, want) {
				t.Errorf("nobody was told %q", want)
			}
		}
		if rep.Runs != 8 || rep.Parallel != 1 || rep.Machine.CPUs < 1 {
			t.Errorf("report %+v", rep)
		}
	})
}

func TestRunFails(t *testing.T) {
	fine, _ := counted("fine", 0)
	wrong := errors.New("wrong")
	calls := 0
	later := Row{Group: "test", Variant: "later", open: func(context.Context, *stage) (subject, error) {
		return &local{exchange: func() error {
			if calls++; calls > 5 {
				return wrong
			}
			time.Sleep(time.Millisecond)
			return nil
		}}, nil
	}}
	demanded := failing("demanded", wrong)
	demanded.optional = false
	for _, test := range []struct {
		name string
		rows []Row
		want string
	}{
		{"row that was asked for", []Row{fine, demanded}, "test/demanded: wrong"},
		{"answer", []Row{fine, failing("optional", &AnswerError{wrong})}, "test/optional: wrong"},
		{"nothing left", append(nativeRows()[:1], failing("one", wrong), failing("two", wrong)), "test/one: wrong\ntest/two: wrong"},
		{"in the middle", []Row{later, fine}, "test/later: wrong"},
	} {
		_, err := Run(context.Background(), test.rows, Options{Runs: 20, Time: time.Millisecond})
		if err == nil || err.Error() != test.want {
			t.Errorf("%s: got %v, want %s", test.name, err, test.want)
		}
	}
	for _, o := range []Options{{Runs: -1}, {Time: -1}, {Parallel: -1}} {
		if _, err := Run(context.Background(), nil, o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	row, _ := counted("row", time.Millisecond)
	_, err := Run(ctx, []Row{row}, Options{Time: time.Millisecond, Progress: func(s string) {
		if strings.HasPrefix(s, "round 2") {
			cancel(wrong)
		}
	}})
	if err != wrong {
		t.Errorf("cancelled: got %v", err)
	}
}

// TestRunOfGuests measures real rows, several requests at a time.
func TestRunOfGuests(t *testing.T) {
	rows, err := Rows(Choice{Guests: []string{"rust-inbound-http", "rust-wagi"}, Strategies: []string{"pooled", "pre-instance"}})
	if err != nil {
		t.Fatal(err)
	}
	rep, err := Run(context.Background(), rows, Options{Runs: 2, Time: 2 * time.Millisecond, Parallel: 3, CacheDir: cacheDir})
	if err != nil {
		t.Fatal(err)
	}
	if len(rep.Rows)+len(rep.Skipped) != len(rows) {
		t.Errorf("%d rows and %d skipped, of %d", len(rep.Rows), len(rep.Skipped), len(rows))
	}
	for _, r := range rep.Rows {
		if r.Time.Median <= 0 || len(r.Samples) != 2 || r.Samples[0].N < 3 {
			t.Errorf("%s: %+v", r.Name(), r)
		}
		if _, known := privateMemory(); (r.Resident != nil) != (known && r.Group == "rust-inbound-http") {
			t.Errorf("%s: memory %v", r.Name(), r.Resident)
		}
	}
}

func TestRepeat(t *testing.T) {
	for _, test := range []struct{ n, parallel int }{{0, 1}, {1, 1}, {7, 1}, {1, 4}, {5, 4}, {1000, 3}, {100000, 2}} {
		var mu sync.Mutex
		n, at, most := 0, 0, 0
		err := repeat(test.n, test.parallel, func() error {
			mu.Lock()
			n++
			at++
			most = max(most, at)
			mu.Unlock()
			mu.Lock()
			at--
			mu.Unlock()
			return nil
		})
		if err != nil || n != test.n || most > test.parallel {
			t.Errorf("%+v: %d exchanges, up to %d at a time, %v", test, n, most, err)
		}
	}
	wrong := errors.New("wrong")
	for _, parallel := range []int{1, 4} {
		var mu sync.Mutex
		n := 0
		err := repeat(1<<30, parallel, func() error {
			mu.Lock()
			defer mu.Unlock()
			if n++; n >= 10 {
				return wrong
			}
			return nil
		})
		if !errors.Is(err, wrong) {
			t.Errorf("%d at a time: got %v", parallel, err)
		}
	}
}

// TestResident: what exchanges allocate while they are held is seen, and that
// of an exchange that ends without being held is said not to be.
func TestResident(t *testing.T) {
	if _, ok := privateMemory(); !ok {
		t.Skip("the memory of the process cannot be seen here")
	}
	const each = 1 << 20
	l := &local{several: 8, held: func(g *gate) error {
		b := make([]byte, each)
		for i := range b {
			b[i] = 1
		}
		g.wait()
		if b[each-1] != 1 {
			return errors.New("it is gone")
		}
		return nil
	}}
	got, ok, err := l.resident()
	if err != nil || !ok || got < each*9/10 || got > each*4 { // the race detector keeps as much again
		t.Errorf("got %d, %v, %v; want about %d", got, ok, err, each)
	}
	n := 0
	var mu sync.Mutex
	l.held = func(g *gate) error {
		mu.Lock()
		n++
		wait := n%2 == 0
		mu.Unlock()
		if wait {
			g.wait()
		}
		return nil
	}
	if _, ok, err := l.resident(); ok || err != nil {
		t.Errorf("half of them not held: known %v, error %v", ok, err)
	}
	l.held = func(*gate) error { return errors.New("wrong") }
	if _, _, err := l.resident(); err == nil || !strings.Contains(err.Error(), "wrong") {
		t.Errorf("got %v", err)
	}
}

// TestUnavailable: a strategy that cannot be had is told of.
func TestUnavailable(t *testing.T) {
	var given []instancepool.Strategy
	reasons := map[instancepool.Strategy]string{}
	for _, s := range instancepool.Strategies() {
		if s != instancepool.PreInstance {
			reasons[s] = fmt.Sprintf("no %s today", s)
			given = append(given, s)
		}
	}
	rows, err := Rows(Choice{Guests: []string{"rust-inbound-http"}, Unavailable: reasons})
	if err != nil {
		t.Fatal(err)
	}
	rep, err := Run(context.Background(), rows[3:], Options{Runs: 1, Time: time.Millisecond, CacheDir: cacheDir})
	if err != nil || len(rep.Rows) != 1 || len(rep.Skipped) != len(given) || rep.Skipped[0].Reason != "no cold today" {
		t.Errorf("%+v, %v", rep, err)
	}
}
