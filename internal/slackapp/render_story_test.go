package slackapp

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

const (
	ada    = change.PersonID("U0ADA")
	cto    = change.PersonID("U0CTO")
	deputy = change.PersonID("U0DEPUTY")
	arn    = "arn:aws:sso:::permissionSet/ssoins-0000000000000000/ps-0000000000000001"
)

var morning = time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)

func storyRules() change.Rules {
	return change.Rules{
		Reasons: []change.Reason{{ID: "down", Label: "The platform cannot recover & needs a hand"}},
		Kinds: []change.Kind{
			{
				ID: "access", Name: "Work on production directly", Requesters: []change.GroupID{"engineers"}, Access: change.NeedOptional, Incident: change.NeedOptional,
				Approvals: []change.ApprovalRule{{From: []change.GroupID{"cto"}, Fallback: []change.GroupID{"deputies"}}},
				Questions: []change.Question{{ID: "rollback", Label: "How will it be rolled back?"}},
			},
			{
				ID: "secret", Name: "Security release", Requesters: []change.GroupID{"engineers"}, Confidential: true, Access: change.NeedOptional, Incident: change.NeedOptional,
				Approvals: []change.ApprovalRule{{From: []change.GroupID{"cto"}}},
			},
			patchKind(),
			callKind("config", true), callKind("unfixed", false),
		},
		MergeRequests: change.MergeRequestRules{ReviewWithin: 72 * time.Hour, PermanentFixWithin: 336 * time.Hour, Remind: []time.Duration{24 * time.Hour}, RemindOverdueEvery: 24 * time.Hour},
		Targets: []change.Target{{
			ID: "production", Name: "Production", AccountID: "111122223333",
			PermissionSets: []change.PermissionSet{{ID: "admin", Name: "BreakGlassAdmin", ARN: arn, MaxDuration: 4 * time.Hour}},
		}},
		Groups: map[change.GroupID]change.Group{
			"cto": {Members: []change.PersonID{cto}}, "deputies": {Members: []change.PersonID{deputy}}, "engineers": {Everyone: true},
		},
		Roles:    change.Roles{CTO: []change.GroupID{"cto"}},
		Approval: change.ApprovalRules{EscalateAfter: 10 * time.Minute, LapseAfter: 4 * time.Hour},
		Record: change.RecordRules{
			Within: 24 * time.Hour, DuringIncident: change.RecordInIncident, Otherwise: change.RecordInJira,
			SignOff: change.SignOffRules{
				From: []change.GroupID{"cto"}, Fallback: []change.GroupID{"deputies"},
				Accept: []change.SignOffWay{change.SignOffByJiraComment, change.SignOffInSlack}, Within: 24 * time.Hour,
			},
			Remind: []time.Duration{2 * time.Hour, 20 * time.Hour}, RemindOverdueEvery: 24 * time.Hour,
		},
		Review: change.ReviewRules{Within: 5 * 24 * time.Hour, Remind: []time.Duration{48 * time.Hour}, RemindOverdueEvery: 24 * time.Hour},
		Access: change.AccessRules{
			Durations: []time.Duration{30 * time.Minute, time.Hour, 2 * time.Hour}, GrantWithin: 15 * time.Minute,
			NoneEndsAfter: 24 * time.Hour, WarnBeforeEnd: 10 * time.Minute, MaxTotal: 8 * time.Hour,
		},
		InstanceARN: "arn:aws:sso:::instance/ssoins-0000000000000000",
	}
}

func storyView() change.GroupView {
	return change.GroupView{
		"cto":       {Known: true, People: []change.PersonID{cto}},
		"deputies":  {Known: true, People: []change.PersonID{deputy}},
		"engineers": {Known: true, Everyone: true},
		"on-call":   {Known: true, People: []change.PersonID{ada}},
	}
}

// story is a change as it lives, told by the domain itself.
type story struct {
	t      *testing.T
	c      change.Change
	now    time.Time
	events []change.Event
	told   []scene // after each command
}

