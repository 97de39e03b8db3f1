package github_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
	"github.com/breakglass-bot/breakglass/internal/sandbox/github"
)

// summary is the part of the page's summary that callers read.
type summary struct {
	Page struct {
		UpdatedAt time.Time `json:"updated_at"`
	} `json:"page"`
	Status struct {
		Indicator   string `json:"indicator"`
		Description string `json:"description"`
	} `json:"status"`
	Components []struct {
		ID     string `json:"id"`
		Name   string `json:"name"`
		Status string `json:"status"`
	} `json:"components"`
	Incidents []struct {
		Name      string    `json:"name"`
		Status    string    `json:"status"`
		Impact    string    `json:"impact"`
		StartedAt time.Time `json:"started_at"`
		Shortlink string    `json:"shortlink"`
	} `json:"incidents"`
}

func noon() time.Time { return time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC) }

func look(t *testing.T, page *github.Status) summary {
	t.Helper()
	w := httptest.NewRecorder()
	page.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v2/summary.json", nil))
	var s summary
	if err := json.Unmarshal(w.Body.Bytes(), &s); w.Code != http.StatusOK || err != nil {
		t.Fatalf("answered %d %s, %v", w.Code, w.Body, err)
	}
	return s
}

func TestWhatBreaksIsToldUntilItIsMended(t *testing.T) {
	t.Parallel()
	page := github.NewStatus(noon)
	well := look(t, page)
	if well.Status.Indicator != "none" || len(well.Components) != 4 || len(well.Incidents) != 0 {
		t.Errorf("a fresh page says %+v", well)
	}
	page.Break("Incident with Actions", github.MajorOutage, github.Actions)
	broken := look(t, page)
	if broken.Status.Indicator != "critical" || len(broken.Incidents) != 1 || broken.Incidents[0].Name != "Incident with Actions" ||
		!broken.Incidents[0].StartedAt.Equal(noon()) || broken.Incidents[0].Impact != "critical" {
		t.Errorf("a broken page says %+v", broken)
	}
	for _, c := range broken.Components {
		if want := map[bool]string{true: github.MajorOutage, false: github.Operational}[c.ID == "br0l2tvcx85d"]; c.Status != want {
			t.Errorf("%s is %s, want %s", c.Name, c.Status, want)
		}
	}
	page.Mend()
	if diff := cmp.Diff(well, look(t, page)); diff != "" {
		t.Errorf("after mending (-before +after)\n%s", diff)
	}
}

func TestTheWorstComponentNamesTheIndicator(t *testing.T) {
	t.Parallel()
	for condition, want := range map[string]string{
		github.Degraded: "minor", github.PartialOutage: "major", github.MajorOutage: "critical",
	} {
		page := github.NewStatus(noon)
		page.Break("One", github.Degraded, github.GitOperations)
		page.Break("Two", condition, github.PullRequests)
		if got := look(t, page).Status.Indicator; got != want {
			t.Errorf("%s makes %s, want %s", condition, got, want)
		}
	}
}

func TestThePageCanFailAndKnowsNothingElse(t *testing.T) {
	t.Parallel()
	page := github.NewStatus(noon)
	page.Faults.Add(fault.Fault{Kind: fault.Unavailable, Call: "status summary", Times: 1})
	for _, c := range []struct {
		path string
		want int
	}{{"/api/v2/summary.json", 503}, {"/api/v2/summary.json", 200}, {"/api/v2/status.json", 404}} {
		w := httptest.NewRecorder()
		page.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, c.path, nil))
		if w.Code != c.want {
			t.Errorf("%s answered %d, want %d", c.path, w.Code, c.want)
		}
	}
	if diff := cmp.Diff([]string{"unknown call GET /api/v2/status.json"}, page.Violations()); diff != "" {
		t.Errorf("violations (-want +got)\n%s", diff)
	}
}
