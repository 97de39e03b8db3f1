package incidentio_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/breakglass-bot/breakglass/internal/change"
	sandbox "github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
)

func TestTheKeysMissingRolesAreNamed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.server.SetRoles("viewer", "catalog_viewer")
	got, err := b.client.Identity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"incident_creator", "incident_editor"}, got.Missing); diff != "" {
		t.Errorf("missing (-want +got)\n%s", diff)
	}
}

func TestOnCallIsWhoTheFinalScheduleNames(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada := b.server.AddUser(sandbox.User{Name: "Ada", SlackID: "U0ADA", Email: "ada@example.com"})
	bob := b.server.AddUser(sandbox.User{Name: "Bob", Email: "bob@example.com"})
	cyd := b.server.AddUser(sandbox.User{Name: "Cyd", SlackID: "U0CYD"})
	noon := b.clock.now()
	morning, evening := noon.Add(-4*time.Hour), noon.Add(4*time.Hour)
	b.server.Schedule("01JSCHEDULE",
		sandbox.Shift{UserID: ada.ID, Start: morning, End: noon},
		sandbox.Shift{UserID: bob.ID, Start: noon, End: evening},
		sandbox.Shift{UserID: ada.ID, Start: noon.Add(time.Hour), End: evening},
		sandbox.Shift{Start: noon, End: evening},
		sandbox.Shift{UserID: cyd.ID, Start: morning, End: evening, Layer: sandbox.Scheduled},
		sandbox.Shift{UserID: cyd.ID, Start: morning, End: evening, Layer: sandbox.Override},
	)
	isAda := change.OnCallPerson{SlackID: "U0ADA", Email: "ada@example.com"}
	isBob := change.OnCallPerson{Email: "bob@example.com"}
	for _, c := range []struct {
		at   time.Time
		want []change.OnCallPerson
	}{
		{noon.Add(-time.Second), []change.OnCallPerson{isAda}},
		{noon, []change.OnCallPerson{isBob}},
		{noon.Add(time.Hour), []change.OnCallPerson{isBob, isAda}},
		{evening, nil},
		{evening.Add(time.Hour), nil},
	} {
		got, err := b.client.OnCall(t.Context(), "01JSCHEDULE", c.at)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("at %v (-want +got)\n%s", c.at, diff)
		}
	}
	_, err := b.client.OnCall(t.Context(), "01JNOSUCHSCHEDULE", noon)
	wantOutcome(t, err, change.Missing)
}

func TestAPersonIsExactlyOneOrMissing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada := b.server.AddUser(sandbox.User{Name: "Ada", SlackID: "U0ADA"})
	b.server.AddUser(sandbox.User{Name: "Bob", SlackID: "U0TWO"})
	b.server.AddUser(sandbox.User{Name: "Bob too", SlackID: "U0TWO"})
	if got, err := b.client.UserBySlack(t.Context(), "U0ADA"); err != nil || got != ada.ID {
		t.Errorf("got %q, %v", got, err)
	}
	for _, id := range []change.PersonID{"U0TWO", "U0NOBODY", ""} {
		_, err := b.client.UserBySlack(t.Context(), id)
		wantOutcome(t, err, change.Missing)
	}
}

// everyCall makes each call of the client once.
func everyCall(t *testing.T, b *bundle) {
	t.Helper()
	ctx := t.Context()
	b.server.Schedule("01JSCHEDULE")
	b.server.AddUser(sandbox.User{Name: "Ada", SlackID: "U0ADA", Email: "ada@example.com"})
	i, into := b.open(sandbox.Incident{}), b.open(sandbox.Incident{Private: true})
	calls := map[string]func() error{
		"Live":             func() error { _, err := b.client.Live(ctx); return err },
		"Recent":           func() error { _, err := b.client.Recent(ctx); return err },
		"Incident":         func() error { _, err := b.client.Incident(ctx, i.ID); return err },
		"ByReferenceOrURL": func() error { _, err := b.client.ByReferenceOrURL(ctx, "INC-1"); return err },
		"AddNote":          func() error { _, err := b.client.AddNote(ctx, noteFor(i.ID, b.clock.now())); return err },
		"AttachTicket": func() error {
			_, err := b.client.AttachTicket(ctx, i.ID, "https://tickets.example.com/browse/OPS-7")
			return err
		},
		"CreateFollowUp": func() error {
			_, err := b.client.CreateFollowUp(ctx, change.IncidentFollowUp{IncidentID: i.ID, Title: "Do it", Marker: "EC-1", Assignee: "U0ADA"})
			return err
		},
		"Identity":    func() error { _, err := b.client.Identity(ctx); return err },
		"UserBySlack": func() error { _, err := b.client.UserBySlack(ctx, "U0ADA"); return err },
		"OnCall":      func() error { _, err := b.client.OnCall(ctx, "01JSCHEDULE", b.clock.now()); return err },
		"Severities":  func() error { _, err := b.client.Severities(ctx); return err },
		"Open": func() error {
			_, err := b.client.Open(ctx, change.IncidentDraft{Name: "New", SeverityID: "SEVERITY1", Key: "EC-2/incident"})
			return err
		},
		"AddNote as an update": func() error {
			b.server.Without("timeline_items.create")
			defer b.server.Without()
			_, err := b.client.AddNote(ctx, noteFor(into.ID, b.clock.now()))
			return err
		},
	}
	for name, call := range calls {
		if err := call(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := b.server.Merge(i.ID, into.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := b.client.Incident(ctx, i.ID); err != nil {
		t.Errorf("a merged incident: %v", err)
	}
}
