package change_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// TestNoSequenceOfCommandsBreaksAPromise drives changes with random commands of
// random people; take checks every step.
func TestNoSequenceOfCommandsBreaksAPromise(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		l := randomBegin(rt)
		rt.Repeat(map[string]func(*rapid.T){
			"person":  func(rt *rapid.T) { l.random(rt, personCommand(rt, l), randomPerson(rt)) },
			"person2": func(rt *rapid.T) { l.random(rt, personCommand(rt, l), randomPerson(rt)) },
			"system":  func(rt *rapid.T) { l.random(rt, systemCommand(rt, l), reader()) },
			"forward": func(rt *rapid.T) { l.forward(rt) },
			"wait": func(rt *rapid.T) {
				l.now = l.now.Add(time.Duration(rapid.IntRange(0, 200).Draw(rt, "minutes")) * time.Minute)
			},
			"tick": func(rt *rapid.T) { l.random(rt, change.Tick{}, itself) },
		})
	})
}

// random carries a command out that may be refused, but never fails.
func (l *life) random(rt *rapid.T, cmd change.Command, actor change.Actor) {
	outside := l.outside(actor)
	_, err := l.try(cmd, actor)
	if outside != (err != nil && isConfidential(l, err)) {
		rt.Fatalf("%T by %s of a change of which they may know nothing (%t): %v", cmd, actor.ID, outside, err)
	}
	if err == nil {
		return
	}
	if _, ok := errors.AsType[*change.Refusal](err); !ok {
		rt.Fatalf("%T in %s: %v", cmd, l.c.Phase, err)
	}
}

// forward helps the change on, so that lives get further than their request.
func (l *life) forward(rt *rapid.T) {
	switch l.c.Phase {
	case change.Requested:
		for _, p := range []change.PersonID{manager, cto} {
			l.random(rt, change.Approve{Ask: len(l.c.Asks)}, member(p))
		}
	case change.Approved:
		l.random(rt, change.PersonFound{User: change.AWSUser{ID: "aws-1"}}, itself)
		l.random(rt, change.IntendAccess{}, itself)
		l.random(rt, change.AccessVerified{}, itself)
	case change.Active, change.Ended:
		l.random(rt, change.WriteRecord{Done: "x", Why: "y"}, member(requester))
		l.random(rt, change.RecordMirrored{Revision: l.c.Record.Revision, In: l.c.Record.In}, itself)
		l.random(rt, change.SubmitReview{Text: goodReview}, member(requester))
		l.random(rt, change.ReviewMirrored{}, itself)
	case change.Closed, change.Denied, change.Withdrawn, change.Lapsed, change.Failed:
	}
}

func randomBegin(rt *rapid.T) *life {
	if rapid.IntRange(0, 2).Draw(rt, "call") == 0 {
		return randomCall(rt)
	}
	req := request(rapid.SampledFrom([]change.KindID{withAccess, withAccess, noAccess, twoSay, secret}).Draw(rt, "kind"))
	req.Choice = rapid.SampledFrom([]change.TicketChoice{change.TicketNow, change.TicketExisting, change.TicketLater}).Draw(rt, "choice")
	if req.Choice == change.TicketExisting {
		ref := ticket
		req.Ticket, req.TicketChecked = &ref, rapid.Bool().Draw(rt, "checked")
	}
	if rapid.Bool().Draw(rt, "incident") {
		i := incident("I1")
		req.Incident = &i
	}
	if req.AWSUser != nil && rapid.Bool().Draw(rt, "unfound") {
		req.AWSUser = nil
	}
	if rapid.IntRange(0, 4).Draw(rt, "report") == 0 {
		req.Reported, req.MadeAt, req.Implementer = true, start.Add(-time.Duration(rapid.IntRange(0, 50).Draw(rt, "hours"))*time.Hour), colleague
	}
	l := beginAs(rt, req, member(requester), start)
	l.quick = true
	l.rules.People = identities()
	return l
}

func randomPerson(rt *rapid.T) change.Actor {
	a := member(rapid.SampledFrom([]change.PersonID{requester, requester, cto, cto, deputy, manager, barred, colleague, witness}).Draw(rt, "who"))
	a.Standing = rapid.SampledFrom([]change.Standing{change.Member, change.Member, change.Member, change.Member, change.Guest, change.Deactivated}).Draw(rt, "standing")
	if rapid.IntRange(0, 5).Draw(rt, "source") == 0 {
		delete(a.Groups, rapid.SampledFrom([]change.GroupID{"cto", "deputies", "managers", "barred", "on-call", "callers"}).Draw(rt, "silent"))
	}
	return a
}

