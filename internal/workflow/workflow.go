// Package workflow carries commands out: one command is one transaction, and
// nothing else ever alters a change. The transaction locks the change, asks
// change.Decide, saves the row with its events, asks for the deliveries that
// follow, and wakes the reconcilers. Nothing in it calls another system.
//
// It may import internal/change, internal/ledger and internal/crashpoint.
package workflow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/crashpoint"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// Wake says which reconcilers have something to do.
type Wake struct {
	Work       []ledger.Work // deliveries of a change for a system
	Assignment int64         // 0: none
}

// Waker wakes reconcilers when the transaction commits. A lost wake-up loses
// nothing: the tick finds the work.
type Waker interface {
	Wake(ctx context.Context, tx pgx.Tx, w Wake) error
}

// Workflow carries commands out. All its fields are needed.
type Workflow struct {
	Ledger *ledger.Ledger
	Rules  change.Rules
	Waker  Waker
	Now    func() time.Time
	Log    *slog.Logger
}

// Payload names what Slack sent, so that what is delivered twice happens once.
// The zero value names nothing.
type Payload struct {
	Source string // "view", "trigger", "event"
	ID     string
}

// refusalsKept bounds how many refusals of one person a change's chain holds.
const refusalsKept = 20

// Option adds to a command's transaction.
type Option func(*options)

type options struct {
	payload Payload
	also    []func(tx ledger.Tx) error
}

// From names the payload that a command came in. A payload that was taken
// before does nothing again.
func From(p Payload) Option { return func(o *options) { o.payload = p } }

// Also runs fn in the command's transaction, after the change was saved.
func Also(fn func(tx ledger.Tx) error) Option {
	return func(o *options) { o.also = append(o.also, fn) }
}

// errAgain says that the payload was taken before.
var errAgain = errors.New("taken before")

// Submit makes a change of a request. A payload that was taken before answers
// the change that it made then. Refusals are *change.Refusal.
func (w *Workflow) Submit(ctx context.Context, req change.Request, actor change.Actor, opts ...Option) (change.Change, error) {
	ctx = crashpoint.Doing(ctx, req)
	o := gather(opts)
	var made change.Change
	var earlier change.Number
	err := w.Ledger.InTx(ctx, func(tx ledger.Tx) error {
		now := ledger.Micro(w.Now())
		n, err := tx.NextNumber(ctx)
		if err != nil {
			return err
		}
		if o.payload.ID != "" {
			before, first, err := tx.Seen(ctx, o.payload.Source, o.payload.ID, n, now)
			if err != nil {
				return err
			}
			if !first {
				earlier = before
				return errAgain
			}
		}
		if req.Overdue, err = tx.OverdueRecords(ctx, actor.ID, now); err != nil {
			return err
		}
		c, events, err := change.Submit(w.Rules, req, actor, n, now)
		if err != nil {
			return err
		}
		events, err = tx.Insert(ctx, &c, events)
		if err != nil {
			return err
		}
		made = c
		return w.follow(ctx, tx, &c, events, now, o)
	})
	if errors.Is(err, errAgain) {
		return w.Ledger.Change(ctx, earlier)
	}
	if err != nil {
		return change.Change{}, fmt.Errorf("submit: %w", err)
	}
	return made, nil
}

// Do carries a command out on change n, and answers the change after it. A
// refusal is a *change.Refusal; a person's is kept in the change's chain.
func (w *Workflow) Do(ctx context.Context, n change.Number, cmd change.Command, actor change.Actor, opts ...Option) (change.Change, error) {
	ctx = crashpoint.Doing(ctx, cmd)
	o := gather(opts)
	var after change.Change
	err := w.Ledger.InTx(ctx, func(tx ledger.Tx) error {
		approve, approves := cmd.(change.Approve)
		locked, err := tx.LockFor(ctx, n, o.payload.Source, o.payload.ID, approves, ledger.Micro(w.Now()))
		if errors.Is(err, ledger.ErrNotFound) {
			return &change.Refusal{Code: change.NoSuchChange, Say: "There is no " + n.String() + "."}
		}
		if err != nil {
			return err
		}
		now := ledger.Micro(w.Now()) // behind the lock: a wait for it must not let through what has become too late
		head := locked.Head
		after = head.Change
		if !locked.First {
			return nil
		}
		if approves { // judged by what is owed at this moment, whatever the message said
			approve.Overdue = locked.Overdue
			cmd = approve
		}
		c, events, err := change.Decide(w.Rules, head.Change, cmd, actor, now)
		if err != nil {
			return err
		}
		if len(events) == 0 {
			return o.run(tx)
		}
		events, err = tx.Update(ctx, head, &c, events)
		if err != nil {
			return err
		}
		after = c
		return w.follow(ctx, tx, &c, events, now, o)
	})
	if refusal, ok := errors.AsType[*change.Refusal](err); ok {
		w.keepRefusal(ctx, n, cmd, actor, refusal)
	}
	if err != nil {
		return change.Change{}, fmt.Errorf("%s: %T: %w", n, cmd, err)
	}
	return after, nil
}

