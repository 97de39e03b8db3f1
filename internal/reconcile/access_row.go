package reconcile

import (
	"slices"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// absentTwice tells whether two looks, absenceGap apart, agree that the list
// does not show it, with none between them that did.
func absentTwice(r ledger.Assignment) bool {
	return !r.AbsentSince.IsZero() && r.LookedAt.Sub(r.AbsentSince) >= absenceGap
}

func noOperation(r *ledger.Assignment) {
	r.Operation, r.RequestID, r.SentAt, r.Polls = ledger.NoOperation, "", time.Time{}, 0
}

// orphan stops following a create whose outcome is not known. From then on it
// may take effect at any time, until it counts as resolved.
func orphan(r *ledger.Assignment) {
	r.OpenCreates++
	if r.SentAt.After(r.CreateOpenSince) {
		r.CreateOpenSince = r.SentAt
	}
	r.Known = slices.DeleteFunc(slices.Clone(r.Known), func(id string) bool { return id == r.RequestID })
	r.ClearSince = time.Time{}
	noOperation(r)
}

// resolved takes one create off those of unknown outcome.
func resolved(r *ledger.Assignment) {
	if r.OpenCreates--; r.OpenCreates <= 0 {
		r.OpenCreates, r.CreateOpenSince = 0, time.Time{}
	}
}

// forget makes the row as if nothing had ever been there, so that the next
// create looks first again.
func forget(r *ledger.Assignment) {
	r.Standing, r.ClearSince, r.WatchUntil, r.Failure = ledger.StandingUnknown, time.Time{}, time.Time{}, ""
}

// maxKnown bounds how many request ids a row remembers.
const maxKnown = 20

// knows remembers a create that is accounted for.
func knows(r *ledger.Assignment, id string) {
	if slices.Contains(r.Known, id) {
		return
	}
	r.Known = append(slices.Clone(r.Known), id)
	r.Known = r.Known[max(0, len(r.Known)-maxKnown):]
}

// saw takes in what a look at the list showed.
func saw(r *ledger.Assignment, there bool, now time.Time) {
	r.LookedAt = now
	switch {
	case there:
		r.SeenAt, r.AbsentSince = now, time.Time{}
	case r.AbsentSince.IsZero():
		r.AbsentSince = now
	}
}

// took takes in that a create of ours has come into effect. Looks before that
// say nothing any more.
func took(r *ledger.Assignment) {
	r.ClearSince, r.AbsentSince, r.Failure, r.Trouble = time.Time{}, time.Time{}, "", ""
}

// cleared takes in that AWS has deleted the assignment, or holds none.
func cleared(r *ledger.Assignment, now time.Time) {
	r.ClearSince, r.AbsentSince, r.Trouble = now, time.Time{}, ""
}

// unmade takes in that the create in flight made nothing. If nothing else of
// ours can be there, a list that shows the access shows somebody else's.
func unmade(r *ledger.Assignment) {
	polls := r.Polls
	noOperation(r)
	r.Polls = polls
	if !r.ClearSince.IsZero() && r.OpenCreates == 0 && r.WatchUntil.IsZero() {
		r.Standing = ledger.StandingUnknown
	}
}

// refusedCreate takes in that AWS refused the create in flight for good.
func refusedCreate(r *ledger.Assignment, say string) {
	unmade(r)
	r.Failure, r.AbsentSince, r.Polls = say, time.Time{}, 0
}

// settleCreate takes in how far the create in flight has come.
func settleCreate(r *ledger.Assignment, op change.AWSOperation) {
	knows(r, op.RequestID)
	r.RequestID = op.RequestID
	switch op.State {
	case change.OperationSucceeded:
		noOperation(r)
		took(r)
	case change.OperationFailed:
		refusedCreate(r, "AWS could not give the access: "+op.Reason)
	case change.OperationInProgress:
	}
}

// settleDelete takes in how far the delete in flight has come; failed says that
// AWS gave it up.
func settleDelete(r *ledger.Assignment, op change.AWSOperation, now time.Time) (failed bool) {
	r.RequestID = op.RequestID
	switch op.State {
	case change.OperationSucceeded:
		noOperation(r)
		cleared(r, now)
	case change.OperationFailed:
		noOperation(r)
		return true
	case change.OperationInProgress:
	}
	return false
}

// adopt takes in the creates that AWS tells of, since the oldest that is
// looked for: the newest unknown one is the create in flight, if there is one
// without an id; each other answers for one open create.
func adopt(r *ledger.Assignment, found []change.AWSOperation) {
	unknown := slices.DeleteFunc(slices.Clone(found), func(op change.AWSOperation) bool { return slices.Contains(r.Known, op.RequestID) })
	if len(unknown) > 0 && r.Operation == ledger.CreateOperation && r.RequestID == "" {
		last := unknown[len(unknown)-1]
		unknown = unknown[:len(unknown)-1]
		settleCreate(r, last)
	}
	for _, op := range unknown {
		if r.OpenCreates == 0 {
			return
		}
		switch op.State {
		case change.OperationSucceeded:
			knows(r, op.RequestID)
			resolved(r)
			took(r)
		case change.OperationFailed:
			knows(r, op.RequestID)
			resolved(r)
		case change.OperationInProgress:
			if r.Operation == ledger.NoOperation {
				r.Operation, r.SentAt, r.Polls = ledger.CreateOperation, r.CreateOpenSince, 0
				resolved(r)
				settleCreate(r, op)
			}
		}
	}
}

// searchMargin is how far AWS's clock may be behind ours.
const searchMargin = 2 * time.Minute

// searchSince is from when on requests are looked for.
func searchSince(r ledger.Assignment) time.Time {
	since := r.SentAt
	if r.OpenCreates > 0 && (since.IsZero() || r.CreateOpenSince.Before(since)) {
		since = r.CreateOpenSince
	}
	if r.OpenCreates > 1 { // the others are older, and not older than that
		since = since.Add(-openFor)
	}
	return since.Add(-searchMargin)
}
