package incidentio

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// AttachTicket attaches a ticket, merge request, pull request or any other
// address to an incident, unless it is attached already, and answers the
// attachment's id. There is no idempotency key, so the list is looked at first.
func (c *Client) AttachTicket(ctx context.Context, incidentID, address string) (externalID string, err error) {
	kind := resourceType(address)
	id, err := c.attach(ctx, incidentID, kind, address, "")
	if status := statusOf(err); kind != "arbitrary_url" && (status == http.StatusBadRequest || status == http.StatusUnprocessableEntity) {
		// The organisation has not connected that system to incident.io.
		return c.attach(ctx, incidentID, "arbitrary_url", address, plainLine(lastSegment(address), maxTitle))
	}
	return id, err
}

func (c *Client) attach(ctx context.Context, incidentID, kind, address, title string) (string, error) {
	id, err := c.attached(ctx, incidentID, address)
	if err != nil || id != "" {
		return id, err
	}
	resource := map[string]any{"resource_type": kind, "url": address}
	if title != "" {
		resource["title"] = title
	}
	var out struct {
		Attachment struct {
			ID string `json:"id"`
		} `json:"incident_attachment"`
	}
	const call = "create attachment"
	err = c.send(ctx, request{call: call, method: http.MethodPost, path: "/v1/incident_attachments", body: map[string]any{
		"incident_id": incidentID, "resource": resource,
	}}, &out)
	return made(call, out.Attachment.ID, err)
}

// attached answers the id of the attachment with this address, or nothing.
func (c *Client) attached(ctx context.Context, incidentID, address string) (string, error) {
	var out struct {
		Attachments []struct {
			ID         string `json:"id"`
			IncidentID string `json:"incident_id"`
			Resource   struct {
				Permalink string `json:"permalink"`
			} `json:"resource"`
		} `json:"incident_attachments"`
	}
	err := c.send(ctx, request{
		call: "list attachments", method: http.MethodGet, path: "/v1/incident_attachments",
		query: url.Values{"incident_id": {incidentID}},
	}, &out)
	if err != nil {
		return "", err
	}
	for _, a := range out.Attachments {
		if a.IncidentID == incidentID && sameAddress(a.Resource.Permalink, address) {
			return a.ID, nil
		}
	}
	return "", nil
}

func sameAddress(a, b string) bool { return plainAddress(a) == plainAddress(b) }

// plainAddress leaves away what does not change where an address leads.
func plainAddress(s string) string {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil {
		return s
	}
	u.Host, u.Scheme = strings.ToLower(u.Host), strings.ToLower(u.Scheme)
	u.Path = strings.TrimRight(u.Path, "/")
	u.Fragment, u.RawFragment = "", ""
	return u.String()
}

var (
	pullRequest  = regexp.MustCompile(`^/[^/]+/[^/]+/pull/[0-9]+`)
	mergeRequest = regexp.MustCompile(`/-/merge_requests/[0-9]+`)
	jiraIssue    = regexp.MustCompile(`/browse/[A-Z][A-Z0-9_]*-[0-9]+$`)
)

// resourceType says what incident.io calls the thing at an address.
func resourceType(address string) string {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return "arbitrary_url"
	case pullRequest.MatchString(u.Path):
		return "github_pull_request"
	case mergeRequest.MatchString(u.Path):
		return "gitlab_merge_request"
	case jiraIssue.MatchString(u.Path):
		return "jira_issue"
	}
	return "arbitrary_url"
}

func lastSegment(address string) string {
	address = strings.TrimRight(address, "/")
	return address[strings.LastIndexByte(address, '/')+1:]
}
