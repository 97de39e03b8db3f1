package incidentio

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// update is the part of the API's IncidentUpdateV2 that tells of moves.
type update struct {
	Created    time.Time `json:"created_at"`
	MergedInto string    `json:"merged_into_incident_id"`
	Status     struct {
		Name     string `json:"name"`
		Category string `json:"category"`
	} `json:"new_incident_status"`
}

// readHistory fills in what an incident was merged into, when it last left the
// live category, and since when it is mitigated, from its updates. One that was
// mitigated when it left the live category has been since then.
func (c *Client) readHistory(ctx context.Context, i *change.Incident) error {
	updates, err := c.updates(ctx, i.ID)
	if err != nil {
		return err
	}
	slices.SortStableFunc(updates, func(a, b update) int { return a.Created.Compare(b.Created) })
	var leftAt, mitigated time.Time
	for _, u := range updates {
		category := change.IncidentCategory(u.Status.Category)
		switch {
		case category != change.IncidentLive && category != change.IncidentTriage: // as it was
		case !c.mitigated[strings.ToLower(u.Status.Name)]:
			mitigated = time.Time{}
		case mitigated.IsZero():
			mitigated = u.Created
		}
		if i.Category == change.IncidentMerged && u.MergedInto != "" {
			i.MergedInto = u.MergedInto
		}
		switch gone := left(category); {
		case !gone:
			leftAt = time.Time{}
		case leftAt.IsZero():
			leftAt = u.Created
		}
	}
	if !leftAt.IsZero() {
		i.Closed = leftAt
	}
	i.MitigatedSince = mitigated
	return nil
}

func (c *Client) updates(ctx context.Context, incidentID string) ([]update, error) {
	var all []update
	query := url.Values{"incident_id": {incidentID}, "page_size": {pageSize}}
	for range updatePages {
		var out struct {
			Updates []update `json:"incident_updates"`
			Meta    struct {
				After string `json:"after"`
			} `json:"pagination_meta"`
		}
		if err := c.send(ctx, request{call: "list updates", method: http.MethodGet, path: "/v2/incident_updates", query: query}, &out); err != nil {
			return nil, err
		}
		all = append(all, out.Updates...)
		if out.Meta.After == "" || out.Meta.After == query.Get("after") || len(out.Updates) == 0 {
			break
		}
		query.Set("after", out.Meta.After)
	}
	return all, nil
}
