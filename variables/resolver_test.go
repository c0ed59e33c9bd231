package variables

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func text(s string) *string { return &s }

// remote is a provider that fails for one name and counts questions.
type remote struct {
	asked []string
}

func (r *remote) Get(_ context.Context, name string) (Value, bool, error) {
	r.asked = append(r.asked, name)
	if name == "broken" {
		return Value{}, false, errors.New("unreachable")
	}
	return Value{}, false, nil
}
func (r *remote) String() string { return "the vault" }
func (r *remote) Remote()        {}

func TestResolve(t *testing.T) {
	r := NewResolver(
		[]Variable{
			{Name: "host", Default: text("db")}, {Name: "port", Default: text("1")}, {Name: "odd", Default: text("{{ host }}")},
			{Name: "absent"}, {Name: "env_only"}, {Name: "broken"},
		},
		Static("first", map[string]string{"port": "2", "undeclared": "x"}),
		newEnvironment("P_", func(name string) (string, bool) {
			v, ok := map[string]string{"P_PORT": "3", "P_ENV_ONLY": "e", "HOST": "wrong"}[name]
			return v, ok
		}, nil),
		&remote{})
	for _, tt := range []struct{ template, want, err string }{
		{"", "", ""},
		{"plain }} { text", "plain }} { text", ""},
		{"pg://{{host}}:{{  port\t}}/", "pg://db:2/", ""},
		{"{{ env_only }}{{ env_only }}", "ee", ""},
		{"{{ odd }}", "{{ host }}", ""}, // what is put in is not expanded again
		{"{{{{ host }}}}", "", `"{{ host" is not the name`},
		{"ä {{ host", "", `"{{" at character 3 has no "}}"`},
		{"{{ }}", "", `"" is not the name`},
		{"{{ Host }}", "", `"Host" is not the name`},
		{"{{ undeclared }}", "", `no variable "undeclared"`},
		{"{{ absent }}", "", `no provider has a value for variable "absent"`},
		{"{{ broken }}", "", `variable "broken": the vault: unreachable`},
	} {
		got, err := r.Resolve(tt.template)
		if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("%q: error %v, want %q", tt.template, err, tt.err)
		}
		if got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.template, got, tt.want)
		}
	}
}

func TestCheck(t *testing.T) {
	ctx := context.Background()
	declared := []Variable{{Name: "token"}, {Name: "user_name"}, {Name: "port", Default: text("1")}}
	none := newEnvironment("SPIN_VARIABLE_", func(string) (string, bool) { return "", false }, nil)

	missing, ok := errors.AsType[*MissingError](NewResolver(declared, none).Check(ctx))
	if !ok || !slices.Equal(missing.Names, []string{"token", "user_name"}) {
		t.Fatalf("missing: %v", missing)
	}
	for _, want := range []string{"token, user_name", "--variable token=VALUE", "SPIN_VARIABLE_TOKEN"} {
		if !strings.Contains(missing.Error(), want) {
			t.Errorf("%q does not say %q", missing, want)
		}
	}
	given := Static("given", map[string]string{"token": "", "user_name": "u"})
	if err := NewResolver(declared, given).Check(ctx); err != nil {
		t.Errorf("all given, one of them empty: %v", err)
	}
	var far remote
	if err := NewResolver(declared, &far).Check(ctx); err != nil || len(far.asked) > 0 {
		t.Errorf("a remote provider may have the values: %v, asked for %q", err, far.asked)
	}
}

func TestComponent(t *testing.T) {
	ctx := context.Background()
	r := NewResolver([]Variable{{Name: "user", Default: text("ann")}}, Static("s", nil))
	c, err := r.Component(map[string]string{"greeting": "hi {{ user }}", "a": "b"})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Names(); !slices.Equal(got, []string{"a", "greeting"}) {
		t.Errorf("names %q", got)
	}
	if v, err := c.Get(ctx, "greeting"); err != nil || v.Reveal() != "hi ann" || v.Secret() {
		t.Errorf("greeting: %v, %v", v, err)
	}
	var none *Component
	for _, c := range []*Component{c, none} {
		if _, err := c.Get(ctx, "user"); !is[*UndefinedError](err) {
			t.Errorf("a variable of the application only: %v", err)
		}
		for _, name := range []string{"", "4x", "X", "a-b", "a__b", "a_", "a_1", "ä"} {
			if _, err := c.Get(ctx, name); !is[*NameError](err) {
				t.Errorf("%q: %v", name, err)
			}
		}
	}
	for _, template := range []string{"{{ nobody }}", "{{ user"} {
		if _, err := r.Component(map[string]string{"v": template}); err == nil || !strings.Contains(err.Error(), "variable v") {
			t.Errorf("%q: %v", template, err)
		}
	}
}

func is[E error](err error) bool { _, ok := errors.AsType[E](err); return ok }

// TestSecret prints a secret every way there is.
func TestSecret(t *testing.T) {
	r := NewResolver([]Variable{{Name: "key", Secret: true}, {Name: "open", Default: text("o")}},
		Static("s", map[string]string{"key": "hunter2"}))
	tpl, err := ParseTemplate("a {{ open }} {{ key }}")
	if err != nil {
		t.Fatal(err)
	}
	v, err := r.Expand(context.Background(), tpl)
	if err != nil || !v.Secret() || v.Reveal() != "a o hunter2" {
		t.Fatalf("got %q, secret %v, %v", v.Reveal(), v.Secret(), err)
	}
	var logged strings.Builder
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "v", v)
	encoded, err := json.Marshal(map[string]Value{"v": v})
	if err != nil {
		t.Fatal(err)
	}
	shown := []string{logged.String(), string(encoded), v.String(), fmt.Sprint(v), fmt.Sprint(&v), fmt.Sprint(map[string]Value{"a": v}), fmt.Sprint(struct{ V Value }{v})}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		shown = append(shown, fmt.Sprintf(verb, v), fmt.Sprintf(verb, []Value{v}))
	}
	for _, s := range shown {
		if strings.Contains(s, "hunter") || strings.Contains(s, "68756e74") || !strings.Contains(s, redacted) {
			t.Errorf("shown as %q", s)
		}
	}
	if got := fmt.Sprintf("%v %q", NewValue("x"), NewValue("y")); got != `x "y"` {
		t.Errorf("what is no secret is shown as %s", got)
	}
}

func TestDotenvFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	first, second := write("1", "P_A=one\nP_PROC=file\n"), write("2", "P_A=two\nP_B=two\n")
	lookup := func(name string) (string, bool) {
		if name == "P_PROC" {
			return "process", true
		}
		return "", false
	}
	e := newEnvironment("P_", lookup, []string{filepath.Join(dir, "none"), first, second})
	for name, want := range map[string]string{"a": "one", "b": "two", "proc": "process"} {
		if v, ok, err := e.Get(context.Background(), name); err != nil || !ok || v.Reveal() != want {
			t.Errorf("%s: %v, %v, %v; want %q", name, v, ok, err, want)
		}
	}
	if _, ok, err := e.Get(context.Background(), "c"); ok || err != nil {
		t.Errorf("c: %v, %v", ok, err)
	}
	broken := newEnvironment("P_", lookup, []string{write("3", "A=1\nhunter2\n")})
	_, _, err := broken.Get(context.Background(), "a")
	if err == nil || !strings.Contains(err.Error(), "3:2: not an assignment") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a broken file: %v", err)
	}
}
