package main

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/wit/bindgen/internal/test/demo1/things"
	"github.com/minispin/minispin/wit/bindgen/internal/test/demo1/user"
	"github.com/minispin/minispin/wit/bindgen/internal/test/demo1/values"
	"github.com/minispin/minispin/wit/value"
)

// shop makes things and remembers which of them were dropped.
type shop struct{ dropped []string }

type thing struct {
	shop *shop
	name string
}

func (h *shop) NewThing(_ *component.Call, name string) (things.Thing, error) {
	return &thing{h, name}, nil
}

func (h *shop) ThingJoin(c *component.Call, a, b things.Thing) (things.Thing, error) {
	other, err := b.Name(c)
	if err != nil {
		return nil, err
	}
	return &thing{h, a.(*thing).name + "+" + other}, nil
}

func (h *shop) Count(_ *component.Call, all []things.Widget) (uint32, error) {
	return uint32(len(all)), nil
}

func (h *shop) Pass(_ *component.Call, t value.Option[things.Widget]) ([]things.Thing, error) {
	if !t.Set {
		return nil, nil
	}
	return []things.Thing{t.V}, nil
}

func (t *thing) Name(*component.Call) (string, error) { return t.name, nil }
func (t *thing) Drop()                                { t.shop.dropped = append(t.shop.dropped, t.name) }

func (t *thing) Rename(_ *component.Call, to string) (string, error) {
	switch to {
	case "":
		return "", things.Problem{Case: things.ProblemEmpty}
	case "on", "off":
		odd := values.Plain{Case: values.PlainOn}
		if to == "off" {
			odd.Case = values.PlainOff
		}
		return "", things.Problem{Case: things.ProblemOdd, Odd: odd}
	case "hammer":
		return "", things.Problem{Case: things.ProblemBroken, Broken: &thing{t.shop, "pieces"}}
	case "fire":
		return "", errForeign
	}
	old := t.name
	t.name = to
	return old, nil
}

func TestHandles(t *testing.T) {
	host := &shop{}
	text, err := os.ReadFile("testdata/user.wat")
	if err != nil {
		t.Fatal(err)
	}
	pre, in := instantiate(t, string(text),
		values.Bind(func(*component.Call) values.Host { return &echo{} }),
		things.Bind(func(*component.Call) things.Host { return host }))
	g, err := user.NewGuest(pre, "test:demo/user@1.2.0")
	if err != nil {
		t.Fatal(err)
	}
	mine := &thing{host, "mine"}
	got, err := g.UseBoth(in, &thing{host, "given"}, mine)
	if err != nil || got != "given+mine" {
		t.Errorf("UseBoth: %q, %v", got, err)
	}
	if dropped := strings.Join(host.dropped, " "); dropped != "temporary given+mine" {
		t.Errorf("dropped: %s", dropped)
	}

	if old, err := g.Rename(in, mine, "yours"); err != nil || old != "mine" || mine.name != "yours" {
		t.Errorf("Rename: %q, %v; the name is now %q", old, err, mine.name)
	}
	for to, want := range map[string]things.Problem{
		"":    {Case: things.ProblemEmpty},
		"on":  {Case: things.ProblemOdd, Odd: values.Plain{Case: values.PlainOn}},
		"off": {Case: things.ProblemOdd, Odd: values.Plain{Case: values.PlainOff}},
	} {
		if _, err := g.Rename(in, mine, to); err != want {
			t.Errorf("Rename to %q: got %#v, want %#v", to, err, want)
		}
	}
	// The handle in the error goes through the guest and comes out as what
	// the host put in.
	_, err = g.Rename(in, mine, "hammer")
	var problem things.Problem
	if !errors.As(err, &problem) || problem.Case != things.ProblemBroken || problem.Broken.(*thing).name != "pieces" {
		t.Errorf("Rename to hammer: got %#v", err)
	}
	if _, err := g.Rename(in, mine, "fire"); !errors.Is(err, errForeign) || in.Fault() == nil {
		t.Errorf("a foreign error gave %v and fault %v", err, in.Fault())
	}
}

// TestOwnedArguments: an argument that was taken is dropped, once, when one after it
// traps.
func TestOwnedArguments(t *testing.T) {
	host := &shop{}
	text, err := os.ReadFile("testdata/user.wat")
	if err != nil {
		t.Fatal(err)
	}
	const join = "(call $join (local.get $t) (local.get $again) (i32.const 144))"
	wrong := strings.Replace(string(text), join, "(call $join (local.get $t) (i32.const 77) (i32.const 144))", 1)
	if wrong == string(text) {
		t.Fatal("the guest calls join in another way")
	}
	pre, in := instantiate(t, wrong,
		values.Bind(func(*component.Call) values.Host { return &echo{} }),
		things.Bind(func(*component.Call) things.Host { return host }))
	g, err := user.NewGuest(pre, "test:demo/user@1.2.0")
	if err != nil {
		t.Fatal(err)
	}
	_, err = g.UseBoth(in, &thing{host, "given"}, &thing{host, "mine"})
	if err == nil || !strings.Contains(err.Error(), "unknown handle index 77") {
		t.Errorf("UseBoth: %v", err)
	}
	in.Close()
	if dropped := strings.Join(host.dropped, " "); dropped != "temporary given" {
		t.Errorf("dropped: %s", dropped)
	}
}

func TestNewGuestChecksTypes(t *testing.T) {
	text, err := os.ReadFile("testdata/user.wat")
	if err != nil {
		t.Fatal(err)
	}
	bind := func(text string) error {
		pre, _ := instantiate(t, text,
			values.Bind(func(*component.Call) values.Host { return &echo{} }),
			things.Bind(func(*component.Call) things.Host { return &shop{} }))
		_, err := user.NewGuest(pre, "")
		return err
	}
	if err := bind(string(text)); err != nil {
		t.Errorf("unchanged: %v", err)
	}
	// Two exports of that name are there: the last is the guest's own.
	n := strings.LastIndex(string(text), `(export "rename" (func $rename))`)
	missing := string(text[:n]) + string(text[n+len(`(export "rename" (func $rename))`):])
	if err := bind(missing); err == nil || !strings.Contains(err.Error(), "rename") {
		t.Errorf("without rename: %v", err)
	}
	swapped := strings.Replace(string(text), `(instance $user (export "use-both" (func $use-both)) (export "rename" (func $rename)))`,
		`(instance $user (export "use-both" (func $rename)) (export "rename" (func $use-both)))`, 1)
	if err := bind(swapped); err == nil || !strings.Contains(err.Error(), "type") {
		t.Errorf("functions swapped: %v", err)
	}
}
