package wagi

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/minispin/minispin/trigger/http/spinheader"
)

// MaxHeadLength is the largest header part a program may print, in bytes.
const MaxHeadLength = 64 << 10

// OutputError reports output that is no CGI response.
type OutputError struct {
	Status  int    // the status of the answer to the client
	Message string // the body of that answer; "" for none
	Reason  string // what is wrong with the output, for the log
}

// Error returns what is wrong with the output.
func (e *OutputError) Error() string { return "output of the program: " + e.Reason }

// Head is the header part of a program's output.
type Head struct {
	Status int         // of a final response: 200 to 999
	Header http.Header // without fields that belong to the connection

	// Ignored lists what was printed and could not be used, for the log.
	Ignored []string
}

// Parser splits the standard output of a program into a response head and a
// body (RFC 3875, section 6.2). Bytes are handed over with [Parser.Feed] as
// they come and ended with [Parser.Finish]. The zero value is ready to use.
type Parser struct {
	head    []byte
	last    byte
	printed bool // the program printed at least one byte
	done    bool // the header part has ended
}

// Feed takes the next bytes of the output. While the header part lasts it
// returns nothing. The call that meets the end of it returns the head and what
// follows in output; every later call returns output itself as body. The error
// is an [*OutputError], after which the parser must not be used again.
func (p *Parser) Feed(output []byte) (head *Head, body []byte, err error) {
	if len(output) > 0 {
		p.printed = true
	}
	if p.done {
		return nil, output, nil
	}
	for i, c := range output {
		switch {
		case c == '\r':
			continue
		case c == '\n' && p.last == '\n':
			p.done = true
			head, err := parseHead(p.head)
			p.head = nil
			return head, output[i+1:], err
		case len(p.head) == MaxHeadLength:
			return nil, nil, &OutputError{
				Status: http.StatusInternalServerError,
				Reason: fmt.Sprintf("the header part is longer than %d bytes", MaxHeadLength),
			}
		}
		p.last = c
		p.head = append(p.head, c)
	}
	return nil, nil, nil
}

// Finish tells the parser that the program has ended. The error is an
// [*OutputError] if the output had no header part.
func (p *Parser) Finish() error {
	switch {
	case p.done:
		return nil
	case !p.printed:
		return &OutputError{
			Status: http.StatusInternalServerError,
			Reason: "empty; is the component meant for the wagi executor?",
		}
	}
	return insufficient("no blank line ends the header part")
}

// insufficient is the error for a head that lacks what makes it a response.
func insufficient(reason string) *OutputError {
	return &OutputError{
		Status:  http.StatusInternalServerError,
		Message: "The program's output must begin with a content-type, status or location header.",
		Reason:  reason,
	}
}

// parseHead reads the header lines of a program, without carriage returns and
// without the blank line.
func parseHead(lines []byte) (*Head, error) {
	if !utf8.Valid(lines) {
		return nil, &OutputError{Status: http.StatusInternalServerError, Reason: "the header part is not UTF-8"}
	}
	var (
		head       = &Head{Status: http.StatusOK, Header: make(http.Header)}
		status     string
		explicit   bool // there was a status header
		sufficient bool
	)
	for line := range strings.SplitSeq(string(bytes.TrimSpace(lines)), "\n") {
		name, value, ok := strings.Cut(line, ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok || !spinheader.ValidName(name) {
			head.Ignored = append(head.Ignored, fmt.Sprintf("line %q is no header", line))
			continue
		}
		name = http.CanonicalHeaderKey(name)
		switch name {
		case "Status":
			sufficient, explicit, status = true, true, value
			continue
		case "Content-Type", "Location":
			sufficient = true
		}
		if connectionField(name) {
			head.Ignored = append(head.Ignored, fmt.Sprintf("header %q belongs to the host", name))
			continue
		}
		if !spinheader.ValidValue(value) {
			return nil, &OutputError{
				Status: http.StatusInternalServerError,
				Reason: fmt.Sprintf("the value of header %q has a control character", name),
			}
		}
		if name == "Set-Cookie" {
			head.Header.Add(name, value) // the one field that cannot be joined or replaced
			continue
		}
		head.Header.Set(name, value)
	}
	if !sufficient {
		return nil, insufficient("none of content-type, status and location is among the headers")
	}
	switch {
	case explicit:
		var ok bool
		if head.Status, ok = parseStatus(status); !ok {
			head.Ignored = append(head.Ignored, fmt.Sprintf("status %q is no final status code", status))
		}
	case head.Header.Get("Location") != "":
		head.Status = http.StatusFound
	}
	return head, nil
}

// parseStatus returns the number before the first space of a status header. What
// is no number of a final response counts as 502 and is not ok.
func parseStatus(value string) (status int, ok bool) {
	code, _, _ := strings.Cut(value, " ")
	n, err := strconv.ParseUint(code, 10, 16)
	if err != nil || len(code) != 3 || n < 200 {
		return http.StatusBadGateway, false
	}
	return int(n), true
}

// connectionField reports whether a header speaks of the connection to the
// client, which is the host's.
func connectionField(name string) bool {
	switch name {
	case "Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade":
		return true
	}
	return false
}
