package reconcile

import (
	"context"
	"slices"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/workflow"
)

// verdict is what one look says about a user's access.
type verdict struct {
	unsure   bool               // AWS is being asked to alter it, or a newer look says otherwise: this one says nothing
	kind     change.FindingKind // empty: as it should be
	number   change.Number      // the change that it is about; 0: none
	removing bool               // it is ours, and the access reconciler removes it by itself
}

// judgeAccess compares whether a list that was begun at a time shows an access
// with what the ledger says about it; a is nil where it says nothing. It is pure.
func judgeAccess(listed bool, a *ledger.CensusAssignment, began time.Time) verdict {
	switch {
	case a == nil && listed:
		return verdict{kind: change.FindingUnasked}
	case a == nil:
		return verdict{}
	case a.Operation != ledger.NoOperation || a.OpenCreates > 0 || a.InHand,
		!a.LookedAt.Before(began) && listed != a.AbsentSince.IsZero():
		return verdict{unsure: true}
	case a.Wanted && !listed && a.Had != 0:
		return verdict{kind: change.FindingVanished, number: a.Had}
	case a.Wanted || !listed || a.Standing == ledger.StandingKept:
		return verdict{}
	case a.Standing == ledger.StandingOurs:
		return verdict{kind: change.FindingLeft, number: a.Last, removing: true}
	case a.Standing == ledger.StandingFound || a.Last == 0:
		return verdict{kind: change.FindingUnasked, number: a.Last}
	}
	return verdict{kind: change.FindingLeft, number: a.Last}
}

// judging is one transaction in which a look's verdicts are kept.
type judging struct {
	*censusRun
	ctx      context.Context //nolint:containedctx // it lives as long as the transaction
	tx       ledger.Tx
	now      time.Time
	began    time.Time
	names    map[string]string // of users whom AWS was asked about
	nameless []string          // users whose names are needed
	told     bool              // something is to be delivered
	woken    []int64           // assignments to be looked at
}

// pair takes in what a list of a pair shows.
func (j *judging) pair(pair ledger.CensusPair, users []string, state ledger.CensusState) error {
	everybody := slices.Clone(users)
	for id := range state.Assignments {
		everybody = append(everybody, id)
	}
	for _, f := range state.Findings {
		everybody = append(everybody, f.Key.UserID)
	}
	slices.Sort(everybody)
	for _, id := range slices.Compact(everybody) {
		key := change.AssignmentKey{InstanceARN: j.row.InstanceARN, AccountID: pair.AccountID, PermissionSetARN: pair.PermissionSetARN, UserID: id}
		var a *ledger.CensusAssignment
		if known, ok := state.Assignments[id]; ok {
			a = &known
		}
		if err := j.user(key, slices.Contains(users, id), a, state.Findings); err != nil {
			return err
		}
	}
	return nil
}

// user takes in what a look says about one user: of access that is there, and of
// access that is missing, there may be a finding each.
func (j *judging) user(key change.AssignmentKey, listed bool, a *ledger.CensusAssignment, live []ledger.CensusRow) error {
	v := judgeAccess(listed, a, j.began)
	for _, missing := range []bool{false, true} {
		var f *ledger.CensusRow
		for i := range live {
			if live[i].Key == key && (live[i].Kind == change.FindingVanished) == missing {
				f = &live[i]
			}
		}
		mine := v
		if (v.kind == change.FindingVanished) != missing {
			mine.kind = ""
		}
		if err := j.finding(key, f, mine, listed, a); err != nil {
			return err
		}
	}
	if a == nil || v.unsure || (v.kind != change.FindingVanished && !v.removing) {
		return nil
	}
	j.woken = append(j.woken, a.ID)
	return j.tx.WakeAssignment(j.ctx, a.ID, v.kind == change.FindingVanished, j.now)
}

// finding takes a verdict in for the finding that there is, or makes one.
func (j *judging) finding(key change.AssignmentKey, f *ledger.CensusRow, v verdict, listed bool, a *ledger.CensusAssignment) error {
	if f == nil {
		if v.unsure || v.kind == "" {
			return nil
		}
		return j.tx.PutFinding(j.ctx, &ledger.CensusRow{CensusFinding: change.CensusFinding{
			Kind: v.kind, Key: key, Number: v.number, Removing: v.removing, State: change.FindingSuspected, FirstSeen: j.now, LastSeen: j.now,
		}, NextLook: j.now.Add(agreesAfter(v))})
	}
	if late, err := j.late(f); err != nil || late {
		return err
	}
	if v.unsure || (f.State == change.FindingEnding && !listed && a != nil && a.Standing == ledger.StandingOurs) {
		if f.State == change.FindingStanding {
			return nil
		}
		f.NextLook = j.now.Add(censusAgain) // the second: the access reconciler has not seen that it is gone
		return j.tx.PutFinding(j.ctx, f)
	}
	switch f.State {
	case change.FindingSuspected:
		return j.suspected(f, v, key)
	case change.FindingOpen:
		return j.open(f, v, listed)
	case change.FindingEnding:
		return j.ending(f, v, listed)
	case change.FindingStanding:
		if listed {
			f.LastSeen = j.now
		}
		return j.tx.PutFinding(j.ctx, f)
	case change.FindingClosed, change.FindingDismissed: // not live
	}
	return nil
}

