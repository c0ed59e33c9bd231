package httptrigger

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/minispin/minispin/trigger/http/route"
	"github.com/minispin/minispin/trigger/http/spinheader"
)

// Site is where one of several applications is that share a listener.
type Site struct {
	// Hosts are the host names, without a port, that the application answers
	// to. None means those that no other site has.
	Hosts []string
	// Base is the path that the application is at, as in "/shop"; "" is the
	// root. It must be the Base of the application's handler.
	Base string

	Handler http.Handler
}

// Sites answers each request with the application it is for: the one of the
// request's host, or else one that is for any host; among those the one with the
// longest base that the path is below. Names of hosts are compared without their
// port, in any case and with or without a dot at the end, paths as they were sent.
type Sites struct {
	byHost map[string][]Site // "" for any host; the longest base first
}

// NewSites puts sites behind one handler. The error joins one for every host name
// or base that is none, and for every place that two sites claim.
func NewSites(sites []Site) (*Sites, error) {
	s := &Sites{byHost: map[string][]Site{}}
	var errs []error
	for _, site := range sites {
		if err := checkBase(site.Base); err != nil {
			errs = append(errs, err)
		}
		hosts := site.Hosts
		if len(hosts) == 0 {
			hosts = []string{""}
		}
		for _, host := range hosts {
			name := hostName(host)
			if len(site.Hosts) > 0 && (name != strings.TrimSuffix(strings.ToLower(host), ".") || !validAuthority(host) || spinheader.InternalHost(host) || strings.Contains(host, "*")) {
				errs = append(errs, fmt.Errorf("%q is no host name, such as shop.example.com; ports do not belong to it, and there are no wildcards", host))
				continue
			}
			if slices.ContainsFunc(s.byHost[name], func(o Site) bool { return o.Base == site.Base }) {
				errs = append(errs, fmt.Errorf("two applications are at %s", place(name, site.Base)))
			}
			s.byHost[name] = append(s.byHost[name], site)
		}
	}
	for _, list := range s.byHost {
		slices.SortStableFunc(list, func(a, b Site) int { return cmp.Compare(len(b.Base), len(a.Base)) })
	}
	return s, errors.Join(errs...)
}

// place describes where a site is.
func place(host, base string) string {
	return cmp.Or(host, "any host") + cmp.Or(base, "/")
}

// checkBase reports what is wrong with a base.
func checkBase(base string) error {
	if base == "" {
		return nil
	}
	if !strings.HasPrefix(base, "/") {
		return fmt.Errorf("the path %q does not begin with a slash", base)
	}
	for segment := range strings.SplitSeq(base[1:], "/") {
		if segment == "" || segment == "." || segment == ".." || strings.ContainsFunc(segment, func(c rune) bool { return c == '*' || c != '@' && !regNameByte(c) }) {
			return fmt.Errorf("%q is no path of an application: it has names with a slash before each, as in /shop or /shop/eu, and no wildcards", base)
		}
	}
	if strings.HasPrefix(base+"/", route.ReservedPrefix) {
		return fmt.Errorf("%q cannot be the path of an application: what is below %s is the host's", base, route.ReservedPrefix)
	}
	return nil
}

// hostName returns the name in an authority as it is compared.
func hostName(authority string) string {
	host := authority
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

// ServeHTTP answers a request with the application it is for. If there is none, the
// answer is 404 with a body that says so; the host's own answer to
// /.well-known/spin/health is there in any case.
func (s *Sites) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t, err := parseTarget(r)
	if err != nil {
		boundDrain(w, r)
		answer(w, http.StatusBadRequest)
		return
	}
	host := hostName(r.Host)
	if site := s.find(host, t.path); site != nil {
		site.Handler.ServeHTTP(w, r)
		return
	}
	defer boundDrain(w, r)
	if t.path == route.ReservedPrefix+"health" {
		answerHealth(w)
		return
	}
	if _, err := authority(r); err != nil {
		answer(w, http.StatusBadRequest)
		return
	}
	reason := fmt.Sprintf("No application is served for the host %q.\n", host)
	if s.byHost[host] != nil || s.byHost[""] != nil {
		reason = "No application is served at this path.\n"
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(reason)))
	w.WriteHeader(http.StatusNotFound)
	// A failure means that the client is gone; nobody is left to tell.
	_, _ = io.WriteString(w, reason)
}

// find returns the site for a path on a host, nil if there is none.
func (s *Sites) find(host, path string) *Site {
	for _, name := range []string{host, ""} {
		list := s.byHost[name]
		for i := range list {
			if _, ok := below(list[i].Base, path); ok {
				return &list[i]
			}
		}
		if host == "" {
			break
		}
	}
	return nil
}
