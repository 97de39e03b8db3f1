package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// goneWithin is how long after the end of a change its access may last, besides
// what each crash costs: a claim that nobody holds any more.
const (
	goneWithin = change.LateAfter
	perKill    = 2*time.Minute + 10*time.Second
)

// rest waits until nothing is due any more but looks that come again and again,
// so that what is still to be delivered twice has its chance.
func (a *arena) rest(ctx context.Context) error {
	p := &player{arena: a, patience: 2 * patience}
	p.enter()
	defer p.leave()
	return p.until(ctx, "everything is delivered", func() bool { return a.delivered(ctx) })
}

// delivered tells whether nothing waits to be delivered.
func (a *arena) delivered(ctx context.Context) bool {
	var open int
	err := a.pool.QueryRow(ctx, `SELECT count(*) FROM deliveries WHERE next_try IS NOT NULL AND (done < wanted OR last_error <> '')`).Scan(&open)
	return err == nil && open == 0
}

// judge demands what must hold when all stories are over, whatever was killed.
func (a *arena) judge(ctx context.Context, players []*player) error {
	a.mu.Lock()
	all := a.problems
	a.mu.Unlock()
	wrong := func(format string, args ...any) { all = append(all, fmt.Errorf(format, args...)) }
	for _, v := range a.world.Violations() {
		wrong("violation: %s", v)
	}
	a.seen.mu.Lock()
	for _, twice := range a.seen.twice {
		wrong("%s", twice)
	}
	if len(a.seen.posted) < 8*len(players) {
		wrong("only %d messages carry their delivery's mark", len(a.seen.posted))
	}
	a.seen.mu.Unlock()
	all = append(all, a.judgeAccess(ctx, players), a.judgeRecords(players), a.judgeLedger(ctx, players))
	return errors.Join(all...)
}

// judgeAccess: one create for each change, nothing left, and gone in time.
func (a *arena) judgeAccess(ctx context.Context, players []*player) error {
	var all []error
	creates := map[string]int{}
	for _, call := range a.world.AWS.History() {
		if call.Operation == "CreateAccountAssignment" && call.Refused == "" {
			creates[call.Key.UserID]++
		}
	}
	for _, p := range players {
		if n := creates[p.aws]; n != p.role.creates {
			all = append(all, fmt.Errorf("%s: access was created %d times, want %d", p.number, n, p.role.creates))
		}
	}
	if left := a.world.AWS.Assignments(); len(left) > 0 {
		all = append(all, fmt.Errorf("AWS still holds %v", left))
	}
	owner := map[string]*player{}
	for _, p := range players {
		owner[p.aws] = p
	}
	for _, i := range a.world.AWS.Intervals() {
		p := owner[i.Key.UserID]
		if p != nil && i.Standing && p.role.regains {
			continue // given by somebody else, after the change
		}
		if p == nil {
			all = append(all, fmt.Errorf("somebody else had access: %v", i))
			continue
		}
		var ended time.Time
		if err := a.pool.QueryRow(ctx, `SELECT ended_at FROM changes WHERE requester = $1`, p.who).Scan(&ended); err != nil {
			all = append(all, err)
			continue
		}
		if allowed := goneWithin + p.role.lasts + time.Duration(a.kills.Load())*perKill; i.To.Sub(ended) > allowed {
			all = append(all, fmt.Errorf("%s: its access lasted %s beyond its end", p.number, i.To.Sub(ended)))
		}
	}
	return errors.Join(all...)
}

