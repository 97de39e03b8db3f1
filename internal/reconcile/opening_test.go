package reconcile_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
	sandboxincidentio "github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
)

// callKinds are one that people on call approve themselves, and one that needs an
// incident which is not mitigated.
func callKinds() []change.Kind {
	kind := func(id change.KindID, self *change.SelfApproval, incident change.Need) change.Kind {
		return change.Kind{
			ID: id, Name: "Work on production", Requesters: []change.GroupID{"engineers"}, Access: change.NeedNone, Incident: incident,
			MergeRequest: change.NeedNone, SelfApproval: self,
			Approvals: []change.ApprovalRule{{From: []change.GroupID{"cto"}, Fallback: []change.GroupID{"deputies"}}},
		}
	}
	self := &change.SelfApproval{Who: []change.GroupID{"on-call"}, NeedsIncident: true, Witnesses: 1, WitnessesFrom: []change.GroupID{"witnesses"}}
	return []change.Kind{kind("call", self, change.NeedOptional), kind("unfixed", nil, change.NeedRequired)}
}

const incidentName = "the ostrich has fallen"

func opening(r *change.Request) {
	r.Choice, r.Opening = "", &change.IncidentOpening{Name: incidentName, SeverityID: "SEVERITY2", Severity: "Critical"}
}

// opened gives the only incident there is.
func (b *recordBundle) opened(t *testing.T) sandboxincidentio.Incident {
	t.Helper()
	all := b.incidents.Incidents()
	if len(all) != 1 {
		t.Fatalf("there are %d incidents, want one", len(all))
	}
	return all[0]
}

func TestIncidentIsOpenedOnceHoweverManyRepliesAreLost(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]fault.Kind{"lost": fault.ReplyLost, "broken off": fault.Truncated, "throttled": fault.TooMany, "down": fault.Unavailable} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setupRecords(t)
			b.incidents.Faults.Add(fault.Fault{Kind: kind, Call: "create incident", Times: 3})
			c := b.request(t, opening)
			b.work(t)
			b.pass(t, 2*time.Minute, 5*time.Second)
			i := b.opened(t)
			if i.Name != incidentName || i.Severity != "Critical" || i.Private || i.Mode != "standard" || !strings.Contains(i.Summary, "EC-1") {
				t.Errorf("opened: %+v", i)
			}
			got := b.change(t, c.Number)
			if got.Incident.BeingOpened() || got.Incident.Now.ID != i.ID || got.Incident.AtRequest == nil {
				t.Errorf("the change has %+v", got.Incident)
			}
			if n := b.titles(i.ID, "asked for by"); n != 1 {
				t.Errorf("the incident was told %d times of the request, want once", n)
			}
		})
	}
}

func TestWhatBelongsIntoAnIncidentWaitsUntilItIsOpened(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	b.incidents.Faults.Add(fault.Fault{Kind: fault.Unavailable, Call: "create incident"})
	c := b.made(t, opening)
	b.write(t, c.Number)
	b.do(t, c.Number, engineer, change.AddNote{Text: "a note about an ibex"})
	b.work(t)
	b.pass(t, 10*time.Minute, 30*time.Second)
	waiting, err := b.Ledger.Waiting(t.Context(), c.Number)
	if err != nil || !strings.Contains(waiting[change.SystemIncident], "being opened") || len(waiting) != 1 {
		t.Errorf("waiting for %v (%v), want the incident to be opened", waiting, err)
	}
	b.incidents.Faults.Clear()
	b.pass(t, 3*time.Minute, 10*time.Second)
	i := b.opened(t)
	for _, title := range []string{"asked for by", "approved by", "has ended", "what was done", "a note by"} {
		if n := b.titles(i.ID, title); n != 1 {
			t.Errorf("%d notes of %q, want one", n, title)
		}
	}
	b.wantOwes(t, c.Number, change.OweRecord, change.Done)
	if at := b.change(t, c.Number).Incident.AtApproval; at == nil || at.ID != i.ID {
		t.Errorf("what it was when the change was approved is kept as %+v", at)
	}
	if n := len(b.jira.Issues()); n != 0 {
		t.Errorf("%d issues, want none", n)
	}
}

func TestWhatHasWaitedForTheIncidentGoesOnAtOnce(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	c := b.request(t, opening)
	b.work(t) // the clock stands still
	if n := b.titles(b.opened(t).ID, "asked for by"); n != 1 {
		t.Errorf("%s: the incident was told %d times of the request, want once", c.Number, n)
	}
}

