package slackapp

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/directory"
)

// looked is what could be looked up about a request in time.
type looked struct {
	person   change.Person
	err      error // why the person was turned away
	groups   change.GroupView
	user     *change.AWSUser
	there    *bool
	incident *change.Incident
	ticket   *change.TicketRef
	checked  bool                    // the ticket was seen in Jira
	no       map[change.Field]string // definite noes, by input

	mergeRequests []change.RequestedMergeRequest
}

// look asks the other systems about a form, side by side, within 1.5 s. A
// definite no is kept at its input; no answer leaves the thing unchecked.
func (a *App) look(ctx context.Context, f *form, who change.PersonID, teamID string) looked {
	l := looked{no: map[change.Field]string{}}
	within, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	var mu sync.Mutex
	no := func(field change.Field, say string) {
		mu.Lock()
		defer mu.Unlock()
		l.no[field] = say
	}
	kind, _ := a.Rules.Kind(f.Kind)
	var all directory.Looks
	all.Go(func() {
		l.person, l.err = a.memberWithin(within, ctx, who, teamID)
		if l.err == nil && !f.Report && f.Target != "" {
			a.lookAWS(within, f, l.person, &l, no)
		}
	})
	all.Go(func() { l.groups = a.People.Groups(within, a.groupsOf(kind, f.selfApproves(kind))) })
	a.lookOnCall(within, f, kind, all.Go, no)
	if f.Incident != "" && f.Incident != noIncident && f.Incident != openIncident && a.Lookups.Incidents != nil {
		all.Go(func() { l.incident = a.lookIncident(within, f, no) })
	}
	if f.Choice == change.TicketExisting && f.recordAsked(a.Rules) {
		all.Go(func() { l.ticket, l.checked = a.lookTicket(within, f.Ticket, no) })
	}
	if kind.MergeRequest != "" && kind.MergeRequest != change.NeedNone {
		all.Go(func() { l.mergeRequests = a.lookMergeRequests(within, kind, f.MergeRequests, no) })
	}
	if f.Report && f.Implementer != "" && f.Implementer != who {
		all.Go(func() { a.lookColleague(within, f.Implementer, change.FieldImplementer, no) })
	}
	all.Wait()
	return l
}

// groupsOf lists the groups that a submission needs: who may ask, and who will
// be asked; with self, also who may approve it themselves, and with whom.
func (a *App) groupsOf(kind change.Kind, self bool) []change.GroupID {
	c := change.Change{Plan: change.Plan{Approvals: kind.Approvals}}
	if self {
		c.Phase, c.Plan.SelfApproval, c.Self = change.Requested, kind.SelfApproval, &change.SelfApproved{}
	}
	ids := slices.Concat(kind.Requesters, c.GroupsOf(a.Rules))
	slices.Sort(ids)
	return slices.Compact(ids)
}

// definite gives the sentence of a failed look-up that is an answer all the
// same; empty when there was no answer.
func definite(err error, otherwise string) string {
	switch change.OutcomeOf(err) {
	case change.Refused, change.Missing:
	case change.NotNow, change.Unknown:
		return ""
	}
	return change.SayOf(err, otherwise)
}

// lookAWS finds the person in AWS, and whether they have the access already.
func (a *App) lookAWS(ctx context.Context, f *form, p change.Person, l *looked, no func(change.Field, string)) {
	if a.Lookups.Person == nil {
		return
	}
	user, err := a.awsUser(ctx, p)
	if err != nil {
		if say := definite(err, "AWS has no user for you."); say != "" {
			no(change.FieldTarget, say)
		}
		return
	}
	l.user = &user
	target, _ := a.Rules.Target(f.Target)
	set, ok := target.PermissionSet(f.Set)
	if a.Lookups.Access == nil || !ok {
		return
	}
	there, err := a.Lookups.Access.Assigned(ctx, change.AssignmentKey{
		InstanceARN: a.Rules.InstanceARN, AccountID: target.AccountID, PermissionSetARN: set.ARN, UserID: user.ID,
	})
	if err == nil {
		l.there = &there
	}
}

func (a *App) awsUser(ctx context.Context, p change.Person) (change.AWSUser, error) {
	if id := a.Rules.People[p.ID].AWS; id != "" {
		return a.Lookups.Person.CheckUser(ctx, id)
	}
	return a.Lookups.Person.FindUser(ctx, p.Email)
}

// lookIncident gives the incident as it is now; as it was last seen, or as it
// was offered, where incident.io does not answer. A key that it does not let in, say,
// is no answer about the incident.
func (a *App) lookIncident(ctx context.Context, f *form, no func(change.Field, string)) *change.Incident {
	i, err := a.Lookups.Incidents.Incident(ctx, f.Incident)
	if err == nil {
		if i.Private {
			no(change.FieldIncident, "This incident is private. Choose another, or none.")
		}
		return &i
	}
	if change.OutcomeOf(err) == change.Missing {
		no(change.FieldIncident, change.SayOf(err, "There is no such incident any more. Choose another, or none."))
		return nil
	}
	a.Log.WarnContext(ctx, "an incident could not be looked up", "error", err)
	if i, ok := a.incidents.find(f.Incident); ok {
		return unchecked(i, f.Report)
	}
	reference, name, _ := strings.Cut(f.IncidentText, " ")
	return &change.Incident{ID: f.Incident, Reference: reference, Name: name, Category: change.IncidentLive}
}

// lookTicket gives the ticket of a key, seen in Jira or taken as it was typed.
func (a *App) lookTicket(ctx context.Context, typed string, no func(change.Field, string)) (ref *change.TicketRef, checked bool) {
	if typed == "" {
		return nil, false // the domain says so
	}
	if a.Lookups.Tickets == nil {
		no(change.FieldTicket, "No Jira is configured, so there is no ticket to link.")
		return nil, false
	}
	key, err := a.Lookups.Tickets.ParseKey(typed)
	if err != nil {
		no(change.FieldTicket, change.SayOf(err, "Give the key of the ticket, such as OPS-123."))
		return nil, false
	}
	ticket, err := a.Lookups.Tickets.Ticket(ctx, key)
	if err == nil {
		return &ticket.Ref, true
	}
	if say := noSuchTicket(err, key); say != "" {
		no(change.FieldTicket, say)
		return nil, false
	}
	return &change.TicketRef{Key: key}, false
}

// lookColleague checks somebody who was named: only full members take part.
func (a *App) lookColleague(ctx context.Context, id change.PersonID, field change.Field, no func(change.Field, string)) {
	p, err := a.People.Person(ctx, id)
	switch {
	case err != nil && change.OutcomeOf(err) != change.Missing:
	case err != nil || p.Standing == change.Guest || p.Standing == change.Bot || p.Standing == change.Stranger:
		no(field, "Choose somebody who is a full member of this workspace.")
	}
}
