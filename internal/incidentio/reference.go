package incidentio

import (
	"context"
	"net/url"
	"regexp"
	"strings"

	"github.com/breakglass-bot/breakglass/internal/change"
)

var (
	reference    = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*-[0-9]{1,9}$`)
	incidentPath = regexp.MustCompile(`^(/[^/]+)?/incidents/([0-9]{1,9})(/|$)`)
)

// place is where an incident stands in the dashboard.
type place struct{ host, organisation, number string }

func placeOf(s string) (place, bool) {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") {
		return place{}, false
	}
	m := incidentPath.FindStringSubmatch(u.Path)
	if m == nil {
		return place{}, false
	}
	return place{strings.ToLower(u.Host), strings.ToLower(strings.TrimPrefix(m[1], "/")), m[2]}, true
}

// same compares places. A link without an organisation fits any: a key sees
// one organisation only.
func (p place) same(other place) bool {
	return p.host == other.host && p.number == other.number &&
		(p.organisation == "" || other.organisation == "" || p.organisation == other.organisation)
}

// IsIncidentURL says whether s is the address of an incident in the dashboard.
func (c *Client) IsIncidentURL(s string) bool {
	p, ok := placeOf(s)
	return ok && p.host == c.appHost
}

// ByReferenceOrURL finds an incident by its reference (INC-123, in any case) or
// its address in the dashboard, among the newest 2,000. The outcome is Missing
// when there is none.
func (c *Client) ByReferenceOrURL(ctx context.Context, s string) (change.Incident, error) {
	const call = "find incident"
	s = strings.TrimSpace(s)
	var fits func(change.Incident) bool
	if wanted, ok := placeOf(s); ok && wanted.host == c.appHost {
		fits = func(i change.Incident) bool {
			p, ok := placeOf(i.URL)
			return ok && p.same(wanted)
		}
	} else if reference.MatchString(s) {
		fits = func(i change.Incident) bool { return strings.EqualFold(i.Reference, s) }
	} else {
		return change.Incident{}, failed(call, change.Missing, "That is neither a reference such as INC-123 nor the address of an incident.", nil)
	}
	var id string
	err := c.eachIncident(ctx, call, url.Values{}, searchPages, func(i change.Incident) bool {
		if fits(i) {
			id = i.ID
		}
		return id == ""
	})
	if err != nil {
		return change.Incident{}, err
	}
	if id == "" {
		return change.Incident{}, failed(call, change.Missing, "incident.io has no such incident among the newest 2,000, or does not show it to this API key.", nil)
	}
	return c.Incident(ctx, id)
}
