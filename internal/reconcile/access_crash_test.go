package reconcile_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// crasher abandons the work, as a killed process does, before or after the
// n-th call to AWS, or makes the n-th transaction of a command fail.
type crasher struct {
	mu                    sync.Mutex // for commits: the clock moves several changes on at once
	calls, commits        int
	before, after, doomed int // the number of the call or commit; 0: never
	crashed               bool
}

func (c *crasher) attach(b *accessBundle) {
	s := &spy{AWS: b.client}
	s.before = func(string) {
		if c.calls++; c.calls == c.before {
			c.crashed = true
			panic(errCrash)
		}
	}
	s.after = func(string) {
		if c.calls == c.after {
			c.crashed = true
			panic(errCrash)
		}
	}
	b.access = b.reconciler(s)
	b.waker.fail = func() error {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.commits++; c.commits == c.doomed {
			c.crashed = true
			return errCrash
		}
		return nil
	}
	b.failed = func(err error) {
		if !errors.Is(err, errCrash) {
			b.Fatal(err)
		}
	}
}

// story is a life with everything in it that can be interrupted: two changes
// that overlap, an end by hand and an end by time.
func story(b *accessBundle) {
	first := b.approvedInSpiteOfCrash()
	b.until(5*time.Minute, func() bool { return b.change(first).Phase == change.Active })
	b.wantPhase(first, change.Active)
	b.forward(10 * time.Minute)
	second := b.approvedInSpiteOfCrash()
	b.until(5*time.Minute, func() bool { return b.change(second).Phase == change.Active })
	b.wantPhase(second, change.Active)
	b.insist(first, change.Finish{})
	b.forward(20 * time.Minute)
	b.wantHas(true)
	b.until(4*time.Hour, func() bool { return !b.change(second).Access.GoneAt.IsZero() })
	for _, n := range []change.Number{first, second} {
		c := b.wantPhase(n, change.Ended)
		if c.Access.GoneAt.IsZero() || c.Access.Standing || c.Access.Trouble != "" {
			b.Fatalf("%s: %+v", n, c.Access)
		}
		for _, once := range []change.EventType{change.EventAccessIntended, change.EventAccessVerified, change.EventActivated, change.EventAccessGone} {
			if got := b.count(n, once); got != 1 {
				b.Fatalf("%s: %d events %s", n, got, once)
			}
		}
	}
	b.wantHas(false)
	if in := b.aws.Intervals(); len(in) != 1 {
		b.Fatalf("intervals %+v", in)
	}
	b.unwantedAtMost(4 * time.Minute) // the lease of a dead process, and then the removal
	b.forward(9 * 24 * time.Hour)
	b.quiet()
}

// approvedInSpiteOfCrash presses again where the transaction failed.
func (b *accessBundle) approvedInSpiteOfCrash() change.Number {
	b.Helper()
	var made change.Change
	for made.Number == 0 {
		c, err := b.workflow.Submit(b.ctx, accessAsk(ada), asker)
		if err == nil {
			made = c
		} else if !errors.Is(err, errCrash) {
			b.Fatal(err)
		}
	}
	b.insistAs(made.Number, change.Approve{Ask: 1}, ctoActor)
	return made.Number
}

func (b *accessBundle) insist(n change.Number, cmd change.Command) { b.insistAs(n, cmd, asker) }

func (b *accessBundle) insistAs(n change.Number, cmd change.Command, by change.Actor) {
	b.Helper()
	for {
		_, err := b.workflow.Do(b.ctx, n, cmd, by)
		if err == nil {
			return
		}
		if !errors.Is(err, errCrash) {
			b.Fatal(err)
		}
	}
}

func TestACrashAtAnyPointCostsNothingButTime(t *testing.T) {
	t.Parallel()
	count := &crasher{}
	b := accessSetup(t)
	count.attach(b)
	story(b)
	if count.calls < 10 || count.commits < 12 {
		t.Fatalf("the story has only %d calls and %d commits", count.calls, count.commits)
	}
	try := func(name string, c *crasher) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := accessSetup(t)
			c.attach(b)
			story(b)
			if !c.crashed {
				t.Error("it never crashed")
			}
		})
	}
	for i := 1; i <= count.calls; i++ {
		try(fmt.Sprint("before call ", i), &crasher{before: i})
		try(fmt.Sprint("after call ", i), &crasher{after: i})
	}
	for i := 1; i <= count.commits; i++ {
		try(fmt.Sprint("at commit ", i), &crasher{doomed: i})
	}
}

func TestACrashAtAnyPointLeavesStandingAccessAlone(t *testing.T) {
	t.Parallel()
	for i := 1; i <= 3; i++ {
		for _, c := range []*crasher{{before: i}, {after: i}, {doomed: i + 2}} {
			b := accessSetup(t)
			b.aws.Plant(adaAdmin)
			c.attach(b)
			n := b.approvedInSpiteOfCrash()
			b.until(5*time.Minute, func() bool { return b.change(n).Phase == change.Active })
			b.insist(n, change.Finish{})
			b.gone(n, 10*time.Minute)
			b.wantHas(true)
			if len(b.aws.History()) != 0 {
				t.Errorf("calls %+v", b.aws.History())
			}
		}
	}
}