// agreesAfter is how long after the first look a second one tells. What is being
// removed anyway is told by its change first.
func agreesAfter(v verdict) time.Duration {
	if v.removing {
		return change.LateAfter + time.Minute
	}
	return censusAgree
}

// suspected is what one look has seen.
func (j *judging) suspected(f *ledger.CensusRow, v verdict, key change.AssignmentKey) error {
	if v.kind == "" || v.removing != f.Removing {
		f.State, f.NextLook = change.FindingDismissed, time.Time{}
		if err := j.tx.PutFinding(j.ctx, f); err != nil || v.kind == "" {
			return err
		}
		return j.finding(key, nil, v, true, nil)
	}
	f.LastSeen, f.Kind, f.Number = j.now, v.kind, v.number
	if at := f.FirstSeen.Add(agreesAfter(v)); j.now.Before(at) {
		f.NextLook = at
		return j.tx.PutFinding(j.ctx, f)
	}
	name, asked := j.names[key.UserID]
	if !asked {
		j.nameless = append(j.nameless, key.UserID)
		return nil // the transaction is made anew with the name
	}
	if name != unnamed {
		f.UserName = name
	}
	f.State, f.ToldAt, f.NextLook = change.FindingOpen, j.now, time.Time{}
	if f.Kind == change.FindingVanished || f.Removing {
		f.NextLook = j.now.Add(censusSoon)
	}
	return j.tell(f, "", change.EventCensusFound)
}

// open is what was told, and nobody has decided about.
func (j *judging) open(f *ledger.CensusRow, v verdict, listed bool) error {
	if v.kind != "" {
		f.LastSeen, f.UnlikeSince, f.NextLook = j.now, time.Time{}, time.Time{}
		if f.Kind == change.FindingVanished || v.removing {
			f.NextLook = j.now.Add(censusSoon)
		}
		return j.tx.PutFinding(j.ctx, f)
	}
	outcome := change.OutcomeGone
	switch {
	case f.Kind == change.FindingVanished && listed:
		outcome = change.OutcomeBack
	case f.Kind == change.FindingVanished:
		outcome = change.OutcomeOver
	case listed:
		outcome = change.OutcomeSettled
	}
	return j.unlike(f, outcome)
}

// ending is what somebody has had ended.
func (j *judging) ending(f *ledger.CensusRow, v verdict, listed bool) error {
	switch {
	case !listed:
		return j.unlike(f, change.OutcomeEnded)
	case v.kind == "": // by now a change wants it
		return j.unlike(f, change.OutcomeSettled)
	}
	f.LastSeen, f.UnlikeSince, f.NextLook = j.now, time.Time{}, j.now.Add(censusSoon)
	return j.tx.PutFinding(j.ctx, f)
}

// late tells, once, that what somebody had ended is still there.
func (j *judging) late(f *ledger.CensusRow) (told bool, err error) {
	if f.State != change.FindingEnding || !f.LateAt.IsZero() || j.now.Before(f.DecidedAt.Add(change.LateAfter)) {
		return false, nil
	}
	f.LateAt, f.NextLook = j.now, j.now.Add(censusSoon)
	return true, j.tell(f, change.CensusLate, change.EventCensusLate)
}

// unlike takes in that a look did not find it: the second that agrees closes it.
func (j *judging) unlike(f *ledger.CensusRow, outcome change.FindingOutcome) error {
	if f.UnlikeSince.IsZero() {
		f.UnlikeSince = j.now
	}
	if at := f.UnlikeSince.Add(censusAgree); j.now.Before(at) {
		f.NextLook = at
		return j.tx.PutFinding(j.ctx, f)
	}
	return j.finish(f, outcome)
}

// finish closes a finding, and tells that where it was told.
func (j *judging) finish(f *ledger.CensusRow, outcome change.FindingOutcome) error {
	f.NextLook = time.Time{}
	if f.ToldAt.IsZero() {
		f.State = change.FindingDismissed
		return j.tx.PutFinding(j.ctx, f)
	}
	f.State, f.Outcome, f.ClosedAt = change.FindingClosed, outcome, j.now
	return j.tell(f, change.CensusOver, change.EventCensusClosed)
}

// tell stores a finding and has it shown, with news unless they are empty.
func (j *judging) tell(f *ledger.CensusRow, news change.CensusNews, kind change.EventType) error {
	f.Version++
	if err := j.tx.PutFinding(j.ctx, f); err != nil {
		return err
	}
	j.told = true
	j.Log.InfoContext(j.ctx, "census", "finding", f.ID, "type", string(kind), "kind", string(f.Kind), "account", f.Key.AccountID,
		"permission_set", f.Key.PermissionSetARN, "aws_user", f.Key.UserID, "outcome", string(f.Outcome))
	return j.tx.TellFinding(j.ctx, *f, news, change.Event{Type: kind, At: j.now, Via: "census", Facts: f.Facts()}, j.now)
}

// wake starts what follows when the transaction commits.
func (j *judging) wake() error {
	for _, id := range j.woken {
		if err := j.Workflow.Waker.Wake(j.ctx, j.tx.Tx, workflow.Wake{Assignment: id}); err != nil {
			return err
		}
	}
	if !j.told {
		return nil
	}
	return j.Workflow.Waker.Wake(j.ctx, j.tx.Tx, workflow.Wake{Work: []ledger.Work{{System: change.SystemSlack}}})
}