// scene is the change at one moment, and what has just happened to it.
type scene struct {
	c      change.Change
	events []change.Event
}

func storyRequest() change.Request {
	no := false
	return change.Request{
		Kind: "access", Reason: "down", What: "Restart the <queue> & its workers", Why: "Orders are stuck",
		Answers: map[change.QuestionID]string{"rollback": "Start the old ones again"},
		Target:  "production", PermissionSet: "admin", Duration: time.Hour, Choice: change.TicketNow,
		AWSUser: &change.AWSUser{ID: "aws-ada"}, AlreadyThere: &no,
	}
}

func storyIncident() *change.Incident {
	return &change.Incident{
		ID: "01INC", Reference: "INC-7", Name: "Orders are stuck", Status: "Investigating",
		Category: change.IncidentLive, URL: "https://app.incident.io/incidents/7", Created: morning.Add(-time.Hour),
	}
}

func begin(t *testing.T, req change.Request) *story {
	t.Helper()
	s := &story{t: t, now: morning}
	c, events, err := change.Submit(storyRules(), req, s.actor(ada), 12, s.now)
	if err != nil {
		t.Fatalf("Submit: %v", err)
	}
	c.Version = 1
	s.take(c, events)
	return s
}

func (s *story) actor(p change.PersonID) change.Actor {
	if p == "" {
		a := change.Itself("clock")
		a.Groups = storyView()
		return a
	}
	return change.Actor{ID: p, Standing: change.Member, Groups: storyView(), Via: "slack"}
}

func (s *story) take(c change.Change, events []change.Event) {
	for i := range events {
		events[i].Seq = int64(len(s.events) + i + 1)
	}
	s.events = append(s.events, events...)
	s.c = c
	s.told = append(s.told, scene{c, events})
}

// do has somebody give a command; nobody is the clock.
func (s *story) do(p change.PersonID, commands ...change.Command) *story {
	s.t.Helper()
	for _, cmd := range commands {
		s.now = s.now.Add(time.Second)
		c, events, err := change.Decide(storyRules(), s.c, cmd, s.actor(p), s.now)
		if err != nil {
			s.t.Fatalf("%s: %v", change.CommandName(cmd), err)
		}
		c.Version++
		s.take(c, events)
	}
	return s
}

func (s *story) wait(d time.Duration) *story {
	s.t.Helper()
	s.now = s.now.Add(d)
	return s.do("", change.Tick{})
}

func (s *story) approved() *story { return s.do(cto, change.Approve{Ask: s.c.OpenAsk().ID}) }

func (s *story) active() *story {
	return s.approved().do("", change.IntendAccess{}, change.AccessVerified{})
}

func (s *story) ended() *story {
	return s.active().do(ada, change.Finish{}).do("", change.AccessGone{Sessions: time.Hour})
}

