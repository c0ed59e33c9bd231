package app

import (
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	httptrigger "github.com/minispin/minispin/trigger/http"
)

func TestDenialsAreLoggedOnce(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	one := &target{denials: denials{log: zap.New(core), component: "one"}}
	two := &target{denials: denials{log: zap.New(core), component: "two"}}
	for _, tg := range []*target{one, one, two} {
		s := &state{denials: &tg.denials, request: httptrigger.RequestID(7)}
		s.Denied(nil, "fermyon:spin/key-value@2.0.0", "[static]store.open")
		s.Denied(nil, "fermyon:spin/key-value@2.0.0", "[static]store.open")
		s.Denied(nil, "fermyon:spin/llm@2.0.0", "infer")
	}
	var got []string
	for _, e := range logs.All() {
		f := e.ContextMap()
		got = append(got, f["component"].(string)+" "+f["interface"].(string))
	}
	want := []string{
		"one fermyon:spin/key-value@2.0.0", "one fermyon:spin/llm@2.0.0",
		"two fermyon:spin/key-value@2.0.0", "two fermyon:spin/llm@2.0.0",
	}
	if len(got) != len(want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("line %d: got %q, want %q", i, got[i], want[i])
		}
	}
}
