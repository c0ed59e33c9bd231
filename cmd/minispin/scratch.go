package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// scratch is a directory that is there while the process needs it.
//
// Who is killed cannot remove it. In it is a file that its process keeps locked,
// and the system unlocks when that ends however it does; the next process with
// the same parent removes what it finds unlocked.
type scratch struct {
	parent string // "" is the system's for temporary files

	mu   sync.Mutex
	dir  string
	lock *os.File
	over bool
}

const (
	scratchPrefix = "minispin-"
	scratchLock   = ".lock"
)

// path returns the directory, which is made when it is first asked for.
func (s *scratch) path() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return "", errors.New("the process ends")
	}
	if s.dir != "" {
		return s.dir, nil
	}
	if s.parent != "" {
		if err := os.MkdirAll(s.parent, 0o700); err != nil {
			return "", fmt.Errorf("--temp: %w", err)
		}
	}
	sweep(s.parent)
	dir, lock, err := makeLocked(s.parent)
	if err != nil {
		return "", fmt.Errorf("making a directory for copies of files (--temp says where): %w", err)
	}
	s.lock = lock
	s.dir, err = filepath.Abs(dir)
	return s.dir, err
}

// made returns the directory if there is one, else "".
func (s *scratch) made() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dir
}

// remove removes the directory and all that is in it. There is none any more.
func (s *scratch) remove() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	if s.dir == "" {
		return nil
	}
	if s.lock != nil {
		_ = s.lock.Close() // nothing was written to it
	}
	var err error
	for range 5 {
		if err = os.RemoveAll(s.dir); err == nil {
			return nil
		}
		time.Sleep(20 * time.Millisecond) // a load that was interrupted may still be copying
	}
	return fmt.Errorf("removing copies of files: %w", err)
}

// makeLocked makes a directory with a locked file in it.
func makeLocked(parent string) (string, *os.File, error) {
	for range 10 {
		dir, err := os.MkdirTemp(parent, scratchPrefix)
		if err != nil {
			return "", nil, err
		}
		name := filepath.Join(dir, scratchLock)
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, os.ErrNotExist) {
			continue // swept before it was locked
		}
		if err != nil {
			return "", nil, errors.Join(err, os.Remove(dir))
		}
		if locked, supported := tryLock(f); locked || !supported {
			if _, err := os.Stat(name); err == nil {
				return dir, f, nil
			}
		}
		_ = f.Close()
	}
	return "", nil, errors.New("other processes keep removing it")
}

// sweep removes the directories in parent that a process has left which was
// killed. That one cannot be removed is no reason not to go on.
func sweep(parent string) {
	if parent == "" {
		parent = os.TempDir()
	}
	entries, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), scratchPrefix) {
			continue
		}
		name := filepath.Join(parent, e.Name(), scratchLock)
		f, err := os.OpenFile(name, os.O_RDWR|nonblock, 0)
		if err != nil {
			continue // another user's, or gone
		}
		if locked, _ := tryLock(f); locked {
			_ = os.RemoveAll(filepath.Dir(name))
		}
		_ = f.Close()
	}
}
