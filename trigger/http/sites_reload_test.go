package httptrigger_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"

	httptrigger "github.com/minispin/minispin/trigger/http"
	"github.com/minispin/minispin/trigger/http/reload"
)

// version is one of an application. It answers until it is shut down.
type version struct {
	name   string
	number int
	mu     sync.RWMutex
	over   bool
}

func (v *version) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if v.over {
		w.WriteHeader(http.StatusGone)
		return
	}
	fmt.Fprintf(w, "%s %d", v.name, v.number)
}

func (v *version) Shutdown(context.Context) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.over = true
	return nil
}

// TestSitesWhileTheyAreReplaced replaces several applications again and again
// while each has clients. Every answer is from the application that was asked for,
// and from no version that is older than the one before.
func TestSitesWhileTheyAreReplaced(t *testing.T) {
	const rounds = 100
	names := []string{"a.example", "b.example", "c.example"}
	var sites []httptrigger.Site
	handlers := map[string]*reload.Handler{}
	for _, name := range names {
		h := &reload.Handler{}
		h.Swap(&version{name: name})
		handlers[name] = h
		sites = append(sites, httptrigger.Site{Hosts: []string{name}, Handler: h})
	}
	s, err := httptrigger.NewSites(sites)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var clients, swaps sync.WaitGroup
	for _, name := range names {
		for range 3 {
			clients.Go(func() {
				last := 0
				for over := false; !over; {
					select {
					case <-done:
						over = true
					default:
					}
					w := httptest.NewRecorder()
					s.ServeHTTP(w, httptest.NewRequest("GET", "http://"+name+"/", nil))
					var from string
					var number int
					if _, err := fmt.Sscan(w.Body.String(), &from, &number); w.Code != 200 || err != nil || from != name || number < last {
						t.Errorf("%s answers with %d %q after version %d", name, w.Code, w.Body, last)
						return
					}
					last = number
				}
				if last != rounds {
					t.Errorf("%s is at version %d in the end", name, last)
				}
			})
		}
		swaps.Go(func() {
			for i := range rounds {
				for handlers[name].Retiring() > 8 { // beyond a number they are not waited for
					runtime.Gosched()
				}
				handlers[name].Swap(&version{name: name, number: i + 1})
			}
		})
	}
	swaps.Wait()
	close(done)
	clients.Wait()
	for _, h := range handlers {
		h.Close(t.Context())
	}
}
