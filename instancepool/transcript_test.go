package instancepool

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/component/abi"
)

// This file sends the same random sequences of requests through all strategies
// and compares what came of each request. A fresh instance for every request is
// what they all promise, and so the transcripts must be equal.
//
// A few sequences are tried every time. For many:
//
//	go test ./instancepool -run TestTranscripts -rapid.checks=2000 -timeout 2h

// wish is one request: some acts, and a way to end.
type wish struct {
	acts []act
	end  string
}

// act is something that a request does before it ends.
type act struct {
	do    string
	means int
	what  uint64
}

// ends are the ways for a request to end. Those in which time passes are rare:
// each takes a while under every strategy.
var ends = slices.Concat(
	slices.Repeat([]string{"well"}, 12),
	slices.Repeat([]string{"trap", "outside", "overflow", "fail", "panic", "abandon", "caller panics", "gone"}, 2),
	[]string{"spin", "block", "leave-spinning", "leave-blocked"},
)

const (
	// patience is the deadline of requests that wait for theirs.
	patience = 15 * time.Millisecond
	// tooLong is the size of a string that guest memory ends before.
	tooLong = 70_000_000
)

var (
	errAbandoned    = errors.New("the caller gave up")
	errCallerPanics = errors.New("the caller panics")
)

var wishes = rapid.Custom(func(t *rapid.T) wish {
	acts := rapid.Custom(func(t *rapid.T) act {
		return act{
			do:    rapid.SampledFrom([]string{"peek", "peek", "peek", "plant", "plant", "plant", "hear", "hear too much", "say"}).Draw(t, "do"),
			means: rapid.IntRange(0, len(allMeans)-1).Draw(t, "means"),
			what:  rapid.Uint64().Draw(t, "what"),
		}
	})
	w := wish{rapid.SliceOfN(acts, 0, 6).Draw(t, "acts"), rapid.SampledFrom(ends).Draw(t, "end")}
	if w.end == "spin" || w.end == "block" {
		// Whether the deadline or a trap came first would be up to the
		// strategy's speed.
		w.acts = slices.DeleteFunc(w.acts, func(a act) bool { return a.do == "hear too much" })
	}
	return w
})

// perform sends one request and tells what came of it.
func perform(p *Pool[exports], number uint32, w wish) string {
	ctx, leave := context.WithCancelCause(context.Background())
	defer leave(nil)
	switch w.end {
	case "spin", "block":
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	case "gone":
		leave(errLeft)
	}
	var said []string
	err := func() (err error) {
		defer func() {
			if r := recover(); r != nil {
				if r != errCallerPanics {
					panic(r)
				}
				err = errCallerPanics
			}
		}()
		return p.Run(ctx, &visitor{number, func() { leave(errLeft) }}, func(in *component.Instance, fs exports) error {
			v := visit{in, fs}
			n, err := v.call("tell")
			if err != nil {
				return err
			}
			said = append(said, fmt.Sprintf("request %d", n.Uint()))
			for _, a := range w.acts {
				answer, err := v.act(a)
				if err != nil {
					return err
				}
				said = append(said, answer)
			}
			return v.finish(w.end)
		})
	}()
	how := outcome(err)
	if how == "deadline" {
		return how // how far it came is up to the strategy's speed
	}
	return strings.Join(append(said, how), ", ")
}

func (v visit) act(a act) (string, error) {
	switch a.do {
	case "peek":
		n, err := v.peek(a.means)
		return fmt.Sprintf("%s: %#x", allMeans[a.means], n), err
	case "plant":
		return "planted", v.plant(a.means, a.what)
	case "hear":
		got, err := v.call("hear", abi.StringVal(strings.Repeat(string(rune('a'+a.what%26)), int(a.what%5000))))
		return fmt.Sprintf("heard %d", got.Uint()), err
	case "hear too much":
		got, err := v.call("hear", abi.StringVal(tooMuch()))
		return fmt.Sprintf("heard %d", got.Uint()), err
	}
	got, err := v.call("say", abi.U64Val(a.what))
	return fmt.Sprintf("said %q", got.Str()), err
}

// tooMuch is a string that does not fit into any memory of the guest.
var tooMuch = sync.OnceValue(func() string { return strings.Repeat("x", tooLong) })

// finish ends the request.
func (v visit) finish(how string) error {
	switch how {
	case "well", "gone":
		return nil
	case "abandon":
		return errAbandoned
	case "caller panics":
		panic(errCallerPanics)
	case "overflow":
		_, err := v.call(how, abi.U64Val(1))
		return err
	}
	_, err := v.call(how)
	return err
}

// outcome is the class of an error: what a caller can tell by errors.Is and
// errors.As, and for traps the reason.
func outcome(err error) string {
	for _, class := range []struct {
		err  error
		name string
	}{
		{errAbandoned, "abandoned"}, {errCallerPanics, "the caller panicked"}, {errLeft, "left"},
		{ErrDeadline, "deadline"}, {context.DeadlineExceeded, "deadline"}, {errHostFails, "host error"},
	} {
		if errors.Is(err, class.err) {
			return class.name
		}
	}
	if err == nil {
		return "well"
	}
	if _, ok := errors.AsType[*component.PanicError](err); ok {
		return "host panic"
	}
	if trap, ok := errors.AsType[*component.Trap](err); ok {
		return "trap: " + trap.Code.String()
	}
	if trap, ok := errors.AsType[*abi.Trap](err); ok {
		return "trap: " + trap.Msg
	}
	return "another error: " + err.Error()
}

