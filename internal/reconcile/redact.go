package reconcile

import (
	"context"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// audience finds out whether the reader of a message may see the change, and
// whether they may waive what it is about. It answers false while that cannot be
// said, and the message can wait: an alarm goes out with the number only.
func (d *Deliverer) audience(ctx context.Context, p *change.Posting) (known bool) {
	c, to := &p.Change, p.Delivery.To
	breach := p.Delivery.Ref.Message == change.MessageBreach
	if to == "" || (!c.Confidential && !breach) {
		return true
	}
	view := d.Directory.Groups(ctx, c.ReaderGroups(d.Workflow.Rules))
	may, known := c.MayRead(d.Workflow.Rules, view, to)
	p.Outside = !may
	if o := c.Owes(p.Delivery.Ref.Obligation, p.Delivery.Ref.Item); breach && o != nil {
		p.Waivable, _ = c.MayWaive(view, to, o)
	}
	switch p.Delivery.Ref.Message {
	case change.MessageBreach, change.MessageAccessLate, change.MessageSelfApproved:
		return true
	default:
		return known
	}
}

// retract takes a message back that may have been posted.
func (d *Deliverer) retract(ctx context.Context, c change.Change, row *ledger.Delivery, why string) (result, error) {
	if row.ExternalID == "" && row.IntendedAt.IsZero() {
		return result{cancel: why}, nil
	}
	p := change.Posting{Change: c, Delivery: row.Delivery, ID: row.ID, External: row.ExternalID, Since: row.IntendedAt, Group: row.Kind == change.DeliverAsk && row.To == ""}
	if row.Kind == change.DeliverThread || p.Group {
		card, err := d.Ledger.DeliveryOf(ctx, c.Number, change.DeliverCard, "card")
		if err != nil {
			return result{}, err
		}
		p.Card = card.ExternalID
	}
	return result{cancel: why}, d.Messenger.Retract(ctx, p)
}

// redact takes back what Slack was told of a change before it became
// confidential: the replies in its thread, and what was sent to people who may
// not see it; what the audit channel was told is edited to the number. The card
// and the questions are edited as always. What was under way just then is
// finished when a claim is over, so it is looked at once more after that.
func (d *Deliverer) redact(ctx context.Context, c change.Change, row *ledger.Delivery) (result, error) {
	shown, err := d.Ledger.Shown(ctx, c.Number)
	if err != nil {
		return result{}, err
	}
	view := d.Directory.Groups(ctx, c.ReaderGroups(d.Workflow.Rules))
	for _, m := range shown {
		if m.ExternalID == "" {
			continue // it is retracted by its own delivery, or posted with the number only
		}
		p := change.Posting{Change: c, Delivery: m.Delivery, ID: m.ID, External: m.ExternalID}
		switch m.Kind {
		case change.DeliverAudit:
			if _, err := d.Messenger.Write(ctx, p); err != nil {
				return result{}, err
			}
			continue
		case change.DeliverThread:
		case change.DeliverDirect, change.DeliverReminder:
			may, known := c.MayRead(d.Workflow.Rules, view, m.To)
			if !known {
				return result{later: d.Now().Add(groupPause), waitsFor: "Who may see this could not be looked up; asking again."}, nil
			}
			if may {
				continue
			}
		default:
			continue
		}
		if err := d.Messenger.Retract(ctx, p); err != nil {
			return result{}, err
		}
		if err := d.Ledger.Removed(ctx, m.ID); err != nil {
			return result{}, err
		}
	}
	if row.ExternalID == "" {
		return result{external: "once", again: d.Now().Add(lease)}, nil
	}
	return result{}, nil
}
