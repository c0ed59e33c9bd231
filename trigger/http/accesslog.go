package httptrigger

import (
	"net/http"
	"time"

	"go.uber.org/zap"
)

// AccessLog returns a handler that answers as h does and writes a line to log for
// every request when it is over: who asked for what, and what became of it. The
// query is left out, since it may hold what is nobody's business.
func AccessLog(h http.Handler, log *zap.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		c := &counter{ResponseWriter: w}
		whole := false
		defer func() { // also when the handler panics to break off the response
			path := r.URL.Path
			if t, err := parseTarget(r); err == nil {
				path = t.path
			}
			status := c.status
			if status == 0 {
				status = http.StatusOK
			}
			fields := []zap.Field{
				zap.String("client", clientAddr(r)), zap.String("method", r.Method), zap.String("host", r.Host),
				zap.String("path", path), zap.String("protocol", r.Proto), zap.Int("status", status),
				zap.Int64("bytes", c.bytes), zap.Duration("duration", time.Since(start)),
			}
			if !whole {
				fields = append(fields, zap.Bool("broken_off", true))
			}
			log.Info("request", fields...)
		}()
		h.ServeHTTP(c, r)
		whole = true
	})
}

// counter notes what is sent.
type counter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader notes the final status.
func (c *counter) WriteHeader(status int) {
	if c.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		c.status = status
	}
	c.ResponseWriter.WriteHeader(status)
}

// Write counts what was taken.
func (c *counter) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.bytes += int64(n)
	return n, err
}

// Unwrap lets an http.ResponseController reach the server's own writer.
func (c *counter) Unwrap() http.ResponseWriter { return c.ResponseWriter }
