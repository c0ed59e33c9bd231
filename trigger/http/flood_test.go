package httptrigger

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// The types and flags of HTTP/2 frames (RFC 9113, section 6) that a client needs to
// misbehave.
const (
	frameHeaders      = 0x1
	frameReset        = 0x3
	frameSettings     = 0x4
	framePing         = 0x6
	frameContinuation = 0x9

	flagEndStream  = 0x1
	flagEndHeaders = 0x4
)

// getSlash is the compressed head of GET http://x/, by the static table alone.
var getSlash = []byte{0x82, 0x86, 0x84, 0x41, 0x01, 'x'}

func frame(dst []byte, typ, flags byte, stream uint32, payload []byte) []byte {
	dst = append(dst, byte(len(payload)>>16), byte(len(payload)>>8), byte(len(payload)), typ, flags)
	dst = binary.BigEndian.AppendUint32(dst, stream)
	return append(dst, payload...)
}

// flood is a client's side of an HTTP/2 connection, written by hand.
type flood struct {
	conn net.Conn
	// counts has the number of frames that came by their type, and refused those
	// of frameReset that refuse a stream.
	counts  [16]atomic.Int64
	refused atomic.Int64
	ended   chan struct{} // closed when the server has closed the connection
}

func newFlood(t *testing.T, s *site) *flood {
	t.Helper()
	f := &flood{conn: s.dial(t), ended: make(chan struct{})}
	start := frame([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frameSettings, 0, 0, nil)
	if _, err := f.conn.Write(start); err != nil {
		t.Fatal(err)
	}
	return f
}

// listen reads frames until the connection ends.
func (f *flood) listen() {
	defer close(f.ended)
	head := make([]byte, 9)
	for {
		if _, err := io.ReadFull(f.conn, head); err != nil {
			return
		}
		payload := make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
		if _, err := io.ReadFull(f.conn, payload); err != nil {
			return
		}
		f.counts[head[3]&15].Add(1)
		const refusedStream = 7
		if head[3] == frameReset && binary.BigEndian.Uint32(payload) == refusedStream {
			f.refused.Add(1)
		}
	}
}

// busySite is one whose guests wait until they are told to go on, or until their
// client is gone.
type busySite struct {
	*site
	busy, most, all atomic.Int64
	release         chan struct{}
}

func newBusySite(t *testing.T, so ServerOptions) *busySite {
	b := &busySite{release: make(chan struct{})}
	b.site = newSite(t, "h2c", Options{}, so, exec("/", func(w http.ResponseWriter, r *Request) error {
		b.all.Add(1)
		n := b.busy.Add(1)
		defer b.busy.Add(-1)
		for m := b.most.Load(); n > m && !b.most.CompareAndSwap(m, n); m = b.most.Load() {
		}
		select {
		case <-b.release:
		case <-r.Context().Done():
		}
		return nil
	}), exec("/other", ok))
	return b
}

// serves sees that other clients are answered.
func (b *busySite) serves(t *testing.T) {
	t.Helper()
	start := time.Now()
	if resp, _ := b.get(t, "GET", "/other"); resp.StatusCode != http.StatusOK {
		t.Errorf("another client is answered with %d", resp.StatusCode)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("another client waited for %v", took)
	}
}

// TestManyStreams opens many more streams than a connection may have.
func TestManyStreams(t *testing.T) {
	const limit, streams = 20, 1000
	s := newBusySite(t, ServerOptions{MaxStreams: limit})
	f := newFlood(t, s.site)
	go f.listen()
	var b []byte
	for i := range uint32(streams) {
		b = frame(b, frameHeaders, flagEndStream|flagEndHeaders, 2*i+1, getSlash)
	}
	if _, err := f.conn.Write(b); err != nil {
		t.Log(err) // it may have had enough
	}
	eventually(t, "the streams beyond the limit to be refused, or the connection's end", func() bool {
		select {
		case <-f.ended:
			return true
		default:
			return f.refused.Load() == streams-limit
		}
	})
	s.serves(t)
	if n := s.most.Load(); n > limit {
		t.Errorf("%d requests of one connection were under way, want at most %d", n, limit)
	}
	close(s.release)
	f.conn.Close()
	<-f.ended
	eventually(t, "the guests to end", func() bool { return s.busy.Load() == 0 })
}

// TestRapidReset opens streams and takes them back at once (CVE-2023-44487).
func TestRapidReset(t *testing.T) {
	const limit = 20
	s := newBusySite(t, ServerOptions{MaxStreams: limit})
	f := newFlood(t, s.site)
	go f.listen()
	cancel := []byte{0, 0, 0, 8}
	sent := 0
	for i := range uint32(20_000) {
		b := frame(nil, frameHeaders, flagEndStream|flagEndHeaders, 2*i+1, getSlash)
		b = frame(b, frameReset, 0, 2*i+1, cancel)
		if _, err := f.conn.Write(b); err != nil {
			break // it has had enough
		}
		sent++
	}
	s.serves(t)
	if n := s.most.Load(); n > limit {
		t.Errorf("%d requests of one connection were under way, want at most %d", n, limit)
	}
	f.conn.Close()
	<-f.ended
	eventually(t, "the guests to end", func() bool { return s.busy.Load() == 0 })
	t.Logf("%d streams were opened and reset, %d requests begun, at most %d together", sent, s.all.Load(), s.most.Load())
}

// TestContinuationFlood sends a head without an end (CVE-2023-45288).
func TestContinuationFlood(t *testing.T) {
	s := newBusySite(t, ServerOptions{})
	f := newFlood(t, s.site)
	go f.listen()
	const most = 64 << 20
	// Fields that are not indexed, whose names are not in the table: x: yyy…
	field := append([]byte{0x00, 0x01, 'x', 0x7f, 0x81, 0x3e}, strings.Repeat("y", 127+1+62*128)...)
	b := frame(nil, frameHeaders, flagEndStream, 1, getSlash)
	sent := 0
	for err := error(nil); err == nil && sent < most; {
		_, err = f.conn.Write(b)
		sent += len(b)
		b = frame(b[:0], frameContinuation, 0, 1, field)
	}
	if sent >= most {
		t.Errorf("%d bytes of a head were taken", sent)
	}
	<-f.ended
	if s.all.Load() > 0 {
		t.Error("a request was begun")
	}
	s.serves(t)
}

// TestControlFlood asks for answers and reads none.
func TestControlFlood(t *testing.T) {
	for name, f := range map[string][]byte{
		"ping":     frame(nil, framePing, 0, 0, make([]byte, 8)),
		"settings": frame(nil, frameSettings, 0, 0, nil),
	} {
		s := newBusySite(t, ServerOptions{})
		client := newFlood(t, s.site)
		many := []byte(strings.Repeat(string(f), 1000))
		sent, most := 0, 256<<20
		if err := client.conn.SetDeadline(time.Now().Add(2 * time.Second)); err != nil {
			t.Fatal(err)
		}
		var err error
		for err == nil && sent < most {
			_, err = client.conn.Write(many)
			sent += len(many)
		}
		// What must not be is that answers pile up in memory: the server ends the
		// connection, or stops reading from it.
		if err == nil {
			t.Errorf("%s: %d bytes were taken", name, sent)
		}
		s.serves(t)
		t.Logf("%s: %d bytes were taken; timed out: %v", name, sent, errors.Is(err, os.ErrDeadlineExceeded))
		client.conn.Close()
	}
}
