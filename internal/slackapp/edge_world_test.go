package slackapp_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/directory"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
	"github.com/breakglass-bot/breakglass/internal/workflow"
)

// edgeClock stands still until a test moves it.
type edgeClock struct {
	mu sync.Mutex
	at time.Time
}

func (c *edgeClock) Now() time.Time          { c.mu.Lock(); defer c.mu.Unlock(); return c.at }
func (c *edgeClock) forward(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.at = c.at.Add(d) }

// people is the real directory, which can be told not to answer.
type people struct {
	*directory.Directory
	silent       atomic.Bool // nobody is found in time; a look-up lasts as long as it may
	silentGroups atomic.Bool
	answers      sync.Map     // by person: an error, or a Standing, though groups name them still
	panics       atomic.Value // the name of the look-up that does, or nothing
}

func (p *people) may(panics string) {
	if p.panics.Load() == panics {
		panic("a look-up of " + panics + " went wrong")
	}
}

func (p *people) Person(ctx context.Context, id change.PersonID) (change.Person, error) {
	p.may("a person")
	if p.silent.Load() {
		<-ctx.Done() // as a look-up does that is not answered
		return change.Person{}, &change.OutsideError{System: change.SystemSlack, Call: "users.info", Outcome: change.Unknown}
	}
	found, err := p.Directory.Person(ctx, id)
	switch answer, _ := p.answers.Load(id); x := answer.(type) {
	case error:
		return change.Person{}, x
	case change.Standing:
		found.Standing = x
	}
	return found, err
}

func (p *people) Groups(ctx context.Context, ids []change.GroupID) change.GroupView {
	p.may("groups")
	if p.silentGroups.Load() {
		<-ctx.Done()
		return change.GroupView{}
	}
	return p.Directory.Groups(ctx, ids)
}

// noWaker wakes nobody: these tests look at what was stored.
type noWaker struct{}

func (noWaker) Wake(context.Context, pgx.Tx, workflow.Wake) error { return nil }

// outside stands for the systems that a form asks about.
type outside struct {
	mu        sync.Mutex
	userErr   error
	there     bool
	ticketErr error
	incidents []change.Incident
	incErr    error
	listed    int
	panics    bool // when an incident is looked up
}

func (o *outside) FindUser(_ context.Context, email string) (change.AWSUser, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return change.AWSUser{ID: "aws-" + email, Email: email}, o.userErr
}

func (o *outside) CheckUser(_ context.Context, id string) (change.AWSUser, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return change.AWSUser{ID: id}, o.userErr
}

func (o *outside) Assigned(context.Context, change.AssignmentKey) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.there, nil
}

func (o *outside) ParseKey(s string) (string, error) {
	if !strings.HasPrefix(strings.ToUpper(s), "OPS-") {
		return "", refusal(change.SystemJira, "This is not a ticket of OPS.")
	}
	return strings.ToUpper(s), nil
}

func (o *outside) Ticket(_ context.Context, key string) (change.Ticket, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return change.Ticket{Ref: change.TicketRef{ID: "10" + key[4:], Key: key, URL: "https://jira.example.com/browse/" + key}}, o.ticketErr
}

func (o *outside) Live(context.Context) ([]change.Incident, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.listed++
	return slices.DeleteFunc(slices.Clone(o.incidents), func(i change.Incident) bool { return i.Category != change.IncidentLive }), o.incErr
}

func (o *outside) Recent(context.Context) ([]change.Incident, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.incidents), o.incErr
}

func (o *outside) Incident(_ context.Context, id string) (change.Incident, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.panics {
		panic("a look-up of an incident went wrong")
	}
	for _, i := range o.incidents {
		if i.ID == id || i.Reference == id {
			return i, o.incErr
		}
	}
	return change.Incident{}, &change.OutsideError{System: change.SystemIncident, Outcome: change.Missing, Say: "There is no such incident."}
}

func (o *outside) Severities(context.Context) ([]change.IncidentSeverity, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return []change.IncidentSeverity{{ID: "sev-minor", Name: "Minor"}, {ID: "sev-major", Name: "Major"}}, o.incErr
}

func (o *outside) ByReferenceOrURL(ctx context.Context, s string) (change.Incident, error) {
	return o.Incident(ctx, s)
}

func (o *outside) IsIncidentURL(s string) bool {
	return strings.HasPrefix(s, "https://app.incident.io/")
}

func (o *outside) set(f func(*outside)) { o.mu.Lock(); defer o.mu.Unlock(); f(o) }

func refusal(s change.System, say string) error {
	return &change.OutsideError{System: s, Call: "test", Outcome: change.Refused, Say: say}
}

