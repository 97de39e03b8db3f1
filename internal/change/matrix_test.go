package change_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// stages are the places in a life where a command may find a change: every
// phase, and the approved one by how far AWS has come.
var stages = []struct {
	name  string
	phase change.Phase
	reach func(l *life)
}{
	{"requested", change.Requested, func(*life) {}},
	{"approved", change.Approved, func(l *life) { l.approve() }},
	{"intended", change.Approved, func(l *life) { l.approve(); l.do(change.IntendAccess{}, itself) }},
	{"given-up", change.Approved, func(l *life) { l.approve(); l.do(change.IntendAccess{}, itself); l.stopped(31 * time.Minute) }},
	{"active", change.Active, func(l *life) { l.activate() }},
	{"ended", change.Ended, func(l *life) { l.end() }},
	{"closed", change.Closed, func(l *life) { l.end().close() }},
	{"denied", change.Denied, func(l *life) { l.do(change.Deny{Ask: 1, Reason: "No"}, member(cto)) }},
	{"withdrawn", change.Withdrawn, func(l *life) { l.do(change.Withdraw{}, member(requester)) }},
	{"lapsed", change.Lapsed, func(l *life) { l.stopped(3 * time.Hour) }},
	{"failed", change.Failed, func(l *life) { l.approve(); l.do(change.AccessFailed{Say: "No"}, itself) }},
}

// What the cells of the matrix say: "=" done without a change of phase, a phase
// that the change goes to, "-" nothing to do, or the code of the refusal.
const matrix = `
                requested   approved    intended    given-up    active      ended       closed      denied      withdrawn   lapsed      failed
approve         approved    decided     decided     decided     decided     decided     decided     decided     too_late    too_late    decided
deny            denied      decided     decided     decided     decided     decided     decided     decided     too_late    too_late    decided
shorten         =           decided     decided     decided     decided     decided     decided     decided     too_late    too_late    decided
withdraw        withdrawn   withdrawn   ended       ended       ended       too_late    too_late    too_late    too_late    too_late    too_late
finish          too_early   withdrawn   ended       ended       ended       too_late    too_late    too_late    too_late    too_late    too_late
end-now         too_early   withdrawn   ended       ended       ended       too_late    too_late    too_late    too_late    too_late    too_late
extend          too_early   too_early   too_early   too_early   =           too_late    too_late    too_late    too_late    too_late    too_late
note            =           =           =           =           =           =           too_late    too_late    too_late    too_late    too_late
link-ticket     =           =           =           =           =           =           too_late    too_late    too_late    too_late    too_late
ticket-made     =           =           =           =           =           =           -           =           =           =           =
link-incident   =           =           =           =           =           =           too_late    too_late    too_late    too_late    too_late
link-url        =           =           =           =           =           =           too_late    too_late    too_late    too_late    too_late
link-merge      =           =           =           =           =           =           too_late    too_late    too_late    too_late    too_late
confirm-merge   too_late    too_late    too_late    too_late    too_late    too_late    too_late    too_late    too_late    too_late    too_late
merge-seen      -           -           -           -           -           -           -           -           -           -           -
merge-no        -           -           -           -           -           -           -           -           -           -           -
status-seen     =           =           =           =           =           =           =           =           =           =           =
record          too_early   too_early   too_early   too_early   =           =           too_late    too_late    too_late    too_late    too_late
sign-off        too_early   too_early   too_early   too_early   too_early   too_early   decided     too_late    too_late    too_late    too_late
draft           too_early   too_early   too_early   too_early   too_early   =           decided     too_late    too_late    too_late    too_late
review          too_early   too_early   too_early   too_early   too_early   =           decided     too_late    too_late    too_late    too_late
remind-later    too_late    too_late    too_late    too_late    =           =           too_late    too_late    too_late    too_late    too_late
tick            -           -           -           -           -           -           -           -           -           -           -
escalate        =           decided     decided     decided     decided     decided     decided     decided     too_late    too_late    decided
person-found    -           -           -           -           -           -           -           -           -           -           -
person-refused  -           -           -           -           -           -           -           -           -           -           -
intend          too_late    =           -           too_late    -           too_late    too_late    too_late    too_late    too_late    too_late
verified        -           active      active      ended       -           -           -           -           -           -           -
standing        -           active      active      ended       -           -           -           -           -           -           -
refused         -           failed      failed      failed      -           =           -           -           -           -           -
trouble         =           =           =           =           =           =           -           -           -           -           -
gone            -           -           -           failed      -           =           -           -           -           -           -
late            -           -           -           -           -           -           -           -           -           -           -
back            -           -           -           -           -           -           =           -           -           -           -
record-held     -           -           -           -           -           -           -           -           -           -           -
review-held     -           -           -           -           -           -           -           -           -           -           -
incident-seen   -           -           -           -           -           -           -           -           -           -           -
incident-open   -           -           -           -           -           -           -           -           -           -           -
on-call         too_late    decided     decided     decided     decided     decided     decided     decided     too_late    too_late    decided
incident-moved  -           -           -           -           -           -           -           -           -           -           -
incident-no     -           -           -           -           -           -           -           -           -           -           -
ticket-seen     -           -           -           -           -           -           -           -           -           -           -
comments        -           -           -           -           -           -           -           -           -           -           -
action-held     -           -           -           -           -           -           -           -           -           -           -
waive           too_late    too_late    too_late    too_late    =           =           too_late    too_late    too_late    too_late    too_late
coordinated     =           =           =           =           =           =           -           -           -           -           -
away            =           -           -           -           -           -           -           -           -           -           -
secured         -           -           -           -           -           -           =           -           -           -           -
owner-gone      -           -           -           -           =           =           -           -           -           -           -
undelivered     =           =           =           =           =           =           =           =           =           =           =
`

