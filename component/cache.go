package component

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/minispin/minispin/internal/cwasm"
)

// codeCache keeps compiled core modules, and which components were found valid,
// in a directory, by the hash of what was compiled and of everything else the
// code depends on.
//
// The engine trusts what it loads, so a file is used only when the directory
// and the file are the user's own and closed to others, and the file is whole:
// it ends with the length and the hash of the code before. Hashing tens of
// megabytes at each start would cost more than mapping them, so a file also
// carries the time that its modification time was set to when it was complete.
// As long as the two agree nothing has written to it since, and only otherwise
// (it was copied, restored or damaged) the code is hashed again. Anything unfit
// is compiled anew and replaced.
//
// Several processes may share the directory: a file appears under its name by
// renaming, complete, and is never written to again.
type codeCache struct {
	dir         string
	fingerprint string
}

// A trailer ends each file: magic, length of the code, modification time in
// seconds, SHA-256 of the code and of the trailer so far.
const (
	trailerMagic = "minispin code 2\n"
	trailerSize  = len(trailerMagic) + 8 + 8 + sha256.Size
)

// openCodeCache makes the directory when there is none.
func openCodeCache(dir, fingerprint string) (*codeCache, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("compile cache: %w", err)
	}
	st, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("compile cache: %w", err)
	}
	if err := ownAndClosed(st); err != nil {
		return nil, fmt.Errorf("compile cache: %s %w; choose another directory", dir, err)
	}
	return &codeCache{dir: dir, fingerprint: fingerprint}, nil
}

// path is where the code of the module with the given hash is kept.
func (c *codeCache) path(module [sha256.Size]byte) string { return c.name(module) + ".cwasm" }

// name is what files about a hash are called, without the ending.
func (c *codeCache) name(sum [sha256.Size]byte) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d %s\n", len(c.fingerprint), c.fingerprint)
	h.Write(sum[:])
	return filepath.Join(c.dir, hex.EncodeToString(h.Sum(nil)))
}

// valid reports whether the engine's validator has accepted what has the given
// hash. It is told by an empty file, which has no content that could be damaged.
func (c *codeCache) valid(sum [sha256.Size]byte) bool {
	st, err := os.Lstat(c.name(sum) + ".valid")
	return err == nil && st.Mode().IsRegular()
}

// keepValid notes that the validator has accepted what has the given hash.
func (c *codeCache) keepValid(sum [sha256.Size]byte) error {
	return os.WriteFile(c.name(sum)+".valid", nil, 0o600)
}

// load returns the compiled code of a module, or nil when it is not there or not
// fit for use.
func (c *codeCache) load(e *cwasm.Engine, module [sha256.Size]byte) *cwasm.Module {
	path := c.path(module)
	if checkCode(path) != nil {
		return nil
	}
	m, err := e.DeserializeFile(path)
	if err != nil {
		return nil
	}
	return m
}

// checkCode reports why the file is not to be loaded.
func checkCode(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if !st.Mode().IsRegular() {
		return errors.New("not a regular file")
	}
	if err := ownAndClosed(st); err != nil {
		return err
	}
	size := st.Size() - int64(trailerSize)
	if size <= 0 {
		return io.ErrUnexpectedEOF
	}
	have := make([]byte, trailerSize)
	if _, err := f.ReadAt(have, size); err != nil {
		return err
	}
	head := have[:trailerSize-sha256.Size]
	if string(head[:len(trailerMagic)]) != trailerMagic {
		return errors.New("no trailer")
	}
	if n := binary.LittleEndian.Uint64(head[len(trailerMagic):]); n != uint64(size) {
		return fmt.Errorf("%d bytes of code, the trailer says %d", size, n)
	}
	written := time.Unix(int64(binary.LittleEndian.Uint64(head[len(trailerMagic)+8:])), 0)
	if st.ModTime().Equal(written) {
		return nil
	}
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(f, 0, size)); err != nil {
		return err
	}
	h.Write(head)
	if [sha256.Size]byte(h.Sum(nil)) != [sha256.Size]byte(have[len(head):]) {
		return errors.New("the hash differs")
	}
	// The next load can do without the hash; if the time cannot be set it
	// cannot, and nothing is lost.
	_ = os.Chtimes(path, time.Time{}, written)
	return nil
}

// store writes the compiled code of a module. A cache that cannot be written is
// not an error for the caller: the next start compiles again.
func (c *codeCache) store(m *cwasm.Module, module [sha256.Size]byte) error {
	code, err := m.Serialize()
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(c.dir, "tmp-*") // readable and writable by its owner only
	if err != nil {
		return err
	}
	written := time.Now().Truncate(time.Second)
	err = writeCode(f, code, written)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Chtimes(f.Name(), time.Time{}, written)
	}
	if err == nil {
		err = os.Rename(f.Name(), c.path(module))
	}
	if err != nil {
		// Where a file in use cannot be replaced, the one in use is as good.
		os.Remove(f.Name())
		return fmt.Errorf("compile cache: %w", err)
	}
	return nil
}

// writeCode writes code and trailer and waits until they are on disk: a name
// must not outlive a crash that its content does not.
func writeCode(f *os.File, code []byte, written time.Time) error {
	trailer := append(make([]byte, 0, trailerSize), trailerMagic...)
	trailer = binary.LittleEndian.AppendUint64(trailer, uint64(len(code)))
	trailer = binary.LittleEndian.AppendUint64(trailer, uint64(written.Unix()))
	h := sha256.New()
	h.Write(code)
	h.Write(trailer)
	if _, err := f.Write(code); err != nil {
		return err
	}
	if _, err := f.Write(h.Sum(trailer)); err != nil {
		return err
	}
	return f.Sync()
}
