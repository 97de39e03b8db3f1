package reconcile_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/breakglass-bot/breakglass/internal/change"
	sandbox "github.com/breakglass-bot/breakglass/internal/sandbox/aws"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
)

// ordeal is a story with faults drawn at random. AWS is well again at its end.
type ordeal struct {
	Lag, Settle, Spread time.Duration
	StaleReads          int
	Planted             bool // the access is there before anybody asks
	Acts                []act
}

// act is something that happens, and the time until the next.
type act struct {
	What string
	N    int
	Kind fault.Kind
	Call string
	Then time.Duration
}

var ordeals = rapid.Custom(func(t *rapid.T) ordeal {
	seconds := func(name string, most int) time.Duration {
		return time.Duration(rapid.IntRange(0, most).Draw(t, name)) * time.Second
	}
	o := ordeal{
		Lag: seconds("lag", 12), Settle: seconds("settle", 20), Spread: seconds("spread", 15),
		StaleReads: rapid.IntRange(0, 2).Draw(t, "stale reads"), Planted: rapid.IntRange(0, 4).Draw(t, "planted") == 0,
	}
	kinds := []fault.Kind{fault.ReplyLost, fault.Refused, fault.Unavailable, fault.Internal, fault.InternalLie, fault.TooMany, fault.HTML, fault.Truncated}
	calls := []string{createCall, deleteCall, listCall, "DescribeAccountAssignmentCreationStatus", "DescribeAccountAssignmentDeletionStatus", "ListAccountAssignmentCreationStatus", ""}
	for range rapid.IntRange(3, 10).Draw(t, "acts") {
		o.Acts = append(o.Acts, act{
			What: rapid.SampledFrom([]string{"ask", "ask", "finish", "fault", "fault", "fault", "ghost", "stall create", "stall delete", "fail create", "fail delete", "crash", "release"}).Draw(t, "what"),
			N:    rapid.IntRange(1, 3).Draw(t, "n"),
			Kind: rapid.SampledFrom(kinds).Draw(t, "kind"),
			Call: rapid.SampledFrom(calls).Draw(t, "call"),
			Then: time.Duration(rapid.SampledFrom([]int{0, 1, 2, 5, 30, 60, 300, 1200}).Draw(t, "then")) * time.Second,
		})
	}
	return o
})

const ordealsTried = 24

// Whatever AWS does, and whenever the process dies: at the end nothing of ours is
// left, every change knows it, and what stood there before still stands.
func TestNothingIsLeftBehindWhateverHappens(t *testing.T) {
	t.Parallel()
	for seed := range ordealsTried {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			o := ordeals.Example(seed)
			o.run(t)
			if t.Failed() {
				t.Logf("%+v", o)
			}
		})
	}
}

func (o ordeal) run(t *testing.T) {
	b := accessSetup(t, func(x *sandbox.Options) {
		x.ListLag, x.SettleAfter, x.SpreadFor, x.ListLagReads = o.Lag, o.Settle, o.Spread, o.StaleReads
	})
	if o.Planted {
		b.aws.Plant(adaAdmin)
	}
	c := &crasher{}
	c.attach(b)
	var all []change.Number
	for i, x := range append([]act{{What: "ask"}}, o.Acts...) {
		switch x.What {
		case "ask":
			all = append(all, b.approvedInSpiteOfCrash())
		case "finish":
			n := all[i%len(all)]
			if p := b.change(n).Phase; p == change.Active || p == change.Approved {
				b.insist(n, change.Finish{})
			}
		case "fault":
			b.aws.Faults.Add(fault.Fault{Kind: x.Kind, Call: x.Call, Times: x.N})
		case "ghost":
			b.aws.GhostCreates(1, time.Duration(x.N)*4*time.Minute)
		case "stall create":
			b.aws.StallCreates(x.N)
		case "stall delete":
			b.aws.StallDeletes(x.N)
		case "fail create":
			b.aws.FailCreates(x.N, "a quota")
		case "fail delete":
			b.aws.FailDeletes(x.N, "busy with something else")
		case "crash":
			c.before = c.calls + x.N
		case "release":
			b.aws.Release()
		}
		b.forward(x.Then)
		b.activeHas(all)
	}
	b.aws.Faults.Clear()
	b.forward(3 * time.Hour)
	b.aws.Release()
	b.forward(3 * time.Hour)
	for _, n := range all {
		x := b.change(n)
		if x.Phase != change.Ended && !x.Phase.Final() {
			t.Errorf("%s is %s: %v", n, x.Phase, b.events(n))
		}
		if x.Phase == change.Ended && x.Access.GoneAt.IsZero() {
			t.Errorf("%s does not know that its access is gone: %v", n, b.events(n))
		}
	}
	if b.aws.Has(adaAdmin) != o.Planted {
		t.Errorf("AWS has the access: %v; calls %+v", b.aws.Has(adaAdmin), b.aws.History())
	}
	if o.Planted {
		if got := b.calls(deleteCall); got != 0 {
			t.Errorf("%d deletes", got)
		}
	}
	b.careful()
	b.forward(9 * 24 * time.Hour)
	b.quiet()
}

// activeHas demands that whoever was told that they have access has it.
func (b *accessBundle) activeHas(all []change.Number) {
	b.Helper()
	for _, n := range all {
		if b.change(n).Phase == change.Active && !b.aws.Has(adaAdmin) {
			b.Errorf("at %s %s is active without its access; calls %+v", b.clock.now().Sub(start), n, b.aws.History())
		}
	}
}
