//go:build bench

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/sandbox/aws"
)

// benchMixed has everything asked of AWS at once at its own limits: a census under
// way, approvals, and then revocations that fall due. It tells what waited for what.
func benchMixed(ctx context.Context, t *testing.T, b *bench) {
	const revokes, grants, pairs = 200, 40, 400
	d := openDuty(ctx, t, true, revokes+grants, pairs)
	due := ledger.Micro(time.Now().Add(time.Hour))
	ends := make([]time.Time, revokes)
	for i := range ends {
		ends[i] = due
	}
	d.grant(ctx, 0, ends)
	before := due.Add(-10 * time.Second)
	var numbers []change.Number
	for i := range grants {
		n, err := d.asked(ctx, d.at(func() time.Time { return before }, false), revokes+i)
		d.must(err)
		numbers = append(numbers, n)
	}
	d.done(ctx)
	d.must(ledger.New(d.pool).EnsureCensus(ctx, d.cfg.AWS.InstanceARN, before, time.Hour))
	d.serve(ctx, before)
	for d.now().Before(due.Add(-time.Second)) { // the census goes on alone for a while
		<-time.After(50 * time.Millisecond)
	}
	var all errgroup.Group
	all.SetLimit(8)
	approved := d.now()
	for _, n := range numbers {
		all.Go(func() error {
			_, err := d.at(d.now, true).Do(ctx, n, change.Approve{Ask: 1}, dutyActor("U0CTO"))
			return err
		})
	}
	d.must(all.Wait())
	asked := d.deletes(ctx, revokes, time.Minute)
	last := due
	for _, at := range asked {
		if at.After(last) {
			last = at
		}
	}
	d.created(ctx, grants, 3*time.Minute)
	heard := d.world.AWS.Heard()
	var creates []time.Duration
	for _, c := range d.world.AWS.History() {
		if c.Operation == "CreateAccountAssignment" && c.Refused == "" {
			creates = append(creates, c.At.Sub(approved))
		}
	}
	least := allowed(heard, due, revokes)
	ratio := least.Seconds() / last.Sub(due).Seconds()
	b.add(figure{
		what: "200 revocations due amid 40 approvals and a census: due to the last call", got: short(last.Sub(due)),
		against: fmt.Sprintf("%.2f s, one call each", least.Seconds()), ratio: fmt.Sprintf("%.3f", ratio), goal: ">= 0.95", met: atLeast(ratio, 0.95),
	})
	kinds := func(from, to time.Time) string {
		n := map[string]int{}
		for _, h := range heard {
			if !h.At.Before(from) && !h.At.After(to) {
				n[dutyKind(h)]++
			}
		}
		return fmt.Sprintf("revoke %d, grant %d, poll %d, census %d", n["revoke"], n["grant"], n["poll"], n["census"])
	}
	b.add(figure{what: "… calls in the second before they fell due", got: kinds(due.Add(-time.Second), due)})
	b.add(figure{what: "… calls while revocations waited (0.5 s after due to the last)", got: kinds(due.Add(500*time.Millisecond), last)})
	b.add(figure{what: "… calls in the 5 s after that", got: kinds(last, last.Add(5*time.Second))})
	slices.Sort(creates)
	b.add(figure{what: "… approval to its create", got: spread(creates)})
	_, throttled, sum := dutyCalls(heard, before, d.now())
	b.add(figure{what: "… calls in all", got: fmt.Sprintf("%d, %d throttled", sum, throttled)})
}

// dutyKind tells what a call was for, by its operation and its account.
func dutyKind(h aws.Heard) string {
	switch {
	case strings.HasPrefix(h.Operation, "Delete"):
		return "revoke"
	case strings.HasPrefix(h.Operation, "Create"):
		return "grant"
	case strings.HasPrefix(h.Account, "8"), strings.HasPrefix(h.Account, "1"), strings.HasPrefix(h.Account, "4"):
		return "census"
	case strings.HasPrefix(h.Operation, "ListAccountAssignments") && h.Account >= dutyAccount(200):
		return "grant"
	}
	return "poll"
}

// created waits until so many creates were accepted.
func (d *dutyStage) created(ctx context.Context, n int, within time.Duration) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		count := 0
		for _, c := range d.world.AWS.History() {
			if c.Operation == "CreateAccountAssignment" && c.Refused == "" {
				count++
			}
		}
		if count >= n {
			return
		}
		select {
		case <-ctx.Done():
			d.t.Fatalf("%d of %d creates were asked for within %s", count, n, within)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// allowed is how soon AWS could have been asked so many times since due: no more
// than its limit in any one second, with what it had been asked in the second before.
func allowed(heard []aws.Heard, due time.Time, calls int) time.Duration {
	var at []time.Time
	for _, h := range heard {
		if h.At.Before(due) && h.At.After(due.Add(-time.Second)) {
			at = append(at, h.At)
		}
	}
	slices.SortFunc(at, time.Time.Compare)
	for range calls {
		next := due
		if n := len(at); n >= aws.CallsPerSecond {
			if free := at[n-aws.CallsPerSecond].Add(time.Second); free.After(next) {
				next = free
			}
		}
		at = append(at, next)
	}
	return at[len(at)-1].Sub(due)
}
