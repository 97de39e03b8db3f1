package jira

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// fieldSecurity is the field that holds a ticket's security level.
const fieldSecurity = "security"

// levelOf names a security level as Jira takes it: digits are its id, anything
// else is its name.
func levelOf(level string) map[string]string {
	if _, err := strconv.ParseUint(level, 10, 63); err == nil {
		return map[string]string{"id": level}
	}
	return map[string]string{"name": level}
}

// Secure puts a ticket under a security level, by id or name. It may be repeated
// safely. The outcome is Refused where the level does not exist for the ticket,
// or is not on its screen.
func (c *Client) Secure(ctx context.Context, id, level string) error {
	return c.edit(ctx, "secure", id, map[string]any{"fields": map[string]any{fieldSecurity: levelOf(level)}})
}

// Rewrite replaces a ticket's summary and description. It may be repeated
// safely.
func (c *Client) Rewrite(ctx context.Context, id, text string, sections []change.TicketSection) error {
	return c.edit(ctx, "rewrite", id, map[string]any{"fields": map[string]any{"summary": summary(text), "description": markup(sections, "")}})
}

// EditComment replaces a comment that breakglass wrote, marker and all. It may
// be repeated safely. The outcome is Missing when it was deleted.
func (c *Client) EditComment(ctx context.Context, id, commentID, marker string, sections []change.TicketSection) error {
	const call = "edit comment"
	if !idPattern.MatchString(commentID) || !markerPattern.MatchString(marker) {
		return c.refuse(call, "This is not a comment of breakglass.", nil)
	}
	if err := c.open(ctx, call, id); err != nil {
		return err
	}
	body := map[string]string{"body": markup(sections, marker)}
	return c.send(ctx, call, http.MethodPut, "rest/api/2/issue/"+id+"/comment/"+commentID, body, nil)
}

// RemoveRemoteLink takes the link of a globalID off a ticket. One that is not
// there is no error.
func (c *Client) RemoveRemoteLink(ctx context.Context, id, globalID string) error {
	const call = "remove remote link"
	if globalID == "" || len(globalID) > 255 {
		return c.refuse(call, "This names no link.", nil)
	}
	if err := c.open(ctx, call, id); err != nil {
		return err
	}
	err := c.send(ctx, call, http.MethodDelete, "rest/api/2/issue/"+id+"/remotelink?globalId="+url.QueryEscape(globalID), nil, nil)
	if change.OutcomeOf(err) == change.Missing {
		return nil
	}
	return err
}

// insecure marks the refusal of a draft whose security level Jira did not take.
func insecure(d change.TicketDraft, err error) error {
	refused, ok := errors.AsType[*refusedFields](err)
	outside, isOutside := errors.AsType[*change.OutsideError](err)
	if d.Security == "" || !ok || !isOutside || refused.fields[fieldSecurity] == "" {
		return err
	}
	told := *outside
	told.Err = fmt.Errorf("%w: %w", change.ErrNoSecurityLevel, outside.Err)
	return &told
}