func silence(s change.System) error {
	return &change.OutsideError{System: s, Call: "test", Outcome: change.Unknown, Err: errors.New("timeout")}
}

func edgeUsers() []slack.User {
	return []slack.User{
		{ID: ada, RealName: "Ada", Email: "ada@example.com"},
		{ID: ben, RealName: "Ben", Email: "ben@example.com"},
		{ID: cto, Name: "The CTO", RealName: "The CTO", Email: "cto@example.com"},
		{ID: deputy, RealName: "The deputy", Email: "deputy@example.com"},
		{ID: "U0GUEST", Restricted: true},
		{ID: "U0SINGLE", UltraRestricted: true},
		{ID: "U0ROBOT", Bot: true},
		{ID: "U0STRANGER", TeamID: "T0OTHER", Stranger: true},
		{ID: "U0GONE", Deactivated: true},
	}
}

func edgeRules() change.Rules {
	return change.Rules{
		Reasons: []change.Reason{
			{ID: "pipeline", Label: "GitHub is unavailable"},
			{ID: "stuck", Label: "The platform cannot recover"},
			{ID: "none", Label: "None of these", StandardPath: true},
		},
		Kinds: []change.Kind{
			{
				ID: "production", Name: "Work on production directly", Reasons: []change.ReasonID{"pipeline", "stuck"}, Requesters: []change.GroupID{"everyone"},
				Access: change.NeedRequired, Incident: change.NeedOptional, MergeRequest: change.NeedNone,
				Approvals: []change.ApprovalRule{{From: []change.GroupID{"cto"}, Fallback: []change.GroupID{"deputies"}}},
			},
			{
				ID: "manual", Name: "Manual change", Reasons: []change.ReasonID{"stuck"}, Requesters: []change.GroupID{"cto"},
				Access: change.NeedOptional, Incident: change.NeedRequired, MergeRequest: change.NeedNone,
				Approvals: []change.ApprovalRule{{From: []change.GroupID{"cto"}, Fallback: []change.GroupID{"deputies"}}},
				Questions: []change.Question{
					{ID: "criticality", Label: "Criticality", Options: []string{"C1", "C2"}, Required: true},
					{ID: "rollback", Label: "How will it be rolled back?", Multiline: true, Required: true},
				},
			},
			{
				ID: "patch", Name: "Hot patch", Requesters: []change.GroupID{"everyone"}, Access: change.NeedNone, Incident: change.NeedOptional,
				MergeRequest: change.NeedRequired, Approvals: []change.ApprovalRule{{From: []change.GroupID{"cto"}}},
			},
		},
		Targets: []change.Target{
			{ID: "production", Name: "Production", AccountID: "111122223333", PermissionSets: []change.PermissionSet{
				{ID: "admin", Name: "BreakGlassAdmin", ARN: "arn:admin", MaxDuration: 4 * time.Hour},
				{ID: "read", Name: "BreakGlassReadOnly", ARN: "arn:read", MaxDuration: 8 * time.Hour},
			}},
			{ID: "security", Name: "Security", AccountID: "444455556666", PermissionSets: []change.PermissionSet{
				{ID: "admin", Name: "BreakGlassAdmin", ARN: "arn:admin", MaxDuration: time.Hour},
			}},
		},
		Groups: map[change.GroupID]change.Group{
			"cto": {Members: []change.PersonID{cto}}, "deputies": {Members: []change.PersonID{deputy}}, "everyone": {Everyone: true},
		},
		Roles:       change.Roles{CTO: []change.GroupID{"cto"}},
		InstanceARN: "arn:instance",
		Approval:    change.ApprovalRules{EscalateAfter: 10 * time.Minute, LapseAfter: time.Hour},
		Record: change.RecordRules{
			Within: 24 * time.Hour, DuringIncident: change.RecordInIncident, Otherwise: change.RecordInJira,
			SignOff: change.SignOffRules{From: []change.GroupID{"cto"}, Fallback: []change.GroupID{"deputies"}, Accept: []change.SignOffWay{change.SignOffInSlack, change.SignOffByJiraComment}, Within: 24 * time.Hour},
			Remind:  []time.Duration{time.Hour}, RemindOverdueEvery: 4 * time.Hour,
		},
		Review: change.ReviewRules{Within: 120 * time.Hour, Remind: []time.Duration{24 * time.Hour}, RemindOverdueEvery: 24 * time.Hour, NeedsAction: true},
		Access: change.AccessRules{
			Durations: []time.Duration{30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour}, GrantWithin: 30 * time.Minute,
			NoneEndsAfter: 24 * time.Hour, WarnBeforeEnd: 10 * time.Minute, MaxTotal: 12 * time.Hour,
		},
	}
}
