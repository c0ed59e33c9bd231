//go:build unix

package main

import (
	"errors"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/term"
)

// group makes a command the leader of a process group, so that signals reach what
// it starts: a shell passes none on. At a terminal it stays in that of this process:
// the terminal's signals reach the whole group, and commands may ask for passwords.
func group(cmd *exec.Cmd) {
	if term.IsTerminal(int(os.Stdin.Fd())) || term.IsTerminal(int(os.Stderr.Fd())) {
		return
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}

// signalGroup sends a signal to a command and, if it leads a group, to all of that.
func signalGroup(cmd *exec.Cmd, signal os.Signal) error {
	s, ok := signal.(syscall.Signal)
	if !ok || cmd.SysProcAttr == nil || !cmd.SysProcAttr.Setpgid {
		return cmd.Process.Signal(signal)
	}
	err := syscall.Kill(-cmd.Process.Pid, s)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}