// whole is a life with everything in it.
func whole(t *testing.T) *story {
	t.Helper()
	s := begin(t, storyRequest())
	ticket := change.TicketRef{ID: "10", Key: "OPS-10", URL: "https://example.atlassian.net/browse/OPS-10"}
	s.do("", change.LinkTicket{Ticket: ticket, Ours: true}).wait(11 * time.Minute)
	s.do(cto, change.ChangeDuration{Ask: 1, Duration: 30 * time.Minute}).approved()
	s.do("", change.AccessTrouble{Say: "AWS is throttling."}, change.IntendAccess{}, change.AccessVerified{})
	s.do(ada, change.AddNote{Text: "Stopped the *first* worker"}, change.LinkURL{URL: "https://gitlab.example.com/a/b/-/merge_requests/1"})
	s.do(ada, change.Extend{Duration: time.Hour, Why: "The second worker is slow"}).do(cto, change.Approve{Ask: 2})
	s.do(ada, change.Extend{Duration: 30 * time.Minute, Why: "Once more"}).do(cto, change.Deny{Ask: 3, Reason: "Enough now"})
	s.wait(75 * time.Minute).wait(time.Hour)
	s.do("", change.AccessGone{Sessions: time.Hour}).wait(3 * time.Hour)
	s.do(ada, change.RemindLater{Obligation: change.OweRecord}).wait(25 * time.Hour)
	s.do(ada, change.WriteRecord{Done: "Restarted both workers", Why: "They hung"})
	s.do("", change.RecordMirrored{Revision: 1, In: change.RecordInJira, Ref: "comment-1"}).wait(3 * time.Hour)
	s.do("", change.CommentsSeen{Comments: []change.SignerComment{{Signer: cto, TicketComment: change.TicketComment{ID: "1", Author: "a", Created: s.now, Body: "why?"}}}})
	fine := change.SignerComment{Signer: cto, TicketComment: change.TicketComment{ID: "2", Author: "a", Created: s.now, Body: "fine"}}
	s.do("", change.CommentsSeen{Comments: []change.SignerComment{fine}}, change.CommentsSeen{})
	s.do(cto, change.SignOff{}).wait(60 * time.Hour)
	s.do(ada, change.SubmitReview{Text: change.ReviewText{
		What: "It hung", Standard: "No pipeline", Prevent: "A probe",
		Actions: []change.Action{{What: "Add a probe", Owner: ada, Due: s.now.Add(240 * time.Hour)}},
	}})
	s.do("", change.ReviewMirrored{In: change.RecordInJira, Ref: "comment-3"}, change.ActionRecorded{Item: 1, Ticket: change.TicketRef{ID: "11", Key: "OPS-11"}})
	if s.c.Phase != change.Closed {
		t.Fatalf("the story ended %s, still owing %v", s.c.Phase, s.c.Owing())
	}
	return s
}

// lives are stories that between them reach every phase.
func lives(t *testing.T) map[string]*story {
	t.Helper()
	secret, during, plain := storyRequest(), storyRequest(), storyRequest()
	secret.Kind = "secret"
	during.Incident = storyIncident()
	plain.Target, plain.Choice = "", change.TicketLater
	reported := storyRequest()
	reported.Reported, reported.MadeAt, reported.GivenBy = true, morning.Add(-3*time.Hour), deputy
	standing := begin(t, storyRequest()).approved().do("", change.AccessVerified{Standing: true})
	unfound := storyRequest()
	unfound.AWSUser = nil
	return map[string]*story{
		"self":         selfStory(t).do(deputy, change.ConfirmCall{Ask: 1, Incident: seenIncident()}).do(ada, change.Finish{}),
		"self, silent": selfStory(t).wait(11*time.Minute).do(cto, change.Deny{Ask: 1, Reason: "No"}),
		"self, over":   selfOver(t),
		"opening":      begin(t, openingStory()).do("", change.IncidentOpened{Incident: *seenIncident()}).approved(),
		"not opened":   begin(t, openingStory()).do("", change.IncidentRefused{Say: "The incident could not be opened: <no>."}),
		"doubted":      doubtedStory(t),
		"overdue":      overdueStory(t),
		"whole":        whole(t),
		"during":       begin(t, during).ended().do("", change.IncidentRefused{Say: "It is closed."}),
		"confidential": begin(t, secret).ended().wait(48 * time.Hour),
		"no access":    begin(t, plain).approved().do(ada, change.Finish{}),
		"reported":     begin(t, reported),
		"denied":       begin(t, storyRequest()).do(cto, change.Deny{Ask: 1, Reason: "Wait it <out>"}),
		"lapsed":       begin(t, storyRequest()).wait(5 * time.Hour),
		"withdrawn":    begin(t, storyRequest()).approved().do(cto, change.EndNow{}),
		"failed":       begin(t, unfound).approved().do("", change.PersonRefused{Say: "There is no such AWS user."}),
		"standing":     standing.do(ada, change.Finish{}).do("", change.AccessGone{}),
		"back":         begin(t, storyRequest()).ended().do("", change.AccessBack{}, change.Undelivered{Say: "The channel is archived."}),
		"given up":     begin(t, storyRequest()).approved().do("", change.IntendAccess{}).wait(16 * time.Minute),
		"patched":      patched(t),
		"lapsed time":  begin(t, storyRequest()).active().do(ada, change.Extend{Duration: time.Hour}).do(ada, change.Finish{}),
	}
}