func TestIncidentThatIsRefusedMovesTheRecordToJira(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	b.incidents.Without("incidents.create")
	b.expected = "incidents.create"
	c := b.made(t, opening)
	b.write(t, c.Number)
	b.work(t)
	b.pass(t, 3*time.Minute, 30*time.Second)
	got := b.change(t, c.Number)
	if got.Record.In != change.RecordInJira || got.Record.Mirrored != 1 || !strings.Contains(got.Record.Moved, "could not be opened") {
		t.Errorf("the record is %+v", got.Record)
	}
	if i := b.issue(t); len(comments(i, typedDone)) != 1 || !strings.Contains(i.Description, incidentName+" (could not be opened)") {
		t.Errorf("the ticket: %+v", i)
	}
	if !b.slack.told(engineer, change.MessageIncidentNotOpened) {
		t.Error("the requester is not told")
	}
	if n := len(b.incidents.Incidents()); n != 0 {
		t.Errorf("%d incidents, want none", n)
	}
}

func TestIncidentOfAConfidentialChangeIsOpenedPrivately(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	c := b.request(t, opening, func(r *change.Request) { r.Kind, r.Answers = "secret", nil })
	b.work(t)
	i := b.opened(t)
	if !i.Private || strings.Contains(i.Summary, typedWhy) || !strings.Contains(i.Summary, "EC-1") {
		t.Errorf("opened: %+v", i)
	}
	if got := b.change(t, c.Number); !got.Confidential || got.Incident.Now.ID != i.ID {
		t.Errorf("%+v", got.Incident)
	}
}

func TestNoIncidentIsOpenedForWhatWasTakenBack(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	b.wire.cut.Store(true) // nothing leaves at all
	c := b.request(t, opening)
	b.work(t)
	b.do(t, c.Number, engineer, change.Withdraw{})
	b.wire.cut.Store(false)
	b.pass(t, 3*time.Minute, 30*time.Second)
	if n := len(b.incidents.Incidents()); n != 0 {
		t.Errorf("%d incidents, want none", n)
	}
}

func TestIncidentThatMayHaveBeenOpenedLearnsThatTheChangeWasTakenBack(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	b.incidents.Faults.Add(fault.Fault{Kind: fault.ReplyLost, Call: "create incident", Times: 1})
	c := b.request(t, opening)
	b.work(t)
	b.do(t, c.Number, engineer, change.Withdraw{})
	b.pass(t, 3*time.Minute, 10*time.Second)
	if i := b.opened(t); b.change(t, c.Number).Incident.Now.ID != i.ID || !strings.Contains(b.incidents.Text(i.ID), "Withdrawn") {
		t.Errorf("the incident says:\n%s", b.incidents.Text(i.ID))
	}
}

func TestIncidentsStateIsKeptAtEachMoment(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	id := b.incidentOf(t, sandboxincidentio.Incident{})
	c := b.request(t, b.during(t, id))
	set := func(status string) {
		b.work(t)
		b.clock.forward(time.Minute)
		if err := b.incidents.SetStatus(id, status); err != nil {
			t.Fatal(err)
		}
	}
	set("Fixing")
	b.do(t, c.Number, chief, change.Approve{Ask: 1})
	set("Monitoring")
	b.do(t, c.Number, engineer, change.Finish{})
	set("Documenting")
	b.write(t, c.Number)
	b.work(t)
	i := b.change(t, c.Number).Incident
	var got []string
	for _, at := range []*change.Incident{i.AtRequest, i.AtApproval, i.AtEnd, i.AtRecord} {
		if at == nil {
			got = append(got, "nothing")
			continue
		}
		got = append(got, at.Status)
	}
	if want := []string{"Investigating", "Fixing", "Monitoring", "Documenting"}; !slices.Equal(got, want) {
		t.Errorf("kept: %q, want %q", got, want)
	}
	if n := b.events(t, c.Number, change.EventIncidentDoubted); n != 0 {
		t.Errorf("doubted %d times, although this kind takes any", n)
	}
}

func TestIncidentUnseenAtTheApprovalIsCheckedAsSoonAsPossible(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	id := b.incidentOf(t, sandboxincidentio.Incident{})
	c := b.request(t, b.during(t, id), func(r *change.Request) { r.Kind, r.Answers = "unfixed", nil })
	b.work(t)
	if err := b.incidents.SetStatus(id, "Monitoring"); err != nil {
		t.Fatal(err)
	}
	b.wire.cut.Store(true)
	b.do(t, c.Number, chief, change.Approve{Ask: 1})
	b.work(t)
	if b.change(t, c.Number).Incident.AtApproval != nil {
		t.Fatal("it was seen although nothing answers")
	}
	b.wire.cut.Store(false)
	b.pass(t, 3*time.Minute, 30*time.Second)
	if at := b.change(t, c.Number).Incident.AtApproval; at == nil || !at.Mitigated {
		t.Errorf("kept: %+v", at)
	}
	for _, p := range []change.PersonID{engineer, chief} {
		if !b.slack.told(p, change.MessageIncidentDoubted) {
			t.Errorf("%s is not told", p)
		}
	}
	if n := b.events(t, c.Number, change.EventIncidentDoubted); n != 1 {
		t.Errorf("doubted %d times, want once", n)
	}
}

