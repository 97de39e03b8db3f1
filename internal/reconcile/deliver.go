// Package reconcile makes the world agree with the ledger: Slack's messages,
// the record in Jira or incident.io, and the access in AWS. Every reconciler
// looks at the present state, does what is missing, and is harmless when it is
// run twice; what it learns goes back as a command.
//
// It may import internal/change, internal/ledger, internal/workflow and
// internal/crashpoint. The other systems reach it through the small interfaces
// that it declares.
package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/crashpoint"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/workflow"
)

// lease is how long a claim lasts. It is longer than any call takes.
const lease = 2 * time.Minute

// deliverFor bounds one delivery with all its calls, well before the lease is
// over: a call that comes after it would be sent beside somebody else's.
const deliverFor = 100 * time.Second

// Directory says who people are and who belongs to groups, live.
type Directory interface {
	// Person looks somebody up.
	Person(ctx context.Context, id change.PersonID) (change.Person, error)
	// Groups looks groups up. A group whose source did not answer is not Known.
	Groups(ctx context.Context, ids []change.GroupID) change.GroupView
}

// Deliverer carries deliveries out. Tickets, Incidents, Persons and Links may be nil
// where the configuration has no such system.
type Deliverer struct {
	Ledger    *ledger.Ledger
	Workflow  *workflow.Workflow
	Directory Directory
	Messenger Messenger
	Tickets   Tickets
	Incidents Incidents
	Persons   Persons
	Project   Project
	Links     Links  // nil: tickets do not link back
	Digest    Digest // nil: no digest is posted
	Pauses    Pauses // nil: nobody's notifications count as paused
	Now       func() time.Time
	Nonce     func() string // unique each time; marks claims
	Log       *slog.Logger
	GiveWay   func(ctx context.Context) // waits a moment before each delivery where something is more urgent; nil: nothing is
	Within    time.Duration             // of one delivery with all its calls; 0: 100 s, and never as long as a claim lasts

	MergeRequests MergeRequests // nil: no forge is configured
	StatusPage    StatusPage    // nil: GitHub's status page is not configured
	Attachments   Attachments   // nil: no incident.io is configured
}

// result is what a delivery's reconciler has reached.
type result struct {
	external string    // what the other system calls the copy
	again    time.Time // look again then, although nothing is wanted; zero: no
	cancel   string    // why the delivery is no longer right; empty: it was delivered
	later    time.Time // nothing to do yet: try again then
	waitsFor string    // with later: what for; empty: for nothing worth telling
}

// Work delivers what is due of one change to one system, one after the other.
// A failure of the other system is stored with the delivery and is no error
// here; an error means that the ledger did not answer.
func (d *Deliverer) Work(ctx context.Context, w ledger.Work) error {
	ctx = crashpoint.Doing(ctx, string(w.System))
	for {
		if d.GiveWay != nil {
			d.GiveWay(ctx)
		}
		now, mark := d.Now(), d.Nonce()
		row, err := d.Ledger.ClaimDelivery(ctx, w.Number, w.System, now, now.Add(lease), mark)
		if errors.Is(err, ledger.ErrNotFound) {
			return nil
		}
		if err != nil && mayHaveClaimed(err) {
			err = errors.Join(err, giveBack(ctx, func(ctx context.Context) error { return d.Ledger.Unclaim(ctx, w, mark, d.Now()) }))
		}
		if err != nil {
			return err
		}
		if err := d.deliver(ctx, row); err != nil && !errors.Is(err, ledger.ErrClaimLost) {
			return errors.Join(err, d.giveBack(ctx, row))
		}
		if ctx.Err() != nil {
			return fmt.Errorf("deliver: %w", ctx.Err())
		}
	}
}

// giveBack lets a delivery go on soon of which the ledger could store nothing.
func (d *Deliverer) giveBack(ctx context.Context, row ledger.Delivery) error {
	return giveBack(ctx, func(ctx context.Context) error { return d.Ledger.GiveBack(ctx, row, d.Now().Add(pause(row.Attempts))) })
}

// deliver carries one claimed delivery out and stores what came of it.
func (d *Deliverer) deliver(ctx context.Context, row ledger.Delivery) error {
	ctx = crashpoint.Doing(ctx, string(row.Kind))
	if row.Kind == change.DeliverSeal {
		return d.deliverSeal(ctx, row)
	}
	if row.Kind == change.DeliverFinding || row.Kind == change.DeliverFindingNews {
		return d.deliverFinding(ctx, row)
	}
	if row.Number == 0 {
		return d.deliverDigest(ctx, row)
	}
	c, err := d.Ledger.Change(ctx, row.Number)
	if err != nil {
		return err
	}
	if row.Mode == change.Converge {
		row.Wanted = c.Version
	}
	before := row.ExternalID
	calls, cancel := context.WithTimeout(ctx, d.within())
	r, err := d.reconcile(calls, c, &row)
	cancel()
	now := d.Now()
	switch {
	case err != nil:
		return d.failed(ctx, c, row, err)
	case r.cancel != "":
		if err := d.Ledger.End(ctx, row, ledger.DeliveryCancelled, r.cancel); err != nil {
			return err
		}
		return d.refreshCard(ctx, row, now)
	case !r.later.IsZero():
		if err := d.Ledger.Later(ctx, row, r.later, r.waitsFor); err != nil || r.waitsFor == row.LastError || row.Kind == change.DeliverCard {
			return err
		}
		return d.Ledger.Refresh(ctx, row.Number, change.DeliverCard, now)
	}
	if r.external == "" {
		r.external = row.ExternalID
	}
	if err := d.keep(ctx, row, r, now); err != nil {
		return err
	}
	if row.LastError != "" || before == "" {
		return d.refreshCard(ctx, row, now)
	}
	return nil
}

