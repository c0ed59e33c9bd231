package main

import (
	"embed"
	"fmt"
)

// scripts has a script for each shell, under its name. They hold nothing of the
// command line: they ask minispin complete.
//
//go:embed completion
var scripts embed.FS

// completionCommand is minispin completion.
type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish,powershell" help:"The shell: bash, zsh, fish or powershell."`
}

// Help is shown by minispin completion --help.
func (*completionCommand) Help() string {
	return `The shell that runs it completes commands, flags, and the values of flags:
strategies, templates, the components of the application at hand.

  source <(minispin completion bash)
  source <(minispin completion zsh)
  minispin completion fish | source
  minispin completion powershell | Out-String | Invoke-Expression

The first lines of each script say how to have it in every shell.`
}

// Run prints the script.
func (c *completionCommand) Run(p *process) error {
	script, err := scripts.ReadFile("completion/" + c.Shell)
	if err != nil {
		return fmt.Errorf("completion for %s: %w", c.Shell, err)
	}
	_, err = p.stdout.Write(script)
	return err
}
