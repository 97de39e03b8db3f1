package jira

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	gojira "github.com/andygrunwald/go-jira"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// Ticket looks at a ticket by key or id. A ticket that has moved is found by its
// id and its old key, and answered under its present key. One in a project that
// may not be linked is refused.
func (c *Client) Ticket(ctx context.Context, keyOrID string) (change.Ticket, error) {
	return c.look(ctx, "get issue", keyOrID, "summary,status,project,creator,created,labels")
}

func (c *Client) look(ctx context.Context, call, keyOrID, fields string) (change.Ticket, error) {
	if err := c.checkPath(call, keyOrID); err != nil {
		return change.Ticket{}, err
	}
	issue, resp, err := c.api.Issue.GetWithContext(ctx, keyOrID, &gojira.GetQueryOptions{Fields: fields})
	if err != nil {
		return change.Ticket{}, c.failure(call, resp, err)
	}
	ref, err := c.ref(call, issue.ID, issue.Key)
	if err != nil {
		return change.Ticket{}, err
	}
	if err := c.allowed(call, projectOf(ref.Key)); err != nil {
		return change.Ticket{}, err
	}
	t := change.Ticket{Ref: ref, Project: projectOf(ref.Key)}
	if f := issue.Fields; f != nil {
		t.Summary, t.Labels, t.Created = f.Summary, f.Labels, time.Time(f.Created)
		if f.Status != nil {
			t.Status, t.Done = f.Status.Name, f.Status.StatusCategory.Key == "done"
		}
		if f.Creator != nil {
			t.Creator = f.Creator.AccountID
		}
	}
	return t, nil
}

// open makes sure, before a ticket is written or its comments are read, that it
// is still in a project that may be. Nothing was sent when it fails.
func (c *Client) open(ctx context.Context, call, id string) error {
	_, err := c.look(ctx, call, id, "project")
	if outside, ok := errors.AsType[*change.OutsideError](err); ok && outside.Outcome == change.Unknown {
		told := *outside
		told.Outcome = change.NotNow
		return &told
	}
	return err
}

// FindByLabel answers the tickets that Create made with a first label, oldest
// first; more than one are twins. Jira's search lags by seconds to minutes, so
// an empty answer proves nothing until then.
func (c *Client) FindByLabel(ctx context.Context, label string) ([]change.TicketRef, error) {
	const call = "search"
	if !labelPattern.MatchString(label) {
		return nil, c.refuse(call, fmt.Sprintf("%s cannot be a label.", c.safe(label)), nil)
	}
	jql := fmt.Sprintf(`labels = "%[1]s" OR description ~ "\"%[1]s\""`, label)
	issues, resp, err := c.api.Issue.SearchV2JQLWithContext(ctx, jql, &gojira.SearchOptionsV2{
		MaxResults: 50, Fields: []string{"labels", "description"},
	})
	if err != nil {
		return nil, c.failure(call, resp, err)
	}
	refs := []change.TicketRef{}
	for _, i := range issues {
		if !slices.Contains(c.projects, projectOf(i.Key)) || !bears(i.Fields, label) {
			continue
		}
		ref, err := c.ref(call, i.ID, i.Key)
		if err != nil {
			return nil, err
		}
		refs = append(refs, ref)
	}
	slices.SortFunc(refs, func(a, b change.TicketRef) int {
		return cmp.Or(cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID))
	})
	return refs, nil
}

// bears reports whether a ticket has the label, or its last line is the label. A
// text search matches loosely, and people may quote a label.
func bears(f *gojira.IssueFields, label string) bool {
	return f != nil && (slices.Contains(f.Labels, label) || lastLine(f.Description) == label)
}

// lastLine is the last line of a text in wiki markup, without escapes: Jira may
// give a text back escaped otherwise than it came.
func lastLine(text string) string {
	text = strings.TrimSpace(text)
	line := text[strings.LastIndexByte(text, '\n')+1:]
	return strings.TrimSpace(strings.ReplaceAll(line, `\`, ""))
}

// edit sets fields of a ticket. It may be repeated safely.
func (c *Client) edit(ctx context.Context, call, id string, body map[string]any) error {
	if err := c.open(ctx, call, id); err != nil {
		return err
	}
	resp, err := c.api.Issue.UpdateIssueWithContext(ctx, id, body)
	if err != nil {
		return c.failure(call, resp, err)
	}
	drain(resp)
	return nil
}

// UpsertRemoteLink shows a link on a ticket, or changes the one with the same
// globalID (at most 255 bytes). It may be repeated safely.
func (c *Client) UpsertRemoteLink(ctx context.Context, id, globalID, link, title string) error {
	const call = "remote link"
	u, err := url.Parse(link)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || globalID == "" || len(globalID) > 255 {
		return c.refuse(call, "This cannot be linked from a ticket.", err)
	}
	if err := c.open(ctx, call, id); err != nil {
		return err
	}
	return c.send(ctx, call, http.MethodPost, "rest/api/2/issue/"+id+"/remotelink", &gojira.RemoteLink{
		GlobalID: globalID, Object: &gojira.RemoteLinkObject{URL: link, Title: summary(title)},
	}, nil)
}
