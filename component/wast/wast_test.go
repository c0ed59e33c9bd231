package wast

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/component/abi"
)

func TestScripts(t *testing.T) {
	all := scripts(t)
	engine, err := component.NewEngine(component.EngineConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	failures := expectedFailures()
	unused := make(map[string]bool, len(failures))
	for id := range failures {
		unused[id] = true
	}
	for _, s := range all {
		t.Run(s.name, func(t *testing.T) {
			r := &runner{script: s, engine: engine, defined: map[string]*definition{}, instances: map[string]*instance{}}
			defer r.close()
			for _, c := range s.Commands {
				id := s.id(c)
				reason, listed := failures[id]
				delete(unused, id)
				// Not inside of the subtest: a command is run even when another
				// one is asked for by -run, because later ones build on it.
				err := r.run(c)
				t.Run(fmt.Sprintf("%d:%s", c.Line, c.Type), func(t *testing.T) {
					switch {
					case err != nil && !listed:
						t.Error(err)
					case err == nil && listed:
						t.Errorf("it passes now, take it off the list of failures: %s", reason)
					case listed:
						t.Skipf("%s: %v", reason, err)
					}
				})
			}
		})
	}
	for id := range unused {
		t.Errorf("the list of failures names %s, which is no command", id)
	}
}

// runner is the state of a script being run.
type runner struct {
	script    *script
	engine    *component.Engine
	defined   map[string]*definition
	instances map[string]*instance
	current   *instance
	opened    []*definition
	started   []*component.Instance
}

// definition is a component, linked when it is first instantiated.
type definition struct {
	component *component.Component
	pre       *component.InstancePre
}

// instance is what a script calls; in is nil when it could not be made, why
// being the reason.
type instance struct {
	def *definition
	in  *component.Instance
	why error
}

func (r *runner) close() {
	for _, in := range r.started {
		in.Close()
	}
	for _, d := range r.opened {
		if d.pre != nil {
			d.pre.Close()
		}
		d.component.Close()
	}
}

// run runs one command. Its error is that the command does not hold.
func (r *runner) run(c command) error {
	switch c.Type {
	case "module":
		d, err := r.define(c)
		if err == nil {
			r.current, err = r.instantiate(d)
		}
		if err != nil {
			r.current = &instance{why: err}
		}
		if c.Name != "" {
			r.instances[c.Name] = r.current
		}
		return err
	case "module_definition":
		_, err := r.define(c)
		return err
	case "module_instance":
		d := r.defined[c.Module]
		if d == nil {
			r.current = &instance{why: fmt.Errorf("no component %s", c.Module)}
			return r.current.why
		}
		var err error
		if r.current, err = r.instantiate(d); err != nil {
			r.current = &instance{why: err}
		}
		r.instances[c.Instance] = r.current
		return err
	case "action":
		_, err := r.invoke(c.Action)
		return err
	case "assert_return":
		return r.assertReturn(c)
	case "assert_trap":
		return wants(c, r.invokeForTrap(c.Action))
	case "assert_uninstantiable":
		d, err := r.define(c)
		if err != nil {
			return err
		}
		if err := d.link(); err != nil {
			return err
		}
		_, err = r.instantiate(d)
		return wants(c, err)
	case "assert_invalid", "assert_malformed":
		return r.assertRefused(c)
	}
	return fmt.Errorf("the command %s is not known", c.Type)
}

// define loads the component that a command names and remembers it.
func (r *runner) define(c command) (*definition, error) {
	d, err := r.load(c)
	if err == nil && c.Name != "" {
		r.defined[c.Name] = d
	}
	return d, err
}

func (r *runner) load(c command) (*definition, error) {
	wasm, err := r.script.binary(c)
	if err != nil {
		return nil, err
	}
	compiled, err := r.engine.Compile(context.Background(), r.script.id(c), wasm, component.CompileOptions{})
	if err != nil {
		return nil, err
	}
	d := &definition{component: compiled}
	r.opened = append(r.opened, d)
	return d, nil
}

func (d *definition) link() (err error) {
	if d.pre == nil {
		d.pre, err = component.NewLinker().Link(d.component)
	}
	return err
}

func (r *runner) instantiate(d *definition) (*instance, error) {
	if err := d.link(); err != nil {
		return nil, err
	}
	in, err := d.pre.Instantiate(context.Background(), component.InstantiateOptions{})
	if err != nil {
		return nil, err
	}
	r.started = append(r.started, in)
	return &instance{def: d, in: in}, nil
}

// invoke makes a call. A mistake of the script, such as a function that is not
// there, is a *scriptError.
func (r *runner) invoke(a *action) (abi.Val, error) {
	in, v, err := r.prepare(a)
	if err != nil {
		return abi.Val{}, &scriptError{err}
	}
	return in.in.CallVals(v.f, v.args...)
}

type scriptError struct{ error }

func (e *scriptError) Unwrap() error { return e.error }

// call is a function with its arguments.
type call struct {
	f    *component.ExportFunc
	args []abi.Val
}

func (r *runner) prepare(a *action) (*instance, call, error) {
	in := r.current
	if a.Module != "" {
		in = r.instances[a.Module]
	}
	switch {
	case a.Type != "invoke":
		return nil, call{}, fmt.Errorf("the action %s is not known", a.Type)
	case in == nil:
		return nil, call{}, errors.New("there is no instance to call")
	case in.in == nil:
		return nil, call{}, fmt.Errorf("the instance could not be made: %w", in.why)
	}
	f, err := in.def.pre.Export("", a.Field, nil)
	if err != nil {
		return nil, call{}, err
	}
	args, err := vals(a.Args, f.Type.Params)
	if err != nil {
		return nil, call{}, fmt.Errorf("arguments of %s: %w", a.Field, err)
	}
	return in, call{f, args}, nil
}

func (r *runner) assertReturn(c command) error {
	in, call, err := r.prepare(c.Action)
	if err != nil {
		return err
	}
	got, err := in.in.CallVals(call.f, call.args...)
	if err != nil {
		return err
	}
	result := call.f.Type.Result
	switch {
	case result == nil && len(c.Expected) == 0:
		return nil
	case result == nil || len(c.Expected) != 1:
		return fmt.Errorf("%s: %d results expected", c.Action.Field, len(c.Expected))
	}
	want, err := c.Expected[0].val(result)
	if err != nil {
		return fmt.Errorf("result of %s: %w", c.Action.Field, err)
	}
	if !got.Equal(want) {
		return fmt.Errorf("%s returned %v, want %v", c.Action.Field, got, want)
	}
	return nil
}

// invokeForTrap makes a call and returns what it fails with, but for mistakes of
// the script.
func (r *runner) invokeForTrap(a *action) error {
	_, err := r.invoke(a)
	var mistake *scriptError
	if errors.As(err, &mistake) {
		// No text of a trap may be found in here.
		return errors.New("the call could not be made")
	}
	return err
}

// wants checks that err is there and has the text that the command gives.
func wants(c command, err error) error {
	if err == nil {
		return fmt.Errorf("nothing failed, %q is expected", c.Text)
	}
	// What Wasmtime puts before the reason of a trap is left out here.
	if !strings.Contains(err.Error(), strings.TrimPrefix(c.Text, "wasm trap: ")) {
		return fmt.Errorf("it failed with %q, expected is %q", err, c.Text)
	}
	return nil
}

// assertRefused checks that a component does not get as far as being linked.
// Imports that are missing do not count: no script offers any.
func (r *runner) assertRefused(c command) error {
	d, err := r.load(c)
	if err != nil {
		return nil
	}
	var missing *component.MissingImportsError
	if err := d.link(); err != nil && !errors.As(err, &missing) {
		return nil
	}
	return fmt.Errorf("it is accepted, to be refused: %s", c.Text)
}
