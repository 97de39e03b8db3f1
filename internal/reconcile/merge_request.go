package reconcile

import (
	"context"
	"errors"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// MergeRequests reads merge and pull requests. Its errors are *change.OutsideError.
type MergeRequests interface {
	// Look reads a merge request as it is now. The outcome is Missing when there is
	// none, or none that may be seen.
	Look(ctx context.Context, ref change.MergeRequestRef) (change.MergeRequest, error)
	// Deployed answers, for each of the environments that a merged one has reached,
	// the deployment that brought it there. GitLab only.
	Deployed(ctx context.Context, ref change.MergeRequestRef, environments ...string) ([]change.MRDeployment, error)
}

// How often a linked merge request is looked at: soon at first, then with a pause
// of a tenth of the time that has passed, within these bounds. One that is reviewed
// is looked at to the end, since approvals are taken back.
const (
	mergeRequestSoon    = 30 * time.Second // before the window ends
	mergeRequestLive    = 5 * time.Minute  // likewise, at most
	mergeRequestAfter   = time.Minute      // once it has ended
	mergeRequestSettled = time.Hour        // at most
)

// mergeRequest looks at a linked merge request, until its change is over or
// nothing more is to be learnt of it. No webhook is needed. A forge that does not
// answer means that nothing is known, never that something is not approved.
func (d *Deliverer) mergeRequest(ctx context.Context, c change.Change, row *ledger.Delivery) (result, error) {
	m := c.MergeRequest(row.Ref.Item)
	switch {
	case d.MergeRequests == nil:
		return result{cancel: "no forge is configured"}, nil
	case c.MergeRequestSettled(row.Ref.Item):
		return result{cancel: "nothing more is to be learnt of the merge request"}, nil
	}
	by := change.Itself(string(m.Ref.Forge))
	seen, err := d.MergeRequests.Look(ctx, m.Ref)
	if err != nil {
		if change.OutcomeOf(err) != change.Missing || m.Seen != nil {
			return result{}, unknownNow(err)
		}
		_, err := d.Workflow.Do(ctx, c.Number, change.MergeRequestRefused{Item: m.Item, Say: change.SayOf(err, "There is no such merge request.")}, by)
		return result{external: m.Ref.String()}, err
	}
	deployed, unread := d.deployed(ctx, &c, m, seen)
	after, err := d.Workflow.Do(ctx, c.Number, change.MergeRequestSeen{Item: m.Item, Seen: seen, Deployed: deployed}, by)
	if err != nil {
		return result{}, err
	}
	if unread != nil {
		return result{}, unknownNow(unread)
	}
	return result{external: m.Ref.String(), again: nextMergeRequest(&after, m.Item, d.Now())}, nil
}

// deployed finds the first deployment that the end of the window waits for, where
// the kind asks for one. An error means that it is not known.
func (d *Deliverer) deployed(ctx context.Context, c *change.Change, m *change.LinkedMergeRequest, seen change.MergeRequest) (*change.MRDeployment, error) {
	on := c.Plan.EndsOn
	if on == nil || len(on.Environments) == 0 || m.Fix || m.Deployed != nil || m.Ref.Forge != change.GitLab || seen.State != change.MRMerged {
		return nil, nil
	}
	all, err := d.MergeRequests.Deployed(ctx, m.Ref, on.Environments...)
	if err != nil {
		return nil, err
	}
	var first *change.MRDeployment
	for _, found := range all {
		if first == nil || found.At.Before(first.At) {
			first = &found
		}
	}
	return first, nil
}

// unknownNow says that a forge gave no answer, and that it is asked again.
func unknownNow(err error) error {
	outside, ok := errors.AsType[*change.OutsideError](err)
	if !ok {
		return err
	}
	again := *outside
	if again.Say == "" {
		again.Say = "It did not answer as it should."
	}
	again.Say += " So how the merge request stands is unknown; breakglass will look again."
	return &again
}

// nextMergeRequest is when a merge request is looked at again; zero for never.
func nextMergeRequest(c *change.Change, item int, now time.Time) time.Time {
	m := c.MergeRequest(item)
	if c.MergeRequestSettled(item) || m.Seen == nil {
		return time.Time{}
	}
	least, most, since := mergeRequestSoon, mergeRequestLive, m.LinkedAt
	if c.Phase == change.Ended {
		least, most = mergeRequestAfter, mergeRequestSettled
		if c.Window.Ended.After(since) {
			since = c.Window.Ended
		}
		review := c.Owes(change.OweIndependentReview, 0)
		merged := m.Seen.State == change.MRMerged
		switch {
		case merged && (m.Fix || review == nil || review.State == change.Waived):
			return time.Time{}
		case merged && review.State == change.Done:
			return now.Add(most) // an approval may still be taken back
		}
	}
	return now.Add(min(most, max(least, now.Sub(since)/10)))
}
