package value

import (
	"errors"
	"fmt"
	"testing"
)

func TestOption(t *testing.T) {
	if v, ok := Some("x").Get(); !ok || v != "x" {
		t.Errorf("Some: got %q, %t", v, ok)
	}
	if v, ok := None[int]().Get(); ok || v != 0 {
		t.Errorf("None: got %d, %t", v, ok)
	}
	if (Option[int]{}).Set {
		t.Error("the zero Option is not none")
	}
	if got := None[int]().Or(7); got != 7 {
		t.Errorf("None.Or(7) = %d", got)
	}
	if got := Some(0).Or(7); got != 0 {
		t.Errorf("Some(0).Or(7) = %d", got)
	}
}

func TestResult(t *testing.T) {
	if r := OK[int, string](3); r.IsErr || r.OK != 3 {
		t.Errorf("OK: got %+v", r)
	}
	if r := Err[int]("no"); !r.IsErr || r.Err != "no" {
		t.Errorf("Err: got %+v", r)
	}
}

func TestErrors(t *testing.T) {
	err := fmt.Errorf("calling: %w", Error[string]{"out of paper"})
	var e Error[string]
	if !errors.As(err, &e) || e.V != "out of paper" {
		t.Errorf("Error[string] is not found in %v", err)
	}
	if got := err.Error(); got != "calling: out of paper" {
		t.Errorf("got %q", got)
	}
	if got := (Error[uint8]{9}).Error(); got != "9" {
		t.Errorf("got %q", got)
	}
	if !errors.Is(fmt.Errorf("x: %w", Failed), Failed) {
		t.Error("Failed is not found when wrapped")
	}
	if allocs := testing.AllocsPerRun(100, func() { sink = Failed }); allocs != 0 {
		t.Errorf("Failed costs %v allocations", allocs)
	}
}

var sink error
