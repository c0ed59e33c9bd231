package app

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	httptrigger "github.com/minispin/minispin/trigger/http"
)

// programText is a program that does something a compiled one does not.
const programText = `(module
	(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
	(memory (export "memory") 2)
	(data (i32.const 0) "\10\00\00\00\00\00\01\00") ;; 64 KiB at 16
	(func (export "_start") BODY))`

func serveProgram(t *testing.T, m mode, body, settings string) *site {
	t.Helper()
	wat := strings.Replace(programText, "BODY", body, 1)
	return serve(t, m, application(t, guest{id: "program", source: file(t, "program.wat", []byte(wat)), executor: "wagi", settings: settings}))
}

func TestEndlessProgram(t *testing.T) {
	forEachMode(t, func(t *testing.T, m mode) {
		s := serveProgram(t, m, endless, `deadline = "300ms"`)
		s.expect(t, "POST", "/", "body", http.StatusGatewayTimeout, "")
		s.expectFailure(t, "program", httptrigger.KindTimeout)

		s = serveProgram(t, m, endless, "")
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan error, 1)
		go func() {
			resp, err := s.send(ctx, "GET", "/", nil)
			if err == nil {
				resp.Body.Close()
			}
			gone <- err
		}()
		eventually(t, "the program to start", s.busy)
		time.Sleep(20 * time.Millisecond)
		cancel()
		if err := <-gone; err == nil {
			t.Error("an endless program answered")
		}
		s.expectFailure(t, "program", httptrigger.KindClientGone)
	})
}

func TestProgramTraps(t *testing.T) {
	forEachMode(t, func(t *testing.T, m mode) {
		s := serveProgram(t, m, "(drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))) (unreachable)", "")
		s.expect(t, "GET", "/", "", 500, "") // nothing of what it printed
		s.expectFailure(t, "program", httptrigger.KindTrap)
	})
}

// What a program prints is kept until it ends, and so has a limit. It runs on
// without being able to print more.
func TestProgramPrintsTooMuch(t *testing.T) {
	const printing = `(local $n i32)
		(loop $l
			(drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
			(br_if $l (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 1030))))`
	m := mode{"pooled", "h1"}
	s := serveProgram(t, m, printing, "")
	s.expect(t, "GET", "/", "", 500, "")
	line := s.expectFailure(t, "program", httptrigger.KindGuestError)
	if want := fmt.Sprintf("more than %d bytes", maxProgramOutput); !strings.Contains(fmt.Sprint(line.ContextMap()["error"]), want) {
		t.Errorf("log line %v", line.ContextMap())
	}
}