// transcript performs requests one after the other.
func transcript(p *Pool[exports], ws []wish) (lines []string) {
	for i, w := range ws {
		lines = append(lines, perform(p, uint32(i), w))
	}
	return lines
}

// fewChecks has rapid do n checks, unless the command line says how many.
func fewChecks(t *testing.T, n int) {
	t.Helper()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if given {
		return
	}
	was := flag.Lookup("rapid.checks").Value.String()
	if err := flag.Set("rapid.checks", fmt.Sprint(n)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = flag.Set("rapid.checks", was) })
}

// freshStrategies lists the strategies that promise fresh state and that this
// system has.
func freshStrategies() []Strategy {
	return slices.DeleteFunc(Strategies(), func(s Strategy) bool {
		return s == Reuse || s == Reset && component.ResetSupported() != nil
	})
}

func TestTranscripts(t *testing.T) {
	fewChecks(t, 15)
	engines, h := testEngines(t), &smugglerHost{}
	pools := map[Strategy]*Pool[exports]{}
	for _, s := range freshStrategies() {
		pools[s] = makePool(t, engines, smugglerConfig(t, h, s))
	}
	rapid.Check(t, func(t *rapid.T) {
		const clients = 4
		all := rapid.SliceOfN(rapid.SliceOfN(wishes, 1, 6), clients, clients).Draw(t, "requests")
		want := make([][]string, clients)
		for i, ws := range all {
			for n, w := range ws {
				want[i] = append(want[i], perform(pools[PreInstance], uint32(n), w))
				if strings.Contains(want[i][n], "another error") {
					t.Fatalf("%+v: %s", w, want[i][n])
				}
			}
		}
		for _, s := range freshStrategies() {
			alone, together := all, all
			if s == Cold { // to compile it takes longer than all the rest
				alone, together = all[:1], all[:2]
			}
			for i, ws := range alone {
				if diff := cmp.Diff(want[i], transcript(pools[s], ws)); diff != "" {
					t.Fatalf("%s, one request at a time (-%s +%s): %s", s, PreInstance, s, diff)
				}
			}
			got := make([][]string, len(together))
			var wg sync.WaitGroup
			for i, ws := range together {
				wg.Go(func() { got[i] = transcript(pools[s], ws) })
			}
			wg.Wait()
			if diff := cmp.Diff(want[:len(together)], got); diff != "" {
				t.Fatalf("%s, %d requests at a time (-%s +%s): %s", s, len(together), PreInstance, s, diff)
			}
		}
		if made, dropped := h.made.Load(), h.dropped.Load(); made != dropped {
			t.Fatalf("%d handles of the host's were made, %d dropped", made, dropped)
		}
	})
}

// TestTranscriptsTell: where requests are not kept apart the transcripts say so,
// and every way to end a request gives the outcome that is meant.
func TestTranscriptsTell(t *testing.T) {
	engines, h := testEngines(t), &smugglerHost{}
	ws := []wish{{acts: []act{{do: "plant", means: 1, what: 9}}, end: "well"}, {acts: []act{{do: "peek", means: 1}}, end: "well"}}
	a := transcript(makePool(t, engines, smugglerConfig(t, h, PreInstance)), ws)
	b := transcript(makePool(t, engines, smugglerConfig(t, h, Reuse)), ws)
	if want := "request 1, global of i64: 0x40, well"; a[1] != want {
		t.Errorf("got %q, want %q", a[1], want)
	}
	if want := "request 1, global of i64: 0x9, well"; b[1] != want {
		t.Errorf("under reuse: got %q, want %q", b[1], want)
	}
	forEachStrategy(t, func(t *testing.T, s Strategy) {
		needs(t, s)
		p := makePool(t, engines, smugglerConfig(t, h, s))
		for end, want := range map[string]string{
			"well": "request 0, well", "gone": "left", "abandon": "request 0, abandoned",
			"caller panics": "request 0, the caller panicked", "fail": "request 0, host error", "panic": "request 0, host panic",
			"trap": "request 0, trap: unreachable", "outside": "request 0, trap: out of bounds memory access",
			"overflow": "request 0, trap: call stack exhausted", "spin": "deadline", "block": "deadline",
			"leave-spinning": "request 0, left", "leave-blocked": "request 0, left",
		} {
			if got := perform(p, 0, wish{end: end}); got != want {
				t.Errorf("%s: got %q, want %q", end, got, want)
			}
		}
		got := perform(p, 0, wish{acts: []act{{do: "hear too much"}}, end: "well"})
		if !strings.Contains(got, "beyond end of memory") {
			t.Errorf("a string without room: got %q", got)
		}
	})
}
