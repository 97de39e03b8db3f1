package reconcile

import (
	"context"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// Messenger makes Slack hold a message.
type Messenger interface {
	// Write posts p, or edits the message that p.External names, and answers where
	// it stands. When a post may have been sent before, it looks for that first.
	Write(ctx context.Context, p change.Posting) (external string, err error)
	// Remove deletes a message. One that is gone already is no error.
	Remove(ctx context.Context, external string) error
	// Retract sees to it that the message of p is not there, even one whose reply
	// was lost.
	Retract(ctx context.Context, p change.Posting) error
}

// How long a reply waits, at least and at most, before it looks again for the card
// that it belongs under.
const (
	cardPause   = 500 * time.Millisecond
	slowestCard = 5 * time.Second
)

// untilCard is when a reply looks for its card again: soon, and then less often, since
// whoever had the card in hand may have died; rarely where the card itself cannot be
// posted just now. A group is asked in a reply, so that none waits long.
func untilCard(c *change.Change, card ledger.Delivery, now time.Time) time.Time {
	if card.LastError != "" {
		return now.Add(slowest)
	}
	return now.Add(min(slowestCard, max(cardPause, now.Sub(c.RequestedAt)/4)))
}

// message posts or edits one message.
func (d *Deliverer) message(ctx context.Context, c change.Change, row *ledger.Delivery) (result, error) {
	if row.Kind == change.DeliverThread && c.Confidential {
		return d.retract(ctx, c, row, "a confidential change has no public timeline")
	}
	p := change.Posting{Change: c, Delivery: row.Delivery, ID: row.ID, External: row.ExternalID, Since: row.IntendedAt}
	if row.Kind == change.DeliverThread {
		card, err := d.Ledger.DeliveryOf(ctx, c.Number, change.DeliverCard, "card")
		if err != nil {
			return result{}, err
		}
		if card.State == ledger.DeliveryParked {
			return result{cancel: "the card has no place in the channel"}, nil
		}
		if card.ExternalID == "" {
			return result{later: untilCard(&c, card, d.Now())}, nil
		}
		p.Card = card.ExternalID
	}
	return d.write(ctx, p, row)
}

// write loads what the message is about, stores the intent, and posts.
func (d *Deliverer) write(ctx context.Context, p change.Posting, row *ledger.Delivery) (result, error) {
	if known := d.audience(ctx, &p); !known {
		return result{later: d.Now().Add(groupPause), waitsFor: "Who may see this could not be looked up; asking again."}, nil
	}
	if seq := row.Ref.Seq; seq > 0 {
		e, err := d.Ledger.Event(ctx, row.Number, seq)
		if err != nil {
			return result{}, err
		}
		p.Event = e
	}
	if row.Kind == change.DeliverCard {
		waiting, err := d.Ledger.Waiting(ctx, row.Number, row.ID) // where the card arrives, it waits no more
		if err != nil {
			return result{}, err
		}
		p.Waiting = waiting
	}
	if row.ExternalID == "" {
		if err := d.Ledger.Intend(ctx, row, d.Now()); err != nil {
			return result{}, err
		}
	}
	external, err := d.Messenger.Write(ctx, p)
	if err != nil {
		return result{}, err
	}
	return result{external: external}, nil
}

// question keeps an approver's or a signer's message current: it is edited when
// somebody has decided, so that no dead button stays behind. One that was never
// posted is not posted any more once it has its answer.
func (d *Deliverer) question(ctx context.Context, c change.Change, row *ledger.Delivery) (result, error) {
	if row.ExternalID == "" && row.IntendedAt.IsZero() && !stillAsks(&c, row) {
		return result{cancel: "answered before it could be asked"}, nil
	}
	p := change.Posting{Change: c, Delivery: row.Delivery, ID: row.ID, External: row.ExternalID, Since: row.IntendedAt, Group: row.To == ""}
	if p.Group && c.Confidential {
		return d.retract(ctx, c, row, "a confidential change asks nobody in its thread")
	}
	if p.Group {
		card, err := d.Ledger.DeliveryOf(ctx, c.Number, change.DeliverCard, "card")
		if err != nil {
			return result{}, err
		}
		if card.ExternalID == "" && row.ExternalID == "" {
			if card.LastError != "" {
				return d.askDirectly(ctx, &c, row)
			}
			return result{later: untilCard(&c, card, d.Now())}, nil
		}
		p.Card = card.ExternalID
	}
	return d.write(ctx, p, row)
}

// stillAsks tells whether a question is still open.
func stillAsks(c *change.Change, row *ledger.Delivery) bool {
	if row.Kind == change.DeliverSignOff {
		o := c.Owes(change.OweSignOff, 0)
		return o != nil && o.State == change.Owed
	}
	a := c.OpenAsk()
	return a != nil && a.ID == row.Ref.Ask && (row.Ref.Message != change.MessageWitness || c.AwaitsWitness(row.To))
}

// reminder reminds one person, if they still owe it, and then deletes the
// reminder before it.
func (d *Deliverer) reminder(ctx context.Context, c change.Change, row *ledger.Delivery) (result, error) {
	o := c.Owes(row.Ref.Obligation, row.Ref.Item)
	if row.ExternalID == "" && row.IntendedAt.IsZero() && (o == nil || o.State != change.Owed || !o.Part.IsZero()) {
		return result{cancel: "done before it was sent"}, nil
	}
	p := change.Posting{Change: c, Delivery: row.Delivery, ID: row.ID, External: row.ExternalID, Since: row.IntendedAt}
	r := result{external: row.ExternalID}
	waived := o != nil && o.State == change.Waived
	if row.ExternalID == "" || waived { // else it stands there, and may have made way for a newer one since
		var err error
		if r, err = d.write(ctx, p, row); err != nil || !r.later.IsZero() {
			return r, err
		}
		if err := d.Ledger.Keep(ctx, row, r.external); err != nil {
			return r, err
		}
	}
	older, err := d.Ledger.OlderReminders(ctx, *row)
	if err != nil {
		return r, err
	}
	for _, old := range older {
		if err := d.Messenger.Remove(ctx, old.ExternalID); err != nil {
			return r, err
		}
		if err := d.Ledger.Removed(ctx, old.ID); err != nil {
			return r, err
		}
	}
	return r, nil
}
