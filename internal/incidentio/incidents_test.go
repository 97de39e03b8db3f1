package incidentio_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/breakglass-bot/breakglass/internal/change"
	sandbox "github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
)

func TestLiveListsEveryPageAndNothingElse(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for n := range 260 {
		b.clock.forward(time.Second)
		b.open(sandbox.Incident{Name: fmt.Sprintf("Live %d", n)})
	}
	for _, status := range []string{"Triage", "Documenting", "Paused", "Closed", "Declined", "Canceled", "Merged"} {
		b.open(sandbox.Incident{Name: status, Status: status})
	}
	b.open(sandbox.Incident{Name: "A drill", Mode: "tutorial"})

	got, err := b.client.Live(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 260 {
		t.Fatalf("%d incidents, want 260", len(got))
	}
	if got[0].Name != "Live 259" || got[259].Name != "Live 0" {
		t.Errorf("not newest first: %q … %q", got[0].Name, got[259].Name)
	}
}

func TestAnIncidentIsReadAsItIs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	opened := b.open(sandbox.Incident{Name: "Logins fail", Status: "Monitoring", Severity: "Critical", Private: true, SlackChannel: "C0INCIDENT1"})
	b.clock.forward(time.Minute)

	got, err := b.client.Incident(t.Context(), opened.ID)
	if err != nil {
		t.Fatal(err)
	}
	want := change.Incident{
		ID: opened.ID, Reference: "INC-1", Name: "Logins fail", Status: "Monitoring", Category: change.IncidentLive, Mitigated: true,
		Severity: "Critical", Private: true, URL: "https://app.incident.io/sandbox/incidents/1", SlackChannel: "C0INCIDENT1",
		MitigatedSince: opened.Created, Created: opened.Created, SeenAt: b.clock.now(),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestRecentTellsSinceWhenAnIncidentIsOver(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.open(sandbox.Incident{})
	b.clock.forward(time.Hour)
	over := b.clock.now()
	b.setStatus(t, first.ID, "Documenting")
	b.clock.forward(time.Hour)
	b.setStatus(t, first.ID, "Closed")
	second := b.open(sandbox.Incident{})

	got, err := b.client.Recent(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].ID != second.ID || got[1].ID != first.ID {
		t.Fatalf("want the newest first, got %+v", got)
	}
	if !got[1].Closed.Equal(over) || !got[0].Closed.IsZero() {
		t.Errorf("left the live category at %v and %v, want %v and never", got[1].Closed, got[0].Closed, over)
	}
}

func TestTheHistoryTellsWhenAReopenedIncidentLastEnded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	i := b.open(sandbox.Incident{})
	for _, status := range []string{"Closed", "Investigating", "Documenting", "Closed"} {
		b.clock.forward(time.Hour)
		b.setStatus(t, i.ID, status)
	}
	got, err := b.client.Incident(t.Context(), i.ID)
	if err != nil {
		t.Fatal(err)
	}
	if want := i.Created.Add(3 * time.Hour); !got.Closed.Equal(want) {
		t.Errorf("left the live category at %v, want %v", got.Closed, want)
	}
}

func TestAMergedIncidentNamesTheOneItWentInto(t *testing.T) {
	t.Parallel()
	b := setup(t)
	from, into := b.open(sandbox.Incident{}), b.open(sandbox.Incident{})
	if err := b.server.Merge(from.ID, into.ID); err != nil {
		t.Fatal(err)
	}
	got, err := b.client.Incident(t.Context(), from.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got.Category != change.IncidentMerged || got.MergedInto != into.ID {
		t.Errorf("%s into %q, want merged into %q", got.Category, got.MergedInto, into.ID)
	}
}

func TestACategoryNobodyKnowsIsCarriedThrough(t *testing.T) {
	t.Parallel()
	c := newClock()
	server, url := bare(t, c) // the published document does not know it either
	server.AddStatus("Hibernating", "hibernating")
	i := server.Open(sandbox.Incident{Status: "Hibernating"})[0]
	client := newClient(t, url, c)

	got, err := client.Incident(t.Context(), i.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got.Category != "hibernating" || got.Status != "Hibernating" {
		t.Errorf("got %s (%s)", got.Status, got.Category)
	}
	if all, err := client.Recent(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("%d incidents, %v", len(all), err)
	}
}

func TestAnIncidentIsFoundByWhatPeoplePaste(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.server.Open(make([]sandbox.Incident, 12)...)
	second := b.server.Incidents()[1]
	for _, pasted := range []string{
		"INC-2", "inc-2", " INC-2 ",
		"https://app.incident.io/sandbox/incidents/2", "https://APP.incident.io/Sandbox/incidents/2/timeline?tab=updates#x", "https://app.incident.io/incidents/2",
	} {
		got, err := b.client.ByReferenceOrURL(t.Context(), pasted)
		if err != nil || got.ID != second.ID {
			t.Errorf("%q found %s, %v", pasted, got.Reference, err)
		}
	}
	for _, pasted := range []string{
		"INC-99", "INC", "2", "", "https://app.incident.io/elsewhere/incidents/2", "https://example.com/sandbox/incidents/2",
		"https://app.incident.io/sandbox/incidents/02x", "ftp://app.incident.io/incidents/2", "https://app.incident.io.example.com/incidents/2",
	} {
		_, err := b.client.ByReferenceOrURL(t.Context(), pasted)
		if change.OutcomeOf(err) != change.Missing {
			t.Errorf("%q gave %v, want missing", pasted, err)
		}
	}
	if !b.client.IsIncidentURL("https://app.incident.io/x/incidents/2") || b.client.IsIncidentURL("https://example.com/x/incidents/2") {
		t.Error("the address of an incident is not told from others")
	}
}

func TestAnOpenedIncidentIsOpenedOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	severities, err := b.client.Severities(t.Context())
	if err != nil || len(severities) != 3 || severities[0].Name != "Minor" {
		t.Fatalf("severities %+v, %v", severities, err)
	}
	draft := change.IncidentDraft{Name: "Deploys\nare stuck @here", Summary: "<!channel>", SeverityID: severities[2].ID, Key: "EC-1/incident"}
	first, err := b.client.Open(t.Context(), draft)
	if err != nil {
		t.Fatal(err)
	}
	second, err := b.client.Open(t.Context(), draft)
	if err != nil {
		t.Fatal(err)
	}
	if first.ID != second.ID || len(b.server.Incidents()) != 1 {
		t.Errorf("opened twice: %+v", b.server.Incidents())
	}
	if first.Severity != "Critical" || first.Name != "Deploys are stuck @\u200bhere" || first.Private {
		t.Errorf("opened %+v", first)
	}
}

func TestNothingIsAskedAboutNoIncident(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := b.client.Incident(context.Background(), "")
	wantOutcome(t, err, change.Missing)
	_, err = b.client.Incident(context.Background(), "01JNOSUCHINCIDENT")
	wantOutcome(t, err, change.Missing)
}
