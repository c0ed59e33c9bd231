package main

import "testing"

func TestCargoTarget(t *testing.T) {
	for _, test := range []struct{ command, toolchain, target string }{
		{"cargo build", "", ""},
		{"cargo build --target wasm32-wasip1 --release", "", "wasm32-wasip1"},
		{"cargo +nightly build --release --target=wasm32-wasip2", "+nightly", "wasm32-wasip2"},
		{"RUSTFLAGS=-g cargo build --target wasm32-unknown-unknown", "", "wasm32-unknown-unknown"},
		{"cargo build --target x86_64-unknown-linux-gnu", "", ""},
		{"cargo build --target", "", ""},
	} {
		toolchain, target := cargoTarget(test.command)
		if toolchain != test.toolchain || target != test.target {
			t.Errorf("%s: %q, %q; want %q, %q", test.command, toolchain, target, test.toolchain, test.target)
		}
	}
	for path, want := range map[string]string{
		"target/wasm32-wasip1/release/a.wasm": "wasm32-wasip1", "a.wasm": "", "wasm32-wasip1.wasm": "",
	} {
		if got := targetOf(path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}
