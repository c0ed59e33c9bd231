//go:build !unix

package main

import (
	"os"
	"os/exec"
)

// group does nothing where there are no process groups.
func group(*exec.Cmd) {}

// signalGroup sends a signal to a command.
func signalGroup(cmd *exec.Cmd, signal os.Signal) error { return cmd.Process.Signal(signal) }
