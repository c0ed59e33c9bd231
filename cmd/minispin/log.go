package main

import (
	"os"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/minispin/minispin/cmd/minispin/internal/console"
)

// newLogger returns the host's own log: lines for a person on a terminal, JSON
// objects elsewhere. level is one that zap knows.
func newLogger(out *console.Console, level string) (*zap.Logger, error) {
	least, err := zapcore.ParseLevel(level)
	if err != nil {
		return nil, err
	}
	var core zapcore.Core
	if out.Terminal() {
		enc := zap.NewDevelopmentEncoderConfig()
		enc.EncodeTime = zapcore.TimeEncoderOfLayout("15:04:05.000")
		core = stackCore{zapcore.NewCore(zapcore.NewConsoleEncoder(enc), out.Safe(), least)}
	} else {
		enc := zap.NewProductionEncoderConfig()
		enc.TimeKey = "time"
		enc.EncodeTime = zapcore.RFC3339NanoTimeEncoder
		enc.EncodeDuration = zapcore.StringDurationEncoder
		core = zapcore.NewCore(zapcore.NewJSONEncoder(enc), out, least)
	}
	return zap.New(core, zap.ErrorOutput(out)), nil
}

// stackCore shows the stacks that come with an entry below its line, a frame on
// each, where the console encoder would squeeze them into the line.
type stackCore struct{ zapcore.Core }

// With implements zapcore.Core.
func (c stackCore) With(fields []zapcore.Field) zapcore.Core { return stackCore{c.Core.With(fields)} }

// Check implements zapcore.Core.
func (c stackCore) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		return ce.AddCore(e, c)
	}
	return ce
}

// Write implements zapcore.Core.
func (c stackCore) Write(e zapcore.Entry, fields []zapcore.Field) error {
	rest := make([]zapcore.Field, 0, len(fields))
	for _, f := range fields {
		switch f.Key {
		case "backtrace", "stack":
			e.Stack += frames(f)
		default:
			rest = append(rest, f)
		}
	}
	e.Stack = strings.TrimSuffix(e.Stack, "\n")
	return c.Core.Write(e, rest)
}

// frames returns the frames of a field, each on an indented line.
func frames(f zapcore.Field) string {
	enc := zapcore.NewMapObjectEncoder()
	f.AddTo(enc)
	var b strings.Builder
	switch v := enc.Fields[f.Key].(type) {
	case []any:
		for _, frame := range v {
			if s, ok := frame.(string); ok {
				b.WriteString("    " + s + "\n")
			}
		}
	case string:
		for line := range strings.Lines(strings.TrimSuffix(v, "\n")) {
			b.WriteString("    " + strings.TrimSuffix(line, "\n") + "\n")
		}
	}
	return b.String()
}

// wantsColour reports whether standard output may be coloured.
func wantsColour(f *os.File) bool {
	return console.IsTerminal(f) && os.Getenv("NO_COLOR") == ""
}
