// Package fault makes a stand-in misbehave on purpose: it loses replies,
// refuses connections, answers 429 and 5xx, sends HTML or half a body, or
// stalls, for chosen calls and a chosen number of times.
package fault

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"time"
)

// Kind is a way to misbehave.
type Kind string

// The kinds of misbehaviour.
const (
	ReplyLost   Kind = "reply lost"   // the call is carried out; the connection then breaks
	Refused     Kind = "refused"      // the connection breaks before anything is carried out
	Unavailable Kind = "unavailable"  // 503, nothing carried out
	Internal    Kind = "internal"     // 500, nothing carried out
	InternalLie Kind = "internal lie" // 500, although it was carried out
	TooMany     Kind = "too many"     // 429, with Retry-After when Fault.RetryAfter is set
	HTML        Kind = "html"         // 200 with a page instead of JSON, nothing carried out
	Truncated   Kind = "truncated"    // carried out; half the body arrives
	Stall       Kind = "stall"        // nothing is answered until the caller gives up; nothing carried out
	Answer      Kind = "answer"       // Fault.Status with Fault.Body, nothing carried out: what only one system says
)

// Fault is one planned misbehaviour.
type Fault struct {
	Kind       Kind
	Call       string        // the stand-in's own name of a call, such as chat.postMessage; empty: every call
	Skip       int           // so many matching calls are let through first
	Times      int           // so many calls are spoiled; 0: all until Clear
	RetryAfter time.Duration // for TooMany; zero: no header
	Status     int           // for Answer
	Body       string        // for Answer; JSON
}

// Plan holds the faults of a stand-in. The zero value misbehaves never. It is
// safe for concurrent use.
type Plan struct {
	mu     sync.Mutex
	faults []*Fault
	calls  map[string]int
	hits   int
}

// Add plans a fault behind those already planned.
func (p *Plan) Add(f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, &f)
}

// Clear forgets every fault.
func (p *Plan) Clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = nil
}

// Empty tells whether nothing is planned.
func (p *Plan) Empty() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.faults) == 0
}

// Calls counts the calls by name, spoiled or not.
func (p *Plan) Calls() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.calls)
}

// Hits is how many calls were spoiled.
func (p *Plan) Hits() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hits
}

// take answers the fault that the next call of this name suffers, or nil.
func (p *Plan) take(call string) *Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.calls == nil {
		p.calls = map[string]int{}
	}
	p.calls[call]++
	for i, f := range p.faults {
		if f.Call != "" && f.Call != call {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		hit := *f
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				p.faults = append(p.faults[:i:i], p.faults[i+1:]...)
			}
		}
		p.hits++
		return &hit
	}
	return nil
}

// Handler spoils the calls to next as planned. name gives a request's call name
// and may read what the stand-in has put into the request before.
func (p *Plan) Handler(name func(*http.Request) string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := p.take(name(r))
		if f == nil {
			next.ServeHTTP(w, r)
			return
		}
		f.serve(w, r, next)
	})
}

func (f *Fault) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	switch f.Kind {
	case ReplyLost:
		next.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	case Refused:
		panic(http.ErrAbortHandler)
	case Unavailable:
		http.Error(w, "Service Unavailable", http.StatusServiceUnavailable)
	case Internal:
		http.Error(w, "Internal Server Error", http.StatusInternalServerError)
	case InternalLie:
		next.ServeHTTP(httptest.NewRecorder(), r)
		http.Error(w, "Internal Server Error", http.StatusInternalServerError)
	case TooMany:
		if f.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(max(1, int(f.RetryAfter.Seconds()))))
		}
		http.Error(w, "Too Many Requests", http.StatusTooManyRequests)
	case HTML:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte("<!doctype html><title>Sorry</title><p>We will be back soon.</p>"))
	case Truncated:
		f.truncate(w, r, next)
	case Answer:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(f.Status)
		_, _ = io.WriteString(w, f.Body)
	case Stall:
		_, _ = io.Copy(io.Discard, r.Body) // only then does the server notice that the caller has gone
		<-r.Context().Done()
	}
}

// truncate announces the whole body and sends half of it.
func (f *Fault) truncate(w http.ResponseWriter, r *http.Request, next http.Handler) {
	rec := httptest.NewRecorder()
	next.ServeHTTP(rec, r)
	body := rec.Body.Bytes()
	for k, v := range rec.Header() {
		w.Header()[k] = v
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(rec.Code)
	_, _ = bytes.NewReader(body[:len(body)/2]).WriteTo(w)
	panic(http.ErrAbortHandler)
}
