package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/minispin/minispin/manifest"
)

// buildable is an application in dir, each component of which has one command,
// named c0, c1 and so on.
func buildable(dir string, commands ...string) *manifest.App {
	m := &manifest.App{Dir: dir}
	for i, command := range commands {
		c := &manifest.Component{ID: fmt.Sprint("c", i)}
		if command != "" {
			c.Build = &manifest.Build{Commands: []string{command}}
		}
		m.Components = append(m.Components, c)
	}
	return m
}

func needShell(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the commands are for a Unix shell")
	}
}

func TestBuildOutput(t *testing.T) {
	needShell(t)
	for _, test := range []struct {
		name     string
		commands []string
		only     []string
		report   string
		built    int
		err      string
	}{
		{"quiet ones are not shown", []string{"echo a", "echo b"}, nil,
			"Building component c0 with `echo a`\nBuilding component c1 with `echo b`\n", 2, ""},
		{"unless they fail", []string{"echo a", "echo b; echo c >&2; exit 4"}, nil,
			"Building component c0 with `echo a`\nBuilding component c1 with `echo b; echo c >&2; exit 4`\nb\nc\n", 1,
			"building component c1: `echo b; echo c >&2; exit 4`: exit status 4"},
		{"the first failure ends it", []string{"exit 3", "echo b"}, nil, "Building component c0 with `exit 3`\n", 0, "exit status 3"},
		{"by id", []string{"echo a", "echo b", ""}, []string{"c1", "c2"},
			"Building component c1 with `echo b`\nComponent c2 has no build command\n", 1, ""},
		{"without any", []string{"", ""}, nil, "", 0, ""},
		{"no such id", []string{"echo a"}, []string{"c9"}, "", 0, `there is no component "c9" to build; there are: c0`},
		{"what stays behind is not waited for", []string{"sleep 3 & echo a"}, nil, "Building component c0 with `sleep 3 & echo a`\n", 1, ""},
	} {
		var report bytes.Buffer
		b := &builder{only: test.only, report: &report, quiet: true}
		start := time.Now()
		built, err := b.build(t.Context(), buildable(t.TempDir(), test.commands...))
		if built != test.built || report.String() != test.report {
			t.Errorf("%s: %d built, reported %q; want %d, %q", test.name, built, report.String(), test.built, test.report)
		}
		if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.err)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("%s: it took %v", test.name, took)
		}
	}
}

// TestBuildInterrupted ends a build by a signal, which its command has to hear of
// and may clean up after.
func TestBuildInterrupted(t *testing.T) {
	needShell(t)
	for _, test := range []struct {
		cause error
		want  string
	}{
		{interruption{os.Interrupt}, "INT\n"},
		{interruption{syscall.SIGTERM}, "TERM\n"},
		{errors.New("no signal"), "TERM\n"},
	} {
		dir := t.TempDir()
		command := "trap 'echo INT > heard; exit' INT; trap 'echo TERM > heard; exit' TERM; echo > started; while :; do sleep 0.02; done"
		ctx, cancel := context.WithCancelCause(t.Context())
		go func() {
			for !exists(filepath.Join(dir, "started")) && t.Context().Err() == nil {
				time.Sleep(5 * time.Millisecond)
			}
			cancel(test.cause)
		}()
		var report bytes.Buffer
		b := &builder{report: &report, quiet: true}
		built, err := b.build(ctx, buildable(dir, command, "echo > second"))
		if built != 0 || !errors.Is(err, errBuildInterrupted) {
			t.Errorf("%v: %d built, error %v", test.cause, built, err)
		}
		if heard, err := os.ReadFile(filepath.Join(dir, "heard")); string(heard) != test.want {
			t.Errorf("%v: the command heard %q (%v), want %q", test.cause, heard, err, test.want)
		}
		if exists(filepath.Join(dir, "second")) {
			t.Errorf("%v: the next component was built", test.cause)
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestUntilSignal(t *testing.T) {
	stop := make(chan os.Signal, 1)
	stop <- syscall.SIGTERM
	ctx, cancel := untilSignal(stop)
	defer cancel()
	<-ctx.Done()
	if cause := context.Cause(ctx); cause != (interruption{syscall.SIGTERM}) {
		t.Errorf("the cause is %v", cause)
	}
	ctx, cancel = untilSignal(stop)
	cancel()
	<-ctx.Done()
	if cause := context.Cause(ctx); cause != context.Canceled {
		t.Errorf("without a signal the cause is %v", cause)
	}
}