// postings are all the messages about a moment of a change: those that follow
// from its events, and the standing ones as they look then.
func (m scene) postings() []change.Posting {
	c := m.c
	var all []change.Posting
	id := c.Version * 1000
	add := func(d change.Delivery, e change.Event, group bool) {
		id++
		d.Number = c.Number
		all = append(all, change.Posting{
			Change: c, Delivery: d, Event: e, ID: id, Group: group,
			Waiting: map[change.System]string{change.SystemJira: "Jira is throttling <us>."},
		})
	}
	add(change.Delivery{Kind: change.DeliverCard, Key: "card", Mode: change.Converge}, change.Event{}, false)
	add(change.Delivery{Kind: change.DeliverCard, Key: "card/a", Mode: change.Converge, To: ada}, change.Event{}, false)
	for _, a := range c.Asks {
		add(change.Delivery{Kind: change.DeliverAsk, Mode: change.Converge, To: cto, Ref: change.Ref{Ask: a.ID}}, change.Event{}, false)
		add(change.Delivery{Kind: change.DeliverAsk, Mode: change.Converge, To: deputy, Ref: change.Ref{Ask: a.ID, Fallback: true}}, change.Event{}, false)
		add(change.Delivery{Kind: change.DeliverAsk, Mode: change.Converge, Ref: change.Ref{Ask: a.ID}}, change.Event{}, true)
	}
	for _, p := range c.Witnesses {
		add(change.Delivery{Kind: change.DeliverAsk, Mode: change.Converge, To: p, Ref: change.Ref{Ask: 1, Message: change.MessageWitness}}, change.Event{}, false)
	}
	for _, o := range c.Obligations {
		add(change.Delivery{Kind: change.DeliverReminder, Mode: change.Once, To: ada, Ref: change.Ref{Obligation: o.Name, Item: o.Item, Rung: "rung-1"}}, change.Event{}, false)
	}
	add(change.Delivery{Kind: change.DeliverSignOff, Mode: change.Converge, To: cto}, change.Event{}, false)
	for _, d := range change.Outbox(c, m.events) {
		i := slices.IndexFunc(m.events, func(e change.Event) bool { return e.Seq == d.Ref.Seq })
		var e change.Event
		if i >= 0 {
			e = m.events[i]
		}
		switch d.Kind { //nolint:exhaustive // the other deliveries are no messages, or are there already
		case change.DeliverThread, change.DeliverAudit, change.DeliverDirect:
			add(d, e, false)
		case change.DeliverCTO:
			add(change.Delivery{Kind: change.DeliverDirect, Mode: change.Once, To: cto, Ref: d.Ref}, e, false)
		}
	}
	return all
}

func (s *story) postings() []change.Posting {
	var all []change.Posting
	for _, m := range s.told {
		all = append(all, m.postings()...)
	}
	return all
}

func storyWords() Words {
	return Words{
		Organization: "Example Ltd", ReleaseURL: "https://handbook.example.com/change", PortalURL: "https://example.awsapps.com/start",
		Command: "/emergency", Channel: "C0PROD", AuditChannel: "C0AUDIT",
		Usergroup: func(g change.GroupID) string {
			if g == "cto" {
				return "S0CTO"
			}
			return ""
		},
	}
}

func asOutside(t *testing.T, err error) *change.OutsideError {
	t.Helper()
	outside, ok := errors.AsType[*change.OutsideError](err)
	if !ok {
		t.Fatalf("the error is %v, want one of another system", err)
	}
	return outside
}