// judgeRecords: every ticket, comment, link, note and follow-up stands there once.
func (a *arena) judgeRecords(players []*player) error {
	var all []error
	once := map[string]int{}
	issues := a.world.Jira.Issues()
	for _, i := range issues {
		label := i.Key // of one that was there before
		if len(i.Labels) > 0 {
			label = i.Labels[0]
		}
		once["ticket "+label]++
		for _, c := range i.Comments {
			once["comment on "+i.Key+": "+c.Body]++
		}
		for _, l := range i.Links {
			once["link of "+i.Key+" to "+l.GlobalID]++
		}
	}
	for _, in := range a.world.IncidentIO.Incidents() {
		for _, n := range a.world.IncidentIO.Timeline(in.ID) {
			once["note in "+in.ID+": "+n.Title+n.Description]++
		}
		for _, f := range a.world.IncidentIO.FollowUps(in.ID) {
			once["follow-up of "+in.ID+": "+f.Title+f.Description]++
		}
	}
	for what, n := range once {
		if n != 1 {
			all = append(all, fmt.Errorf("%d times: %s", n, what))
		}
	}
	tickets, maybe := 0, 0
	for _, p := range players {
		tickets += p.role.tickets
		maybe += p.role.maybe
	}
	if len(issues) < tickets || len(issues) > tickets+maybe {
		all = append(all, fmt.Errorf("there are %d tickets, want %d, and %d more at most", len(issues), tickets, maybe))
	}
	return errors.Join(all...)
}

// judgeLedger: as many changes as were asked for, each at its end, nothing owed, every
// decision once, and the trail whole.
func (a *arena) judgeLedger(ctx context.Context, players []*player) error {
	var all []error
	for _, p := range players {
		var phase change.Phase
		if err := a.pool.QueryRow(ctx, `SELECT phase FROM changes WHERE requester = $1`, p.who).Scan(&phase); err != nil {
			all = append(all, err)
		}
		if phase != p.role.ends {
			all = append(all, fmt.Errorf("%s is %s, and should be %s", p.number, phase, p.role.ends))
		}
	}
	for what, sql := range map[string]string{
		"obligations that are still owed": `SELECT 'EC-' || number || ' owes ' || name FROM obligations WHERE state = 'owed'`,
		"decisions and steps taken twice": `SELECT 'EC-' || chain || ' ' || type || ' × ' || count(*) FROM events
			WHERE type IN ('requested', 'approved', 'activated', 'ended', 'record_written', 'signed_off', 'review_submitted', 'access_verified', 'access_gone', 'closed', 'denied', 'reported', 'noted', 'linked',
				'lapsed', 'withdrawn', 'escalated', 'duration_changed', 'extension_asked', 'extension_approved', 'snoozed', 'review_drafted', 'waived', 'incident_linked',
				'merge_request_linked', 'merge_request_confirmed', 'call_confirmed', 'self_approved', 'coordinated')
			GROUP BY chain, type HAVING count(*) > 1`,
		"deliveries that never arrived": `SELECT 'EC-' || number || ' ' || kind || ' ' || key || ': ' || last_error FROM deliveries
			WHERE next_try IS NOT NULL AND (done < wanted OR last_error <> '')`,
		"deliveries under way for ever": `SELECT 'EC-' || number || ' ' || kind || ' ' || key FROM deliveries WHERE state = 'open' AND next_try IS NULL`,
	} {
		rows, err := a.pool.Query(ctx, sql)
		if err != nil {
			return err
		}
		found, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		if len(found) > 0 {
			all = append(all, fmt.Errorf("%s: %q", what, found))
		}
	}
	var count, last int
	if err := a.pool.QueryRow(ctx, `SELECT (SELECT count(*) FROM changes), (SELECT last FROM numbers WHERE name = 'change')`).Scan(&count, &last); err != nil {
		return err
	}
	if changes := len(players); count != changes || last != changes {
		all = append(all, fmt.Errorf("there are %d changes, numbered to %d; %d were asked for", count, last, changes))
	}
	summary, err := ledger.New(a.pool).Verify(ctx, func(f ledger.Finding) { all = append(all, fmt.Errorf("the trail: %s", f)) })
	if err != nil {
		all = append(all, err)
	}
	if summary.Findings > 0 {
		all = append(all, fmt.Errorf("the trail: %s", summary))
	}
	return errors.Join(all...)
}
