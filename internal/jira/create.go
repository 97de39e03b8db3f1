package jira

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	gojira "github.com/andygrunwald/go-jira"

	"github.com/breakglass-bot/breakglass/internal/change"
)

const callCreate = "create issue"

var (
	labelPattern   = regexp.MustCompile(`^[0-9A-Za-z._-]{1,255}$`)
	accountPattern = regexp.MustCompile(`^[0-9A-Za-z:_-]{1,128}$`)
)

// spare are the fields that a ticket can do without. Where Jira refuses nothing
// but these (not on the create screen, or a person who cannot be assigned), the
// ticket is made without them: the record matters more.
var spare = map[string]bool{"labels": true, "duedate": true, "assignee": true}

// Create makes a ticket, with one request that is never repeated while its
// outcome is unknown: then FindByLabel tells, minutes later, whether there is a
// ticket. A definite refusal of spare fields alone leads to a second request
// without them; the first label then stands at the end of the description, where
// FindByLabel looks too. Text beyond Jira's limits is cut. A security level is
// never left out: where Jira does not take it, the error wraps
// change.ErrNoSecurityLevel, and nothing was made.
func (c *Client) Create(ctx context.Context, d change.TicketDraft) (change.TicketRef, error) {
	if err := c.checkDraft(d); err != nil {
		return change.TicketRef{}, err
	}
	ref, err := c.post(ctx, d, map[string]bool{})
	without := spared(err)
	if without == nil {
		return ref, insecure(d, c.nameMissing(ctx, d, err))
	}
	ref, err = c.post(ctx, d, without)
	return ref, insecure(d, c.nameMissing(ctx, d, err))
}

func (c *Client) checkDraft(d change.TicketDraft) error {
	if err := c.allowed(callCreate, d.Project); err != nil {
		return err
	}
	if len(d.Labels) == 0 {
		return c.refuse(callCreate, "A ticket needs a label of its own, to be found again.", nil)
	}
	for _, l := range d.Labels {
		if !labelPattern.MatchString(l) {
			return c.refuse(callCreate, fmt.Sprintf("%s cannot be a label.", c.safe(l)), nil)
		}
	}
	if d.Assignee != "" && !accountPattern.MatchString(d.Assignee) {
		return c.refuse(callCreate, fmt.Sprintf("%s is not a Jira accountId.", c.safe(d.Assignee)), nil)
	}
	return nil
}

// post sends the draft once, without some of its fields.
func (c *Client) post(ctx context.Context, d change.TicketDraft, without map[string]bool) (change.TicketRef, error) {
	f := &gojira.IssueFields{
		Project: gojira.Project{Key: d.Project}, Type: gojira.IssueType{Name: d.IssueType}, Summary: summary(d.Summary),
	}
	tail := ""
	if without["labels"] {
		tail = d.Labels[0]
	} else {
		f.Labels = d.Labels
	}
	f.Description = markup(d.Description, tail)
	if d.Assignee != "" && !without["assignee"] {
		f.Assignee = &gojira.User{AccountID: d.Assignee}
	}
	if d.Security != "" {
		f.Unknowns = map[string]any{fieldSecurity: levelOf(d.Security)}
	}
	if !d.Due.IsZero() && !without["duedate"] {
		f.Duedate = gojira.Date(d.Due.UTC())
	}
	made, resp, err := c.api.Issue.CreateWithContext(ctx, &gojira.Issue{Fields: f})
	if err != nil {
		return change.TicketRef{}, c.failure(callCreate, resp, err)
	}
	return c.ref(callCreate, made.ID, made.Key)
}

// spared answers the spare fields that Jira refused, if it refused nothing else.
func spared(err error) map[string]bool {
	refused, ok := errors.AsType[*refusedFields](err)
	if !ok || refused.status != 400 || len(refused.fields) == 0 {
		return nil
	}
	without := map[string]bool{}
	for field := range refused.fields {
		if !spare[field] {
			return nil
		}
		without[field] = true
	}
	return without
}

// nameMissing adds to a refusal the names of the required fields that breakglass
// does not fill in. That they cannot be read changes nothing.
func (c *Client) nameMissing(ctx context.Context, d change.TicketDraft, err error) error {
	refused, ok := errors.AsType[*refusedFields](err)
	if !ok || refused.status != 400 {
		return err
	}
	outside, ok := errors.AsType[*change.OutsideError](err)
	if !ok {
		return err
	}
	missing, metaErr := c.RequiredFields(ctx, d.Project, d.IssueType)
	if metaErr != nil || len(missing) == 0 {
		return err
	}
	told := *outside
	told.Say = fmt.Sprintf("%s The issue type %s of the project %s requires %s, which breakglass does not fill in.",
		outside.Say, c.safe(d.IssueType), d.Project, strings.Join(missing, ", "))
	return &told
}
