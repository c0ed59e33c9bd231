package outgoing

// A request without a body, over HTTP/1.1 without TLS, needs no goroutine: it is
// written, and then its response is read. net/http has three for it, and each hand
// over wakes a thread when the guest waits at the end of the chain. So these
// requests go over connections of the package's own. Their format is still
// net/http's affair, on the way out and on the way in.

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/minispin/minispin/host/outbound"
	"github.com/minispin/minispin/host/wasihttp"
)

// isDirect reports whether r can go over a directConn. Only requests that may be
// sent twice do: a connection that was kept may turn out to be closed.
func (c *Client) isDirect(r *http.Request, t outbound.Target) bool {
	if !keepable || t.Scheme != "http" || r.Body != nil && r.Body != http.NoBody || c.speaksH2C(r.URL.Host) {
		return false
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return len(r.Header["Expect"]) == 0
	}
	return false
}

// direct is an exchange over a directConn.
type direct struct {
	client   *Client
	request  *http.Request // as it goes out
	timeouts wasihttp.Timeouts
	release  func() // gives the permits back
	conn     *directConn

	mu   sync.Mutex
	over bool
	stop func() bool // ends the watch over the request's context

	body     io.Reader // of the response
	bodyEnd  error     // why nothing more is read of it
	reusable bool      // the connection, after the body
}

// write sends the request. It does not wait for long on a connection that is idle
// or new: what it has in flight is acknowledged.
func (d *direct) write() error {
	b := heads.Get().(*bufio.Writer)
	defer heads.Put(b)
	defer b.Reset(nil)
	b.Reset(d.conn)
	if err := d.conn.SetDeadline(time.Now().Add(d.timeouts.FirstByte)); err != nil {
		return err
	}
	if err := d.request.Write(b); err != nil {
		return err
	}
	return b.Flush()
}

// heads are the buffers that heads of requests are put together in.
var heads = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, 4<<10) }}

// watch closes the connection when the request's context ends, and gives the
// permits back.
func (d *direct) watch() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stop = context.AfterFunc(d.request.Context(), func() { d.end(false) })
}

// end ends the exchange, and keeps the connection if it can be used again.
func (d *direct) end(reusable bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over {
		return
	}
	d.over = true
	if d.stop != nil {
		d.stop()
	}
	if d.conn != nil {
		if reusable {
			d.client.kept.put(d.conn)
		} else {
			_ = d.conn.Close()
		}
	}
	d.release()
}

// receive reads the head of the response. If the connection had been closed by
// the other side before it saw the request, that is sent again over a new one.
func (d *direct) receive() (*http.Response, error) {
	res, err := d.readHead()
	if err != nil && d.conn.used && errors.Is(err, errUnused) && d.request.Context().Err() == nil {
		if err = d.renew(); err == nil {
			res, err = d.readHead()
		}
	}
	if err == nil {
		err = checkFields(res.Header)
	}
	if err != nil {
		err = d.explain("sending the request", err)
		d.end(false)
		return nil, err
	}
	d.reusable = !res.Close && !d.request.Close
	if res.Body == http.NoBody {
		d.finish()
		return res, nil
	}
	d.body, res.Body = res.Body, d
	return res, nil
}

// errUnused is the end of a connection with no byte of a response.
var errUnused = errors.New("the connection was closed before the response began")

// max1xx is how many informational responses may come before the response.
const max1xx = 5

func (d *direct) readHead() (*http.Response, error) {
	c := d.conn
	c.limit.N = MaxResponseHead
	defer func() { c.limit.N = math.MaxInt64 }()
	if _, err := c.r.Peek(1); err != nil {
		if !isDeadline(err) {
			err = fmt.Errorf("%w: %w", errUnused, err)
		}
		return nil, err
	}
	for range max1xx + 1 {
		res, err := http.ReadResponse(c.r, d.request)
		switch {
		case err != nil && c.limit.N <= 0:
			return nil, fmt.Errorf("%w: %w", sectionTooLarge(), err)
		case err != nil:
			return nil, err
		case res.StatusCode == http.StatusSwitchingProtocols:
			return nil, errors.New("the server switches protocols, which it was not asked to")
		case res.StatusCode >= 200:
			return res, nil
		}
	}
	return nil, errors.New("too many informational responses")
}

