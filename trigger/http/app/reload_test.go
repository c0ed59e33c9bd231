package app

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minispin/minispin/instancepool"
	"github.com/minispin/minispin/internal/cwasm"
	"github.com/minispin/minispin/manifest"
	"github.com/minispin/minispin/trigger/http/reload"
)

// version is a program that answers with a number.
func version(n int) string {
	text := fmt.Sprintf("Content-Type: text/plain\n\n%06d", n)
	return fmt.Sprintf(`(module
		(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
		(memory (export "memory") 1)
		(data (i32.const 16) %q)
		(data (i32.const 0) "\10\00\00\00\%02x\00\00\00")
		(func (export "_start") (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))`, text, len(text))
}

// usage is what a process uses that a reload could leak.
type usage struct {
	goroutines, descriptors, modules int
	resident                         int64 // bytes
}

func measure() usage {
	u := usage{goroutines: runtime.NumGoroutine(), modules: len(cwasm.OpenObjects())}
	if fds, err := os.ReadDir("/proc/self/fd"); err == nil {
		u.descriptors = len(fds)
	}
	debug.FreeOSMemory()
	if b, err := os.ReadFile("/proc/self/statm"); err == nil {
		if fields := strings.Fields(string(b)); len(fields) > 1 {
			pages, _ := strconv.ParseInt(fields[1], 10, 64)
			u.resident = pages * int64(os.Getpagesize())
		}
	}
	return u
}

// TestReloadUnderLoad changes a component many times, 1,000 with
// MINISPIN_RELOADS=1000, while clients send requests. None may fail or be answered by a
// version older than one it has seen, and nothing may be left of old versions.
func TestReloadUnderLoad(t *testing.T) {
	reloads := 30
	if s := os.Getenv("MINISPIN_RELOADS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		reloads = n
	}
	dir := t.TempDir()
	wasm, toml := filepath.Join(dir, "app.wat"), filepath.Join(dir, "spin.toml")
	replace := func(n int) {
		t.Helper()
		next := filepath.Join(dir, "next")
		if err := os.WriteFile(next, []byte(version(n)), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, wasm); err != nil {
			t.Fatal(err)
		}
	}
	replace(0)
	text := application(t, guest{id: "a", source: wasm, executor: "wagi"})
	if err := os.WriteFile(toml, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}

	var handler reload.Handler
	handler.OnShutdown = func(err error) { t.Error(err) }
	engines := &instancepool.Engines{}
	loaded := make(chan reload.Event, reloads+1)
	w := reload.NewWatcher(time.Millisecond, nil)
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan struct{})
	go func() {
		defer close(ran)
		reload.Run(ctx, &handler, reload.Config{
			Watcher: w,
			Inputs:  func() (load, build reload.Inputs) { return reload.Inputs{Files: []string{toml, wasm}}, build },
			Load: func(ctx context.Context) (reload.App, error) {
				m, err := manifest.Load(toml, manifest.Options{Strategies: instancepool.Names(), Supports: Supports})
				if err != nil {
					return nil, err
				}
				return Load(ctx, m, Options{Engines: engines})
			},
			Report: func(e reload.Event) { loaded <- e },
		})
	}()
	defer func() {
		stop()
		<-ran
		w.Close()
		handler.Close(context.Background())
		engines.Close()
	}()
	if e := <-loaded; e.Err != nil {
		t.Fatal(e.Err)
	}
	s := &site{mode: mode{instancepool.Reset, "h1"}, app: &App{}}
	s.listen(t, &handler)

	var requests, newest atomic.Int64
	load, endLoad := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for load.Err() == nil {
				least := newest.Load()
				resp, err := s.send(context.Background(), http.MethodGet, "/", nil)
				if err != nil {
					t.Error(err)
					return
				}
				body, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				n, numErr := strconv.ParseInt(string(body), 10, 64)
				if err != nil || resp.StatusCode != 200 || numErr != nil || n < least {
					t.Errorf("%d %q %v, want at least version %d", resp.StatusCode, body, err, least)
					return
				}
				requests.Add(1)
			}
		})
	}
	defer func() { endLoad(); clients.Wait() }()

	var before usage
	for n := 1; n <= reloads; n++ {
		replace(n)
		select {
		case e := <-loaded:
			if e.Kind != reload.Loaded {
				t.Fatalf("version %d: %+v", n, e)
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("version %d is not loaded", n)
		}
		newest.Store(int64(n))
		if n == max(reloads/10, 10) { // what is kept for good is there by now
			before = measure()
		}
	}
	after := measure()
	endLoad()
	clients.Wait()
	t.Logf("%d requests during %d reloads; %+v, then %+v", requests.Load(), reloads, before, after)
	if requests.Load() == 0 {
		t.Error("there were no requests")
	}
	if after.goroutines > before.goroutines+20 || after.descriptors > before.descriptors+20 || after.modules > before.modules+20 {
		t.Errorf("something is left of old versions: %+v, then %+v", before, after)
	}
	if grown := after.resident - before.resident; grown > 32<<20 {
		t.Errorf("resident memory has grown by %d MiB", grown>>20)
	}
	eventually(t, "old versions to end", func() bool { return handler.Retiring() == 0 })
}
