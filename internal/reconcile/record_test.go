package reconcile_test

import (
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
	sandboxincidentio "github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
)

// typed is everything that people typed, and their names.
var typed = []string{typedWhat, typedWhy, typedDone, "lemur", "Erin", "Cleo", "Work on production", "pipeline", "ostrich", "Logins"}

func wantNone(t *testing.T, text string) {
	t.Helper()
	for _, word := range typed {
		if strings.Contains(text, word) {
			t.Errorf("%q has leaked:\n%s", word, text)
		}
	}
}

func (b *recordBundle) incidentOf(t *testing.T, i sandboxincidentio.Incident) string {
	t.Helper()
	return b.incidents.Open(i)[0].ID
}

// titles lists the titles of an incident's timeline that hold a text.
func (b *recordBundle) titles(id, with string) int {
	n := 0
	for _, note := range b.incidents.Timeline(id) {
		if strings.Contains(note.Title, with) {
			n++
		}
	}
	return n
}

func TestIncidentHoldsTheWholeStory(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	id := b.incidentOf(t, sandboxincidentio.Incident{})
	c := b.request(t, b.during(t, id))
	b.work(t)
	b.do(t, c.Number, chief, change.Approve{Ask: 1})
	b.do(t, c.Number, engineer, change.AddNote{Text: "the *ostrich* has @landed"}, change.Finish{})
	b.write(t, c.Number)
	b.work(t)
	text := b.incidents.Text(id)
	for _, want := range []string{
		"asked for by Erin Engineer", typedWhat, typedWhy, "approved by Cleo Chief", "the change has begun",
		"the change has ended, by Erin Engineer", "a note by Erin Engineer", "ostrich", "what was done", typedDone,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the incident lacks %q:\n%s", want, text)
		}
	}
	got := b.change(t, c.Number)
	if got.Record.Mirrored != 1 || got.Incident.AtRequest == nil || got.Incident.AtRequest.Category != change.IncidentLive {
		t.Errorf("record %+v, incident %+v", got.Record, got.Incident)
	}
	b.wantOwes(t, c.Number, change.OweRecord, change.Done)
	b.wantOwes(t, c.Number, change.OweSignOff, "never")
	if n := len(b.jira.Issues()); n != 0 {
		t.Errorf("%d issues beside the incident's own record", n)
	}
}

func TestTimelineNotesAreWrittenOnce(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	id := b.incidentOf(t, sandboxincidentio.Incident{})
	b.incidents.Faults.Add(fault.Fault{Kind: fault.ReplyLost, Call: "create timeline item", Times: 4})
	c := b.made(t, b.during(t, id))
	b.write(t, c.Number)
	b.work(t)
	b.pass(t, 5*time.Minute, 5*time.Second)
	for _, title := range []string{"asked for by", "approved by", "has ended", "what was done"} {
		if n := b.titles(id, title); n != 1 {
			t.Errorf("%d notes of %q, want one", n, title)
		}
	}
	b.wantOwes(t, c.Number, change.OweRecord, change.Done)
}

