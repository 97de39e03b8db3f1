package reconcile

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// eventEntry tells of an event in plain words. It answers false for events that
// no record is told of.
func (d *Deliverer) eventEntry(ctx context.Context, c *change.Change, e change.Event) (entry, bool) {
	out := entry{at: e.At, stub: stub(c) + "."}
	var say string
	var p paper
	switch e.Type {
	case change.EventRequested:
		say, p = "an emergency change is asked for by "+d.name(ctx, c.Requester), d.plan(ctx, c)
	case change.EventReported:
		say, p = "an emergency change that was made already is reported by "+d.name(ctx, c.Requester), d.plan(ctx, c)
	case change.EventIncidentLinked:
		say, p = "this emergency change belongs to the incident", d.plan(ctx, c)
		p.add("Approved by", d.approved(ctx, c))
		p.add("Window", window(c))
		if c.Phase.Final() {
			p.add("State", stateWords[c.Phase])
		}
	case change.EventApproved:
		say = "approved by " + d.approverOf(ctx, c, e)
		p.add("Approved although a record was overdue", d.inSpite(ctx, c))
		p.add("Where", where(c))
		if c.Access != nil {
			p.add("For how long", change.ShortDuration(seconds(e)))
		}
	case change.EventDenied:
		say = "denied by " + d.name(ctx, e.Actor)
		p.add("Reason", e.Texts["reason"])
	case change.EventLapsed:
		say = "nobody decided in time, so nothing is changed"
	case change.EventWithdrawn:
		say = "withdrawn by " + d.name(ctx, e.Actor) + "; nothing is changed"
	case change.EventFailed:
		say = "the access could not be given, so nothing is changed"
		p.add("Reason", e.Fact("say"))
	case change.EventActivated:
		say = d.begun(ctx, c)
		p.add("Where", where(c))
		p.add("Until", until(e))
	case change.EventExtensionApproved:
		say = "extended by " + d.approverOf(ctx, c, e)
		p.add("Until", until(e))
	case change.EventEnded:
		say = "the change has ended"
		if e.Actor != "" {
			say += ", by " + d.name(ctx, e.Actor)
		}
		say += arrivedWords(c, e)
		p.add("Window", window(c))
	case change.EventAccessGone:
		say = "the access of " + d.name(ctx, c.Implementer) + " has ended"
		if e.Fact("standing") == "true" {
			say = "the access of " + d.name(ctx, c.Implementer) + " was there before, and is left in place"
		}
		p.add("Where", where(c))
	case change.EventWaived:
		say = "the " + owedName(e) + " was waived by " + d.name(ctx, e.Actor)
		if e.Fact("late") == "true" {
			say += ", overdue"
		}
		p.add("Reason", e.Texts["reason"])
		out.stub = stub(c) + ": something that it owed was waived."
	case change.EventNoted:
		out = d.noteEntry(ctx, c, e)
		return out, true
	case change.EventRecordWritten:
		out = d.recordEntry(ctx, c)
		return out, true
	default:
		return entry{}, false
	}
	out.title, out.sections = c.Number.String()+": "+say, p
	return out, true
}

// arrivedWords says what the end rests on, where that is evidence.
func arrivedWords(c *change.Change, e change.Event) string {
	switch {
	case e.Fact("how") != "evidence":
		return ""
	case c.Plan.EndsOn != nil:
		return ": every merge request is merged and deployed"
	}
	return ": every merge request is merged"
}

// owedName names the obligation that an event is about, for people.
func owedName(e change.Event) string {
	switch name := change.ObligationName(e.Fact("obligation")); name {
	case change.OweRecord, change.OwePermanentFix, change.OweMergeRequest, change.OweIndependentReview:
		return strings.ReplaceAll(string(name), "_", " ")
	case change.OweSignOff:
		return "sign-off"
	case change.OweReview:
		return "post-incident review"
	case change.OweAction:
		return "preventive action " + e.Fact("item")
	default:
		return string(name)
	}
}

// begun says that the work has begun, and with what access.
func (d *Deliverer) begun(ctx context.Context, c *change.Change) string {
	switch {
	case c.Access == nil:
		return "the change has begun"
	case c.Access.Standing:
		return d.name(ctx, c.Implementer) + " had the access before; the change has begun"
	}
	return "access was given to " + d.name(ctx, c.Implementer)
}

// approverOf names who approved what an event is about.
func (d *Deliverer) approverOf(ctx context.Context, c *change.Change, e change.Event) string {
	for _, a := range c.Asks {
		if e.Fact("ask") == strconv.Itoa(a.ID) {
			return d.approval(ctx, c, a)
		}
	}
	return d.name(ctx, e.Actor)
}

// seconds gives the duration that an event states.
func seconds(e change.Event) time.Duration {
	n, err := time.ParseDuration(e.Fact("seconds") + "s")
	if err != nil {
		return 0
	}
	return n
}

// until gives the end that an event states, for people.
func until(e change.Event) string {
	at, err := time.Parse(time.RFC3339Nano, e.Fact("until"))
	if err != nil {
		return ""
	}
	return when(at)
}
