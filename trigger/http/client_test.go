package httptrigger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"go.uber.org/zap/zapcore"
)

func TestClientGone(t *testing.T) {
	forEachMode(t, func(t *testing.T, mode string) {
		started, ended := make(chan struct{}), make(chan error, 1)
		s := newSite(t, mode, Options{}, ServerOptions{}, exec("/...", func(w http.ResponseWriter, r *Request) error {
			close(started)
			err := waitDone(r.Context())
			ended <- err
			return fmt.Errorf("interrupted: %w", err)
		}))
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-started
			cancel()
		}()
		req, err := http.NewRequestWithContext(ctx, "GET", s.base+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := s.client.Do(req); err == nil {
			resp.Body.Close()
			t.Errorf("the client got %d", resp.StatusCode)
		}
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the executor's context: %v", err)
		}
		line := s.failures(t, zapcore.DebugLevel, 1)[0]
		if line.Level != zapcore.DebugLevel || line.ContextMap()["kind"] != "client-gone" {
			t.Errorf("log line %v", line)
		}
	})
}

func TestClientGoneWhileWriting(t *testing.T) {
	forEachMode(t, func(t *testing.T, mode string) {
		s := newSite(t, mode, Options{}, ServerOptions{}, exec("/...", func(w http.ResponseWriter, r *Request) error {
			for {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return nil // a guest that ignores the failure
				}
			}
		}))
		req, err := http.NewRequestWithContext(t.Context(), "GET", s.base+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := s.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if line := s.failures(t, zapcore.DebugLevel, 1)[0]; line.Level != zapcore.DebugLevel {
			t.Errorf("log line %v", line)
		}
	})
}

func TestStalledClient(t *testing.T) {
	forEachMode(t, func(t *testing.T, mode string) {
		s := newSite(t, mode, Options{StallTimeout: 100 * time.Millisecond}, ServerOptions{},
			exec("/read", func(w http.ResponseWriter, r *Request) error {
				_, err := io.ReadAll(r.Body)
				return err
			}),
			exec("/write", func(w http.ResponseWriter, r *Request) error {
				for {
					if _, err := w.Write(make([]byte, 1<<20)); err != nil {
						return err
					}
				}
			}))
		body, bw := io.Pipe()
		req, err := http.NewRequestWithContext(t.Context(), "POST", s.base+"/read", body)
		if err != nil {
			t.Fatal(err)
		}
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			if resp, err := s.client.Do(req); err == nil {
				resp.Body.Close()
				t.Errorf("the stalled upload is answered with %d", resp.StatusCode)
			}
		}()
		s.failures(t, zapcore.DebugLevel, 1)
		bw.CloseWithError(errors.New("given up"))
		<-sent

		req, err = http.NewRequestWithContext(t.Context(), "GET", s.base+"/write", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := s.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		for _, line := range s.failures(t, zapcore.DebugLevel, 2) {
			if line.ContextMap()["kind"] != "client-gone" {
				t.Errorf("log line %v", line)
			}
		}
	})
}

func TestSteadyClientIsNotStalled(t *testing.T) {
	forEachMode(t, func(t *testing.T, mode string) {
		s := newSite(t, mode, Options{StallTimeout: 1500 * time.Millisecond}, ServerOptions{}, exec("/...", func(w http.ResponseWriter, r *Request) error {
			// Echo as it comes, beyond the limit in all but not between two bytes.
			buf := make([]byte, 16)
			for {
				n, err := r.Body.Read(buf)
				if _, werr := w.Write(buf[:n]); werr != nil {
					return werr
				}
				w.(http.Flusher).Flush()
				if err == io.EOF {
					return nil
				}
				if err != nil {
					return err
				}
			}
		}))
		body, bw := io.Pipe()
		go func() {
			for range 6 {
				io.WriteString(bw, "x")
				time.Sleep(300 * time.Millisecond)
			}
			bw.Close()
		}()
		req, err := http.NewRequestWithContext(t.Context(), "POST", s.base+"/", body)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := s.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if b, err := io.ReadAll(resp.Body); err != nil || string(b) != "xxxxxx" {
			t.Errorf("%q, %v", b, err)
		}
		s.failures(t, zapcore.DebugLevel, 0)
	})
}

func TestThinkingGuestIsNotStalled(t *testing.T) {
	forEachMode(t, func(t *testing.T, mode string) {
		const stall = 100 * time.Millisecond
		s := newSite(t, mode, Options{StallTimeout: stall}, ServerOptions{}, exec("/...", func(w http.ResponseWriter, r *Request) error {
			for range 2 {
				if _, err := io.ReadFull(r.Body, make([]byte, 1)); err != nil {
					return err
				}
				if _, err := io.WriteString(w, "x"); err != nil {
					return err
				}
				w.(http.Flusher).Flush()
				time.Sleep(3 * stall)
			}
			return nil
		}))
		resp, body, err := s.do(t, "POST", "/", "ab")
		if err != nil || resp.StatusCode != 200 || body != "xx" {
			t.Errorf("%q, %v", body, err)
		}
		s.failures(t, zapcore.DebugLevel, 0)
	})
}