func TestMergedIncidentIsJudgedByTheOneThatItWentInto(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	id := b.incidentOf(t, sandboxincidentio.Incident{})
	into := b.incidentOf(t, sandboxincidentio.Incident{Status: "Fixing"})
	c := b.request(t, b.during(t, id), func(r *change.Request) { r.Kind, r.Answers = "unfixed", nil })
	b.work(t)
	b.incidents.TakeNotesWhenOver(true) // so that the look is the first to learn of it
	if err := b.incidents.Merge(id, into); err != nil {
		t.Fatal(err)
	}
	b.do(t, c.Number, chief, change.Approve{Ask: 1})
	b.work(t)
	if at := b.change(t, c.Number).Incident.AtApproval; at == nil || at.ID != into || at.Status != "Fixing" {
		t.Errorf("kept: %+v", at)
	}
	if n := b.events(t, c.Number, change.EventIncidentDoubted); n != 0 {
		t.Errorf("doubted %d times", n)
	}
}

func TestSelfApprovalAsksTheWitnessesAndIsRecordedAsWhatItIs(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	id := b.incidentOf(t, sandboxincidentio.Incident{})
	c := b.request(t, b.during(t, id), func(r *change.Request) {
		r.Kind, r.Answers, r.SelfApprove, r.Witnesses = "call", nil, true, []change.PersonID{deputy, other}
	})
	b.work(t)
	for _, p := range []change.PersonID{deputy, other} {
		if !b.slack.told(p, change.MessageWitness) {
			t.Errorf("%s is not asked", p)
		}
	}
	if b.slack.told(chief, "") {
		t.Error("an approver was asked before the witnesses' time was over")
	}
	live, err := b.Incidents.Incident(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	b.do(t, c.Number, deputy, change.ConfirmCall{Ask: 1, Incident: &live})
	b.do(t, c.Number, engineer, change.Finish{})
	b.write(t, c.Number)
	b.work(t)
	if !b.slack.told(chief, change.MessageSelfApproved) {
		t.Error("the CTO is not told")
	}
	want := "Erin Engineer (self-approved on the emergency call; confirmed by Dana Deputy)"
	if text := b.incidents.Text(id); strings.Count(text, want) < 2 {
		t.Errorf("the incident does not say %q at the approval and in the record:\n%s", want, text)
	}
}

func TestWitnessIsNotAskedWhatNoLongerMatters(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(t *testing.T, b *recordBundle, c change.Change){
		"withdrawn": func(t *testing.T, b *recordBundle, c change.Change) {
			t.Helper()
			b.do(t, c.Number, engineer, change.Withdraw{})
		},
		"left to the approvers": func(t *testing.T, b *recordBundle, c change.Change) {
			t.Helper()
			over := c.Incident.Now
			over.Category = change.IncidentClosed
			b.do(t, c.Number, deputy, change.ConfirmCall{Ask: 1, Incident: &over})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setupRecords(t)
			id := b.incidentOf(t, sandboxincidentio.Incident{})
			c := b.request(t, b.during(t, id), func(r *change.Request) {
				r.Kind, r.Answers, r.SelfApprove, r.Witnesses = "call", nil, true, []change.PersonID{deputy, other}
			})
			end(t, b, c)
			b.work(t)
			if b.slack.told(other, change.MessageWitness) {
				t.Error("a witness is asked although nothing rests on it any more")
			}
		})
	}
}

func TestRecordHoldsTheAnswersAndWhyAnOverdueRecordWasNoHindrance(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	b.Workflow.Rules.Access.BlockWhenOverdue = true
	late := b.made(t)
	b.clock.forward(25 * time.Hour)
	c := b.request(t)
	if _, err := b.Workflow.Do(t.Context(), c.Number, change.Approve{Ask: 1}, b.as(chief)); err == nil {
		t.Fatal("approved without a reason")
	}
	b.do(t, c.Number, chief, change.Approve{Ask: 1, Reason: "the heron cannot wait"})
	b.do(t, c.Number, engineer, change.Finish{})
	b.do(t, c.Number, engineer, change.WriteRecord{Done: "turned the newt", Why: typedWhy})
	b.pass(t, 3*time.Minute, 30*time.Second)
	held := 0
	for _, i := range b.jira.Issues() {
		for _, body := range comments(i, "turned the newt") {
			held++
			for _, want := range []string{"undo the lemur", "the heron cannot wait", late.Number.String()} {
				if !strings.Contains(body, want) {
					t.Errorf("the record lacks %q:\n%s", want, body)
				}
			}
		}
	}
	if held != 1 {
		t.Errorf("%d comments hold the record, want one", held)
	}
}
