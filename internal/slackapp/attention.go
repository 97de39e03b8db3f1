package slackapp

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	// lull is how long nobody has to have waited for an answer until what can wait
	// goes on: clicks that come one upon the other are not to meet it in the gaps.
	lull = 10 * time.Millisecond
	// lullWithin is how long anything waits for that on average, half as long at least,
	// so that not all of it goes on at once. With people who come without a pause, it
	// goes on beside them.
	lullWithin = 500 * time.Millisecond
)

// attention knows whether people wait for an answer of ours.
type attention struct {
	mu      sync.Mutex
	waiting int
	free    chan struct{} // closed when nobody has waited for a lull; nil: it is so
	lull    *time.Timer   // runs since the last one was answered; nil: somebody waits
}

// begin says that somebody waits for an answer.
func (a *attention) begin() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.waiting++
	if a.free == nil {
		a.free = make(chan struct{})
	}
	if a.lull != nil {
		a.lull.Stop()
		a.lull = nil
	}
}

// end says that somebody was answered.
func (a *attention) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.waiting--; a.waiting == 0 {
		a.lull = time.AfterFunc(lull, a.rest)
	}
}

// rest lets go on what has waited for a lull.
func (a *attention) rest() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.waiting > 0 || a.free == nil { // somebody came just then
		return
	}
	close(a.free)
	a.free, a.lull = nil, nil
}

// GiveWay waits while people wait for an answer, but not long: what is to be written
// to everybody can wait until whoever has clicked was answered.
func (a *App) GiveWay(ctx context.Context) {
	a.attention.mu.Lock()
	free := a.attention.free
	a.attention.mu.Unlock()
	if free == nil {
		return
	}
	patience := time.NewTimer(lullWithin/2 + rand.N(lullWithin)) //nolint:gosec // it only spreads them out
	defer patience.Stop()
	select {
	case <-free:
	case <-patience.C:
	case <-ctx.Done():
	}
}
