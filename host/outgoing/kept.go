package outgoing

import (
	"bufio"
	"io"
	"math"
	"net"
	"slices"
	"sync"
	"time"
)

// directConn is a connection for one request at a time.
type directConn struct {
	net.Conn
	key   string
	limit io.LimitedReader // around Conn, for the head of a response
	r     *bufio.Reader    // around limit
	used  bool             // it has carried an exchange before
	since time.Time        // it has been idle
}

func newDirectConn(key string, c net.Conn) *directConn {
	d := &directConn{Conn: c, key: key, limit: io.LimitedReader{R: c, N: math.MaxInt64}}
	d.r = bufio.NewReader(&d.limit)
	return d
}

// Bounds on the connections that are kept, here and by net/http.
const (
	maxKept        = 512
	maxKeptPerHost = 64
	keptFor        = 30 * time.Second
)

// kept are connections that wait for another request. The zero value is empty.
type kept struct {
	mu     sync.Mutex
	conns  map[string][]*directConn // by address, the one used last at the end
	n      int
	sweep  *time.Timer // runs while there are any
	closed bool
}

// take returns a connection to an address, nil if there is none. It has said
// nothing since its last response, as far as this side can know: what it might have
// said would be taken for the next response.
func (k *kept) take(address string) *directConn {
	for {
		c := k.last(address)
		if c == nil {
			return nil
		}
		if time.Since(c.since) < keptFor && isQuiet(c.Conn) {
			c.used = true
			return c
		}
		_ = c.Close()
	}
}

func (k *kept) last(address string) *directConn {
	k.mu.Lock()
	defer k.mu.Unlock()
	list := k.conns[address]
	if len(list) == 0 {
		return nil
	}
	c := list[len(list)-1]
	k.conns[address] = slices.Delete(list, len(list)-1, len(list))
	k.n--
	return c
}

// put keeps a connection, or closes it.
func (k *kept) put(c *directConn) {
	c.since = time.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	list := k.conns[c.key]
	if k.closed || k.n == maxKept || len(list) == maxKeptPerHost {
		_ = c.Close()
		return
	}
	if k.conns == nil {
		k.conns = map[string][]*directConn{}
	}
	k.conns[c.key] = append(list, c)
	k.n++
	if k.sweep == nil {
		k.sweep = time.AfterFunc(keptFor, k.expire)
	}
}

// expire closes the connections that nobody has taken for a while.
func (k *kept) expire() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for key, list := range k.conns {
		rest := slices.DeleteFunc(list, func(c *directConn) bool {
			old := time.Since(c.since) >= keptFor
			if old {
				_ = c.Close()
				k.n--
			}
			return old
		})
		if k.conns[key] = rest; len(rest) == 0 {
			delete(k.conns, key)
		}
	}
	k.sweep = nil
	if k.n > 0 {
		k.sweep = time.AfterFunc(keptFor/2, k.expire)
	}
}

// close closes all connections, and those that come back later.
func (k *kept) close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closed = true
	if k.sweep != nil {
		k.sweep.Stop()
	}
	for _, list := range k.conns {
		for _, c := range list {
			_ = c.Close()
		}
	}
	k.conns, k.n = nil, 0
}