// follow asks for what follows from events, in their transaction.
func (w *Workflow) follow(ctx context.Context, tx ledger.Tx, c *change.Change, events []change.Event, now time.Time, o options) error {
	deliveries := change.Outbox(*c, events)
	if err := tx.PutDeliveries(ctx, deliveries, c.Version, now); err != nil {
		return err
	}
	if err := tx.TouchMessages(ctx, c.Number, c.Version, now, change.AltersQuestions(events)); err != nil {
		return err
	}
	for _, e := range events {
		if err := touch(ctx, tx, c, e, now); err != nil {
			return err
		}
	}
	assignment, err := tx.SyncGrant(ctx, c, now)
	if err != nil {
		return err
	}
	if err := o.run(tx); err != nil {
		return err
	}
	wake := Wake{Assignment: assignment}
	for _, system := range ledger.Systems() {
		for _, d := range deliveries {
			if d.System() == system {
				wake.Work = append(wake.Work, ledger.Work{Number: c.Number, System: system})
				break
			}
		}
	}
	if err := w.Waker.Wake(ctx, tx, wake); err != nil {
		return fmt.Errorf("wake reconcilers: %w", err)
	}
	for _, e := range events {
		w.Log.InfoContext(ctx, "event", "change", c.Number.String(), "type", string(e.Type), "seq", e.Seq, "phase", string(e.Phase), "actor", string(e.Actor))
	}
	return nil
}

// touch has messages drawn anew that are sent once, and still ask somebody for what
// is settled by an event.
func touch(ctx context.Context, tx ledger.Tx, c *change.Change, e change.Event, now time.Time) error {
	if e.Type == change.EventWaived {
		return tx.TouchReminders(ctx, c.Number, change.ObligationName(e.Fact("obligation")), e.Fact("item"), now)
	}
	for _, item := range change.ConfirmationsSettled(c, e) {
		if err := tx.TouchConfirmations(ctx, c.Number, item, now); err != nil {
			return err
		}
	}
	return nil
}

// keepRefusal writes down that a person was refused. The person is answered
// even when that fails.
func (w *Workflow) keepRefusal(ctx context.Context, n change.Number, cmd change.Command, actor change.Actor, r *change.Refusal) {
	if actor.System || r.Code == change.NoSuchChange || r.Code == change.BadInput || r.Code == change.ReasonNeeded {
		return
	}
	err := w.Ledger.InTx(ctx, func(tx ledger.Tx) error {
		head, err := tx.Lock(ctx, n)
		if err != nil {
			return err
		}
		count, err := tx.RefusalsOf(ctx, n, actor.ID)
		if err != nil || count >= refusalsKept {
			return err
		}
		return tx.Append(ctx, head, change.Event{
			Type: change.EventRefused, At: w.Now(), Actor: actor.ID, Via: actor.Via,
			Facts: change.Facts{"command": change.CommandName(cmd), "code": string(r.Code)},
		})
	})
	if err != nil {
		w.Log.ErrorContext(ctx, "a refusal could not be written down", "change", n.String(), "error", err)
	}
}

// systemPerHour bounds how many events of one person the system chain takes in
// an hour, so that nobody can fill it.
const systemPerHour = 30

// Refused writes down what belongs to no change: a refused guest, a forged
// click, a request that went the standard way.
func (w *Workflow) Refused(ctx context.Context, kind change.EventType, actor change.PersonID, via string, facts change.Facts) error {
	now := w.Now()
	_, err := w.Ledger.SystemEvent(ctx, change.Event{Type: kind, At: now, Actor: actor, Via: via, Facts: facts}, now.Add(-time.Hour), systemPerHour)
	return err
}

func gather(opts []Option) options {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

func (o options) run(tx ledger.Tx) error {
	for _, fn := range o.also {
		if err := fn(tx); err != nil {
			return err
		}
	}
	return nil
}
