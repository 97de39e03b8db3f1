package reconcile

import (
	"context"
	"strconv"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// timeline tells the incident of an event.
func (d *Deliverer) timeline(ctx context.Context, c change.Change, row *ledger.Delivery) (result, error) {
	if !d.takesNotes(&c) {
		return result{cancel: "there is no incident that takes notes"}, nil
	}
	event, err := d.Ledger.Event(ctx, c.Number, row.Ref.Seq)
	if err != nil {
		return result{}, err
	}
	if event.Type == change.EventRecordWritten && event.Fact("revision") != strconv.Itoa(c.Record.Revision) {
		return result{cancel: "it was written anew before it could be delivered"}, nil // what is told is the record as it is
	}
	e, ok := d.eventEntry(ctx, &c, event)
	if !ok {
		return result{cancel: "the incident is not told of this"}, nil
	}
	id, after, err := d.noteDown(ctx, c, row, e, false)
	switch {
	case err != nil:
		return result{}, err
	case id == "":
		return result{cancel: d.noMore(&after)}, nil
	}
	return result{external: id}, nil
}

// noMore says why an incident took no note.
func (d *Deliverer) noMore(c *change.Change) string {
	if c.Incident != nil && c.Incident.Refused != "" {
		return c.Incident.Refused
	}
	return "the incident takes no more notes"
}