func TestRecordFallsBackToJiraWhenTheIncidentTakesNone(t *testing.T) {
	t.Parallel()
	for _, status := range []string{"Closed", "Declined", "Canceled"} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			b := setupRecords(t)
			id := b.incidentOf(t, sandboxincidentio.Incident{})
			c := b.request(t, b.during(t, id))
			b.work(t)
			if status != "Closed" {
				b.incidents.TakeNotesWhenOver(true) // even so, nothing is recorded there
			}
			if err := b.incidents.SetStatus(id, status); err != nil {
				t.Fatal(err)
			}
			b.do(t, c.Number, chief, change.Approve{Ask: 1})
			b.do(t, c.Number, engineer, change.Finish{})
			b.write(t, c.Number)
			b.work(t)
			b.pass(t, 3*time.Minute, 30*time.Second)
			i := b.issue(t)
			if got := comments(i, typedDone); len(got) != 1 {
				t.Errorf("%d comments hold the record, want one: %+v", len(got), i.Comments)
			}
			got := b.change(t, c.Number)
			word := strings.ToLower(status)
			if got.Record.In != change.RecordInJira || !strings.Contains(got.Record.Moved, "INC-1 has been "+word) || got.Record.Mirrored != 1 {
				t.Errorf("the record is %+v", got.Record)
			}
			if !strings.Contains(i.Description, "INC-1 has been "+word) {
				t.Errorf("the ticket does not say why the record is there:\n%s", i.Description)
			}
			if got.Incident.AtRequest.Category != change.IncidentLive || string(got.Incident.Now.Category) != word {
				t.Errorf("the incident's states are %s and %s", got.Incident.AtRequest.Category, got.Incident.Now.Category)
			}
			b.wantOwes(t, c.Number, change.OweRecord, change.Done)
			b.wantOwes(t, c.Number, change.OweSignOff, change.Owed)
			if n := b.events(t, c.Number, change.EventIncidentRefused); n != 1 {
				t.Errorf("it was said %d times that the incident refused, want once", n)
			}
			b.jira.CommentAs(ctoAccount, i.Key, "Fine with me")
			b.pass(t, 2*time.Minute, 30*time.Second)
			b.wantOwes(t, c.Number, change.OweSignOff, change.Done)
		})
	}
}

func TestLiveIncidentThatRefusesTheRecordIsGivenUp(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	id := b.incidentOf(t, sandboxincidentio.Incident{})
	b.incidents.Without("timeline_items.create", "incident_updates.create")
	c := b.made(t, b.during(t, id))
	b.write(t, c.Number)
	b.work(t)
	b.pass(t, 3*time.Minute, 30*time.Second)
	if got := comments(b.issue(t), typedDone); len(got) != 1 {
		t.Errorf("%d comments hold the record, want one", len(got))
	}
	if got := b.change(t, c.Number).Record; !strings.Contains(got.Moved, "takes no notes from breakglass") {
		t.Errorf("the record is %+v", got)
	}
}

func TestMergedIncidentIsFollowed(t *testing.T) {
	t.Parallel()
	for _, takes := range []bool{false, true} {
		b := setupRecords(t)
		b.incidents.TakeNotesWhenOver(takes)
		first := b.incidentOf(t, sandboxincidentio.Incident{})
		second, third := b.incidentOf(t, sandboxincidentio.Incident{}), b.incidentOf(t, sandboxincidentio.Incident{})
		c := b.made(t, b.during(t, first))
		b.work(t)
		for _, m := range [][2]string{{first, second}, {second, third}} {
			if err := b.incidents.Merge(m[0], m[1]); err != nil {
				t.Fatal(err)
			}
		}
		b.write(t, c.Number)
		b.work(t)
		if n := b.titles(third, "what was done"); n != 1 {
			t.Errorf("%d records in the incident that the others were merged into, want one:\n%s", n, b.incidents.Text(third))
		}
		got := b.change(t, c.Number)
		if got.Incident.Now.ID != third || got.Incident.AtRequest.ID != first || got.Record.In != change.RecordInIncident {
			t.Errorf("incident %+v, record %+v", got.Incident, got.Record)
		}
		b.wantOwes(t, c.Number, change.OweRecord, change.Done)
		b.wantOwes(t, c.Number, change.OweSignOff, "never")
	}
}

