package reconcile_test

import (
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	sandbox "github.com/breakglass-bot/breakglass/internal/sandbox/aws"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
)

func TestADeleteWhoseReplyWasLostStillRemoves(t *testing.T) {
	t.Parallel()
	for _, kind := range []fault.Kind{fault.ReplyLost, fault.InternalLie, fault.Unavailable, fault.HTML} {
		b := accessSetup(t)
		n := b.approved()
		b.active(n)
		b.aws.Faults.Add(fault.Fault{Kind: kind, Call: deleteCall, Times: 3})
		b.do(n, change.Finish{}, asker)
		c := b.gone(n, 5*time.Minute)
		b.wantHas(false)
		if late := c.Access.GoneAt.Sub(c.Window.Ended); late > 2*time.Minute {
			t.Errorf("%s: gone after %s", kind, late)
		}
		b.quiet()
	}
}

func TestARemovalIsRetriedForEverAndShoutedAboutOnce(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*accessBundle){
		"throttled": func(b *accessBundle) { b.aws.Faults.Add(fault.Fault{Kind: fault.TooMany, Call: deleteCall}) },
		"down":      func(b *accessBundle) { b.aws.Faults.Add(fault.Fault{Kind: fault.Unavailable}) },
		"failing":   func(b *accessBundle) { b.aws.FailDeletes(250, "Received a 500 status error") },
		"stalled":   func(b *accessBundle) { b.aws.StallDeletes(10_000) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := accessSetup(t)
			n := b.approved()
			b.active(n)
			spoil(b)
			b.do(n, change.Finish{}, asker)
			b.forward(4 * time.Minute)
			if b.count(n, change.EventAccessLate) != 0 {
				t.Error("shouted too early")
			}
			b.forward(2 * time.Minute)
			if b.count(n, change.EventAccessLate) != 1 || b.change(n).Access.LateAt.IsZero() {
				t.Fatalf("nobody was told: %v", b.events(n))
			}
			if name == "throttled" { // a delete each second: an hour of them tells no more
				b.forward(20 * time.Minute)
			} else {
				b.forward(time.Hour)
			}
			b.wantHas(true)
			if late, trouble := b.count(n, change.EventAccessLate), b.count(n, change.EventAccessTrouble); late != 1 || trouble != 1 {
				t.Errorf("told %d times as late, %d times as trouble", late, trouble)
			}
			if got := b.deliveries(n, change.DeliverAudit) + b.deliveries(n, change.DeliverCTO); got != 2 {
				t.Errorf("%d messages to the audit channel and the CTO, want 2", got)
			}
			b.aws.Faults.Clear()
			b.aws.Release()
			b.forward(40 * time.Minute)
			b.wantHas(false)
			if c := b.change(n); c.Access.GoneAt.IsZero() || c.Access.Trouble != "" {
				t.Errorf("access %+v", c.Access)
			}
			b.quiet()
		})
	}
}

func TestAPersonWhoLeftTheDirectoryLosesTheAccessToo(t *testing.T) {
	t.Parallel()
	b := accessSetup(t, func(o *sandbox.Options) { o.GoneUsersStay = true })
	n := b.approved()
	b.active(n)
	b.aws.RemoveUser(ada)
	b.do(n, change.Finish{}, asker)
	b.forward(time.Minute)
	if c := b.change(n); !c.Access.GoneAt.IsZero() {
		t.Fatal("told as gone while a list shows it")
	}
	b.aws.Uproot(adaAdmin) // AWS tidies up behind the user at last
	b.gone(n, 3*time.Minute)
	b.quiet()
}

const bob = "93d4a8e2-1111-2222-3333-444455557777"

// deliveries counts what is to be delivered because the removal is late.
func (b *accessBundle) deliveries(n change.Number, kind change.DeliveryKind) int {
	b.Helper()
	var count int
	b.ok(b.pool.QueryRow(b.ctx, `SELECT count(*) FROM deliveries d JOIN events e ON e.chain = d.number AND e.seq = (d.ref->>'seq')::bigint
		WHERE d.number = $1 AND d.kind = $2 AND e.type = 'access_late'`, int64(n), string(kind)).Scan(&count))
	return count
}

// unwantedAtMost demands that no access of ours lasted longer than that after
// every change had ended.
func (b *accessBundle) unwantedAtMost(most time.Duration) {
	b.Helper()
	var ended time.Time
	b.ok(b.pool.QueryRow(b.ctx, `SELECT max(ended_at) FROM changes`).Scan(&ended))
	for _, in := range b.ownIntervals() {
		from := in.From
		if from.Before(ended) {
			from = ended
		}
		if in.To.IsZero() || in.To.Sub(from) > most {
			b.Fatalf("an access lasted from %s to %s; the change ended at %s", in.From, in.To, ended)
		}
	}
}

func TestAccessToWhatNoLongerExistsIsGone(t *testing.T) {
	t.Parallel()
	for name, remove := range map[string]func(*accessBundle){
		"permission set": func(b *accessBundle) { b.aws.RemovePermissionSet(setARN) },
		"account":        func(b *accessBundle) { b.aws.RemoveAccount(account) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := accessSetup(t)
			n := b.approved()
			b.active(n)
			b.aws.Uproot(adaAdmin)
			remove(b)
			b.do(n, change.Finish{}, asker)
			b.drain()
			if c := b.change(n); !c.Access.GoneAt.IsZero() {
				t.Error("one look was enough")
			}
			b.gone(n, time.Minute)
			if b.count(n, change.EventAccessLate) != 0 {
				t.Errorf("events %v", b.events(n))
			}
			b.quiet()
		})
	}
}
