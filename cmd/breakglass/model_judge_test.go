package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/sandbox/aws"
)

// judge demands what holds at every moment, whatever has happened.
func (m *model) judge() error {
	var all []error
	versions, err := m.versions()
	if err != nil {
		return err
	}
	for i, n := range m.own {
		if i < len(m.known) && m.known[i].Version == versions[n] {
			continue
		}
		c, err := m.ledger.Change(m.ctx, n)
		if err != nil {
			return err
		}
		events, err := m.ledger.Events(m.ctx, n, 0, 10_000)
		if err != nil {
			return err
		}
		all = append(all, m.judgeTrail(n), judgeDecisions(&c, events))
		if say := disagrees(lifeOf(events, c.Plan).owes(c.Plan, c.Review.Text), &c); say != "" {
			all = append(all, fmt.Errorf("%s (%s): %s", n, c.Phase, say))
		}
		if i < len(m.known) {
			m.known[i] = c
		} else {
			m.known = append(m.known, c)
		}
	}
	all = append(all, m.judgeAccess())
	for _, twice := range append(m.marks.again(), copies(m.world)...) {
		all = append(all, errors.New(twice))
	}
	return errors.Join(all...)
}

// versions are those of the changes as they stand.
func (m *model) versions() (map[change.Number]int64, error) {
	rows, err := m.pool.Query(m.ctx, `SELECT number, version FROM changes WHERE number = ANY ($1)`, m.numbers())
	if err != nil {
		return nil, err
	}
	all := map[change.Number]int64{}
	var number, version int64
	_, err = pgx.ForEachRow(rows, []any{&number, &version}, func() error { all[change.Number(number)] = version; return nil })
	return all, err
}

// judgeLedger: the day can be sealed, and the whole trail holds then: the system's
// chain, those of all changes, and the seals.
func (m *model) judgeLedger() error {
	tomorrow := m.time().AddDate(0, 0, 1)
	if err := m.ledger.Seal(m.ctx, change.SealDay(tomorrow), tomorrow, false); err != nil {
		return err
	}
	var all []error
	sum, err := m.ledger.Verify(m.ctx, func(f ledger.Finding) { all = append(all, errors.New(f.Say)) })
	if err == nil && sum.Newest.Number == 0 && len(m.own) > 0 {
		err = errors.New("nothing was sealed")
	}
	return errors.Join(append(all, err)...)
}

// judgeTrail: the chain holds, and the row is what its last event left.
func (m *model) judgeTrail(n change.Number) error {
	var all []error
	_, err := m.ledger.VerifyChange(m.ctx, n, func(f ledger.Finding) { all = append(all, errors.New(f.Say)) })
	return errors.Join(append(all, err)...)
}

// judgeDecisions: nobody decided for themselves, but on the call, and nothing was
// decided twice.
func judgeDecisions(c *change.Change, events []change.Event) error {
	var all []error
	wrong := func(format string, args ...any) {
		all = append(all, fmt.Errorf("%s: "+format, append([]any{c.Number}, args...)...))
	}
	outcomes, given := map[string]int{}, map[string]int{}
	for _, e := range events {
		who := e.Actor
		switch e.Type {
		case change.EventApprovalGiven, change.EventWaived, change.EventDenied, change.EventExtensionDenied, change.EventMergeRequestConfirmed:
		case change.EventSignedOff:
			who = change.PersonID(e.Fact("by"))
		default:
			who = ""
		}
		if who != "" && c.Own(who) {
			wrong("%s by %s, whose change it is", e.Type, who)
		}
		switch e.Type { //nolint:exhaustive // the others settle nothing
		case change.EventApproved, change.EventDenied, change.EventLapsed, change.EventWithdrawn, change.EventFailed:
			if e.Type != change.EventFailed && e.Type != change.EventWithdrawn || c.Phase == change.Requested {
				outcomes["the request"]++
			}
		case change.EventActivated, change.EventEnded, change.EventClosed, change.EventRequested, change.EventReported, change.EventAccessVerified:
			outcomes[string(e.Type)]++
		case change.EventExtensionDenied, change.EventExtensionLapsed:
			outcomes["ask "+e.Fact("ask")]++
		case change.EventApprovalGiven:
			given[e.Fact("ask")+" by "+string(who)]++
		}
	}
	for what, n := range outcomes {
		if n > 1 {
			wrong("%s was settled %d times", what, n)
		}
	}
	for what, n := range given {
		if n > 1 {
			wrong("ask %s was approved %d times", what, n)
		}
	}
	for _, a := range c.Asks {
		settled := 0
		for _, d := range a.Decisions {
			if d.Rule != change.SelfRule && c.Own(d.By) {
				wrong("ask %d was decided by %s, whose change it is", a.ID, d.By)
			}
			if !d.Approved {
				settled++
			}
		}
		if settled > 1 || (settled == 1 && a.Result == change.AskApproved) {
			wrong("ask %d has %d denials and is %s", a.ID, settled, a.Result)
		}
	}
	return errors.Join(all...)
}

