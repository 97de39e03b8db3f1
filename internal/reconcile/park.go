package reconcile

import (
	"context"
	"slices"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/workflow"
)

// park puts a message aside that has nowhere to go, tells the audit channel, and
// shows the card to its people directly instead. It is tried again every
// parkedPause, for when the channel has been mended, and until the change is over and
// parkedTries have failed: a week of them.
func (d *Deliverer) park(ctx context.Context, c change.Change, row ledger.Delivery, cause error) error {
	const (
		parkedPause = 10 * time.Minute
		parkedTries = int(7 * 24 * time.Hour / parkedPause)
	)
	now := d.Now()
	say := change.SayOf(cause, "The channel of "+string(row.Kind)+" messages is archived, or breakglass is not in it.")
	d.Log.WarnContext(ctx, "a message has no place", "change", row.Number.String(), "kind", string(row.Kind), "error", cause)
	if row.Kind == change.DeliverCard && row.To == "" && row.LastError == "" {
		var direct []change.Delivery
		for _, p := range []change.PersonID{c.Requester, c.Implementer} {
			direct = append(direct, change.Delivery{Number: c.Number, Kind: change.DeliverCard, Key: "card/" + string(p), Mode: change.Converge, To: p})
		}
		// All in one transaction: or whoever comes after a crash would tell it again.
		_, err := d.Workflow.Do(ctx, c.Number, change.Undelivered{Say: say}, change.Itself("slack"), workflow.Also(func(tx ledger.Tx) error {
			if err := tx.PutDeliveries(ctx, direct, c.Version+1, now); err != nil {
				return err
			}
			return tx.Retry(ctx, row, now.Add(parkedPause), say)
		}))
		return err
	}
	if row.Mode == change.Once {
		return d.Ledger.End(ctx, row, ledger.DeliveryParked, say)
	}
	question := row.Kind == change.DeliverAsk || row.Kind == change.DeliverSignOff
	if question && row.ExternalID == "" && !stillAsks(&c, &row) { // else it would be waited for when all is long over
		if err := d.Ledger.End(ctx, row, ledger.DeliveryCancelled, "answered before it could be asked"); err != nil {
			return err
		}
		return d.refreshCard(ctx, row, now)
	}
	if c.Phase.Final() && row.Attempts >= parkedTries { // an event of the change, if there is one yet, tries it again
		return d.Ledger.End(ctx, row, ledger.DeliveryCancelled, "the change is over, and there was no place for it for a week")
	}
	if row.LastError != say {
		if err := d.unreachable(ctx, &c, row); err != nil {
			return err
		}
	}
	if err := d.Ledger.Retry(ctx, row, now.Add(parkedPause), say); err != nil || row.LastError == say || row.Kind == change.DeliverCard {
		return err
	}
	return d.Ledger.Refresh(ctx, row.Number, change.DeliverCard, now)
}

// nobodyReached is why the fallback is asked at once.
const nobodyReached = "nobody of the first groups can be reached in Slack"

// unreachable asks the fallback at once where an approver cannot be reached and
// nobody else of the first groups would notice the question either: everybody's
// message fails too, or their notifications are paused.
func (d *Deliverer) unreachable(ctx context.Context, c *change.Change, row ledger.Delivery) error {
	ask := c.OpenAsk()
	if row.Kind != change.DeliverAsk || row.To == "" || row.Ref.Fallback || row.Ref.Message == change.MessageWitness ||
		ask == nil || ask.ID != row.Ref.Ask || ask.Quiet || ask.Fallback {
		return nil
	}
	all, err := d.Ledger.Deliveries(ctx, c.Number)
	if err != nil {
		return err
	}
	lost := map[change.PersonID]bool{row.To: true}
	for _, other := range all {
		if other.Kind == change.DeliverAsk && other.Ref.Ask == ask.ID && other.ExternalID == "" && other.LastError != "" {
			lost[other.To] = true
		}
	}
	for _, away := range ask.Away {
		if away.Until.After(d.Now()) {
			lost[away.Person] = true
		}
	}
	view := d.Directory.Groups(ctx, c.GroupsOf(d.Workflow.Rules))
	for _, rule := range c.Missing() {
		some, known := c.Candidates(view, rule, rule.From)
		if known && len(some) > 0 && !slices.ContainsFunc(some, func(p change.PersonID) bool { return !lost[p] }) {
			return d.escalate(ctx, c.Number, ask.ID, nobodyReached)
		}
	}
	return nil
}
