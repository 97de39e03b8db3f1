package incidentio

import (
	"context"
	"net/http"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// The bounds of what is written, in characters.
const (
	maxTitle = 200
	maxText  = 20000
)

// AddNote writes a note into an incident's timeline, once for each key, and
// answers the id of the timeline item.
//
// Where the account or the key may not write timeline items (403), the note
// goes out as an update, which is louder, and its URL is attached; the answer
// is then the id of the update. The outcome is Refused when the incident takes
// no notes, because it was closed, merged or declined meanwhile, say.
func (c *Client) AddNote(ctx context.Context, n change.IncidentNote) (externalID string, err error) {
	var out struct {
		Item struct {
			ID string `json:"id"`
		} `json:"incident_timeline_item"`
	}
	const call = "create timeline item"
	err = c.send(ctx, request{call: call, method: http.MethodPost, path: "/v2/incident_timeline_items", body: map[string]any{
		"incident_id": n.IncidentID, "timestamp": n.At.UTC().Format(time.RFC3339), "title": plainLine(n.Title, maxTitle),
		"description": shorten(n.Markdown, maxText), "idempotency_key": n.Key,
	}}, &out)
	if statusOf(err) == http.StatusForbidden {
		return c.addLoudNote(ctx, n)
	}
	return made(call, out.Item.ID, err)
}

// addLoudNote writes the update before the attachment, because the update is
// the note, and a closed incident refuses it.
func (c *Client) addLoudNote(ctx context.Context, n change.IncidentNote) (string, error) {
	message := "**" + EscapeMarkdown(plainLine(n.Title, maxTitle)) + "** (" + n.At.UTC().Format("2006-01-02 15:04 UTC") + ")"
	if n.Markdown != "" {
		message += "\n\n" + shorten(n.Markdown, maxText)
	}
	if n.URL != "" {
		message += "\n\n" + n.URL
	}
	var out struct {
		Update struct {
			ID string `json:"id"`
		} `json:"incident_update"`
	}
	const call = "create update"
	id, err := made(call, out.Update.ID, c.send(ctx, request{call: call, method: http.MethodPost, path: "/v2/incident_updates", body: map[string]any{
		"incident_id": n.IncidentID, "idempotency_key": n.Key, "message": message,
	}}, &out))
	if err != nil {
		return "", err
	}
	if n.URL == "" {
		return id, nil
	}
	// A refused attachment costs nothing: the update names the URL too. One
	// that may still succeed is tried again; the update's key makes that safe.
	if _, err := c.attach(ctx, n.IncidentID, "arbitrary_url", n.URL, plainLine(n.Title, maxTitle)); err != nil {
		if outcome := change.OutcomeOf(err); outcome == change.NotNow || outcome == change.Unknown {
			return "", err
		}
	}
	return id, nil
}

// made answers the id of what a call made. A success without an id is no
// answer that can be believed.
func made(call, id string, err error) (string, error) {
	if err != nil {
		return "", err
	}
	if id == "" {
		return "", failed(call, change.Unknown, "The answer of incident.io could not be read.", nil)
	}
	return id, nil
}