func TestHintFollowsAMergeAtOnce(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	first, second := b.incidentOf(t, sandboxincidentio.Incident{}), b.incidentOf(t, sandboxincidentio.Incident{})
	c := b.request(t, b.during(t, first))
	b.work(t)
	if err := b.incidents.Merge(first, second); err != nil {
		t.Fatal(err)
	}
	b.clock.forward(time.Second)
	if err := b.IncidentHint(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	b.work(t)
	if got := b.change(t, c.Number).Incident.Now.ID; got != second {
		t.Errorf("the incident is %s, want %s", got, second)
	}
	if n := b.titles(second, "belongs to the incident"); n != 1 {
		t.Errorf("%d introductions in the second incident, want one", n)
	}
}

func TestRecordThatStandsInAnIncidentStaysWhenItCloses(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	id := b.incidentOf(t, sandboxincidentio.Incident{})
	c := b.made(t, b.during(t, id))
	b.write(t, c.Number)
	b.work(t)
	if err := b.incidents.SetStatus(id, "Closed"); err != nil {
		t.Fatal(err)
	}
	b.do(t, c.Number, engineer, change.SubmitReview{Text: change.ReviewText{What: "w", Standard: "s", Prevent: "ostrich", NoAction: "n"}})
	b.work(t)
	b.pass(t, 3*time.Minute, 30*time.Second)
	got := b.change(t, c.Number)
	if got.Record.In != change.RecordInIncident || got.Record.Mirrored != 1 || !got.Review.Mirrored {
		t.Errorf("record %+v, review mirrored: %t", got.Record, got.Review.Mirrored)
	}
	if n := len(comments(b.issue(t), "ostrich")); n != 1 {
		t.Errorf("%d comments hold the review that the closed incident did not take, want one", n)
	}
	b.wantOwes(t, c.Number, change.OweSignOff, "never")
	if got.Phase != change.Closed {
		t.Errorf("the change is %s, want closed", got.Phase)
	}
}

func TestPrivateIncidentLeaksNothingToJira(t *testing.T) {
	t.Parallel()
	review := change.ReviewText{What: "ostrich", Standard: "ostrich", Prevent: "ostrich", Actions: []change.Action{
		{What: "fence the ostrich in", Owner: engineer, Due: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)},
	}}
	for _, closed := range []bool{false, true} {
		b := setupRecords(t)
		id := b.incidentOf(t, sandboxincidentio.Incident{Name: "Logins of the ostrich fail", Private: true})
		c := b.made(t, b.during(t, id))
		b.work(t)
		if closed {
			if err := b.incidents.SetStatus(id, "Closed"); err != nil {
				t.Fatal(err)
			}
		}
		b.do(t, c.Number, engineer, change.AddNote{Text: "ostrich"})
		b.write(t, c.Number)
		b.do(t, c.Number, engineer, change.SubmitReview{Text: review})
		b.work(t)
		b.pass(t, 30*time.Minute, time.Minute)
		if closed {
			b.do(t, c.Number, chief, change.SignOff{})
			b.pass(t, 5*time.Minute, time.Minute)
			if !strings.Contains(b.everything(), "EC-1, a confidential change") {
				t.Errorf("Jira does not even hold the number:\n%s", b.everything())
			}
		} else {
			if !strings.Contains(b.incidents.Text(id), typedDone) {
				t.Errorf("the private incident's own record lacks what was done:\n%s", b.incidents.Text(id))
			}
			if all := b.incidents.FollowUps(id); len(all) != 1 || !strings.HasPrefix(all[0].Title, "fence the ostrich in") {
				t.Errorf("the private incident's follow-ups are %+v", all)
			}
		}
		wantNone(t, b.everything())
		if strings.Contains(b.everything(), "INC-") {
			t.Errorf("the incident is named in Jira:\n%s", b.everything())
		}
		got := b.change(t, c.Number)
		if strings.Contains(got.Record.Moved, "INC-") || strings.Contains(got.Incident.Refused, "INC-") {
			t.Errorf("a sentence for everybody names the private incident: %q", got.Incident.Refused)
		}
		if got.Phase != change.Closed {
			t.Errorf("the change is %s and owes %+v, want it closed", got.Phase, got.Owing())
		}
	}
}

