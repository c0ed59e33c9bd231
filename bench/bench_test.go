package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/guests"
	"github.com/minispin/minispin/instancepool"
	"github.com/minispin/minispin/internal/cwasm"
)

// cacheDir holds compiled code: for tests one of their own, for benchmarks that
// of the command, for the large guests take long to compile.
var cacheDir string

func TestMain(m *testing.M) {
	if code, child := RunChild(os.Args[1:]); child {
		os.Exit(code)
	}
	os.Exit(testMain(m))
}

// testMain runs the tests, and fails the run when they left an instance, an
// object of the engine or a goroutine behind.
func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "minispin-bench-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	cacheDir = filepath.Join(dir, "cache")
	if code := m.Run(); code != 0 {
		return code
	}
	for _, o := range cwasm.OpenObjects() {
		fmt.Fprintf(os.Stderr, "not closed: %s\n", o)
		return 1
	}
	if n := cwasm.LiveStores(); n > 0 {
		fmt.Fprintf(os.Stderr, "%d stores were not closed\n", n)
		return 1
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func testStage(t testing.TB) *stage {
	t.Helper()
	st, err := newStage(&Options{CacheDir: cacheDir, Log: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.close)
	return st
}

// large reports whether a guest takes long to compile.
func large(name string) bool { return name != native && !slices.Contains(guests.Committed(), name) }

// openRow opens a row, or skips the test where it cannot be had.
func openRow(t testing.TB, st *stage, r Row) subject {
	t.Helper()
	if r.Variant == string(instancepool.Reset) {
		if err := component.ResetSupported(); err != nil {
			t.Skipf("the strategy reset: %v", err)
		}
	}
	if large(r.Group) {
		guests.Path(t, r.Group)
	}
	s, err := r.open(context.Background(), st)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s
}

// TestEveryRow has every row make exchanges, which assert themselves, one by one
// and several at a time, and requires figures of them.
func TestEveryRow(t *testing.T) {
	rows, err := Rows(Choice{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		t.Run(r.Name(), func(t *testing.T) {
			if large(r.Group) && os.Getenv(guests.BuildEnv) == "" {
				t.Skip("it takes long to compile; " + guests.BuildEnv + "=build asks for it")
			}
			s := openRow(t, testStage(t), r)
			for _, parallel := range []int{1, 2} {
				got, err := s.measure(3, parallel)
				if err != nil {
					t.Fatal(err)
				}
				if got.N != 3 || got.Wall <= 0 {
					t.Errorf("3 exchanges, %d at a time: %+v", parallel, got)
				}
				if pageFaults() >= 0 && r.Variant == forked && got.Faults < 3 {
					t.Errorf("forks without page faults: %+v", got)
				}
			}
			l, ok := s.(*local)
			if !ok || l.held == nil {
				return
			}
			memory, known, err := l.resident()
			if err != nil {
				t.Fatal(err)
			}
			if _, told := privateMemory(); told && (!known || memory < 4<<10 || memory > 64<<20) {
				t.Errorf("%d bytes of memory for an exchange (known: %v)", memory, known)
			}
		})
	}
}

// TestListOfRows holds the rows against what they are meant to be.
func TestListOfRows(t *testing.T) {
	var all []string
	for _, s := range instancepool.Strategies() {
		all = append(all, string(s))
	}
	for _, test := range []struct {
		choice Choice
		want   string
	}{
		{Choice{Guests: []string{"native"}}, "native/direct native/fork native/spawn"},
		{Choice{Guests: []string{"rust-inbound-http"}}, "native/direct native/fork native/spawn rust-inbound-http/" + strings.Join(all, " rust-inbound-http/")},
		{
			Choice{Guests: []string{"rust-wagi", "c-wagi", "rust-wagi"}, Strategies: []string{"pooled", "cold", "pooled"}},
			"native/direct native/fork native/spawn rust-wagi/pooled rust-wagi/cold c-wagi/pooled c-wagi/cold",
		},
		{
			Choice{Guests: []string{"rust-wagi", "native"}, Strategies: []string{"all"}},
			"native/direct native/fork native/spawn rust-wagi/pre-instance rust-wagi/pooled rust-wagi/reset",
		},
		{
			Choice{Strategies: []string{"reuse"}},
			"native/direct native/fork native/spawn rust-inbound-http/reuse rust-wasi-http/reuse rust-spin-sdk5/reuse py-inbound-http/reuse js-wasi-http/reuse",
		},
	} {
		rows, err := Rows(test.choice)
		var got []string
		for _, r := range rows {
			got = append(got, r.Name())
		}
		if s := strings.Join(got, " "); err != nil || s != test.want {
			t.Errorf("%+v: %v\ngot  %s\nwant %s", test.choice, err, s, test.want)
		}
	}
}

func TestChoicesThatAreNone(t *testing.T) {
	unavailable := map[instancepool.Strategy]string{instancepool.Pooled: "no space"}
	for _, test := range []struct {
		choice Choice
		want   []string
	}{
		{Choice{Guests: []string{"go-wasi-http"}}, []string{`unknown guest "go-wasi-http"`, "rust-inbound-http, ", "js-wasi-http, ", "or all"}},
		{Choice{Strategies: []string{"warm"}}, []string{`unknown strategy "warm"`, "cold, precompiled, pre-instance, pooled, reset, reuse, or all"}},
		{Choice{Strategies: []string{"reuse"}, Guests: []string{"c-wagi"}}, []string{"c-wagi cannot have the strategy reuse", "use reset or pooled"}},
		{Choice{Strategies: []string{"pooled"}, Unavailable: unavailable}, []string{"pooled cannot be had: no space"}},
	} {
		_, err := Rows(test.choice)
		for _, want := range test.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: got %v, want %q in it", test.choice, err, want)
			}
		}
	}
}

// BenchmarkExchange has the rows of the command.
func BenchmarkExchange(b *testing.B) {
	if dir, err := os.UserCacheDir(); err == nil {
		cacheDir = filepath.Join(dir, "minispin")
	}
	rows, err := Rows(Choice{})
	if err != nil {
		b.Fatal(err)
	}
	for len(rows) > 0 {
		group := rows[0].Group
		n := 0
		for n < len(rows) && rows[n].Group == group {
			n++
		}
		b.Run(group, func(b *testing.B) {
			st := testStage(b)
			for _, r := range rows[:n] {
				b.Run(r.Variant, func(b *testing.B) { benchmarkRow(b, openRow(b, st, r)) })
			}
		})
		rows = rows[n:]
	}
}

func benchmarkRow(b *testing.B, s subject) {
	b.ReportAllocs()
	if l, ok := s.(*local); ok {
		faults := pageFaults()
		for b.Loop() {
			if err := l.exchange(); err != nil {
				b.Fatal(err)
			}
		}
		if faults >= 0 {
			b.ReportMetric(float64(pageFaults()-faults)/float64(b.N), "faults/op")
		}
		return
	}
	// A child process takes its own time.
	b.ResetTimer()
	got, err := s.measure(b.N, 1)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(got.Wall)/float64(got.N), "ns/op")
	b.ReportMetric(got.per(float64(got.Faults)), "faults/op")
}
