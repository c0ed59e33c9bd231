package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/term"

	"github.com/minispin/minispin/templates"
)

// prompter asks the person at the terminal. Questions go to standard error, so
// that they are seen when standard output is not.
type prompter struct {
	in  *bufio.Reader
	out io.Writer
}

// newPrompter returns nil where nobody can be asked: both ends have to be a
// terminal.
func newPrompter(p *process) *prompter {
	if !p.stderr.Terminal() || !term.IsTerminal(int(os.Stdin.Fd())) {
		return nil
	}
	return &prompter{bufio.NewReader(os.Stdin), p.stderr}
}

var errNoAnswer = errors.New("no answer")

// line asks one question.
func (a *prompter) line(question string) (string, error) {
	fmt.Fprint(a.out, question)
	line, err := a.in.ReadString('\n')
	if err != nil {
		fmt.Fprintln(a.out)
		return "", errNoAnswer
	}
	return strings.TrimSpace(line), nil
}

// text asks until the answer passes check, which may be nil. An empty answer is
// the fallback, which is shown; without one it counts only if optional.
func (a *prompter) text(prompt, fallback string, optional bool, check func(string) error) (string, error) {
	question := prompt
	if fallback != "" {
		question += " [" + fallback + "]"
	}
	for {
		answer, err := a.line(question + ": ")
		if err != nil {
			return "", err
		}
		if answer == "" {
			if answer = fallback; answer == "" && optional {
				return "", nil
			}
		}
		if answer == "" {
			fmt.Fprintln(a.out, "  It has no default: type a value.")
			continue
		}
		if check != nil {
			if err := check(answer); err != nil {
				fmt.Fprintf(a.out, "  %s\n", err)
				continue
			}
		}
		return answer, nil
	}
}

// template asks for one of several templates, by its number or id.
func (a *prompter) template(choice []*templates.Template) (*templates.Template, error) {
	for i, t := range choice {
		fmt.Fprintf(a.out, "%3d  %-18s %s\n", i+1, t.ID, t.Description)
	}
	for {
		answer, err := a.line("Template: ")
		if err != nil {
			return nil, err
		}
		for i, t := range choice {
			if answer == t.ID || answer == strconv.Itoa(i+1) {
				return t, nil
			}
		}
		fmt.Fprintf(a.out, "  Type the name of one, or a number from 1 to %d.\n", len(choice))
	}
}
