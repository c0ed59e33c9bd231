package bench

import (
	"net/http"

	"github.com/minispin/minispin/bench/fork"
	"github.com/minispin/minispin/wit/bindings/fermyon/spin1/httptypes"
	"github.com/minispin/minispin/wit/value"
)

// native is the group of the rows without a guest.
const native = "native"

// The native rows.
const (
	direct = "direct"
	forked = "fork"
	spawn  = "spawn"
)

// nativeRows are what guests are compared with.
func nativeRows() []Row {
	return []Row{
		{
			Group: native, Variant: direct,
			Includes: "a call of a Go function that asserts and answers",
			open:     opened(&local{exchange: exchangeDirect}),
		},
		{
			Group: native, Variant: forked, optional: true,
			Includes: "fork(2) in C, the handler in the child, waitpid(2); from a process of its own, as the cost grows with the parent's memory",
			open:     openChild,
		},
		{
			Group: native, Variant: spawn, optional: true,
			Includes: "this program started anew, as CGI does: exec, the start of the Go runtime and of every package, the request by arguments and pipe, the answer by pipe",
			open:     openSpawn,
		},
	}
}

// handler is a variable, lest the compiler see through the call.
var handler = handleDirect

func exchangeDirect() error {
	r := handler(valueRequest())
	return checkValue(&r)
}

// handleDirect does what the guests do.
//
//go:noinline
func handleDirect(q httptypes.Request) httptypes.Response {
	h := q.Headers
	if q.Method != httptypes.MethodPost || q.URI != target || len(h) != 1 || h[0].F0 != headerName || h[0].F1 != headerValue ||
		!q.Body.Set || string(q.Body.V) != body {
		return httptypes.Response{Status: http.StatusBadRequest}
	}
	return httptypes.Response{
		Status:  http.StatusOK,
		Headers: value.Some(httptypes.Headers{{F0: "content-type", F1: answerType}}),
		Body:    value.Some([]byte(answerBody)),
	}
}

// measureForks is measure for the child process of the fork row.
func measureForks(n, parallel int) (Sample, error) { return measure(n, parallel, fork.Exchange) }
