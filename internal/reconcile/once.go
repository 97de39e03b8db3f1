package reconcile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// searchFor is how long Jira's search must find nothing, without failing itself,
// before a ticket is made once more: it lags behind by seconds to minutes.
const searchFor = 5 * time.Minute

// labelOf names what a delivery makes. It is the same at every try, and another
// in every installation: numbers start again in a fresh database, and a fresh
// one must not adopt the tickets and notes of an older.
func labelOf(c *change.Change, row *ledger.Delivery, of string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d/%d/%s/%s/%s", c.Number, c.RequestedAt.UnixMicro(), row.Kind, row.Key, of))
	return "breakglass-" + strings.ToLower(c.Number.String()) + "-" + hex.EncodeToString(sum[:6])
}

// markerOf is the last line of a comment, by which it is found again.
func markerOf(row *ledger.Delivery) string {
	return fmt.Sprintf("breakglass %s/%d", row.Number, row.ID)
}

// madeTickets are a ticket and its accidental twins.
type madeTickets struct {
	refs    []change.TicketRef
	secured bool // made under the draft's security level, for certain
}

// makeTicket makes a ticket, or finds the one whose reply was lost: it answers
// them all, the one to keep first. It answers none, and when to go on, while
// nobody can tell whether there is one. Where Jira does not take the draft's
// security level, the stub is made instead.
func (d *Deliverer) makeTicket(ctx context.Context, row *ledger.Delivery, draft, stub change.TicketDraft) (madeTickets, result, error) {
	now := d.Now()
	if row.IntendedAt.IsZero() {
		if err := d.Ledger.Intend(ctx, row, now); err != nil {
			return madeTickets{}, result{}, err
		}
	} else {
		found, err := d.Tickets.FindByLabel(ctx, draft.Labels[0])
		if err != nil { // a search that failed has not looked: the wait begins again
			if lost := d.Ledger.IntendAnew(ctx, row, now); lost != nil {
				return madeTickets{}, result{}, lost
			}
			return madeTickets{}, result{}, err
		}
		if len(found) > 0 {
			return madeTickets{refs: found}, result{}, nil
		}
		if wait := row.IntendedAt.Add(searchFor).Sub(now); wait > 0 {
			return madeTickets{}, result{later: now.Add(min(pause(row.Attempts), wait)), waitsFor: "Jira did not say whether it has made the ticket; looking for it."}, nil
		}
		if err := d.Ledger.IntendAnew(ctx, row, now); err != nil {
			return madeTickets{}, result{}, err
		}
	}
	made, err := d.Tickets.Create(ctx, draft)
	secured := err == nil && draft.Security != ""
	if errors.Is(err, change.ErrNoSecurityLevel) {
		d.Log.WarnContext(ctx, "Jira does not take the configured security level; the ticket says the number only", "change", row.Number.String(), "error", err)
		made, err = d.Tickets.Create(ctx, stub)
	}
	if err != nil {
		return madeTickets{}, result{}, d.unmade(ctx, row, err)
	}
	return madeTickets{refs: []change.TicketRef{made}, secured: secured}, result{}, nil
}

// unmade takes the intent back when the failed call is known to have made
// nothing, so that the next try need not search first.
func (d *Deliverer) unmade(ctx context.Context, row *ledger.Delivery, err error) error {
	if change.OutcomeOf(err) == change.Unknown {
		return err
	}
	if lost := d.Ledger.Unintend(ctx, row); lost != nil {
		return lost
	}
	return err
}

// comment writes a delivery's comment, once, and answers its id.
func (d *Deliverer) comment(ctx context.Context, row *ledger.Delivery, ticketID string, sections []change.TicketSection) (string, error) {
	if !row.IntendedAt.IsZero() {
		found, there, err := d.Tickets.FindComment(ctx, ticketID, markerOf(row))
		if err != nil || there {
			return found.ID, err
		}
	}
	if err := d.Ledger.Intend(ctx, row, d.Now()); err != nil {
		return "", err
	}
	made, err := d.Tickets.AddComment(ctx, ticketID, markerOf(row), sections)
	if err != nil {
		return "", d.unmade(ctx, row, err)
	}
	return made.ID, nil
}
