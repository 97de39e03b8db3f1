package jira

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"time"

	gojira "github.com/andygrunwald/go-jira"

	"github.com/breakglass-bot/breakglass/internal/change"
)

const (
	commentPage = 50
	commentMost = 1000 // the newest; a ticket with more is not read to its beginning
)

// markerPattern is what a marker may be; it needs no escape and is no markup.
var markerPattern = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z ./:-]{0,79}$`)

// wireComment is a comment as Jira sends it. The library's own type would send
// an author, which is read-only.
type wireComment struct {
	ID     string `json:"id"`
	Author struct {
		AccountID string `json:"accountId"`
	} `json:"author"`
	UpdateAuthor struct {
		AccountID string `json:"accountId"`
	} `json:"updateAuthor"`
	Body    string      `json:"body"`
	Created gojira.Time `json:"created"`
	Updated gojira.Time `json:"updated"`
}

func (w wireComment) value() change.TicketComment {
	return change.TicketComment{
		ID: w.ID, Author: w.Author.AccountID, Editor: w.UpdateAuthor.AccountID, Body: w.Body,
		Created: time.Time(w.Created), Updated: time.Time(w.Updated),
	}
}

// AddComment writes a comment that ends with a line of its own, the marker, such
// as "breakglass EC-12/4". It is never repeated here: when its outcome is
// unknown, FindComment tells whether the comment is there.
func (c *Client) AddComment(ctx context.Context, id, marker string, sections []change.TicketSection) (change.TicketComment, error) {
	const call = "add comment"
	if !markerPattern.MatchString(marker) {
		return change.TicketComment{}, c.refuse(call, "The comment has no marker to be found by.", nil)
	}
	if err := c.open(ctx, call, id); err != nil {
		return change.TicketComment{}, err
	}
	var made wireComment
	body := map[string]string{"body": markup(sections, marker)}
	if err := c.send(ctx, call, http.MethodPost, "rest/api/2/issue/"+id+"/comment", body, &made); err != nil {
		return change.TicketComment{}, err
	}
	if !idPattern.MatchString(made.ID) {
		return change.TicketComment{}, c.unreadable(call, fmt.Errorf("a comment with id %q", c.safe(made.ID)))
	}
	return made.value(), nil
}

// Comments answers the comments of a ticket, newest first, at most the newest
// thousand.
func (c *Client) Comments(ctx context.Context, id string) ([]change.TicketComment, error) {
	const call = "list comments"
	if err := c.open(ctx, call, id); err != nil {
		return nil, err
	}
	all := []change.TicketComment{}
	known := map[string]bool{} // one written meanwhile pushes others to the next page
	for start := 0; start < commentMost; start += commentPage {
		var page struct {
			Comments []wireComment `json:"comments"`
			Total    int           `json:"total"`
		}
		path := fmt.Sprintf("rest/api/2/issue/%s/comment?orderBy=-created&startAt=%d&maxResults=%d", id, start, commentPage)
		if err := c.send(ctx, call, http.MethodGet, path, nil, &page); err != nil {
			return nil, err
		}
		for _, w := range page.Comments {
			if !known[w.ID] {
				known[w.ID] = true
				all = append(all, w.value())
			}
		}
		if len(page.Comments) == 0 || start+len(page.Comments) >= page.Total {
			break
		}
	}
	return all, nil
}

// Comment looks at one comment. The outcome is Missing when it was deleted.
func (c *Client) Comment(ctx context.Context, id, commentID string) (change.TicketComment, error) {
	const call = "get comment"
	if !idPattern.MatchString(commentID) {
		return change.TicketComment{}, c.refuse(call, "This is not the id of a comment.", nil)
	}
	if err := c.open(ctx, call, id); err != nil {
		return change.TicketComment{}, err
	}
	var w wireComment
	if err := c.send(ctx, call, http.MethodGet, "rest/api/2/issue/"+id+"/comment/"+commentID, nil, &w); err != nil {
		return change.TicketComment{}, err
	}
	if w.ID != commentID {
		return change.TicketComment{}, c.unreadable(call, fmt.Errorf("a comment with id %q", c.safe(w.ID)))
	}
	return w.value(), nil
}

// FindComment looks for a comment of ours that ends with a marker, and answers
// the oldest. Somebody else's does not count, whatever it ends with.
func (c *Client) FindComment(ctx context.Context, id, marker string) (comment change.TicketComment, found bool, err error) {
	self, err := c.own(ctx)
	if err != nil {
		return change.TicketComment{}, false, err
	}
	all, err := c.Comments(ctx, id)
	if err != nil {
		return change.TicketComment{}, false, err
	}
	for _, have := range all {
		if have.Author == self && lastLine(have.Body) == marker {
			comment, found = have, true
		}
	}
	return comment, found, nil
}
