package variables

import (
	"fmt"
	"io"
	"log/slog"
)

// redacted is what a secret shows instead of its text.
const redacted = "[secret]"

// A Value is the value of a variable or of a template. It does not show its
// text by accident if that is secret: fmt with any verb, the encodings as text
// and JSON, slog and zap all get a placeholder. The zero Value is the empty
// text.
type Value struct {
	text   string
	secret bool
}

// NewValue returns the Value with the given text, for providers.
func NewValue(text string) Value { return Value{text: text} }

// AsSecret returns v as a secret.
func (v Value) AsSecret() Value { return Value{v.text, true} }

// Secret reports whether v, or anything it was made of, is a secret.
func (v Value) Secret() bool { return v.secret }

// Reveal returns the text itself. It is for those who use the value, and never
// for those who report on it.
func (v Value) Reveal() string { return v.text }

// String returns the text, or a placeholder for a secret.
func (v Value) String() string {
	if v.secret {
		return redacted
	}
	return v.text
}

// Format prints v as String gives it, whatever the verb: those that look into a
// value would find the secret.
func (v Value) Format(s fmt.State, verb rune) {
	if verb == 'q' || verb == 'v' && s.Flag('#') {
		fmt.Fprintf(s, "%q", v.String())
		return
	}
	io.WriteString(s, v.String())
}

// MarshalText encodes what String gives; encoding/json uses it too.
func (v Value) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// LogValue implements slog.LogValuer.
func (v Value) LogValue() slog.Value { return slog.StringValue(v.String()) }

var (
	_ fmt.Formatter  = Value{}
	_ slog.LogValuer = Value{}
)
