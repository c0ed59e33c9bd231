package httptrigger

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"strconv"
	"sync/atomic"

	"go.uber.org/zap"

	"github.com/minispin/minispin/trigger/http/route"
	"github.com/minispin/minispin/trigger/http/spinheader"
)

// Executor answers requests with a component.
type Executor interface {
	// Execute answers r by writing to w and returns when the response is
	// complete, even if the guest goes on working. It may use w and the body of r
	// only until then.
	//
	// The context of r ends when the client leaves, when the time for the
	// request is up, and when Execute returns; work that outlives the call needs
	// another one. A failure is reported by the returned error, ideally a
	// [*Failure], and never by writing to w: what has not left of the response
	// is discarded. A nil error with nothing written to w answers 200 with an
	// empty body. A panic is reported as a failure of the host.
	//
	// w writes the head when it is flushed or with the first byte of the body,
	// not before. It guesses no headers: a body without a Content-Length is sent
	// without one, and a Content-Type is there only if the executor sets it.
	Execute(w http.ResponseWriter, r *Request) error
}

// ExecutorFunc makes an [Executor] of a function.
type ExecutorFunc func(w http.ResponseWriter, r *Request) error

// Execute calls f.
func (f ExecutorFunc) Execute(w http.ResponseWriter, r *Request) error { return f(w, r) }

// Request is a request that has found its route.
type Request struct {
	// Request is the request as the server read it. Guests are to be shown
	// the fields below and the result of WASIFields or InboundFields, and not
	// its Host, URL and Header.
	*http.Request

	ID        RequestID
	Component string // the id of the component to execute
	Match     route.Match

	Scheme        string // "http" or "https"
	Authority     string // host and port, as the client named them
	Path          string // as it was sent, without the query
	Query         string // as it was sent, without the question mark
	PathWithQuery string // Path with the query, if the target has one

	origin spinheader.Origin
	log    *zap.Logger
}

// Origin returns what the spin-* fields say about how the request came.
func (r *Request) Origin() spinheader.Origin { return r.origin }

// WASIFields appends the fields a wasi:http guest is shown: the client's without
// the hidden ones, then the host's.
func (r *Request) WASIFields(dst []spinheader.Field) []spinheader.Field {
	return spinheader.Append(spinheader.AppendWASI(dst, r.Header), r.origin, &r.Match)
}

// InboundFields appends the fields a guest of Spin's inbound-http interface is
// shown: the client's, host among them, then the host's.
func (r *Request) InboundFields(dst []spinheader.Field) []spinheader.Field {
	return spinheader.Append(spinheader.AppendInbound(dst, r.Header, r.origin.Host), r.origin, &r.Match)
}

// ReportLate logs a failure that comes too late to change the response, such as
// a trap of a guest that had completed it.
func (r *Request) ReportLate(err error) {
	// The request's context has ended by now, which says nothing about err.
	logFailure(r.log, r, classify(context.Background(), err, nil), "guest failed after its response was complete")
}

// RequestID identifies a request in the log. It is unique within the process and
// very likely so between processes.
type RequestID uint64

// processID tells the requests of one process from those of another.
var processID = func() string {
	var b [4]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}()

var lastRequestID atomic.Uint64

func nextRequestID() RequestID { return RequestID(lastRequestID.Add(1)) }

// String returns the id as the log shows it.
func (id RequestID) String() string {
	return processID + "-" + strconv.FormatUint(uint64(id), 36)
}
