package reconcile

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// Sealer seals every day that is over, once over all replicas: the ledger keeps
// it from being done twice. Days that were missed are covered by one seal.
type Sealer struct {
	Ledger *ledger.Ledger
	Now    func() time.Time
	Post   bool // seals are told to the audit channel: there is one

	last atomic.Pointer[change.Day] // the day that is known to be sealed, only remembered to spare the ledger
}

// Seal seals what is due; mostly there is nothing. While another replica does
// it, nothing is done: the next look sees what came of that.
func (s *Sealer) Seal(ctx context.Context) error {
	now := s.Now()
	day := change.SealDay(now)
	if last := s.last.Load(); last != nil && last.Equal(day) {
		return nil
	}
	switch err := s.Ledger.Seal(ctx, day, now, s.Post); {
	case errors.Is(err, ledger.ErrSealing):
		return nil
	case err != nil:
		return fmt.Errorf("seal %s: %w", day, err)
	}
	s.last.Store(&day)
	return nil
}

// deliverSeal posts a seal. Unlike digests every one is posted, however old: a
// hash that stands nowhere else proves nothing.
func (d *Deliverer) deliverSeal(ctx context.Context, row ledger.Delivery) error {
	number, err := strconv.ParseInt(row.Key, 10, 64)
	if err != nil {
		return d.Ledger.End(ctx, row, ledger.DeliveryCancelled, "it names no seal")
	}
	seal, err := d.Ledger.SealNumbered(ctx, number)
	if errors.Is(err, ledger.ErrNotFound) {
		return d.Ledger.End(ctx, row, ledger.DeliveryCancelled, "there is no such seal")
	}
	if err != nil {
		return err
	}
	external, err := d.postSeal(ctx, seal, &row)
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
		Type: change.EventSealPosted, At: ledger.Micro(d.Now()), Via: "clock", Facts: change.Facts{"seal": seal.Number, "hash": seal.Hash},
	})
}

func (d *Deliverer) postSeal(ctx context.Context, seal change.Seal, row *ledger.Delivery) (external string, err error) {
	since := row.IntendedAt
	if err := d.Ledger.Intend(ctx, row, d.Now()); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, d.within())
	defer cancel()
	return d.Messenger.Write(ctx, change.Posting{Delivery: row.Delivery, ID: row.ID, External: row.ExternalID, Since: since, Seal: seal})
}