func personCommand(rt *rapid.T, l *life) change.Command {
	ask := rapid.IntRange(1, len(l.c.Asks)+1).Draw(rt, "ask")
	duration := time.Duration(rapid.IntRange(-1, 10).Draw(rt, "halves")) * 30 * time.Minute
	text := rapid.SampledFrom([]string{"", "Done.", " two \n lines "}).Draw(rt, "text")
	review := goodReview
	review.Actions = []change.Action{{What: "Buy", Owner: colleague, Due: start.Add(1000 * time.Hour)}}
	moment := momentOf(rt, l)
	return rapid.SampledFrom([]change.Command{
		change.Approve{Ask: ask},
		change.Approve{Ask: ask, Incident: moment, Reason: text, Overdue: []change.Number{7}},
		change.ConfirmCall{Ask: ask, Incident: moment},
		change.ConfirmCall{Ask: ask, Incident: moment},
		change.Deny{Ask: ask, Reason: text},
		change.ChangeDuration{Ask: ask, Duration: duration},
		change.Withdraw{},
		change.Finish{},
		change.EndNow{},
		change.Extend{Duration: duration, Why: text},
		change.Extend{Duration: 30 * time.Minute},
		change.AddNote{Text: text},
		change.LinkTicket{Ticket: ticket, Checked: true},
		change.LinkTicket{Ticket: change.TicketRef{ID: "2", Key: "OPS-2"}},
		change.LinkIncident{Incident: incident("I2")},
		change.LinkURL{URL: "https://example.com/" + text},
		change.WriteRecord{Done: text, Why: text},
		change.WriteRecord{NothingChanged: true},
		change.SignOff{},
		change.SaveDraft{Text: review},
		change.SubmitReview{Text: review},
		change.RemindLater{Obligation: change.OweRecord},
		change.RemindLater{Obligation: change.OweReview},
		change.RemindLater{Obligation: change.OweSignOff},
		change.LinkMergeRequest{Ref: lab(rapid.IntRange(1, 3).Draw(rt, "merge request"))},
		change.LinkMergeRequest{Ref: change.MergeRequestRef{URL: "https://git.example.com/1"}},
		change.ConfirmMergeRequest{Item: rapid.IntRange(0, 3).Draw(rt, "item")},
		change.Waive{Obligation: change.OweRecord, Reason: text},
		change.Waive{Obligation: change.OweReview, Reason: text},
		change.Waive{Obligation: change.OweSignOff, Reason: text},
		change.Waive{Obligation: change.OweAction, Item: 1, Reason: text},
	}).Draw(rt, "command")
}

func systemCommand(rt *rapid.T, l *life) change.Command {
	say := rapid.SampledFrom([]string{"", "AWS says no."}).Draw(rt, "say")
	seen := incident("I1")
	seen.Category = rapid.SampledFrom([]change.IncidentCategory{change.IncidentLive, change.IncidentClosed, change.IncidentDeclined}).Draw(rt, "category")
	comments := []change.SignerComment{}
	for _, body := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"Fine.", "Do not.", "Why?", "ok"}), 0, 2, rapid.ID).Draw(rt, "bodies") {
		by := rapid.SampledFrom([]change.PersonID{requester, cto, deputy, ""}).Draw(rt, "signer")
		comments = append(comments, change.SignerComment{Signer: by, TicketComment: change.TicketComment{ID: "c-" + string(by), Author: "a", Created: l.now, Body: body}})
	}
	return rapid.SampledFrom([]change.Command{
		change.PersonFound{User: change.AWSUser{ID: "aws-1"}},
		change.PersonRefused{Say: say},
		change.IntendAccess{},
		change.AccessVerified{},
		change.AccessVerified{Standing: true},
		change.AccessFailed{Say: say},
		change.AccessTrouble{Say: say},
		change.AccessGone{},
		change.AccessGone{Sessions: time.Hour},
		change.AccessBack{},
		change.LinkTicket{Ticket: ticket, Ours: true},
		change.TicketChecked{Asked: "OPS-1", Ticket: ticket, Refused: say},
		change.IncidentSeen{Incident: seen},
		change.IncidentSeen{Incident: seen, Of: rapid.SampledFrom([]change.Moment{change.AtRequest, change.AtApproval, change.AtEnd, change.AtRecord}).Draw(rt, "moment")},
		change.IncidentOpened{Incident: incident("I1")},
		change.IncidentRefused{Say: "Declined."},
		change.IncidentMoved{From: "I1", Incident: incident("I3")},
		change.AccessLate{},
		change.RecordMirrored{Revision: rapid.IntRange(0, 3).Draw(rt, "revision"), In: rapid.SampledFrom([]change.RecordPlace{change.RecordInJira, change.RecordInIncident}).Draw(rt, "in")},
		change.CommentsSeen{Comments: comments},
		change.ReviewMirrored{},
		change.ActionRecorded{Item: 1, Ticket: ticket},
		change.OwnerGone{Person: requester},
		change.Undelivered{Say: "The channel is gone."},
		randomLook(rt, l),
		randomLook(rt, l),
		change.MergeRequestRefused{Item: rapid.IntRange(0, 3).Draw(rt, "item"), Say: "GitLab does not have it."},
		change.StatusSeen{},
		change.Escalate{Ask: len(l.c.Asks)},
		change.Coordinated{People: []change.PersonID{manager}},
		change.ApproverAway{Ask: len(l.c.Asks), Person: cto, Until: l.now.Add(time.Hour)},
		change.TicketSecured{ID: ticket.ID},
		change.IncidentRefused{Say: "Hidden.", Private: true},
	}).Draw(rt, "command")
}

func incident(id string) change.Incident {
	return change.Incident{
		ID: id, Reference: "INC-" + id, Name: "Orders are stuck", Status: "Investigating", Category: change.IncidentLive,
		Created: start.Add(-100 * time.Hour), SeenAt: start,
	}
}
