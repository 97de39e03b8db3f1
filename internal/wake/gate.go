package wake

import (
	"context"
	"sync"
	"time"
)

// Gate has work that can wait give way to what people wait for. Its zero value is
// ready, and safe for concurrent use.
type Gate struct {
	mu     sync.Mutex
	inside int
	empty  chan struct{} // closed when nobody is inside any more; nil: nobody is
}

// Enter says that somebody waits for what is being done, until leave is called.
func (g *Gate) Enter() (leave func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inside++; g.inside == 1 {
		g.empty = make(chan struct{})
	}
	return sync.OnceFunc(func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.inside--; g.inside == 0 {
			close(g.empty)
			g.empty = nil
		}
	})
}

// Wait waits until nobody is inside, but no longer than most.
func (g *Gate) Wait(ctx context.Context, most time.Duration) {
	g.mu.Lock()
	empty := g.empty
	g.mu.Unlock()
	if empty == nil {
		return
	}
	patience := time.NewTimer(most)
	defer patience.Stop()
	select {
	case <-empty:
	case <-patience.C:
	case <-ctx.Done():
	}
}