// commands of the matrix, each by somebody who may give it.
func commands() map[string]func(l *life) ([]change.Event, error) {
	by := func(cmd change.Command, actor change.Actor) func(l *life) ([]change.Event, error) {
		return func(l *life) ([]change.Event, error) { l.t.Helper(); return l.try(cmd, actor) }
	}
	mine, theirs := member(requester), member(cto)
	other := change.TicketRef{ID: "10002", Key: "OPS-2"}
	return map[string]func(l *life) ([]change.Event, error){
		"approve": by(change.Approve{Ask: 1}, theirs), "deny": by(change.Deny{Ask: 1, Reason: "No"}, theirs),
		"shorten":  by(change.ChangeDuration{Ask: 1, Duration: time.Minute}, theirs),
		"withdraw": by(change.Withdraw{}, mine), "finish": by(change.Finish{}, mine), "end-now": by(change.EndNow{}, theirs),
		"extend": by(change.Extend{Duration: time.Hour}, mine), "note": by(change.AddNote{Text: "x"}, mine),
		"link-ticket": by(change.LinkTicket{Ticket: other}, mine), "ticket-made": by(change.LinkTicket{Ticket: other, Ours: true}, itself),
		"link-incident": by(change.LinkIncident{Incident: incident("I1")}, mine), "link-url": by(change.LinkURL{URL: "https://x.example.com"}, mine),
		"link-merge": by(change.LinkMergeRequest{Ref: lab(1)}, mine), "confirm-merge": by(change.ConfirmMergeRequest{Item: 1}, theirs),
		"merge-seen": by(change.MergeRequestSeen{Item: 1, Seen: open(1)}, itself), "merge-no": by(change.MergeRequestRefused{Item: 1, Say: "x"}, itself),
		"status-seen": by(change.StatusSeen{}, itself),
		"record":      by(change.WriteRecord{Done: "x", Why: "y"}, mine), "sign-off": by(change.SignOff{}, theirs),
		"draft": by(change.SaveDraft{}, mine), "review": by(change.SubmitReview{Text: goodReview}, mine),
		"remind-later": by(change.RemindLater{Obligation: change.OweRecord}, mine),
		"tick":         by(change.Tick{}, itself), "escalate": by(change.Escalate{Ask: 1}, itself),
		"person-found": by(change.PersonFound{User: change.AWSUser{ID: "aws-2"}}, itself), "person-refused": by(change.PersonRefused{Say: "x"}, itself),
		"intend": by(change.IntendAccess{}, itself), "verified": by(change.AccessVerified{}, itself), "standing": by(change.AccessVerified{Standing: true}, itself),
		"refused": by(change.AccessFailed{Say: "x"}, itself), "trouble": by(change.AccessTrouble{Say: "x"}, itself),
		"gone": by(change.AccessGone{}, itself), "late": by(change.AccessLate{}, itself), "incident-moved": by(change.IncidentMoved{From: "I1"}, itself), "back": by(change.AccessBack{}, itself),
		"incident-open": by(change.IncidentOpened{Incident: incident("I1")}, itself), "on-call": by(change.ConfirmCall{Ask: 1}, member(witness)),
		"record-held": by(change.RecordMirrored{Revision: 1, In: change.RecordInJira}, itself), "review-held": by(change.ReviewMirrored{}, itself),
		"incident-seen": by(change.IncidentSeen{Incident: incident("I1")}, itself), "incident-no": by(change.IncidentRefused{Say: "x"}, itself),
		"ticket-seen": by(change.TicketChecked{Asked: ticket.Key, Ticket: ticket}, itself), "comments": by(change.CommentsSeen{}, reader()),
		"action-held": by(change.ActionRecorded{Item: 1}, itself), "owner-gone": by(change.OwnerGone{Person: requester}, itself),
		"waive":       by(change.Waive{Obligation: change.OweRecord, Reason: "x"}, member(deputy)),
		"coordinated": by(change.Coordinated{People: []change.PersonID{manager}}, itself), "secured": by(change.TicketSecured{ID: ticket.ID}, itself),
		"away":        by(change.ApproverAway{Ask: 1, Person: cto, Until: start.Add(time.Hour)}, itself),
		"undelivered": by(change.Undelivered{Say: "x"}, itself),
	}
}

