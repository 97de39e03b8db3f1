package forge_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/forge"
	"github.com/breakglass-bot/breakglass/internal/sandbox/github"
)

func TestTheStatusPageIsKeptAsItWas(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.status.Break("Incident with Actions", github.MajorOutage, github.Actions)
	started := b.clock.now()
	b.clock.forward(time.Minute)
	got, err := b.Status(t.Context())
	must(t, err)
	want := change.StatusSnapshot{
		Indicator: "critical", Description: "Major Service Outage", TakenAt: b.clock.now(),
		Components: []change.StatusComponent{
			{ID: "8l4ygp009s5s", Name: "Git Operations", Status: "operational"},
			{ID: "brv1bkgrwx7q", Name: "API Requests", Status: "operational"},
			{ID: "hhtssxt0f5v2", Name: "Pull Requests", Status: "operational"},
			{ID: "br0l2tvcx85d", Name: "Actions", Status: "major_outage"},
		},
		Incidents: []change.StatusIncident{{Name: "Incident with Actions", Status: "investigating", Impact: "critical", StartedAt: started, URL: "https://stspg.io/sandbox1"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestAnUnknownStatusPageIsStillEvidence(t *testing.T) {
	t.Parallel()
	c, _ := answering(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"status":{"indicator":"catastrophic","description":"two\nlines"},"components":[{"id":"x","name":"Pages","status":"melted"},
			{"id":"br0l2tvcx85d","name":"Actions and more","status":"melted"}],"incidents":[%s{"name":%q,"started_at":null,"shortlink":"javascript:alert(1)"}]}`,
			strings.Repeat(`{"name":"n","shortlink":"http://stspg.io/x"},`, 5), strings.Repeat("ü", 500))
	})
	got, err := c.Status(t.Context())
	must(t, err)
	if got.Indicator != "catastrophic" || got.Description != "two lines" || len(got.Components) != 1 || got.Components[0].Status != "melted" {
		t.Errorf("read as %+v", got)
	}
	last := got.Incidents[5]
	if last.URL != "" || got.Incidents[0].URL != "" || len([]rune(last.Name)) != 200 || !strings.HasSuffix(last.Name, "…") {
		t.Errorf("read as %+v", last)
	}
}

func TestWithoutAStatusPageThereIsNoSnapshot(t *testing.T) {
	t.Parallel()
	_, err := client(t, forge.Options{Now: at}).Status(t.Context())
	wantOutcome(t, err, change.Refused)
}
