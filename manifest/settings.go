package manifest

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"time"
)

// toolSettings reads a component's tool tables. Only that of minispin is looked
// into: the others belong to other programs.
func (r *reader) toolSettings(t *table) Settings {
	var s Settings
	own, ok := t.sub("minispin")
	if !ok {
		return s
	}
	if v, ok := own.get("strategy"); ok {
		s.Strategy, ok = v.text()
		if ok && r.opts.Strategies != nil && !slices.Contains(r.opts.Strategies, s.Strategy) {
			v.fail(fmt.Sprintf("unknown strategy %q", s.Strategy), oneOf(s.Strategy, r.opts.Strategies))
		}
	}
	if v, ok := own.get("deadline"); ok {
		s.Deadline = readDuration(v, "leave it out for no deadline")
	}
	if v, ok := own.get("memory_limit"); ok {
		s.MemoryLimit = readMemoryLimit(v)
	}
	if v, ok := own.get("max_instances"); ok {
		s.MaxInstances = readCount(v, 1)
	}
	if v, ok := own.get("queue"); ok {
		n := readCount(v, 0)
		s.Queue = &n
	}
	if v, ok := own.get("max_requests"); ok {
		s.MaxRequests = readCount(v, 1)
	}
	if v, ok := own.get("idle_time"); ok {
		s.IdleTime = readDuration(v, "set max_requests = 1 to keep no instance")
	}
	own.done(nil)
	return s
}

// readCount reads an integer of at least low that is small enough to count
// things by.
func readCount(v value, low int64) int {
	n, ok := v.integer(low)
	if ok && n > math.MaxInt32 {
		v.fail(fmt.Sprintf("is %d, but must be at most %d", n, math.MaxInt32), "")
		return 0
	}
	return int(n)
}

// readDuration reads a duration that is longer than nothing; instead says how to
// write what somebody may mean who writes none.
func readDuration(v value, instead string) time.Duration {
	const example = `as in "30s", "1m30s" or "250ms"`
	text, ok := v.data.(string)
	if !ok {
		v.mistyped("a duration in a string", example)
		return 0
	}
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		v.fail(fmt.Sprintf("%q is not a duration", text), example)
	case d <= 0:
		v.fail(fmt.Sprintf("%q is not longer than nothing", text), instead)
	}
	return d
}

// byteUnits are the units of a size, in bytes.
var byteUnits = map[string]int64{
	"B":  1,
	"kB": 1000, "KB": 1000, "MB": 1000 * 1000, "GB": 1000 * 1000 * 1000,
	"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30,
}

func readMemoryLimit(v value) int64 {
	const example = `as in 134217728, "128MiB" or "0.5GiB"`
	var n int64
	switch data := v.data.(type) {
	case int64:
		n = data
	case string:
		var err error
		if n, err = parseSize(data); err != nil {
			v.fail(err.Error(), example)
			return 0
		}
	default:
		v.mistyped("a number of bytes, or a size in a string", example)
		return 0
	}
	if n <= 0 {
		v.fail(fmt.Sprintf("is %d, but must be at least 1", n), "leave it out for no limit")
	}
	return n
}

// parseSize reads a number with a unit. It calculates exactly, so that a size
// that is not a whole number of bytes is noticed.
func parseSize(text string) (int64, error) {
	digits := strings.TrimLeft(text, "0123456789.")
	number, unit := text[:len(text)-len(digits)], strings.TrimSpace(digits)
	factor, ok := byteUnits[unit]
	if !ok {
		if unit == "" && number != "" {
			return 0, fmt.Errorf("size %q has no unit", text)
		}
		return 0, fmt.Errorf("%q is not a size", text)
	}
	n, ok := new(big.Rat).SetString(number)
	// The length keeps the arithmetic small whatever is written.
	if !ok || len(number) > 40 {
		return 0, fmt.Errorf("%q is not a size", text)
	}
	n.Mul(n, new(big.Rat).SetInt64(factor))
	if !n.IsInt() {
		return 0, fmt.Errorf("%q is not a whole number of bytes", text)
	}
	if !n.Num().IsInt64() {
		return 0, fmt.Errorf("%q is too large", text)
	}
	return n.Num().Int64(), nil
}
