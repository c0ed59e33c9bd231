package component

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/minispin/minispin/internal/cwasm"
)

// codeCache keeps compiled core modules in a directory, by the hash of the
// module and of everything else the code depends on.
//
// Wasmtime trusts what it deserialises, so a file is used only when it is whole
// (it starts with the hash of the rest) and the directory is the user's own and
// closed to others. Anything else is compiled anew and written over.
type codeCache struct {
	dir         string
	fingerprint string
}

const cacheMagic = "minispin code 1\n"

func openCodeCache(dir, fingerprint string) (*codeCache, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("compile cache: %w", err)
	}
	st, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("compile cache: %w", err)
	}
	if runtime.GOOS != "windows" && st.Mode().Perm()&0o022 != 0 {
		return nil, fmt.Errorf("compile cache: %s can be written by others (mode %v): remove that right or choose another directory", dir, st.Mode().Perm())
	}
	return &codeCache{dir: dir, fingerprint: fingerprint}, nil
}

func (c *codeCache) path(wasm []byte) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d %s\n", len(c.fingerprint), c.fingerprint)
	h.Write(wasm)
	return filepath.Join(c.dir, hex.EncodeToString(h.Sum(nil))+".cwasm")
}

// load returns the compiled module for wasm, or nil when it is not there or not
// fit for use.
func (c *codeCache) load(e *cwasm.Engine, wasm []byte) *cwasm.Module {
	f, err := os.ReadFile(c.path(wasm))
	if err != nil {
		return nil
	}
	head := len(cacheMagic) + sha256.Size
	if len(f) < head || string(f[:len(cacheMagic)]) != cacheMagic {
		return nil
	}
	sum := sha256.Sum256(f[head:])
	if !bytes.Equal(sum[:], f[len(cacheMagic):head]) {
		return nil
	}
	m, err := e.Deserialize(f[head:])
	if err != nil {
		return nil
	}
	return m
}

// store writes the compiled module. A cache that cannot be written is not an
// error for the caller: the next start compiles again.
func (c *codeCache) store(m *cwasm.Module, wasm []byte) error {
	code, err := m.Serialize()
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(c.dir, "tmp-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails, as wanted, once renamed
	sum := sha256.Sum256(code)
	for _, part := range [][]byte{[]byte(cacheMagic), sum[:], code} {
		if _, err := f.Write(part); err != nil {
			f.Close()
			return err
		}
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), c.path(wasm)); err != nil && !os.IsExist(err) {
		if _, serr := os.Stat(c.path(wasm)); serr != nil || !os.IsPermission(err) {
			return fmt.Errorf("compile cache: %w", err)
		}
	}
	return nil
}
