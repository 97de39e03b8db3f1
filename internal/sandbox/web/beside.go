package web

import (
	"slices"
	"strings"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
)

// The page's picture of what stands beside Slack.
type (
	awsView struct {
		Bars  []barView   `json:"bars"`  // in the order of their beginnings
		Under []underView `json:"under"` // what AWS is still busy with
	}
	barView struct {
		Who      string     `json:"who"`
		Account  string     `json:"account"`
		Set      string     `json:"set"`
		Standing bool       `json:"standing"`
		From     time.Time  `json:"from"`
		To       *time.Time `json:"to"` // null while it lasts
	}
	underView struct {
		What string    `json:"what"`
		Who  string    `json:"who"`
		Set  string    `json:"set"`
		At   time.Time `json:"at"`
	}
	ticketView struct {
		Key         string        `json:"key"`
		URL         string        `json:"url"`
		Status      string        `json:"status"`
		Summary     string        `json:"summary"`
		Description string        `json:"description"`
		Comments    []commentView `json:"comments"`
	}
	commentView struct {
		Who  string    `json:"who"`
		Text string    `json:"text"`
		At   time.Time `json:"at"`
	}
	incidentsView struct {
		Incidents  []incidentView `json:"incidents"` // newest first
		Statuses   []string       `json:"statuses"`
		Severities []string       `json:"severities"`
	}
	incidentView struct {
		ID        string     `json:"id"`
		Reference string     `json:"reference"`
		Name      string     `json:"name"`
		Status    string     `json:"status"`
		Severity  string     `json:"severity"`
		Notes     []noteView `json:"notes"`
	}
	noteView struct {
		At    time.Time `json:"at"`
		Title string    `json:"title"`
		Text  string    `json:"text"`
	}
	conditionView struct {
		Name      string `json:"name"`
		Condition string `json:"condition"`
	}
)

func (h *Handler) aws() any {
	s := h.opts.World.AWS
	s.Settle()
	out := awsView{Bars: []barView{}, Under: []underView{}}
	for _, i := range s.Intervals() {
		bar := barView{Standing: i.Standing, From: i.From}
		bar.Who, bar.Account, bar.Set = sandbox.AccessNames(i.Key)
		if !i.To.IsZero() {
			bar.To = &i.To
		}
		out.Bars = append(out.Bars, bar)
	}
	for _, c := range s.History() {
		if c.State == "IN_PROGRESS" {
			under := underView{What: map[bool]string{true: "giving", false: "taking back"}[c.Operation == "CreateAccountAssignment"], At: c.At}
			under.Who, _, under.Set = sandbox.AccessNames(c.Key)
			out.Under = append(out.Under, under)
		}
	}
	return out
}

func (h *Handler) jira() any {
	names := map[string]string{sandbox.CTOAccount: "CTO", sandbox.DeputyAccount: "Deputy"}
	base := ""
	for _, a := range h.opts.World.Addresses() {
		if a.Name == "Jira" {
			base = a.URL
		}
	}
	out := []ticketView{}
	for _, i := range slices.Backward(h.opts.World.Jira.Issues()) {
		t := ticketView{Key: i.Key, URL: base + "/browse/" + i.Key, Status: i.Status, Summary: i.Summary, Description: i.Description, Comments: []commentView{}}
		for _, c := range i.Comments {
			who := names[c.Author]
			if who == "" {
				who = "breakglass"
			}
			t.Comments = append(t.Comments, commentView{who, c.Body, c.Created})
		}
		out = append(out, t)
	}
	return out
}

func (h *Handler) incidents() any {
	s := h.opts.World.IncidentIO
	out := incidentsView{Incidents: []incidentView{}, Statuses: []string{}, Severities: s.Severities()}
	for _, st := range s.Statuses() {
		out.Statuses = append(out.Statuses, st.Name)
	}
	for _, i := range slices.Backward(s.Incidents()) {
		shown := incidentView{ID: i.ID, Reference: i.Reference(), Name: i.Name, Status: i.Status, Severity: i.Severity, Notes: []noteView{}}
		for _, n := range s.Timeline(i.ID) {
			shown.Notes = append(shown.Notes, noteView{n.At, n.Title, n.Description})
		}
		out.Incidents = append(out.Incidents, shown)
	}
	return out
}

func (h *Handler) github() any {
	out := []conditionView{}
	for name, condition := range h.opts.World.GitHub.Conditions() {
		out = append(out, conditionView{name, condition})
	}
	slices.SortFunc(out, func(a, b conditionView) int { return strings.Compare(a.Name, b.Name) })
	return out
}