func TestConfidentialChangeIsANumberToAPublicIncidentAndToJira(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	id := b.incidentOf(t, sandboxincidentio.Incident{Name: "Something"})
	secret := func(r *change.Request) { r.Kind = "secret" }
	c := b.made(t, b.during(t, id), secret)
	b.write(t, c.Number)
	d := b.made(t, ticketNow, secret)
	b.write(t, d.Number)
	b.work(t)
	b.pass(t, 3*time.Minute, 30*time.Second)
	wantNone(t, b.everything()+b.incidents.Text(id))
	if b.change(t, c.Number).Record.Mirrored != 1 || b.change(t, d.Number).Record.Mirrored != 1 {
		t.Error("the records were not written")
	}
}

func TestRecordInJiraWaitsForALateTicketAndIsWrittenOnce(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	c := b.request(t)
	b.do(t, c.Number, engineer, change.AddNote{Text: "the ostrich sleeps"})
	b.work(t)
	b.pass(t, 10*time.Minute, time.Minute)
	if n := len(b.jira.Issues()); n != 0 {
		t.Fatalf("%d issues although the ticket was to come later", n)
	}
	waiting, err := b.Ledger.Waiting(t.Context(), c.Number)
	if err != nil || len(waiting) != 0 {
		t.Errorf("it is said to wait for %v (%v), want silence", waiting, err)
	}
	b.do(t, c.Number, chief, change.Approve{Ask: 1})
	b.jira.Faults.Add(fault.Fault{Kind: fault.ReplyLost, Call: "add comment", Times: 2})
	b.do(t, c.Number, engineer, change.Finish{})
	b.write(t, c.Number)
	b.work(t)
	b.pass(t, 3*time.Minute, 5*time.Second)
	i := b.issue(t)
	for _, text := range []string{typedDone, "the ostrich sleeps"} {
		if n := len(comments(i, text)); n != 1 {
			t.Errorf("%d comments hold %q, want one: %+v", n, text, i.Comments)
		}
	}
	for _, want := range []string{"Approved by", "Cleo Chief", "Window", "Written by"} {
		if got := comments(i, typedDone); len(got) == 1 && !strings.Contains(got[0], want) {
			t.Errorf("the record lacks %q:\n%s", want, got[0])
		}
	}
	b.do(t, c.Number, engineer, change.WriteRecord{Done: typedDone + ", and a third time", Why: typedWhy})
	b.work(t)
	if n := len(comments(b.issue(t), "revision 2")); n != 1 {
		t.Errorf("%d comments hold the second revision, want one", n)
	}
}

