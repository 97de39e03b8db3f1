package slackapp

import (
	"context"
	"errors"
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// maxAddress bounds an address that is kept with a change, in bytes.
const maxAddress = 2000

// referencePattern is how an incident's reference looks, such as INC-123.
var referencePattern = regexp.MustCompile(`^[A-Za-z]{2,10}-?[0-9]{1,10}$`)

// sayOneAddress is for what has a space in it: as an address it would open nothing.
const sayOneAddress = "Give one address, or one key, and nothing after it."

// linkCommand finds out what was given to be linked: a ticket, an incident, a merge
// request, or another address, which is kept as it is and never fetched. Whoever is no full
// member, or may not link, does not learn what there is to be linked.
func (a *App) linkCommand(ctx context.Context, n change.Number, who change.PersonID, teamID, given string) (change.Command, error) {
	within, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	c, err := a.change(ctx, n)
	if err != nil {
		return nil, err
	}
	actor, err := a.actorWithin(within, ctx, who, teamID, &c, false)
	if err != nil {
		return nil, err
	}
	if strings.ContainsFunc(given, unicode.IsSpace) {
		return nil, inText(turnDown(change.BadInput, "%s", sayOneAddress))
	}
	noTicket := "Give a Jira key such as OPS-123."
	if a.Lookups.Tickets != nil {
		key, err := a.Lookups.Tickets.ParseKey(given)
		if err == nil {
			return a.linkTicket(within, &c, actor, key)
		}
		noTicket = change.SayOf(err, noTicket)
	}
	if a.Lookups.Incidents != nil && (referencePattern.MatchString(given) || a.Lookups.Incidents.IsIncidentURL(given)) {
		return a.linkIncident(within, &c, actor, given, noTicket)
	}
	if ref, is := a.mergeRequestGiven(given); is {
		return a.linkMergeRequest(within, &c, actor, ref, false)
	}
	u, err := url.Parse(given)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil || len(given) > maxAddress {
		or := "Or give an address that begins with https://."
		if a.Lookups.Incidents != nil {
			or = "Or give an incident such as INC-123, or an address that begins with https://."
		}
		return nil, inText(turnDown(change.BadInput, "%s %s", noTicket, or))
	}
	return change.LinkURL{URL: given}, nil
}

// mayLink tells whether a change takes a link of somebody's, before it is looked at:
// breakglass sees more of the other systems than people do. What may not be linked is
// handed on unseen, and refused where refusals are written down.
func (a *App) mayLink(c *change.Change, actor change.Actor, unseen change.Command) (bool, error) {
	_, _, err := change.Decide(a.Rules, *c, unseen, actor, a.Now())
	if refusal, ok := errors.AsType[*change.Refusal](err); ok && refusal.Code == change.Unestablished {
		return false, err
	}
	return err == nil, nil
}

// linkTicket sees the ticket in Jira, or takes it unchecked where Jira does not
// answer.
func (a *App) linkTicket(ctx context.Context, c *change.Change, actor change.Actor, key string) (change.Command, error) {
	unseen := change.LinkTicket{Ticket: change.TicketRef{Key: key}}
	if c.Ticket != nil && c.Ticket.Key == key { // it is linked already
		unseen.Ticket = c.Ticket.TicketRef
	}
	if may, err := a.mayLink(c, actor, unseen); err != nil || !may {
		return unseen, err
	}
	ticket, err := a.Lookups.Tickets.Ticket(ctx, key)
	if err == nil {
		return change.LinkTicket{Ticket: ticket.Ref, Checked: true}, nil
	}
	if say := noSuchTicket(err, key); say != "" {
		return nil, inText(turnDown(change.BadInput, "%s", say))
	}
	return unseen, nil
}

// linkIncident finds an incident by its reference or address. noTicket says why what
// was given is no ticket, which a reference looks like as well.
func (a *App) linkIncident(ctx context.Context, c *change.Change, actor change.Actor, given, noTicket string) (change.Command, error) {
	like := change.Incident{ID: "unseen"} // it is as good as any other
	if i := c.Incident; i != nil && (strings.EqualFold(i.Now.Reference, given) || i.Now.URL == given) {
		like = i.Now
	}
	if may, err := a.mayLink(c, actor, change.LinkIncident{Incident: like}); err != nil || !may {
		return change.LinkIncident{Incident: change.Incident{Reference: given}}, err
	}
	incident, err := a.Lookups.Incidents.ByReferenceOrURL(ctx, given)
	if err != nil {
		say := change.SayOf(err, "incident.io did not answer, so the incident could not be found. Please try again in a moment.")
		if a.Lookups.Tickets != nil && !a.Lookups.Incidents.IsIncidentURL(given) {
			say = noTicket + " " + say
		}
		return nil, inText(turnDown(change.BadInput, "%s", say))
	}
	return change.LinkIncident{Incident: incident}, nil
}

// noSuchTicket names a ticket that Jira says is not there; empty when Jira gave
// no answer.
func noSuchTicket(err error, key string) string {
	if change.OutcomeOf(err) == change.Missing {
		return "There is no ticket " + key + ", or breakglass may not see it. Check the key, or choose another ticket."
	}
	return definite(err, "Jira does not give the ticket "+key+".")
}

// inText puts a refusal at the form's only input.
func inText(r *change.Refusal) *change.Refusal {
	r.Fields = map[change.Field]string{change.FieldText: r.Say}
	return r
}
