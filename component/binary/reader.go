package binary

import (
	"fmt"
	"unicode/utf8"
)

// reader reads the primitives of the binary format from a window of the input.
//
// The first error sticks: after it every read gives a zero value and the window
// is empty, so that code which reads a structure need not look at the error
// after each part. Loops end because counts read as zero.
type reader struct {
	b       []byte // the window
	pos     int    // next byte in b
	base    int    // offset of b[0] in the outermost input
	context string // what is being read, for errors
	limits  *Limits
	err     *Error
}

// offset is the position in the outermost input.
func (r *reader) offset() int { return r.base + r.pos }

func (r *reader) left() int { return len(r.b) - r.pos }

func (r *reader) ok() bool { return r.err == nil }

// failAt keeps the error if it is the first one and ends the window.
func (r *reader) failAt(offset int, format string, args ...any) {
	if r.err == nil {
		r.err = &Error{Offset: offset, Context: r.context, Msg: fmt.Sprintf(format, args...)}
	}
	r.pos = len(r.b)
}

func (r *reader) failEnd(what string) {
	r.failAt(r.base+len(r.b), "unexpected end, %s expected", what)
}

func (r *reader) byte(what string) byte {
	if r.pos >= len(r.b) {
		r.failEnd(what)
		return 0
	}
	c := r.b[r.pos]
	r.pos++
	return c
}

func (r *reader) peek() (byte, bool) {
	if r.pos >= len(r.b) {
		return 0, false
	}
	return r.b[r.pos], true
}

// badByte refuses the byte just read.
func (r *reader) badByte(c byte, what string) {
	if r.ok() {
		r.failAt(r.offset()-1, "%s expected, found byte %#02x", what, c)
	}
}

// expect reads a byte that can have one value only.
func (r *reader) expect(want byte, what string) {
	if c := r.byte(what); c != want {
		r.badByte(c, fmt.Sprintf("%s (byte %#02x)", what, want))
	}
}

func (r *reader) flag(what string) bool {
	switch c := r.byte(what); c {
	case 0:
	case 1:
		return true
	default:
		r.badByte(c, what+" flag (0 or 1)")
	}
	return false
}

// u32 reads an unsigned LEB128 number. The format allows padding with zero
// bits up to the five bytes that 32 bits can need, and nothing beyond.
func (r *reader) u32(what string) uint32 {
	return uint32(r.unsigned(32, what))
}

func (r *reader) u64(what string) uint64 { return r.unsigned(64, what) }

func (r *reader) unsigned(bits uint, what string) uint64 {
	start := r.offset()
	var n uint64
	for shift := uint(0); ; shift += 7 {
		if r.pos >= len(r.b) {
			r.failEnd(what)
			return 0
		}
		c := r.b[r.pos]
		r.pos++
		if rest := bits - shift; rest < 8 && uint64(c)>>min(rest, 7) != 0 {
			// Either bits beyond the width, or a byte that continues where the
			// width allows no further one.
			r.failAt(start, "%s: number longer than %d bits", what, bits)
			return 0
		}
		n |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return n
		}
	}
}

// signed reads a signed LEB128 number of 32, 33 or 64 bits. Padding is allowed
// up to the bytes that the width can need.
func (r *reader) signed(bits uint, what string) int64 {
	start := r.offset()
	var n int64
	for shift := uint(0); ; shift += 7 {
		if r.pos >= len(r.b) {
			r.failEnd(what)
			return 0
		}
		c := r.b[r.pos]
		r.pos++
		if rest := bits - shift; rest <= 7 {
			// The last possible byte: no continuation, and all bits from the
			// sign bit on must be equal.
			sign := int8(c<<1) >> rest // c's seven bits, sign bit and above
			if c >= 0x80 || (sign != 0 && sign != -1) {
				r.failAt(start, "%s: number longer than %d bits", what, bits)
				return 0
			}
		}
		n |= int64(c&0x7f) << shift
		if c < 0x80 {
			if shift+7 < 64 && c&0x40 != 0 {
				n |= -1 << (shift + 7)
			}
			return n
		}
	}
}

// take reads n bytes without copying them.
func (r *reader) take(n int, what string) []byte {
	if n < 0 || n > r.left() {
		r.failEnd(fmt.Sprintf("%s of %d bytes", what, n))
		return nil
	}
	p := r.b[r.pos : r.pos+n : r.pos+n]
	r.pos += n
	return p
}

// sized reads a length and that many bytes.
func (r *reader) sized(what string) []byte {
	n := r.u32("size of " + what)
	if uint64(n) > uint64(r.left()) {
		r.failEnd(fmt.Sprintf("%s of %d bytes", what, n))
		return nil
	}
	return r.take(int(n), what)
}

// name reads a length and that many bytes of UTF-8.
func (r *reader) name(what string) string {
	start := r.offset()
	n := r.u32("length of " + what)
	if r.ok() && uint64(n) > uint64(r.limits.NameSize) {
		r.failAt(start, "%s of %d bytes is longer than the limit of %d", what, n, r.limits.NameSize)
		return ""
	}
	p := r.take(int(n), what)
	if !utf8.Valid(p) {
		r.failAt(start, "%s is not valid UTF-8", what)
		return ""
	}
	return string(p)
}

// count reads the length of a vector whose elements take at least one byte
// each.
func (r *reader) count(what string, limit int) int {
	start := r.offset()
	n := r.u32("number of " + what)
	switch {
	case !r.ok():
		return 0
	case uint64(n) > uint64(r.left()):
		r.failAt(start, "%d %s do not fit in the %d bytes left", n, what, r.left())
		return 0
	case uint64(n) > uint64(limit):
		r.failAt(start, "%d %s are more than the limit of %d", n, what, limit)
		return 0
	}
	return int(n)
}

// firstAlloc is how many elements of a vector are allocated before the first
// one was read. An element takes more memory than input, so that what is
// allocated must follow what has been read, not what has been claimed.
const firstAlloc = 32

// vec reads a vector.
func vec[T any](r *reader, what string, limit int, elem func() T) []T {
	n := r.count(what, limit)
	if n == 0 {
		return nil
	}
	v := make([]T, 0, min(n, firstAlloc))
	for range n {
		e := elem()
		if !r.ok() {
			return nil
		}
		v = append(v, e)
	}
	return v
}

// window makes a reader of p, the bytes that r has just read.
func (r *reader) window(p []byte, context string) *reader {
	return &reader{b: p, base: r.offset() - len(p), context: context, limits: r.limits}
}

// finish passes the error of a window on, or refuses bytes left in it.
func (r *reader) finish(w *reader) {
	if w.ok() && w.left() > 0 {
		w.failAt(w.offset(), "%d bytes left over at the end", w.left())
	}
	if w.err != nil && r.err == nil {
		r.err = w.err
		r.pos = len(r.b)
	}
}