// judgeAccess: whoever has access was given it and may have it still, or it is
// being taken away for no longer than breakglass allows itself.
func (m *model) judgeAccess() error {
	var all []error
	now := m.time()
	for _, has := range m.world.AWS.Assignments() {
		if has.Standing {
			continue
		}
		asked, wanted, ended := m.claims(has.Key)
		switch {
		case !asked:
			all = append(all, fmt.Errorf("%v is there, and no approved change asked for it", has.Key))
		case !wanted && now.Sub(latest(latest(ended, has.Since), m.wellSince)) > change.LateAfter && m.well():
			all = append(all, fmt.Errorf("%v is there at %s; the last change that wanted it ended at %s, and AWS is well since %s", has.Key, now, ended, m.wellSince))
		}
	}
	for _, k := range m.planted {
		if !m.world.AWS.Has(k) {
			all = append(all, fmt.Errorf("%v had been there before, and was taken away", k))
		}
	}
	for _, c := range m.known {
		if c.Phase == change.Active && c.Access != nil && m.well() && now.Sub(m.wellSince) > change.LateAfter && !m.world.AWS.Has(keyOf(&c)) {
			all = append(all, fmt.Errorf("%s is active, and its access is not there", c.Number))
		}
	}
	for _, call := range m.world.AWS.History() {
		if slices.Contains(m.planted, call.Key) {
			all = append(all, fmt.Errorf("%s of access that had been there before", call.Operation))
		}
	}
	return errors.Join(all...)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func keyOf(c *change.Change) aws.Key {
	k := c.Access.Key
	return aws.Key{InstanceARN: k.InstanceARN, AccountID: k.AccountID, PermissionSetARN: k.PermissionSetARN, UserID: k.UserID}
}

// claims says whether any change has asked for an access with an approval, whether
// any wants it now, and when the last that did no longer did.
func (m *model) claims(k aws.Key) (asked, wanted bool, ended time.Time) {
	for i := range m.known {
		c := &m.known[i]
		if c.Access == nil || keyOf(c) != k || c.Access.IntendedAt.IsZero() || c.Approver() == "" {
			continue
		}
		asked = true
		wanted = wanted || c.Wanted()
		end := latest(c.Window.Ended, c.Access.GrantBy)
		if !c.Window.Ended.IsZero() {
			end = c.Window.Ended
		}
		ended = latest(ended, end)
	}
	return asked, wanted, ended
}

// tells gives what has happened to everything, for whoever has to find out why.
func (m *model) tells() string {
	var b strings.Builder
	for _, n := range m.own {
		events, err := m.ledger.Events(m.ctx, n, 0, 10_000)
		fmt.Fprintf(&b, "%s: %v\n", n, err)
		for _, e := range events {
			fmt.Fprintf(&b, "  %s %s by %s: %v\n", e.At.UTC().Format(time.DateTime), e.Type, e.Actor+change.PersonID(e.Via), e.Facts)
		}
		fmt.Fprintf(&b, "  waits for %q\n", m.waiting(n))
	}
	for _, c := range m.world.AWS.History() {
		fmt.Fprintf(&b, "%s %s %s %s %s %s, settled %s\n", c.At.UTC().Format(time.DateTime), c.Operation, c.Key.PermissionSetARN[len(c.Key.PermissionSetARN)-1:], c.Refused, c.State, c.Reason, c.Settled.UTC().Format(time.DateTime))
	}
	return b.String()
}
