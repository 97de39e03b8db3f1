package incidentio

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// CreateFollowUp keeps a preventive action with an incident, once for each
// marker, and answers its id. There is no idempotency key, so the list is
// searched for the marker first; a follow-up that somebody deleted counts as
// made. An assignee whom incident.io does not know is left out.
func (c *Client) CreateFollowUp(ctx context.Context, f change.IncidentFollowUp) (externalID string, err error) {
	const call = "create follow-up"
	if f.Marker == "" {
		return "", failed(call, change.Refused, "A follow-up without a marker could be made twice.", nil)
	}
	ending := " [" + plainLine(f.Marker, maxTitle/2) + "]"
	id, err := c.followUpEndingIn(ctx, f.IncidentID, ending)
	if err != nil || id != "" {
		return id, err
	}
	body := map[string]any{
		"incident_id": f.IncidentID,
		"title":       plainLine(f.Title, maxTitle-len([]rune(ending))) + ending,
		"description": shorten(f.Markdown, maxText),
	}
	if f.Assignee != "" {
		switch user, err := c.UserBySlack(ctx, f.Assignee); {
		case err == nil:
			body["assignee_id"] = user
		case change.OutcomeOf(err) == change.NotNow || change.OutcomeOf(err) == change.Unknown:
			return "", err
		}
	}
	var out struct {
		FollowUp struct {
			ID string `json:"id"`
		} `json:"follow_up"`
	}
	err = c.send(ctx, request{call: call, method: http.MethodPost, path: "/v2/follow_ups", body: body}, &out)
	return made(call, out.FollowUp.ID, err)
}

func (c *Client) followUpEndingIn(ctx context.Context, incidentID, ending string) (string, error) {
	var out struct {
		FollowUps []struct {
			ID         string `json:"id"`
			IncidentID string `json:"incident_id"`
			Title      string `json:"title"`
		} `json:"follow_ups"`
	}
	err := c.send(ctx, request{
		call: "list follow-ups", method: http.MethodGet, path: "/v2/follow_ups",
		query: url.Values{"incident_id": {incidentID}},
	}, &out)
	if err != nil {
		return "", err
	}
	for _, f := range out.FollowUps {
		if f.IncidentID == incidentID && strings.HasSuffix(f.Title, ending) {
			return f.ID, nil
		}
	}
	return "", nil
}