func (d *Deliverer) within() time.Duration {
	if d.Within > 0 {
		return d.Within
	}
	return deliverFor
}

// keep stores that a delivery was made, even when the program is stopping: or it
// would have to be looked for.
func (d *Deliverer) keep(ctx context.Context, row ledger.Delivery, r result, now time.Time) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	return d.Ledger.Delivered(ctx, row, r.external, now, r.again)
}

// refreshCard lets the card stop saying that something is waited for.
func (d *Deliverer) refreshCard(ctx context.Context, row ledger.Delivery, now time.Time) error {
	if row.Kind == change.DeliverCard || row.LastError == "" {
		return nil
	}
	return d.Ledger.Refresh(ctx, row.Number, change.DeliverCard, now)
}

// reconcile finds the reconciler of a delivery.
func (d *Deliverer) reconcile(ctx context.Context, c change.Change, row *ledger.Delivery) (result, error) {
	if d.awaitsIncident(&c, row) {
		return incidentComing(d.Now()), nil
	}
	switch row.Kind {
	case change.DeliverCard, change.DeliverThread, change.DeliverDirect, change.DeliverAudit:
		return d.message(ctx, c, row)
	case change.DeliverAsk, change.DeliverSignOff:
		return d.question(ctx, c, row)
	case change.DeliverReminder:
		return d.reminder(ctx, c, row)
	case change.DeliverAskOut:
		return d.askOut(ctx, c, row)
	case change.DeliverRemindOut:
		return d.remindOut(ctx, c, row)
	case change.DeliverSignOffOut:
		return d.signOffOut(ctx, c, row)
	case change.DeliverCTO:
		return d.ctoOut(ctx, c, row)
	case change.DeliverTicket:
		return d.ticket(ctx, c, row)
	case change.DeliverTicketLook:
		return d.ticketLook(ctx, c, row)
	case change.DeliverRemoteLink:
		return d.remoteLink(ctx, c, row)
	case change.DeliverRecord:
		return d.record(ctx, c, row)
	case change.DeliverNote:
		return d.note(ctx, c, row)
	case change.DeliverTimeline:
		return d.timeline(ctx, c, row)
	case change.DeliverReview:
		return d.review(ctx, c, row)
	case change.DeliverAction:
		return d.action(ctx, c, row)
	case change.DeliverComments:
		return d.comments(ctx, c, row)
	case change.DeliverIncident:
		return d.incident(ctx, c, row)
	case change.DeliverOpenIncident:
		return d.openIncident(ctx, c, row)
	case change.DeliverPerson:
		return d.person(ctx, c, row)
	case change.DeliverMergeRequest:
		return d.mergeRequest(ctx, c, row)
	case change.DeliverMergeRequestLink:
		return d.mergeRequestLink(ctx, c, row)
	case change.DeliverStatus:
		return d.statusPage(ctx, c, row)
	case change.DeliverCoordinateOut:
		return d.coordinateOut(ctx, c, row)
	case change.DeliverRedact:
		return d.redact(ctx, c, row)
	case change.DeliverRedactTicket:
		return d.redactTicket(ctx, c, row)
	case change.DeliverDigest, change.DeliverSeal, change.DeliverFinding, change.DeliverFindingNews: // they belong to no change, so that they never come here
	}
	// A newer replica beside us asked for it, and will carry it out.
	return result{later: d.Now().Add(unknownPause)}, nil
}

// unknownPause is how long a delivery is left to others that this program does
// not know.
const unknownPause = 5 * time.Second

// slowest is the longest pause between two tries of a delivery.
const slowest = time.Minute

// pause is how long to wait before try n+1: 1, 2, 4 s and so on, to slowest.
func pause(attempts int) time.Duration {
	if attempts < 1 {
		attempts = 1
	}
	if attempts > 6 {
		return slowest
	}
	return min(slowest, time.Second<<(attempts-1))
}

// refusedPause is how long to wait when the other system refused: somebody has
// to mend something first.
const refusedPause = 5 * time.Minute

// failed puts a delivery off after a failure. It is tried for ever; what it
// waits for is shown on the card.
func (d *Deliverer) failed(ctx context.Context, c change.Change, row ledger.Delivery, err error) error {
	if ctx.Err() != nil { // we are stopping: somebody else goes on at once
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
		defer cancel()
		return d.Ledger.Retry(ctx, row, d.Now(), row.LastError)
	}
	if errors.Is(err, change.ErrNoPlace) && row.Number != 0 {
		return d.park(ctx, c, row, err)
	}
	now := d.Now()
	at := now.Add(pause(row.Attempts))
	say := string(row.System()) + " did not answer as it should"
	if outside, ok := errors.AsType[*change.OutsideError](err); ok {
		if outside.RetryAfter > 0 {
			at = now.Add(outside.RetryAfter)
		} else if outside.Outcome == change.Refused || outside.Outcome == change.Missing {
			at = now.Add(refusedPause)
		}
		if outside.Say != "" {
			say = outside.Say
		}
	}
	d.Log.WarnContext(ctx, "delivery failed", "change", row.Number.String(), "kind", string(row.Kind), "key", row.Key, "attempt", row.Attempts, "again", at, "error", err)
	if err := d.Ledger.Retry(ctx, row, at, say); err != nil {
		return err
	}
	if row.LastError != say && row.Kind != change.DeliverCard {
		return d.Ledger.Refresh(ctx, row.Number, change.DeliverCard, now)
	}
	return nil
}
