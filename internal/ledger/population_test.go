package ledger_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// everything is a period that holds all that a test does.
func everything() ledger.Period {
	return ledger.Period{Since: start.Add(-time.Hour), Until: start.AddDate(1, 0, 0)}
}

func (s *stand) population(p ledger.Period) (rows []ledger.PopulationRow) {
	s.t.Helper()
	s.must(s.Population(s.ctx, p, func(row ledger.PopulationRow) error {
		rows = append(rows, row)
		return nil
	}))
	return rows
}

func (s *stand) row(n change.Number, p ledger.Period) ledger.PopulationRow {
	s.t.Helper()
	rows := s.population(p)
	i := slices.IndexFunc(rows, func(r ledger.PopulationRow) bool { return r.Number == n })
	if i < 0 {
		s.t.Fatalf("%s is not in the population", n)
	}
	return rows[i]
}

func (s *stand) report() change.Number {
	s.t.Helper()
	var n change.Number
	s.must(s.InTx(s.ctx, func(tx ledger.Tx) (err error) {
		if n, err = tx.NextNumber(s.ctx); err != nil {
			return err
		}
		c, events, err := change.Submit(rules(), change.Request{
			Kind: "access", Reason: "down", What: "Restarted it", Why: "It was stuck", Choice: change.TicketLater,
			Reported: true, MadeAt: s.now.Add(-3 * time.Hour), Implementer: "U0OTHER",
		}, member(requester), n, s.now)
		if err != nil {
			return err
		}
		_, err = tx.Insert(s.ctx, &c, events)
		return err
	}))
	return n
}

func TestThePopulationHoldsWhateverBecameOfAChange(t *testing.T) {
	s := open(t)
	want := map[change.Number]change.Phase{}
	ends := func(n change.Number, phase change.Phase) { want[n] = phase }

	ends(s.submit(true), change.Requested)
	n := s.submit(true)
	s.do(n, change.Deny{Ask: 1, Reason: "Wait it out"}, member(cto))
	ends(n, change.Denied)
	n = s.submit(true)
	s.do(n, change.Withdraw{}, member(requester))
	ends(n, change.Withdrawn)
	n = s.submit(true)
	s.do(n, change.Approve{Ask: 1}, member(cto))
	s.do(n, change.AccessFailed{Say: "AWS refused"}, itself)
	ends(n, change.Failed)
	n = s.submit(true)
	s.activate(n)
	ends(n, change.Active)
	ends(s.report(), change.Ended)
	n = s.submit(false)
	s.now = s.now.Add(3 * time.Hour)
	s.do(n, change.Tick{}, itself)
	ends(n, change.Lapsed)

	got := map[change.Number]change.Phase{}
	for _, row := range s.population(everything()) {
		got[row.Number] = row.Phase
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the population (-want +got):\n%s", diff)
	}
}

