package directory

import (
	"fmt"
	"runtime/debug"
	"sync"

	"golang.org/x/sync/errgroup"
)

// Looks are look-ups side by side. A panic of one of them comes out of Wait, in
// whoever asked: in a goroutine of its own it would end the program, and taken for
// no answer it would hide from whoever decides that nobody has looked. The zero
// value is ready for use.
type Looks struct {
	all errgroup.Group

	mu    sync.Mutex
	panic error // the first one; nil: there was none
}

// Limit bounds how many run at once. It is called before the first Go.
func (l *Looks) Limit(atOnce int) { l.all.SetLimit(atOnce) }

// Go begins a look-up.
func (l *Looks) Go(look func()) {
	l.all.Go(func() error {
		defer func() { l.keep(recover()) }()
		look()
		return nil
	})
}

// keep takes what a look-up panicked with; nil: it did not.
func (l *Looks) keep(value any) {
	if value == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.panic == nil {
		l.panic = fmt.Errorf("a look-up panicked: %v\n%s", value, debug.Stack())
	}
}

// Wait returns once every look-up has ended. It panics if one of them did, with
// what that one said and where it was.
func (l *Looks) Wait() {
	_ = l.all.Wait() // none of them answers an error
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.panic != nil {
		panic(l.panic)
	}
}
