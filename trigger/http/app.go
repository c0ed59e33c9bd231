package httptrigger

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/minispin/minispin/trigger/http/route"
	"github.com/minispin/minispin/trigger/http/spinheader"
)

// App is what the handler has to know of an application.
type App struct {
	Name        string
	Version     string // "" if it has none
	ImageDigest string // of the image it was loaded from, "" if from elsewhere
	// Base is the path that the application is at, as in "/shop"; "" is the root.
	// Its routes start from there, and what is not below is not found.
	Base   string
	Routes []Route
}

// Route says what answers the requests for one route: an executor or a static
// response, never both.
type Route struct {
	ID          string // of the component, or of the trigger for a static response
	Description string // shown in the start listing, "" for none
	Pattern     string // as written in the manifest; see package route
	Private     bool   // no request from outside matches it, whatever Pattern says

	Executor Executor
	Static   *StaticResponse

	// Strategy says how the executor executes requests and StrategyReason why it
	// is that one, both for the start listing only; "" for nothing to say.
	Strategy, StrategyReason string

	// Timeout is the time the executor has for a request, its response body
	// included. Zero means no limit.
	Timeout time.Duration
}

// StaticResponse is an answer that the host gives by itself.
type StaticResponse struct {
	Status int // 0 means 200
	Header map[string]string
	Body   string
}

// check reports what is wrong with the route.
func (r *Route) check() error {
	switch {
	case r.Executor != nil && r.Static != nil:
		return errors.New("both an executor and a static response are given")
	case r.Static != nil:
		return r.Static.check()
	case r.Executor == nil:
		return errors.New("neither an executor nor a static response is given")
	}
	return nil
}

func (s *StaticResponse) check() error {
	if s.Status != 0 && (s.Status < 200 || s.Status > 999) {
		return fmt.Errorf("static response: %d is no status code of a final response", s.Status)
	}
	for name, value := range s.Header {
		if !spinheader.ValidName(name) {
			return fmt.Errorf("static response: %q is no header name", name)
		}
		if !spinheader.ValidValue(value) {
			return fmt.Errorf("static response: the value of header %q has a control character", name)
		}
	}
	return nil
}

// write sends the response.
func (s *StaticResponse) write(w http.ResponseWriter) {
	h := w.Header()
	h["Content-Type"] = nil // an empty entry keeps net/http from guessing one
	for name, value := range s.Header {
		h.Set(name, value)
	}
	status := cmp.Or(s.Status, http.StatusOK)
	if bodyAllowed(status) {
		h.Set("Content-Length", strconv.Itoa(len(s.Body)))
	}
	w.WriteHeader(status)
	if bodyAllowed(status) {
		// A failure means that the client is gone; nobody is left to tell.
		_, _ = w.Write([]byte(s.Body))
	}
}

// routing is an App made ready to answer requests.
type routing struct {
	table      *route.Table
	routes     []Route // in the order of the table's declarations
	components map[string]*Route
}

// newRouting checks the routes of app and sorts them.
func newRouting(routes []Route) (*routing, error) {
	rt := &routing{components: make(map[string]*Route)}
	all := slices.Clone(routes)
	var (
		errs     []error
		declared []route.Declared
	)
	for i := range all {
		r := &all[i]
		if err := r.check(); err != nil {
			errs = append(errs, fmt.Errorf("route %q of %q: %w", r.Pattern, r.ID, err))
			continue
		}
		if _, ok := rt.components[r.ID]; !ok && r.Executor != nil {
			rt.components[r.ID] = r
		}
		if !r.Private {
			declared = append(declared, route.Declared{Route: r.Pattern, Owner: r.ID})
			rt.routes = append(rt.routes, *r)
		}
	}
	table, err := route.New(declared)
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	rt.table = table
	return rt, nil
}
