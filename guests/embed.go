package guests

import (
	"embed"
	"fmt"
	"os"
	"slices"
)

// bin holds the committed guests in the program itself, so that a benchmark
// needs no source tree.
//
//go:embed bin/*.wasm
var bin embed.FS

// Load returns the bytes of a guest to a program. A committed one is always
// there; the others are looked for as Path does, and built when BuildEnv says
// so. The error says what is missing.
func Load(name string) ([]byte, error) {
	if slices.Contains(committed, name) {
		return bin.ReadFile("bin/" + name + ".wasm")
	}
	path, err := find(name)
	if err != nil {
		return nil, err
	}
	wasm, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("guest %s: %w", name, err)
	}
	return wasm, nil
}