// renew puts a new connection in the place of one that was closed, and sends the
// request again.
func (d *direct) renew() error {
	conn, err := d.client.dial(d.request.Context(), d.conn.key, d.timeouts.Connect)
	if err != nil {
		return err
	}
	d.mu.Lock()
	over := d.over
	if !over {
		_ = d.conn.Close()
		d.conn = conn
	}
	d.mu.Unlock()
	if over {
		_ = conn.Close()
		return context.Cause(d.request.Context())
	}
	return d.write()
}

// finish ends the exchange after the whole response.
func (d *direct) finish() { d.end(d.reusable && d.conn.r.Buffered() == 0) }

// Read implements io.Reader for the body of the response, under the guest's
// between-bytes-timeout. An error other than io.EOF has an error code in its chain.
func (d *direct) Read(p []byte) (int, error) {
	if d.bodyEnd != nil {
		return 0, d.bodyEnd // the connection may be another's now
	}
	// Even with bytes in the buffer: they may be no more than the size of a chunk.
	_ = d.conn.SetReadDeadline(time.Now().Add(d.timeouts.BetweenBytes))
	n, err := d.body.Read(p)
	switch {
	case err == io.EOF:
		d.finish()
	case err != nil:
		err = d.explain("reading the response", err)
		d.end(false)
	}
	d.bodyEnd = err
	return n, err
}

// Close implements io.Closer. A body that was not read to its end takes the
// connection along.
func (d *direct) Close() error {
	d.end(false)
	return nil
}

// explain finds the error code for err.
func (d *direct) explain(doing string, err error) error {
	if ctx := d.request.Context(); ctx.Err() != nil {
		return errorCode(doing, context.Cause(ctx))
	}
	if isDeadline(err) {
		err = errNothingReceived
	}
	return errorCode(doing, err)
}

func isDeadline(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// dial makes a connection to an address.
func (c *Client) dial(ctx context.Context, address string, timeout time.Duration) (*directConn, error) {
	conn, err := c.dialer(timeout).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return newDirectConn(address, conn), nil
}

// Start implements wasihttp.Starter: it sends a request for which there is a
// connection, and permits.
func (s Sender) Start(r *http.Request, t wasihttp.Timeouts) func() (*http.Response, error) {
	target, err := s.target(r)
	if err != nil || !s.client.isDirect(r, target) || s.policy.Check(target) != nil {
		return nil
	}
	if _, inside := target.Component(); inside || target.IsSelf() {
		return nil
	}
	release, ok := s.tryTake()
	if !ok {
		return nil
	}
	d := s.newDirect(r, t, target)
	d.release = release
	for {
		if d.conn = s.client.kept.take(target.Address()); d.conn == nil {
			release()
			return nil
		}
		if d.write() == nil {
			d.watch()
			return d.receive
		}
		_ = d.conn.Close()
	}
}

func (s Sender) newDirect(r *http.Request, t wasihttp.Timeouts, target outbound.Target) *direct {
	out := s.outbound(r, target)
	out.Close = s.client.opts.NoPooling
	return &direct{client: s.client, request: out, timeouts: withDefaults(t)}
}

// directly sends r over a connection of its own, for which it may have to wait.
func (s Sender) directly(r *http.Request, t wasihttp.Timeouts, target outbound.Target) (*http.Response, error) {
	d := s.newDirect(r, t, target)
	ctx, cancel := context.WithTimeoutCause(r.Context(), d.timeouts.Connect, noConnection(d.timeouts.Connect))
	defer cancel()
	fail := func(doing string, err error) error {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return errorCode(doing, err)
	}
	var err error
	if d.release, err = s.take(ctx); err != nil {
		return nil, fail("waiting for a connection", err)
	}
	if d.conn = s.client.kept.take(target.Address()); d.conn == nil {
		if d.conn, err = s.client.dial(ctx, target.Address(), 0); err != nil {
			d.release()
			return nil, fail("connecting", err)
		}
	}
	d.watch()
	if err := d.write(); err != nil && !(d.conn.used && is[*net.OpError](err)) {
		err = d.explain("sending the request", err)
		d.end(false)
		return nil, err
	}
	return d.receive()
}
