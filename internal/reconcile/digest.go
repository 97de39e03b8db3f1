package reconcile

import (
	"context"
	"errors"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// wantDigest asks for the digest that is due. The ledger keeps it from being
// asked for twice; what it was asked last is only remembered to spare it.
func (k *Clock) wantDigest(ctx context.Context) error {
	if !k.Digests {
		return nil
	}
	now := k.Now()
	month := change.DigestMonth(now)
	if last := k.digest.Load(); last != nil && *last == month {
		return nil
	}
	if err := k.Ledger.WantDigest(ctx, month, ledger.Micro(now)); err != nil {
		return err
	}
	k.digest.Store(&month)
	return nil
}

// deliverDigest posts the digest of a month, with the figures of this moment.
// Only the newest is posted: what breakglass had no chance to tell while it was
// down is in the report.
func (d *Deliverer) deliverDigest(ctx context.Context, row ledger.Delivery) error {
	if row.Kind != change.DeliverDigest { // a newer replica beside us asked for it
		return d.Ledger.Later(ctx, row, d.Now().Add(unknownPause), "")
	}
	month, err := change.ParseMonth(row.Key)
	switch {
	case err != nil:
		return d.Ledger.End(ctx, row, ledger.DeliveryCancelled, "no reconciler knows this")
	case d.Digest == nil:
		return d.Ledger.End(ctx, row, ledger.DeliveryCancelled, noAudit)
	case month != change.DigestMonth(d.Now()):
		return d.Ledger.End(ctx, row, ledger.DeliveryCancelled, "a newer digest is due")
	}
	external, err := d.postDigest(ctx, month, &row)
	if errors.Is(err, ledger.ErrClaimLost) {
		return err
	}
	if err != nil {
		return d.failed(ctx, change.Change{}, row, err)
	}
	if external == "" {
		return d.Ledger.End(ctx, row, ledger.DeliveryCancelled, noAudit)
	}
	return d.Ledger.PostedForAll(ctx, row, external, change.Event{
		Type: change.EventDigestPosted, At: ledger.Micro(d.Now()), Via: "clock", Facts: change.Facts{"month": month.String()},
	})
}

const noAudit = "no audit channel is configured"

func (d *Deliverer) postDigest(ctx context.Context, month change.Month, row *ledger.Delivery) (external string, err error) {
	lines, err := d.Digest(ctx, month.Start(), month.End())
	if err != nil {
		return "", err
	}
	since := row.IntendedAt
	if err := d.Ledger.Intend(ctx, row, d.Now()); err != nil {
		return "", err
	}
	return d.Messenger.Write(ctx, change.Posting{Delivery: row.Delivery, ID: row.ID, External: row.ExternalID, Since: since, Lines: lines})
}

// Digest computes the sentences of a digest: of the changes that breakglass
// heard of at from or later, and before to.
type Digest func(ctx context.Context, from, to time.Time) ([]string, error)
