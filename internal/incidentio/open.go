package incidentio

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// Open opens an incident, once for each key, and answers it as it then is.
func (c *Client) Open(ctx context.Context, d change.IncidentDraft) (change.Incident, error) {
	visibility := "public"
	if d.Private {
		visibility = "private"
	}
	var out struct {
		Incident incident `json:"incident"`
	}
	const call = "create incident"
	body := map[string]any{
		"idempotency_key": d.Key, "visibility": visibility, "mode": "standard",
		"name": plainLine(d.Name, maxTitle), "summary": shorten(EscapeMarkdown(d.Summary), maxText), "severity_id": d.SeverityID,
	}
	if err := c.send(ctx, request{call: call, method: http.MethodPost, path: "/v2/incidents", body: body}, &out); err != nil {
		return change.Incident{}, err
	}
	if _, err := made(call, out.Incident.ID, nil); err != nil {
		return change.Incident{}, err
	}
	return c.incident(out.Incident), nil
}

// Severities lists the severities of the organisation, least severe first.
func (c *Client) Severities(ctx context.Context) ([]change.IncidentSeverity, error) {
	type severity struct {
		ID   string `json:"id"`
		Name string `json:"name"`
		Rank int    `json:"rank"`
	}
	var out struct {
		Severities []severity `json:"severities"`
	}
	if err := c.send(ctx, request{call: "list severities", method: http.MethodGet, path: "/v1/severities"}, &out); err != nil {
		return nil, err
	}
	slices.SortStableFunc(out.Severities, func(a, b severity) int { return cmp.Compare(a.Rank, b.Rank) })
	found := make([]change.IncidentSeverity, 0, len(out.Severities))
	for _, s := range out.Severities {
		found = append(found, change.IncidentSeverity{ID: s.ID, Name: s.Name})
	}
	return found, nil
}