func TestARowTellsAWholeChange(t *testing.T) {
	s := open(t)
	n := s.submit(true)
	s.now = start.Add(10 * time.Minute)
	s.activate(n)
	s.must(s.InTx(s.ctx, func(tx ledger.Tx) error {
		head, err := tx.Lock(s.ctx, n)
		if err != nil {
			return err
		}
		return tx.Append(s.ctx, head, change.Event{Type: change.EventRefused, At: s.now, Actor: "U0EVE"})
	}))
	s.now = start.Add(20 * time.Minute)
	s.do(n, change.Extend{Duration: time.Hour, Why: "It takes longer"}, member(requester))
	s.now = start.Add(25 * time.Minute)
	s.do(n, change.Approve{Ask: 2}, member(cto))
	s.now = start.Add(40 * time.Minute)
	s.do(n, change.Finish{}, member(requester))
	s.now = start.Add(41 * time.Minute)
	s.do(n, change.AccessGone{}, itself)
	s.now = start.Add(25 * time.Hour) // the record is due 24 hours after the start of the window
	s.do(n, change.Tick{}, itself)
	s.do(n, change.LinkTicket{Ticket: ticket, Ours: true}, itself)
	s.do(n, change.WriteRecord{Done: "Restarted", Why: "Stuck"}, member(requester))
	s.do(n, change.RecordMirrored{Revision: 1, In: change.RecordInJira, Ref: "c1"}, itself)
	s.now = start.Add(26 * time.Hour)
	s.do(n, change.SubmitReview{Text: change.ReviewText{What: "It hung", Standard: "Too slow", Prevent: "Watch it", Actions: []change.Action{
		{What: "Add an alarm", Owner: requester, Due: start.AddDate(0, 1, 0)},
		{What: "Test it", Owner: requester, Due: start.AddDate(0, 2, 0)},
	}}}, member(requester))
	s.do(n, change.ActionRecorded{Item: 1, Ticket: change.TicketRef{Key: "OPS-9"}}, itself)

	row := s.row(n, everything())
	wantAsks := []ledger.PopulationAsk{
		{For: change.ForChange, By: requester, At: start, Result: change.AskApproved, Settled: start.Add(10 * time.Minute), Answers: []ledger.PopulationAnswer{{By: cto, At: start.Add(10 * time.Minute), Approved: true}}},
		{For: change.ForExtension, By: requester, At: start.Add(20 * time.Minute), Result: change.AskApproved, Settled: start.Add(25 * time.Minute), Answers: []ledger.PopulationAnswer{{By: cto, At: start.Add(25 * time.Minute), Approved: true}}},
	}
	if diff := cmp.Diff(wantAsks, row.Asks); diff != "" {
		t.Errorf("the questions (-want +got):\n%s", diff)
	}
	wantAccess := &ledger.PopulationAccess{
		Target: "production", TargetName: "Production", PermissionSet: "admin", PermissionSetName: "Admin", AccountID: "111122223333",
		Asked: 2 * time.Hour, Approved: 2 * time.Hour, VerifiedAt: start.Add(10 * time.Minute), GoneAt: start.Add(41 * time.Minute), EndedAt: start.Add(40 * time.Minute),
	}
	if diff := cmp.Diff(wantAccess, row.Access); diff != "" {
		t.Errorf("the access (-want +got):\n%s", diff)
	}
	if used := row.Access.Used(s.now); used != 31*time.Minute {
		t.Errorf("the access was used for %s, want 31m", used)
	}
	wantRecord := ledger.PopulationDuty{
		State: change.Done, Owner: requester, From: start.Add(10 * time.Minute), Due: start.Add(24*time.Hour + 10*time.Minute),
		Part: start.Add(25 * time.Hour), Done: start.Add(25 * time.Hour), By: requester, Way: "jira", Ref: "c1",
	}
	if diff := cmp.Diff(wantRecord, row.Record); diff != "" {
		t.Errorf("the record (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]change.ObligationName{change.OweRecord}, row.Breached); diff != "" {
		t.Errorf("the breaches (-want +got):\n%s", diff)
	}
	if len(row.Actions) != 2 || row.Actions[0].Ticket == nil || row.Actions[0].Ticket.Key != "OPS-9" || row.Actions[1].Ticket != nil {
		t.Errorf("the actions are %+v", row.Actions)
	}
	if row.Ticket == nil || row.Ticket.Key != ticket.Key || row.Refusals != 1 || row.SelfApproved || row.Reported ||
		!slices.Equal(row.Approvers, []change.PersonID{cto}) || !row.EndedAt.Equal(start.Add(40*time.Minute)) || row.EndedBy != requester {
		t.Errorf("the row is %+v", row)
	}
	if row.SignOff.State != change.Owed || row.Review.State != change.Owed || row.Review.Part.IsZero() {
		t.Errorf("sign-off %+v, review %+v", row.SignOff, row.Review)
	}
}

func TestAReportedChangeSaysWhenAndByWhomItWasMade(t *testing.T) {
	s := open(t)
	row := s.row(s.report(), everything())
	if !row.Reported || !row.MadeAt.Equal(start.Add(-3*time.Hour)) || row.Implementer != "U0OTHER" || row.Access != nil || len(row.Asks) != 0 {
		t.Errorf("the row is %+v", row)
	}
}

func TestWhoeverApprovesTheirOwnChangeIsShown(t *testing.T) {
	t.Parallel()
	c := change.Change{Requester: requester, Implementer: "U0OTHER", Asks: []change.Ask{{
		For: change.ForChange, Decisions: []change.Decision{{By: "U0OTHER", Approved: true}},
	}}}
	if !ledger.PopulationRowOf(c, nil).SelfApproved {
		t.Error("an approval by the implementer does not show as self-approval")
	}
	c.Asks[0].Decisions[0].By = cto
	if ledger.PopulationRowOf(c, nil).SelfApproved {
		t.Error("the CTO's approval shows as self-approval")
	}
}

func TestTextsOfConfidentialChangesStayUnlessAskedFor(t *testing.T) {
	s := open(t)
	n := s.submit(true)
	s.do(n, change.LinkURL{URL: "https://git.example.com/secret"}, member(requester))
	s.do(n, change.LinkIncident{Incident: change.Incident{ID: "i1", Reference: "INC-1", Name: "The secret hole", Private: true}}, member(requester))
	s.do(n, change.LinkMergeRequest{Ref: change.MergeRequestRef{URL: "https://git.example.com/hole/pull/1"}}, member(requester))
	s.do(n, change.Deny{Ask: 1, Reason: "Use the other way"}, member(cto))

	row := s.row(n, everything())
	if !row.Confidential || !row.Withheld || row.What != "" || row.Why != "" || row.Reply != "" || row.Links != nil || row.Incident != nil || row.MergeRequests != nil {
		t.Errorf("texts were let out: %+v, incident %+v", row, row.Incident)
	}
	raw, err := json.Marshal(row)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"U0", "INC-1", "OPS-", "A kind", "Production"} {
		if strings.Contains(string(raw), secret) {
			t.Errorf("%q was let out: %s", secret, raw)
		}
	}
	if row.Phase != change.Denied || row.DecidedAt.IsZero() || row.RequestedAt.IsZero() || len(row.Asks) != 1 || row.Kind != ledger.Concealed {
		t.Errorf("what is to be counted was withheld: %+v", row)
	}
	asked := everything()
	asked.ConfidentialTexts = true
	row = s.row(n, asked)
	if row.Withheld || row.What == "" || row.Reply != "Use the other way" || len(row.Links) != 1 || len(row.MergeRequests) != 1 || row.Incident.Name != "The secret hole" {
		t.Errorf("texts are missing though asked for: %+v, incident %+v", row, row.Incident)
	}
}

