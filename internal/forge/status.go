package forge

import (
	"context"
	"errors"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

const (
	mostIncidents = 10
	longestWords  = 200 // characters of anything that the status page says
)

// statusComponents are the parts of GitHub that a release needs, by their ids;
// names may change.
func statusComponents() []string {
	return []string{"8l4ygp009s5s", "brv1bkgrwx7q", "hhtssxt0f5v2", "br0l2tvcx85d"} // Git Operations, API Requests, Pull Requests, Actions
}

// Status takes a snapshot of GitHub's status page. It is evidence and never a
// gate: people write that page, and late. A component that the page no longer
// has is left out.
func (c *Client) Status(ctx context.Context) (change.StatusSnapshot, error) {
	const call = "get status"
	if c.status == nil {
		return change.StatusSnapshot{}, &change.OutsideError{
			System: change.SystemForge, Call: call, Outcome: change.Refused,
			Say: "GitHub's status page is not configured.",
		}
	}
	type named struct {
		ID        string    `json:"id"`
		Name      string    `json:"name"`
		Status    string    `json:"status"`
		Impact    string    `json:"impact"`
		StartedAt time.Time `json:"started_at"`
		Shortlink string    `json:"shortlink"`
	}
	var in struct {
		Status struct {
			Indicator   string `json:"indicator"`
			Description string `json:"description"`
		} `json:"status"`
		Components []named `json:"components"`
		Incidents  []named `json:"incidents"`
	}
	taken := c.now()
	if _, err := c.get(ctx, c.status, call, "/api/v2/summary.json", nil, &in); err != nil {
		return change.StatusSnapshot{}, err
	}
	if in.Status.Indicator == "" {
		return change.StatusSnapshot{}, c.status.unreadable(call, errors.New("the indicator is missing"))
	}
	snapshot := change.StatusSnapshot{
		Indicator: words(in.Status.Indicator), Description: words(in.Status.Description), TakenAt: taken,
		Components: []change.StatusComponent{}, Incidents: []change.StatusIncident{},
	}
	for _, id := range statusComponents() {
		for _, component := range in.Components {
			if component.ID == id {
				snapshot.Components = append(snapshot.Components, change.StatusComponent{ID: id, Name: words(component.Name), Status: words(component.Status)})
			}
		}
	}
	for _, i := range in.Incidents[:min(mostIncidents, len(in.Incidents))] {
		snapshot.Incidents = append(snapshot.Incidents, change.StatusIncident{
			Name: words(i.Name), Status: words(i.Status), Impact: words(i.Impact), StartedAt: i.StartedAt, URL: securely(i.Shortlink),
		})
	}
	return snapshot, nil
}

func words(text string) string { return shorten(text, longestWords) }

// securely answers a link that may be shown, or nothing.
func securely(link string) string {
	if u, ok := readURL(link); ok && u.Scheme == "https" && len(link) <= longestWords {
		return link
	}
	return ""
}
