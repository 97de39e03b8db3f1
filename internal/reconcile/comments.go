package reconcile

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// How often a ticket's comments are looked at: while its sign-off is awaited,
// before there is anything to sign off, and once it has been signed off, since
// comments are edited and deleted.
const (
	commentsAwaited = time.Minute
	commentsEarly   = 5 * time.Minute
	commentsSettled = 15 * time.Minute
)

// comments looks at the ticket's comments until the change is over: they sign it
// off, and take that back when they are edited or deleted. A webhook may hasten
// the look, and is never needed.
func (d *Deliverer) comments(ctx context.Context, c change.Change, _ *ledger.Delivery) (result, error) {
	switch {
	case d.Tickets == nil:
		return result{cancel: noJira}, nil
	case c.Phase.Final():
		return result{cancel: "the change is over"}, nil
	case c.Ticket == nil || c.Ticket.ID == "" || !c.Ticket.Checked:
		return result{}, nil // asked for again with the next ticket
	}
	// What has been written is read before the comments, so that one that is
	// written meanwhile is not taken for deleted.
	written, err := d.Ledger.Deliveries(ctx, c.Number)
	if err != nil {
		return result{}, err
	}
	all, err := d.Tickets.Comments(ctx, c.Ticket.ID)
	if err != nil {
		return result{}, err
	}
	if err := d.restore(ctx, c, written, all); err != nil {
		return result{}, err
	}
	after, err := d.judge(ctx, c, all)
	if refusedFor(err, change.Unestablished) {
		return result{later: d.Now().Add(groupPause), waitsFor: "Who may sign off could not be looked up; asking again."}, nil
	}
	if err != nil {
		return result{}, err
	}
	return result{external: c.Ticket.ID, again: d.Now().Add(nextComments(&after))}, nil
}

// judge hands the comments over with whose account wrote each. Groups are looked
// up only when somebody known has written, or a sign-off may have been undone.
// Whoever might sign is looked up too: a group names members who could not be
// looked up, and an account in Jira may outlive its owner's employment. It answers
// change.Unestablished where a comment might count once that is known.
func (d *Deliverer) judge(ctx context.Context, c change.Change, all []change.TicketComment) (change.Change, error) {
	owners := d.accounts()
	seen := change.CommentsSeen{}
	matters := false
	for _, comment := range all {
		s := change.SignerComment{TicketComment: comment}
		if !ours(comment.Body) {
			s.Signer = owners[comment.Author]
		}
		matters = matters || s.Signer != ""
		seen.Comments = append(seen.Comments, s)
	}
	if o := c.Owes(change.OweSignOff, 0); o == nil || (!matters && o.State == change.Owed) {
		return c, nil
	}
	actor := change.Itself("jira")
	actor.Groups = d.Directory.Groups(ctx, c.GroupsOf(d.Workflow.Rules))
	unknown := d.signers(ctx, &c, seen.Comments, actor.Groups)
	after, err := d.Workflow.Do(ctx, c.Number, seen, actor)
	if o := after.Owes(change.OweSignOff, 0); err == nil && unknown && o != nil && o.State == change.Owed {
		return after, &change.Refusal{Code: change.Unestablished, Say: "Whoever commented could not be looked up."}
	}
	return after, err
}

// signers looks up, live, everybody among the commenters who may sign off, and
// makes the comments nobody's of whoever is no full member. unknown: somebody could
// not be looked up, and what they wrote counts for nothing yet.
func (d *Deliverer) signers(ctx context.Context, c *change.Change, comments []change.SignerComment, groups change.GroupView) (unknown bool) {
	eligible, _ := c.EligibleSigners(groups)
	full := map[change.PersonID]bool{}
	for i := range comments {
		signer := comments[i].Signer
		if !slices.Contains(eligible, signer) {
			continue // the domain says so, or that it is not known
		}
		if _, looked := full[signer]; !looked {
			p, err := d.Directory.Person(ctx, signer)
			full[signer] = err == nil && p.Standing == change.Member
			unknown = unknown || (err != nil && change.OutcomeOf(err) != change.Missing)
		}
		if !full[signer] {
			comments[i].Signer = ""
		}
	}
	return unknown
}

// accounts maps Jira accounts to people, as configured. An account that two
// people claim is nobody's.
func (d *Deliverer) accounts() map[string]change.PersonID {
	owners := map[string]change.PersonID{}
	for person, identities := range d.Workflow.Rules.People {
		account := identities.Jira
		if account == "" {
			continue
		}
		if _, twice := owners[account]; twice {
			person = ""
		}
		owners[account] = person
	}
	return owners
}

var markerLine = regexp.MustCompile(`^breakglass EC-[0-9]+/[0-9]+$`)

// ours tells whether breakglass wrote a comment, even if its token is a
// person's own: then its words are not that person's.
func ours(body string) bool { return markerIn(body) != "" }

// markerIn gives the marker that ends a comment of ours; empty for any other.
func markerIn(body string) string {
	body = strings.TrimSpace(body)
	last := strings.TrimSpace(strings.ReplaceAll(body[strings.LastIndexByte(body, '\n')+1:], `\`, ""))
	if !markerLine.MatchString(last) {
		return ""
	}
	return last
}

// restore writes the comment again that tells of a sign-off in Slack, when
// somebody has deleted it.
func (d *Deliverer) restore(ctx context.Context, c change.Change, written []ledger.Delivery, all []change.TicketComment) error {
	for _, row := range written {
		mirrors := row.Kind == change.DeliverNote && strings.HasPrefix(row.Key, "sign_off/") && row.State == ledger.DeliveryDone
		if !mirrors || slices.ContainsFunc(all, func(x change.TicketComment) bool { return x.ID == row.ExternalID }) {
			continue
		}
		_, err := d.Tickets.Comment(ctx, c.Ticket.ID, row.ExternalID)
		if err == nil {
			continue // only too old to be listed
		}
		if change.OutcomeOf(err) != change.Missing {
			return err
		}
		if err := d.Ledger.Reopen(ctx, row.ID, true, d.Now()); err != nil {
			return err
		}
	}
	return nil
}

func nextComments(c *change.Change) time.Duration {
	signOff, record := c.Owes(change.OweSignOff, 0), c.Owes(change.OweRecord, 0)
	switch {
	case signOff == nil || signOff.State != change.Owed:
		return commentsSettled
	case record == nil || record.State == change.Owed:
		return commentsEarly
	}
	return commentsAwaited
}

// refusedFor tells whether a command was refused for a reason.
func refusedFor(err error, code change.RefusalCode) bool {
	refusal, ok := errors.AsType[*change.Refusal](err)
	return ok && refusal.Code == code
}
