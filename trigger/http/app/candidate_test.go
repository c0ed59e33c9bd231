package app

import (
	"strings"
	"testing"

	"github.com/minispin/minispin/host/wasirc"
)

// TestReleaseCandidate serves a guest that names the interfaces of wasi:http by
// the release candidate's version.
func TestReleaseCandidate(t *testing.T) {
	forEachMode(t, func(t *testing.T, m mode) {
		wat := strings.NewReplacer("START", "", "HANDLE", "(call $answer)", "@0.2.0", "@"+wasirc.Version).Replace(incomingText)
		wat = strings.Replace(wat, `(import "test:host/fault" (instance $test (export "fault" (func))))`, `(component $fault (core module $m (func (export "f"))) (core instance $i (instantiate $m)) (func (export "fault") (canon lift (core func $i "f")))) (instance $test (instantiate $fault))`, 1)
		if strings.Count(wat, wasirc.Version) != 2 {
			t.Fatal("the guest names other interfaces than it did")
		}
		s := serve(t, m, application(t, guest{id: "text", source: text(t, "text", wat)}))
		for range 2 {
			s.expect(t, "GET", "/", "", 200, "")
		}
		s.quiet(t)
	})
}
