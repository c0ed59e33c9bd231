package guestlog

import (
	"bytes"
	"sync"
	"sync/atomic"
	"unicode/utf8"
)

// maxLine is the longest record without its newline, in bytes. It bounds what a
// guest can make the host keep.
const maxLine = 64 << 10

// lines makes records of what one request prints on one stream.
type lines struct {
	log     *log
	request string
	stream  Stream

	closed  atomic.Bool
	mu      sync.Mutex
	partial []byte // the line that has not ended yet
}

// Write implements io.Writer. It never fails.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	l.split(p)
	l.mu.Unlock()
	if l.closed.Load() {
		l.end()
	}
	return len(p), nil
}

func (l *lines) split(p []byte) {
	for len(p) > 0 {
		end := bytes.IndexByte(p, '\n')
		switch {
		case end >= 0 && len(l.partial) == 0 && end <= maxLine:
			l.log.record(l.request, l.stream, p[:end+1])
			p = p[end+1:]
			continue
		case end < 0:
			end = len(p)
		}
		room := maxLine - len(l.partial)
		if end <= room {
			l.partial = append(l.partial, p[:end]...)
			if end == len(p) {
				break
			}
			l.flush(len(l.partial))
			p = p[end+1:]
			continue
		}
		l.partial = append(l.partial, p[:room]...)
		p = p[room:]
		l.flush(wholeRunes(l.partial))
	}
}

// flush makes a record of the first n bytes of the partial line.
func (l *lines) flush(n int) {
	rest := append([]byte(nil), l.partial[n:]...)
	l.log.record(l.request, l.stream, append(l.partial[:n], '\n'))
	l.partial = append(l.partial[:0], rest...)
}

// wholeRunes returns the length of line without a character that may have been
// cut off at its end.
func wholeRunes(line []byte) int {
	for i := 1; i < utf8.UTFMax && i <= len(line); i++ {
		if c := line[len(line)-i]; utf8.RuneStart(c) {
			if c >= utf8.RuneSelf && !utf8.FullRune(line[len(line)-i:]) {
				return len(line) - i
			}
			break
		}
	}
	return len(line)
}

// Close ends the last line when the request is over. A Write may still be under
// way, held up by whoever does not read what is printed; it is not waited for and
// ends the line itself.
func (l *lines) Close() error {
	l.closed.Store(true)
	l.end()
	return nil
}

// end ends the last line unless a Write is under way, which will do so.
func (l *lines) end() {
	if !l.mu.TryLock() {
		return
	}
	defer l.mu.Unlock()
	if len(l.partial) > 0 {
		l.flush(len(l.partial))
	}
}
