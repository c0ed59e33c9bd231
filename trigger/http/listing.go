package httptrigger

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// Listing is what a command prints when it begins to serve an application.
// Programs read it, so its form is fixed.
type Listing struct {
	// App is the name of the application where several are served, "" otherwise.
	App     string
	BaseURL string // of the application, without a slash at the end
	Routes  []ListedRoute
}

// Listings is what a command prints when it begins to serve several applications.
type Listings struct {
	BaseURL string // of the server
	Apps    []Listing
}

// ListedRoute is a line of a listing.
type ListedRoute struct {
	ID          string // of the component or trigger
	Path        string // without a trailing wildcard, "" for the root
	Wildcard    bool   // everything below Path is meant as well
	Description string // "" for none

	// Strategy is how requests are executed, with the reason if it needs one;
	// "" for what the host answers by itself.
	Strategy, StrategyReason string
}

// Listing returns the routes of the application in order of precedence. Private
// ones are not among them.
func (h *Handler) Listing(baseURL string) Listing {
	l := Listing{BaseURL: baseURL + h.base}
	for i, p := range h.routing.table.All() {
		r := &h.routing.routes[i]
		l.Routes = append(l.Routes, ListedRoute{
			ID: r.ID, Path: p.Listed(), Wildcard: p.Wildcard(), Description: r.Description,
			Strategy: r.Strategy, StrategyReason: r.StrategyReason,
		})
	}
	return l
}

// boldGreen and plainText are what a terminal is told around the word Serving.
const boldGreen, plainText = "\x1b[1;32m", "\x1b[0m"

// WritePlain writes the listing as text.
func (l Listing) WritePlain(w io.Writer) error { return l.alone().writeText(w, "Serving") }

// WriteTerminal writes the listing as text for a terminal, with colour.
func (l Listing) WriteTerminal(w io.Writer) error {
	return l.alone().writeText(w, boldGreen+"Serving"+plainText)
}

// alone returns the listings that have only l.
func (l Listing) alone() Listings { return Listings{l.BaseURL, []Listing{l}} }

// WritePlain writes the listings as text, one application after the other.
func (l Listings) WritePlain(w io.Writer) error { return l.writeText(w, "Serving") }

// WriteTerminal writes the listings as text for a terminal, with colour.
func (l Listings) WriteTerminal(w io.Writer) error {
	return l.writeText(w, boldGreen+"Serving"+plainText)
}

func (l Listings) writeText(w io.Writer, serving string) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "\n%s %s\n", serving, l.BaseURL)
	for _, app := range l.Apps {
		app.appendText(&b)
	}
	return write(w, b.Bytes())
}

func (l Listing) appendText(b *bytes.Buffer) {
	if l.App == "" {
		b.WriteString("Available Routes:\n")
	} else {
		fmt.Fprintf(b, "Available Routes of %s:\n", l.App)
	}
	for _, r := range l.Routes {
		fmt.Fprintf(b, "  %s: %s%s", r.ID, l.BaseURL, r.Path)
		if r.Wildcard {
			b.WriteString(" (wildcard)")
		}
		b.WriteByte('\n')
		if r.Description != "" {
			fmt.Fprintf(b, "    %s\n", r.Description)
		}
		// Indented as a description is, which those who read the listing pass over.
		switch {
		case r.StrategyReason != "":
			fmt.Fprintf(b, "    (%s: %s)\n", r.Strategy, r.StrategyReason)
		case r.Strategy != "":
			fmt.Fprintf(b, "    (%s)\n", r.Strategy)
		}
	}
}

// jsonListing is a Listing as JSON.
type jsonListing struct {
	App     string      `json:"app,omitempty"`
	BaseURL string      `json:"base_url"`
	Routes  []jsonRoute `json:"routes"`
}

type jsonRoute struct {
	ID          string `json:"id"`
	Route       string `json:"route"`
	Wildcard    bool   `json:"wildcard"`
	Description string `json:"description,omitempty"`
	Strategy    string `json:"strategy,omitempty"`
	Reason      string `json:"strategy_reason,omitempty"`
}

func (l Listing) json() jsonListing {
	out := jsonListing{App: l.App, BaseURL: l.BaseURL, Routes: []jsonRoute{}}
	for _, r := range l.Routes {
		path := r.Path
		if path == "" {
			path = "/"
		}
		out.Routes = append(out.Routes, jsonRoute{r.ID, path, r.Wildcard, r.Description, r.Strategy, r.StrategyReason})
	}
	return out
}

// WriteJSON writes the listing as a JSON object.
func (l Listing) WriteJSON(w io.Writer) error { return writeJSON(w, l.json()) }

// WriteJSON writes the listings as a JSON object, whose member apps has one like
// that of a single application for each.
func (l Listings) WriteJSON(w io.Writer) error {
	out := struct {
		BaseURL string        `json:"base_url"`
		Apps    []jsonListing `json:"apps"`
	}{BaseURL: l.BaseURL, Apps: []jsonListing{}}
	for _, app := range l.Apps {
		out.Apps = append(out.Apps, app.json())
	}
	return writeJSON(w, out)
}

func writeJSON(w io.Writer, value any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(value); err != nil {
		return fmt.Errorf("listing the routes: %w", err)
	}
	return write(w, b.Bytes())
}

func write(w io.Writer, p []byte) error {
	if _, err := w.Write(p); err != nil {
		return fmt.Errorf("listing the routes: %w", err)
	}
	return nil
}
