package guests

import (
	"bytes"
	"strings"
	"testing"
)

func TestLoad(t *testing.T) {
	want := map[string][]byte{}
	for _, name := range Committed() {
		want[name] = Wasm(t, name)
	}
	t.Chdir(t.TempDir()) // away from the source tree
	for name, wasm := range want {
		if got, err := Load(name); err != nil || !bytes.Equal(got, wasm) {
			t.Errorf("%s: %d bytes, error %v; want the %d of its file", name, len(got), err, len(wasm))
		}
	}
	if _, err := Load("nobody"); err == nil || !strings.Contains(err.Error(), `no guest "nobody"`) {
		t.Errorf("an unknown guest: got %v", err)
	}
}
