package app

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"go.uber.org/zap"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/wasi/cli"
	"github.com/minispin/minispin/host/wasi/io"
	httptrigger "github.com/minispin/minispin/trigger/http"
	"github.com/minispin/minispin/trigger/http/wagi"
	"github.com/minispin/minispin/wit/value"
)

// maxProgramOutput bounds what a program may print in answer to one request. It
// is kept until the program has ended, for its exit code decides the answer.
const maxProgramOutput = 64 << 20

// program executes the WAGI executor: the component is a program that reads
// the request body from standard input and prints a CGI response.
type program struct {
	*target
	argv string
}

// Execute implements httptrigger.Executor.
func (x *program) Execute(w http.ResponseWriter, r *httptrigger.Request) error {
	body, release, err := x.bodies.wholeBody(r, maxWholeBody)
	defer release()
	if errors.Is(err, errBodyTooLarge) {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return nil
	}
	if err != nil {
		return err
	}
	s := x.newState(r)
	defer s.close()
	s.wasi.Env = x.environ(r, int64(len(body)))
	s.wasi.Args = wagi.Args(cmp.Or(x.argv, wagi.DefaultArgs), r.Path, r.Query)
	s.wasi.Stdin = bytes.NewReader(body)
	out := &boundedBuffer{limit: maxProgramOutput}
	s.wasi.Stdout = out
	err = x.pool.Run(r.Context(), s, func(in *component.Instance, h *handler) error {
		if h.start != nil {
			return in.CallCore(h.start, nil)
		}
		return h.command.Run(in)
	})
	if errors.Is(err, value.Failed) {
		err = &httptrigger.Failure{Kind: httptrigger.KindGuestError, Err: errors.New("the program failed: run returned an error")}
	}
	if exit, ok := errors.AsType[*cli.Exit](err); ok {
		err = nil
		if exit.Code != 0 {
			err = &httptrigger.Failure{Kind: httptrigger.KindGuestError, Err: fmt.Errorf("the program exited with code %d", exit.Code)}
		}
	}
	if out.full {
		return &httptrigger.Failure{Kind: httptrigger.KindGuestError, Err: fmt.Errorf("the program printed more than %d bytes", out.limit)}
	}
	if err != nil {
		return failure(err)
	}
	return x.write(w, r, out.b.Bytes())
}

// environ returns the component's environment and over it the CGI variables.
func (x *program) environ(r *httptrigger.Request, length int64) [][2]string {
	vars := wagi.Environ(wagi.Request{
		Match: &r.Match, Origin: r.Origin(), Method: r.Method, Proto: r.Proto,
		Query: r.Query, Header: r.Header, BodyLength: length, ListenAddr: listenAddr(r),
	})
	env := make([][2]string, 0, len(x.env)+len(vars))
	for _, v := range vars {
		env = append(env, [2]string{v.Name, v.Value})
	}
	for _, kv := range x.env {
		if !slices.ContainsFunc(vars, func(v wagi.Var) bool { return v.Name == kv[0] }) {
			env = append(env, kv)
		}
	}
	return env
}

// write sends what the program printed.
func (x *program) write(w http.ResponseWriter, r *httptrigger.Request, printed []byte) error {
	var p wagi.Parser
	head, body, err := p.Feed(printed)
	if err == nil {
		err = p.Finish()
	}
	if bad, ok := errors.AsType[*wagi.OutputError](err); ok {
		// The request failed as far as the log goes, but the client is told more
		// than of other failures, as CGI scripts are debugged that way.
		return &httptrigger.Failure{Kind: httptrigger.KindGuestError, Err: bad, Status: bad.Status, Message: bad.Message}
	}
	if err != nil {
		return failure(err)
	}
	if len(head.Ignored) > 0 {
		x.log.Debug("parts of a program's output are ignored", zap.String("component", x.id),
			zap.Stringer("request_id", r.ID), zap.Strings("ignored", head.Ignored))
	}
	maps.Copy(w.Header(), head.Header)
	return writeWhole(w, r, head.Status, body)
}

// boundedBuffer keeps what is written to it up to a limit, and fails after.
type boundedBuffer struct {
	b     bytes.Buffer
	limit int
	full  bool
}

var errOutputLimit = errors.New("too much output")

// Blocking implements wasiio.Blocker: the program writes to it directly.
func (b *boundedBuffer) Blocking() wasiio.Blocking { return wasiio.NeverBlocks }

// Write implements io.Writer.
func (b *boundedBuffer) Write(p []byte) (int, error) {
	if b.b.Len()+len(p) > b.limit {
		b.full = true
		return 0, errOutputLimit
	}
	return b.b.Write(p)
}
