//go:build bench

package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/sandbox/aws"
)

// benchRevoke lets a thousand grants fall due in the same second: at AWS's own
// limits, where a revocation needs one call at least to be asked for, and without.
func benchRevoke(ctx context.Context, t *testing.T, b *bench) {
	const grants = 1000
	for _, limited := range []bool{true, false} {
		t.Run(fmt.Sprintf("limited=%v", limited), func(t *testing.T) {
			d := openDuty(ctx, t, limited, grants, 0)
			due := ledger.Micro(time.Now().Add(time.Hour))
			ends := make([]time.Time, grants)
			for i := range ends {
				ends[i] = due
			}
			d.grant(ctx, 0, ends)
			d.serve(ctx, due.Add(-5*time.Second))
			asked := d.deletes(ctx, grants, 3*time.Minute)
			var after []time.Duration
			last := due
			for _, at := range asked {
				after = append(after, at.Sub(due))
				if at.After(last) {
					last = at
				}
			}
			counts, throttled, sum := dutyCalls(d.world.AWS.Heard(), due, last)
			t.Logf("calls until the last: %v, %d throttled", counts, throttled)
			if !limited {
				f := figure{what: "1,000 due in the same second, no limits: due to the call", got: spread(after), goal: "last within 2 s"}
				f.met = atMost(after[len(after)-1].Seconds(), 2)
				b.add(f)
				return
			}
			// The first 20 may go at once, and 20 in each second behind them.
			least := float64(grants)/aws.CallsPerSecond - 1
			ratio := least / last.Sub(due).Seconds()
			b.add(figure{
				what: "1,000 due in the same second, AWS's limits: due to the call", got: spread(after),
				against: fmt.Sprintf("%.0f s, one call each", least), ratio: fmt.Sprintf("%.3f", ratio), goal: ">= 0.95", met: atLeast(ratio, 0.95),
			})
			b.add(figure{what: "… calls that AWS heard until the last", got: fmt.Sprintf("%d, %d throttled", sum, throttled), against: "1000", ratio: fmt.Sprintf("%.2f", float64(sum)/grants)})
		})
	}
}

// benchDue lets grants fall due one after the other, two or three a second.
func benchDue(ctx context.Context, t *testing.T, b *bench) {
	const grants = 150
	d := openDuty(ctx, t, true, grants, 0)
	begin := ledger.Micro(time.Now().Add(time.Hour))
	ends := make([]time.Time, grants)
	for i := range ends {
		ends[i] = begin.Add(time.Duration(i) * 397 * time.Millisecond)
	}
	d.grant(ctx, 0, ends)
	d.serve(ctx, begin.Add(-3*time.Second))
	asked := d.deletes(ctx, grants, 3*time.Minute)
	var after []time.Duration
	for i, end := range ends {
		after = append(after, asked[dutyAccount(i)].Sub(end))
	}
	f := figure{what: "150 due within a minute, AWS's limits: due to the call", got: spread(after), goal: "p99 < 1 s"}
	f.met = atMost(ranked(after, 0.99).Seconds(), 1)
	b.add(f)
}

// benchApprove approves one change after the other, and waits for AWS to be asked.
func benchApprove(ctx context.Context, t *testing.T, b *bench) {
	const approvals = 60
	d := openDuty(ctx, t, true, approvals, 0)
	w := d.at(d.now, true)
	var numbers []change.Number
	for i := range approvals {
		n, err := d.asked(ctx, d.at(d.now, false), i)
		d.must(err)
		numbers = append(numbers, n)
	}
	d.done(ctx)
	d.serve(ctx, time.Now())
	<-time.After(time.Second) // what comes right behind the start is told by PART=start
	pressed := make([]time.Time, approvals)
	for i, n := range numbers {
		pressed[i] = d.now()
		_, err := w.Do(ctx, n, change.Approve{Ask: 1}, dutyActor("U0CTO"))
		d.must(err)
		<-time.After(800 * time.Millisecond)
	}
	first := map[string]time.Time{}
	for _, h := range d.world.AWS.Heard() {
		if _, known := first[h.Account]; !known {
			first[h.Account] = h.At
		}
	}
	var after []time.Duration
	for i, at := range pressed {
		called, known := first[dutyAccount(i)]
		if !known {
			t.Fatalf("nothing was asked of AWS for %s", numbers[i])
		}
		after = append(after, called.Sub(at))
	}
	f := figure{what: "60 approvals, one each 0.8 s: approval to the first call", got: spread(after), goal: "p99 < 100 ms"}
	f.met = atMost(ranked(after, 0.99).Seconds(), 0.1)
	b.add(f)
}
