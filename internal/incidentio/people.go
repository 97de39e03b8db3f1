package incidentio

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// Identity is what the API key is and may do.
type Identity struct {
	Name         string
	Roles        []string
	Missing      []string // roles that the key needs and lacks
	DashboardURL string
}

// Identity asks what the key may do, when the program starts.
func (c *Client) Identity(ctx context.Context) (Identity, error) {
	var out struct {
		Identity struct {
			Name         string   `json:"name"`
			Roles        []string `json:"roles"`
			DashboardURL string   `json:"dashboard_url"`
		} `json:"identity"`
	}
	if err := c.send(ctx, request{call: "show identity", method: http.MethodGet, path: "/v1/identity"}, &out); err != nil {
		return Identity{}, err
	}
	found := Identity{Name: out.Identity.Name, Roles: out.Identity.Roles, DashboardURL: out.Identity.DashboardURL}
	for _, role := range c.roles {
		if !slices.Contains(found.Roles, role) {
			found.Missing = append(found.Missing, role)
		}
	}
	return found, nil
}

// UserBySlack answers the incident.io id of a person by their Slack user id.
// The outcome is Missing unless exactly one person has it.
func (c *Client) UserBySlack(ctx context.Context, slackID change.PersonID) (string, error) {
	const call = "find user"
	if slackID == "" {
		return "", failed(call, change.Missing, "No person was named.", nil)
	}
	var out struct {
		Users []struct {
			ID      string `json:"id"`
			SlackID string `json:"slack_user_id"`
		} `json:"users"`
	}
	if err := c.send(ctx, request{call: call, method: http.MethodGet, path: "/v2/users", query: url.Values{"slack_user_id": {string(slackID)}}}, &out); err != nil {
		return "", err
	}
	var ids []string
	for _, u := range out.Users {
		if u.SlackID == string(slackID) && u.ID != "" {
			ids = append(ids, u.ID)
		}
	}
	if len(ids) != 1 {
		return "", failed(call, change.Missing, "incident.io does not know exactly one person with this Slack account.", nil)
	}
	return ids[0], nil
}

// OnCall answers who is on call on a schedule at a time, overrides applied. It
// may be nobody.
func (c *Client) OnCall(ctx context.Context, scheduleID string, at time.Time) ([]change.OnCallPerson, error) {
	var out struct {
		Entries struct {
			Final *[]struct {
				Start time.Time `json:"start_at"`
				End   time.Time `json:"end_at"`
				User  struct {
					Email   string `json:"email"`
					SlackID string `json:"slack_user_id"`
				} `json:"user"`
			} `json:"final"`
		} `json:"schedule_entries"`
	}
	const call = "list schedule entries"
	query := url.Values{
		"schedule_id":        {scheduleID},
		"entry_window_start": {at.Add(-time.Minute).UTC().Format(time.RFC3339)},
		"entry_window_end":   {at.Add(time.Minute).UTC().Format(time.RFC3339)},
	}
	if err := c.send(ctx, request{call: call, method: http.MethodGet, path: "/v2/schedule_entries", query: query}, &out); err != nil {
		return nil, err
	}
	if out.Entries.Final == nil {
		return nil, failed(call, change.Unknown, "The answer of incident.io could not be read.", nil)
	}
	var people []change.OnCallPerson
	for _, e := range *out.Entries.Final {
		p := change.OnCallPerson{SlackID: change.PersonID(e.User.SlackID), Email: e.User.Email}
		if e.Start.After(at) || !e.End.After(at) || p == (change.OnCallPerson{}) || slices.Contains(people, p) {
			continue
		}
		people = append(people, p)
	}
	return people, nil
}
