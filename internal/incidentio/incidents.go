package incidentio

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// pageSize is what the API gives at most.
const pageSize = "250"

// The bounds of the lists, in pages.
const (
	livePages   = 8
	recentPages = 2
	searchPages = 8
	updatePages = 4
)

// incident is the part of the API's IncidentV2 that matters here.
type incident struct {
	ID        string `json:"id"`
	Reference string `json:"reference"`
	Name      string `json:"name"`
	Mode      string `json:"mode"`
	Status    struct {
		Name     string `json:"name"`
		Category string `json:"category"`
	} `json:"incident_status"`
	Severity struct {
		Name string `json:"name"`
	} `json:"severity"`
	Visibility   string      `json:"visibility"`
	Permalink    string      `json:"permalink"`
	SlackChannel string      `json:"slack_channel_id"`
	Created      time.Time   `json:"created_at"`
	Timestamps   []timestamp `json:"incident_timestamp_values"`
}

type timestamp struct {
	Timestamp struct {
		Name string `json:"name"`
	} `json:"incident_timestamp"`
	Value struct {
		Value time.Time `json:"value"`
	} `json:"value"`
}

// Live lists the incidents of the live category, newest first, at most 2,000.
// Private ones are among them if the key sees them; they are marked. Tests and
// tutorials are not incidents.
func (c *Client) Live(ctx context.Context) ([]change.Incident, error) {
	return c.list(ctx, "list active incidents", url.Values{"status_category[one_of]": {string(change.IncidentLive)}}, livePages,
		func(i change.Incident) bool { return i.Category == change.IncidentLive })
}

// Recent lists incidents of every category, newest first, at most 500.
func (c *Client) Recent(ctx context.Context) ([]change.Incident, error) {
	return c.list(ctx, "list recent incidents", url.Values{}, recentPages, func(change.Incident) bool { return true })
}

func (c *Client) list(ctx context.Context, call string, query url.Values, pages int, wanted func(change.Incident) bool) ([]change.Incident, error) {
	var found []change.Incident
	err := c.eachIncident(ctx, call, query, pages, func(i change.Incident) bool {
		if wanted(i) {
			found = append(found, i)
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// eachIncident walks the pages of a list, newest first, until visit has had
// enough or the bound is reached.
func (c *Client) eachIncident(ctx context.Context, call string, query url.Values, pages int, visit func(change.Incident) bool) error {
	query.Set("page_size", pageSize)
	for range pages {
		var out struct {
			Incidents []incident `json:"incidents"`
			Meta      struct {
				After string `json:"after"`
			} `json:"pagination_meta"`
		}
		if err := c.send(ctx, request{call: call, method: http.MethodGet, path: "/v2/incidents", query: query}, &out); err != nil {
			return err
		}
		for _, in := range out.Incidents {
			if in.Mode == "test" || in.Mode == "tutorial" {
				continue
			}
			if !visit(c.incident(in)) {
				return nil
			}
		}
		if out.Meta.After == "" || out.Meta.After == query.Get("after") || len(out.Incidents) == 0 {
			return nil
		}
		query.Set("after", out.Meta.After)
	}
	return nil
}

// Incident looks at one incident by its id. For one that is over it also reads
// the updates, which alone tell what it was merged into, since when it is no
// longer live, and since when it is mitigated. That it is mitigated now is known
// without them.
func (c *Client) Incident(ctx context.Context, id string) (change.Incident, error) {
	const call = "show incident"
	if id == "" {
		return change.Incident{}, failed(call, change.Missing, "No incident was named.", nil)
	}
	var out struct {
		Incident incident `json:"incident"`
	}
	if err := c.send(ctx, request{call: call, method: http.MethodGet, path: "/v2/incidents/" + url.PathEscape(id)}, &out); err != nil {
		return change.Incident{}, err
	}
	found := c.incident(out.Incident)
	if found.ID == "" {
		return change.Incident{}, failed(call, change.Unknown, "The answer of incident.io could not be read.", nil)
	}
	if !left(found.Category) && !found.Mitigated {
		return found, nil
	}
	whole := found
	if err := c.readHistory(ctx, &whole); err != nil {
		if found.Mitigated {
			return found, nil
		}
		return change.Incident{}, err
	}
	return whole, nil
}

// left says whether a category is one after live. A category that nobody has
// heard of counts as left, so that its history is read.
func left(category change.IncidentCategory) bool {
	return category != change.IncidentLive && category != change.IncidentTriage
}

func (c *Client) incident(in incident) change.Incident {
	out := change.Incident{
		ID: in.ID, Reference: in.Reference, Name: in.Name, Status: in.Status.Name, Category: change.IncidentCategory(in.Status.Category),
		Severity: in.Severity.Name, URL: in.Permalink, SlackChannel: in.SlackChannel, Created: in.Created, SeenAt: c.now(),
		// Whatever is not plainly public is kept as private.
		Private: in.Visibility != "public",
	}
	out.Mitigated = out.Category == change.IncidentLive && c.mitigated[strings.ToLower(out.Status)]
	if left(out.Category) {
		out.Closed = reachedEnd(in.Timestamps)
	}
	return out
}

// reachedEnd is the first of the usual timestamps that end the live category.
// Organisations may rename them, so it may be zero.
func reachedEnd(all []timestamp) time.Time {
	for _, name := range []string{"Resolved at", "Closed at", "Declined at", "Canceled at", "Merged at"} {
		for _, t := range all {
			if strings.EqualFold(t.Timestamp.Name, name) && !t.Value.Value.IsZero() {
				return t.Value.Value
			}
		}
	}
	return time.Time{}
}