func TestEveryCommandInEveryPhase(t *testing.T) {
	t.Parallel()
	lines := strings.Split(strings.TrimSpace(matrix), "\n")
	columns := strings.Fields(lines[0])
	all := commands()
	seen := map[string]bool{}
	for _, line := range lines[1:] {
		cells := strings.Fields(line)
		name := cells[0]
		seen[name] = true
		for i, stage := range columns {
			t.Run(name+"/"+stage, func(t *testing.T) {
				t.Parallel()
				if got := outcome(t, stage, all[name]); got != cells[i+1] {
					t.Errorf("%s; want %s", got, cells[i+1])
				}
			})
		}
	}
	if len(seen) != len(all) || len(columns) != len(stages) {
		t.Errorf("the matrix has %d of %d commands and %d of %d stages", len(seen), len(all), len(columns), len(stages))
	}
}

func outcome(t *testing.T, stage string, cmd func(l *life) ([]change.Event, error)) string {
	t.Helper()
	i := slices.IndexFunc(stages, func(s struct {
		name  string
		phase change.Phase
		reach func(l *life)
	},
	) bool {
		return s.name == stage
	})
	l := begin(t, request(withAccess))
	l.quick = true
	stages[i].reach(l)
	l.phase(stages[i].phase)
	before := l.c.Phase
	events, err := cmd(l)
	refusal, refused := errors.AsType[*change.Refusal](err)
	switch {
	case refused:
		if refusal.Say == "" {
			t.Error("the refusal says nothing")
		}
		return string(refusal.Code)
	case err != nil:
		return fmt.Sprint("a defect: ", err)
	case len(events) == 0:
		return "-"
	case l.c.Phase == before:
		return "="
	}
	return string(l.c.Phase)
}