func TestIncidentLinkedLaterHearsTheNotesAndTakesNoSignOffAway(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	c := b.made(t, ticketNow)
	b.work(t)
	id := b.incidentOf(t, sandboxincidentio.Incident{})
	found, err := b.Incidents.Incident(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	b.do(t, c.Number, engineer, change.LinkIncident{Incident: found}, change.AddNote{Text: "the ostrich sleeps"})
	b.write(t, c.Number)
	b.work(t)
	for _, place := range []string{b.everything(), b.incidents.Text(id)} {
		if strings.Count(place, typedDone) != 1 || strings.Count(place, "the ostrich sleeps") != 1 {
			t.Errorf("the record and the note should stand here once:\n%s", place)
		}
	}
	if got := b.change(t, c.Number).Record.In; got != change.RecordInJira {
		t.Errorf("the record is in %s", got)
	}
	b.wantOwes(t, c.Number, change.OweSignOff, change.Owed)
}

func TestJiraIsMadeGoodAfterHalfAnHourDown(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	b.wire.cut.Store(true)
	c := b.made(t, ticketNow)
	b.write(t, c.Number)
	b.work(t)
	b.pass(t, 30*time.Minute, time.Minute)
	waiting, err := b.Ledger.Waiting(t.Context(), c.Number)
	if err != nil || waiting[change.SystemJira] == "" {
		t.Errorf("nobody is told that Jira is waited for: %v (%v)", waiting, err)
	}
	b.wire.cut.Store(false)
	b.pass(t, 2*time.Minute, 10*time.Second)
	if n := len(comments(b.issue(t), typedDone)); n != 1 {
		t.Errorf("%d comments hold the record, want one", n)
	}
	b.wantOwes(t, c.Number, change.OweRecord, change.Done)
	if waiting, err := b.Ledger.Waiting(t.Context(), c.Number); err != nil || len(waiting) != 0 {
		t.Errorf("still said to wait for %v (%v)", waiting, err)
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	b.jira.Faults.Add(fault.Fault{Kind: fault.TooMany, Call: "create issue", Times: 1, RetryAfter: 7 * time.Minute})
	b.request(t, ticketNow)
	b.work(t)
	b.pass(t, 6*time.Minute+50*time.Second, 10*time.Second)
	const create = "POST /rest/api/2/issue"
	if n := b.wire.count(create); n != 1 {
		t.Fatalf("%d creates before Retry-After had passed, want one", n)
	}
	b.pass(t, 20*time.Second, 10*time.Second)
	if n := b.wire.count(create); n != 2 {
		t.Errorf("%d creates after it, want two", n)
	}
	_ = b.issue(t)
}

func TestIncidentThatIsNoLongerShownCountsAsPrivate(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	id := b.incidentOf(t, sandboxincidentio.Incident{Name: "Logins fail"})
	c := b.made(t, b.during(t, id))
	b.work(t)
	path := "/v2/incidents/" + id
	b.wire.hidden.Store(&path)
	b.write(t, c.Number)
	b.work(t)
	b.pass(t, 3*time.Minute, 30*time.Second)
	got := b.change(t, c.Number)
	if !got.Confidential || got.Record.In != change.RecordInJira || got.Record.Mirrored != 1 {
		t.Errorf("confidential: %t, record %+v", got.Confidential, got.Record)
	}
	wantNone(t, b.everything()+got.Record.Moved)
	b.wantOwes(t, c.Number, change.OweSignOff, change.Owed)
}

func TestRecordThatWaitedWhileItsIncidentWasDeclinedStandsInJiraOnce(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	id := b.incidentOf(t, sandboxincidentio.Incident{})
	c := b.made(t, b.during(t, id))
	b.work(t)
	b.incidents.Faults.Add(fault.Fault{Kind: fault.Unavailable, Call: "create timeline item"})
	b.write(t, c.Number)
	b.work(t)
	waiting, err := b.Ledger.Waiting(t.Context(), c.Number)
	if err != nil || waiting[change.SystemIncident] == "" || waiting[change.SystemJira] != "" {
		t.Errorf("waiting for %v (%v), want incident.io", waiting, err)
	}
	if err := b.incidents.SetStatus(id, "Declined"); err != nil {
		t.Fatal(err)
	}
	if err := b.IncidentHint(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	b.work(t)
	b.incidents.Faults.Clear()
	b.pass(t, 10*time.Minute, 30*time.Second)
	if n := len(comments(b.issue(t), typedDone)); n != 1 {
		t.Errorf("%d comments hold the record, want one", n)
	}
	if n := b.titles(id, "what was done"); n != 0 {
		t.Errorf("%d records in the declined incident, want none", n)
	}
}

func TestIncidentIsDownForALongTimeAndMadeGood(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	id := b.incidentOf(t, sandboxincidentio.Incident{})
	during := b.during(t, id)
	b.wire.cut.Store(true)
	c := b.made(t, during)
	b.write(t, c.Number)
	b.work(t)
	b.pass(t, 30*time.Minute, time.Minute)
	b.wire.cut.Store(false)
	b.pass(t, 3*time.Minute, 30*time.Second)
	if n := b.titles(id, "what was done"); n != 1 || b.change(t, c.Number).Record.In != change.RecordInIncident {
		t.Errorf("%d records in the incident, want one", n)
	}
	b.wantOwes(t, c.Number, change.OweRecord, change.Done)
}