func TestAPeriodHoldsItsFirstMomentAndNotItsLast(t *testing.T) {
	s := open(t)
	n := s.submit(false)
	for _, c := range []struct {
		since, until time.Time
		there        bool
	}{
		{start, start.Add(time.Second), true},
		{start.Add(-time.Hour), start, false},
		{start.Add(time.Microsecond), start.Add(time.Hour), false},
	} {
		rows := s.population(ledger.Period{Since: c.since, Until: c.until})
		if there := len(rows) == 1 && rows[0].Number == n; there != c.there {
			t.Errorf("%s to %s: %d rows, want the change in it: %t", c.since, c.until, len(rows), c.there)
		}
	}
}

// copies adds changes from one number to another that are like EC-1.
func (s *stand) copies(from, to int) {
	s.t.Helper()
	s.exec(`INSERT INTO changes SELECT (jsonb_populate_record(c, jsonb_build_object(
			'number', i, 'document', jsonb_set(c.document, '{number}', to_jsonb(i))))).*
		FROM changes c, generate_series($1::bigint, $2::bigint) AS i WHERE c.number = 1`, from, to)
}

func TestEveryPageOfThePopulationIsOfOneMoment(t *testing.T) {
	s := open(t)
	s.submit(false)
	const all = 2000
	s.copies(2, all)
	last := change.Number(0)
	s.must(s.Population(s.ctx, everything(), func(row ledger.PopulationRow) error {
		if row.Number != last+1 {
			t.Fatalf("%s comes after %s", row.Number, last)
		}
		last = row.Number
		if row.Number == 1 { // meanwhile the last one is denied, and another is asked for
			s.exec(`UPDATE changes SET phase = 'denied', document = jsonb_set(document, '{phase}', '"denied"') WHERE number = $1`, all)
			s.copies(all+1, all+1)
		}
		if row.Phase != change.Requested {
			t.Errorf("%s is %s: it is of a later moment", row.Number, row.Phase)
		}
		return nil
	}))
	if last != all {
		t.Errorf("the population ends with %s, want EC-%d", last, all)
	}
}

func TestWhoeverReadsThePopulationCanStop(t *testing.T) {
	s := open(t)
	s.submit(false)
	s.submit(false)
	enough := errors.New("enough")
	calls := 0
	err := s.Population(s.ctx, everything(), func(ledger.PopulationRow) error {
		calls++
		return enough
	})
	if !errors.Is(err, enough) || calls != 1 {
		t.Errorf("got %v after %d rows", err, calls)
	}
}
