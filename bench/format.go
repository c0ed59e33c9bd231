package bench

import (
	"math"
	"strconv"
	"strings"
)

// significant writes v with three digits that mean something, and all those
// before the point.
func significant(v float64) string {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	// The exponent is that of the number as it is shown: 0.9999 is shown as 1.
	short := strconv.FormatFloat(v, 'e', 2, 64)
	exponent, _ := strconv.Atoi(short[strings.IndexByte(short, 'e')+1:])
	return strconv.FormatFloat(v, 'f', min(max(2-exponent, 0), 9), 64)
}

// grouped writes v as significant does, with its digits in groups of three.
func grouped(v float64) string {
	whole, rest, _ := strings.Cut(significant(v), ".")
	for i := len(whole) - 3; i > 0 && whole[i-1] != '-'; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if rest != "" {
		return whole + "." + rest
	}
	return whole
}

// scaled writes v in the largest of units in which it is at least one. Each unit
// is step of the one before.
func scaled(v, step float64, units ...string) string {
	i := 0
	for ; i < len(units)-1 && math.Abs(v) >= step*0.9995; i++ {
		v /= step
	}
	return significant(v) + " " + units[i]
}

// duration writes nanoseconds.
func duration(ns float64) string { return scaled(ns, 1000, "ns", "µs", "ms", "s") }

// size writes bytes.
func size(bytes float64) string {
	if math.Abs(bytes) < 1023.5 {
		return strconv.FormatFloat(bytes, 'f', 0, 64) + " B"
	}
	return scaled(bytes/1024, 1024, "KiB", "MiB", "GiB")
}

// count writes how often something happens, of which less than a hundredth of
// one time is noise.
func count(v float64) string {
	switch {
	case v < 0.005:
		return "0"
	case v >= 99.95 || v == math.Trunc(v):
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return significant(v)
}
