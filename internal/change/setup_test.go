package change_test

import (
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// The people of the tests.
const (
	requester change.PersonID = "U0REQUESTER"
	colleague change.PersonID = "U0COLLEAGUE" // a member with no part in the change
	cto       change.PersonID = "U0CTO"
	deputy    change.PersonID = "U0DEPUTY"
	manager   change.PersonID = "U0MANAGER"
	barred    change.PersonID = "U0BARRED" // in the cto group, and in the group that may not
	witness   change.PersonID = "U0WITNESS"
)

// The kinds of the tests.
const (
	withAccess change.KindID = "access"
	noAccess   change.KindID = "plain"
	twoSay     change.KindID = "double" // needs a manager and the CTO
	secret     change.KindID = "secret" // confidential, and coordinated with the managers
)

// start is when every life begins.
var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func rules() change.Rules {
	approvals := []change.ApprovalRule{{From: []change.GroupID{"cto"}, Fallback: []change.GroupID{"deputies"}, Not: []change.GroupID{"barred"}}}
	both := append([]change.ApprovalRule{{From: []change.GroupID{"managers"}}}, approvals...)
	kind := func(id change.KindID, access change.Need, approvals []change.ApprovalRule) change.Kind {
		return change.Kind{
			ID: id, Name: "A kind", Requesters: []change.GroupID{"engineers"}, Access: access,
			Incident: change.NeedOptional, MergeRequest: change.NeedNone, Approvals: approvals,
		}
	}
	hidden := kind(secret, change.NeedRequired, approvals)
	hidden.Confidential, hidden.CoordinateWith, hidden.RootCause = true, []change.GroupID{"managers"}, true
	return change.Rules{
		Reasons: []change.Reason{{ID: "down", Label: "The pipeline is down"}, {ID: "none", Label: "None of these", StandardPath: true}},
		Kinds:   append([]change.Kind{kind(withAccess, change.NeedRequired, approvals), kind(noAccess, change.NeedNone, approvals), kind(twoSay, change.NeedRequired, both), hidden}, callKinds()...),
		Targets: []change.Target{{ID: "production", Name: "Production", AccountID: "111122223333", PermissionSets: []change.PermissionSet{
			{ID: "admin", Name: "Admin", ARN: "arn:aws:sso:::permissionSet/ssoins-0/ps-1", MaxDuration: 4 * time.Hour},
		}}},
		Roles:       change.Roles{CTO: []change.GroupID{"cto"}},
		Approval:    change.ApprovalRules{EscalateAfter: 10 * time.Minute, LapseAfter: 2 * time.Hour},
		InstanceARN: "arn:aws:sso:::instance/ssoins-0",
		Record: change.RecordRules{
			Within: 24 * time.Hour, DuringIncident: change.RecordInIncident, Otherwise: change.RecordInJira,
			Remind: []time.Duration{2 * time.Hour, 12 * time.Hour, 20 * time.Hour}, RemindOverdueEvery: 6 * time.Hour,
			SignOff: change.SignOffRules{
				From: []change.GroupID{"cto"}, Fallback: []change.GroupID{"deputies"}, Within: 24 * time.Hour,
				Accept: []change.SignOffWay{change.SignOffByJiraComment, change.SignOffInSlack},
			},
		},
		Review: change.ReviewRules{
			Within: 120 * time.Hour, Remind: []time.Duration{24 * time.Hour, 96 * time.Hour}, RemindOverdueEvery: 24 * time.Hour, NeedsAction: true,
		},
		MergeRequests: change.MergeRequestRules{
			ReviewWithin: 72 * time.Hour, PermanentFixWithin: 336 * time.Hour, Remind: []time.Duration{24 * time.Hour, 48 * time.Hour}, RemindOverdueEvery: 24 * time.Hour,
		},
		Access: change.AccessRules{
			Durations:   []time.Duration{30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour},
			GrantWithin: 30 * time.Minute, NoneEndsAfter: 8 * time.Hour, WarnBeforeEnd: 10 * time.Minute, MaxTotal: 6 * time.Hour,
		},
	}
}

// groups is who belongs where, with every source answering.
func groups() change.GroupView {
	people := func(p ...change.PersonID) change.Membership { return change.Membership{Known: true, People: p} }
	return change.GroupView{
		"cto": people(cto, barred), "deputies": people(deputy), "managers": people(manager), "barred": people(barred),
		"engineers": {Known: true, Everyone: true}, "on-call": people(requester), "callers": people(requester, witness, colleague),
	}
}

// with is groups with one of them replaced.
func with(id change.GroupID, m change.Membership) change.GroupView {
	v := groups()
	v[id] = m
	return v
}

func member(id change.PersonID) change.Actor {
	return change.Actor{ID: id, Standing: change.Member, Groups: groups(), Via: "slack"}
}

func seeing(id change.PersonID, v change.GroupView) change.Actor {
	a := member(id)
	a.Groups = v
	return a
}

// reader is breakglass with the groups looked up, as where it reads comments.
func reader() change.Actor {
	a := change.Itself("jira")
	a.Groups = groups()
	return a
}

var itself = change.Itself("test")

func request(kind change.KindID) change.Request {
	req := change.Request{Kind: kind, Reason: "down", What: "Restart the queue", Why: "Orders are stuck", Choice: change.TicketLater}
	if kind != noAccess {
		req.Target, req.PermissionSet, req.Duration = "production", "admin", time.Hour
		req.AWSUser = &change.AWSUser{ID: "aws-1"}
	}
	return req
}

// life is one change, from its request on. Every step of it is checked against
// the promises that hold everywhere.
type life struct {
	t      tester
	rules  change.Rules
	c      change.Change
	now    time.Time
	events []change.Event // all, with their sequence numbers
	sent   map[string]bool
	past   []snapshot
	quick  bool // leaves out comparing every field: where many lives are much the same
}

type snapshot struct {
	c     change.Change
	bytes string
}

func begin(t tester, req change.Request) *life {
	t.Helper()
	return beginAs(t, req, member(requester), start)
}

func beginAs(t tester, req change.Request, actor change.Actor, now time.Time) *life {
	t.Helper()
	l := &life{t: t, rules: rules(), now: now, sent: map[string]bool{}}
	c, events, err := change.Submit(l.rules, req, actor, 1, now)
	if err != nil {
		t.Fatalf("submit: %v", err)
	}
	l.take(change.Change{Phase: events[0].Phase}, c, events)
	return l
}

// try carries a command out, and answers its events or its refusal.
func (l *life) try(cmd change.Command, actor change.Actor) ([]change.Event, error) {
	l.t.Helper()
	before := encode(l.t, l.c)
	c, events, err := change.Decide(l.rules, l.c, cmd, actor, l.now)
	if got := encode(l.t, l.c); got != before {
		l.t.Fatalf("%T altered the change that it was given:\n%s", cmd, cmp.Diff(before, got))
	}
	if err != nil || len(events) == 0 {
		if got := encode(l.t, c); got != before {
			l.t.Fatalf("%T did nothing (%v), and yet answers another change:\n%s", cmd, err, cmp.Diff(before, got))
		}
		return nil, err
	}
	l.take(l.c, c, events)
	return events, nil
}

func (l *life) do(cmd change.Command, actor change.Actor) []change.Event {
	l.t.Helper()
	events, err := l.try(cmd, actor)
	if err != nil {
		l.t.Fatalf("%T: %v", cmd, err)
	}
	return events
}

// refused demands that a command is refused, in this way.
func (l *life) refused(cmd change.Command, actor change.Actor, want change.RefusalCode) {
	l.t.Helper()
	_ = l.refusal(cmd, actor, want) // only its code matters here
}

// refusal is like refused, and gives what is said.
func (l *life) refusal(cmd change.Command, actor change.Actor, want change.RefusalCode) change.Refusal {
	l.t.Helper()
	events, err := l.try(cmd, actor)
	r, ok := errors.AsType[*change.Refusal](err)
	if !ok || r.Code != want {
		l.t.Fatalf("%T by %s: events %v, error %v; want %s", cmd, actor.ID, types(events), err, want)
	}
	return *r
}

// after moves the clock on, letting everything happen on the way at its time.
func (l *life) after(d time.Duration) {
	l.t.Helper()
	end := l.now.Add(d)
	for at := l.c.NextAt(); !at.IsZero() && !at.After(end); at = l.c.NextAt() {
		if at.After(l.now) {
			l.now = at
		}
		if len(l.do(change.Tick{}, itself)) == 0 {
			l.t.Fatalf("the clock was to look at %s, and found nothing to do", at)
		}
	}
	l.now = end
}

// stopped moves the clock on with nobody looking at it until the end.
func (l *life) stopped(d time.Duration) []change.Event {
	l.t.Helper()
	l.now = l.now.Add(d)
	return l.do(change.Tick{}, itself)
}

func (l *life) has(want ...change.EventType) bool {
	got := types(l.events)
	return !slices.ContainsFunc(want, func(w change.EventType) bool { return !slices.Contains(got, w) })
}

func (l *life) count(want change.EventType) (n int) {
	for _, e := range l.events {
		if e.Type == want {
			n++
		}
	}
	return n
}

func (l *life) owes(name change.ObligationName) change.Obligation {
	l.t.Helper()
	o := l.c.Owes(name, 0)
	if o == nil {
		l.t.Fatalf("%s is not among what is owed: %v", name, l.c.Obligations)
	}
	return *o
}

func (l *life) phase(want change.Phase) {
	l.t.Helper()
	if l.c.Phase != want {
		l.t.Fatalf("the change is %s; want %s", l.c.Phase, want)
	}
}

// What many lives go through.

func (l *life) approve() *life {
	l.t.Helper()
	l.do(change.Approve{Ask: len(l.c.Asks)}, member(cto))
	return l
}

func (l *life) activate() *life {
	l.t.Helper()
	l.approve()
	l.do(change.IntendAccess{}, itself)
	l.do(change.AccessVerified{}, itself)
	return l
}

func (l *life) end() *life {
	l.t.Helper()
	l.activate()
	l.do(change.Finish{}, member(requester))
	return l
}

var ticket = change.TicketRef{ID: "10001", Key: "OPS-1", URL: "https://jira.example.com/browse/OPS-1"}

var goodReview = change.ReviewText{What: "It broke", Standard: "It was down", Prevent: "A spare", NoAction: "Bought already", RootCause: "A lost node"}

// record writes the record and has it mirrored.
func (l *life) record() {
	l.t.Helper()
	if l.c.Ticket == nil && l.c.Record.In == change.RecordInJira {
		l.do(change.LinkTicket{Ticket: ticket, Ours: true}, itself)
	}
	l.do(change.WriteRecord{Done: "Restarted", Why: "Stuck"}, member(requester))
	l.do(change.RecordMirrored{Revision: l.c.Record.Revision, In: l.c.Record.In, Ref: "c1"}, itself)
}

func (l *life) review() {
	l.t.Helper()
	l.do(change.SubmitReview{Text: goodReview}, member(requester))
	l.do(change.ReviewMirrored{Ref: "c2"}, itself)
}

// close pays everything that an ended change owes.
func (l *life) close() *life {
	l.t.Helper()
	l.record()
	l.do(change.SignOff{}, member(cto))
	l.review()
	l.do(change.AccessGone{Sessions: time.Hour}, itself)
	l.phase(change.Closed)
	return l
}

func types(events []change.Event) []change.EventType {
	var out []change.EventType
	for _, e := range events {
		out = append(out, e.Type)
	}
	return out
}

func encode(t tester, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// tester is what a test and a rapid check have in common.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}
