// Package value has the Go forms of those component model values that Go has
// no type for: options, results, tuples, and errors without a type of their own.
//
// The generated bindings under wit/bindings speak in them, and so does the code
// that implements or calls those bindings. The package knows nothing of how
// values cross a component boundary. Its one idea is that every value is plain
// data: no pointers, so that none of them costs an allocation.
package value

import "fmt"

// Option is an option<T>. Its zero value is none.
type Option[T any] struct {
	Set bool
	V   T // meaningful if Set
}

// Some returns the option that holds v.
func Some[T any](v T) Option[T] { return Option[T]{Set: true, V: v} }

// None returns the option that holds nothing.
func None[T any]() Option[T] { return Option[T]{} }

// Get returns the value and whether there is one.
func (o Option[T]) Get() (v T, ok bool) { return o.V, o.Set }

// Or returns the value, or instead if there is none.
func (o Option[T]) Or(instead T) T {
	if o.Set {
		return o.V
	}
	return instead
}

// String prints none, or the value.
func (o Option[T]) String() string {
	if !o.Set {
		return "none"
	}
	return fmt.Sprint(o.V)
}

// Result is a result<T, E> in any place but as the whole result of a function,
// where Go's own pair of value and error is used. A payload that is missing in
// WIT is a [Unit]. The zero Result is a success.
type Result[T, E any] struct {
	IsErr bool
	OK    T // meaningful unless IsErr
	Err   E // meaningful if IsErr
}

// OK returns the result that is the success v.
func OK[T, E any](v T) Result[T, E] { return Result[T, E]{OK: v} }

// Err returns the result that is the failure e.
func Err[T, E any](e E) Result[T, E] { return Result[T, E]{IsErr: true, Err: e} }

// Unit is the payload of a result that has none.
type Unit = struct{}

// Error makes a Go error of a WIT error type that has no methods: a primitive,
// a list, a handle and so on. A function of type result<_, string> fails with
// an Error[string].
type Error[T any] struct{ V T }

// Error returns the default format of the value.
func (e Error[T]) Error() string { return fmt.Sprint(e.V) }

// Failed is the error of a result without an error type.
var Failed error = failed{}

type failed struct{}

func (failed) Error() string { return "failed" }

// Tuple1 is a tuple<A>.
type Tuple1[A any] struct{ F0 A }

// Tuple2 is a tuple<A, B>.
type Tuple2[A, B any] struct {
	F0 A
	F1 B
}

// Tuple3 is a tuple<A, B, C>.
type Tuple3[A, B, C any] struct {
	F0 A
	F1 B
	F2 C
}

// Tuple4 is a tuple<A, B, C, D>.
type Tuple4[A, B, C, D any] struct {
	F0 A
	F1 B
	F2 C
	F3 D
}

// Tuple5 is a tuple<A, B, C, D, E>.
type Tuple5[A, B, C, D, E any] struct {
	F0 A
	F1 B
	F2 C
	F3 D
	F4 E
}

// Tuple6 is a tuple<A, B, C, D, E, F>.
type Tuple6[A, B, C, D, E, F any] struct {
	F0 A
	F1 B
	F2 C
	F3 D
	F4 E
	F5 F
}

// Tuple7 is a tuple<A, B, C, D, E, F, G>.
type Tuple7[A, B, C, D, E, F, G any] struct {
	F0 A
	F1 B
	F2 C
	F3 D
	F4 E
	F5 F
	F6 G
}

// Tuple8 is a tuple<A, B, C, D, E, F, G, H>.
type Tuple8[A, B, C, D, E, F, G, H any] struct {
	F0 A
	F1 B
	F2 C
	F3 D
	F4 E
	F5 F
	F6 G
	F7 H
}
