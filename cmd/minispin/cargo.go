package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/minispin/minispin/manifest"
)

// wasmTargets are the targets of Rust that become components or modules.
var wasmTargets = []string{"wasm32-wasip1", "wasm32-wasip2", "wasm32-unknown-unknown", "wasm32-wasi"}

// missingRustTarget reports that the toolchain which builds c by cargo lacks the
// target that command names or that c's source is in the directory of.
func missingRustTarget(m *manifest.App, c *manifest.Component, command string) (manifest.Diagnostic, bool) {
	toolchain, target := cargoTarget(command)
	if target == "" {
		target = targetOf(c.Source.Path)
	}
	if target == "" {
		return manifest.Diagnostic{}, false
	}
	// The compiler itself knows where it looks, whoever has installed it, and which
	// toolchain is meant in that directory.
	args := []string{"--print", "target-libdir", "--target", target}
	if toolchain != "" {
		args = append([]string{toolchain}, args...)
	}
	cmd := exec.Command("rustc", args...)
	cmd.Dir = filepath.Join(m.Dir, filepath.FromSlash(c.Build.Workdir))
	out, err := cmd.Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || dir == "" {
		return manifest.Diagnostic{}, false // cargo will say what is wrong
	}
	if _, err := os.Stat(dir); err == nil {
		return manifest.Diagnostic{}, false
	}
	hint := "install it by: rustup target add " + target
	if toolchain != "" {
		hint += " --toolchain " + strings.TrimPrefix(toolchain, "+")
	}
	return c.Diagnose(fmt.Sprintf("the build command needs Rust's target %s, which is not installed", target), hint, "build", "command"), true
}

// cargoTarget returns what a command that begins with cargo says of the toolchain,
// as in "+nightly", and of the target, each "" if nothing.
func cargoTarget(command string) (toolchain, target string) {
	words := strings.Fields(command)
	for i, word := range words {
		if i > 0 && words[i-1] == "cargo" && strings.HasPrefix(word, "+") {
			toolchain = word
		}
		if word == "--target" && i+1 < len(words) {
			word = "--target=" + words[i+1]
		}
		if t, ok := strings.CutPrefix(word, "--target="); ok && slices.Contains(wasmTargets, t) {
			target = t
		}
	}
	return toolchain, target
}

// targetOf returns the target whose directory path is in, as cargo lays them out,
// "" if there is none.
func targetOf(path string) string {
	for element := range strings.SplitSeq(filepath.ToSlash(path), "/") {
		if slices.Contains(wasmTargets, element) {
			return element
		}
	}
	return ""
}
