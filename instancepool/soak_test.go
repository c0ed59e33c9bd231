package instancepool

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// soakEnv is the environment variable that makes TestSoak send so many requests
// to each strategy that keeps something between them:
//
//	MINISPIN_SOAK=1000000 go test ./instancepool -run TestSoak -v -timeout 3h
const soakEnv = "MINISPIN_SOAK"

// usage is what a process takes of its system.
type usage struct {
	threads, files, mappings, goroutines int
	resident                             int64 // bytes
}

func (u usage) String() string {
	return fmt.Sprintf("%d threads, %d files, %d mappings, %d goroutines, %.1f MiB resident",
		u.threads, u.files, u.mappings, u.goroutines, float64(u.resident)/(1<<20))
}

// measure reads the process's usage. It skips the test where the system does not
// tell.
func measure(t testing.TB) (u usage) {
	t.Helper()
	runtime.GC()
	count := func(dir string) int {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Skip(err)
		}
		return len(entries)
	}
	u.threads, u.files, u.goroutines = count("/proc/self/task"), count("/proc/self/fd"), runtime.NumGoroutine()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Skip(err)
	}
	u.mappings = strings.Count(string(maps), "\n")
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(statm))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	u.resident = pages * int64(os.Getpagesize())
	return u
}

// exceeds says what of the usage has grown over that of before by more than
// what comes and goes.
func (u usage) exceeds(before usage) string {
	var grown []string
	for _, c := range []struct {
		what      string
		now, then int64
		slack     int64
	}{
		{"threads", int64(u.threads), int64(before.threads), 8},
		{"files", int64(u.files), int64(before.files), 2},
		{"mappings", int64(u.mappings), int64(before.mappings), 200},
		{"goroutines", int64(u.goroutines), int64(before.goroutines), 4},
		// As much as the pages that each instance in wait may keep, in part.
		{"bytes resident", u.resident, before.resident, 40 << 20},
	} {
		if c.now > c.then+c.slack {
			grown = append(grown, fmt.Sprintf("%d %s, %d before", c.now, c.what, c.then))
		}
	}
	return strings.Join(grown, "; ")
}

// TestSoak: what a request leaves to the process is nothing. It is for long runs
// by hand; what each request must answer is compared all the same.
func TestSoak(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv(soakEnv))
	if os.Getenv(soakEnv) == "" {
		t.Skipf("%s is not set", soakEnv)
	}
	if err != nil || n < 1 {
		t.Fatalf("%s=%q: a number of requests is wanted", soakEnv, os.Getenv(soakEnv))
	}
	engines, h := testEngines(t), &smugglerHost{}
	first := makePool(t, engines, smugglerConfig(t, h, PreInstance))
	var ws []wish
	var want []string
	for seed := 0; len(ws) < 600; seed++ {
		w := wishes.Example(seed)
		switch { // one in twelve ends badly, and few of them by time alone
		case w.end == "spin" || w.end == "block" || w.end == "leave-spinning" || w.end == "leave-blocked":
			if seed%4 != 0 {
				continue
			}
		case len(ws)%12 != 0:
			w.end = "well"
		}
		ws, want = append(ws, w), append(want, perform(first, uint32(len(ws)), w))
	}
	for _, s := range []Strategy{Pooled, Reset} {
		t.Run(string(s), func(t *testing.T) {
			needs(t, s)
			c := smugglerConfig(t, h, s)
			c.MaxInstances = 4
			p := makePool(t, engines, c)
			const rounds = 10
			var before usage
			start := time.Now()
			for round := range rounds {
				var next atomic.Int64
				var wg sync.WaitGroup
				for range 4 {
					wg.Go(func() {
						for {
							i := int(next.Add(1))
							if i > n/rounds {
								return
							}
							i = (i*7 + round) % len(ws)
							if got := perform(p, uint32(i), ws[i]); got != want[i] {
								t.Errorf("%+v: got %s, want %s", ws[i], got, want[i])
								return
							}
						}
					})
				}
				wg.Wait()
				if t.Failed() {
					return
				}
				now := measure(t)
				t.Logf("%d requests in %v: %v", (round+1)*(n/rounds), time.Since(start).Round(time.Second), now)
				switch {
				case round == 1: // warm
					before = now
				case round > 1:
					if grown := now.exceeds(before); grown != "" {
						t.Errorf("after %d requests: %s", (round+1)*(n/rounds), grown)
					}
				}
			}
			if made, dropped := h.made.Load(), h.dropped.Load(); made != dropped {
				t.Errorf("%d handles of the host's were made, %d dropped", made, dropped)
			}
		})
	}
}
