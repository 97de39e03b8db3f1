package slackapp_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	slackgo "github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/directory"
	"github.com/breakglass-bot/breakglass/internal/embeddedpg/pgtest"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
	"github.com/breakglass-bot/breakglass/internal/slackapp"
	"github.com/breakglass-bot/breakglass/internal/workflow"
	"github.com/breakglass-bot/breakglass/migrations"
)

var databases = pgtest.New(migrations.Up)

func TestMain(m *testing.M) { os.Exit(databases.Run(m)) }

const (
	ada, ben, cto, deputy = "U0ADA", "U0BEN", "U0CTO", "U0DEPUTY"
	channel               = "C0EMERGENCY"
	otherChannel          = "C0PROD"
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
	silent       atomic.Bool // nobody is found in time
	silentGroups atomic.Bool
}

func (p *people) Person(ctx context.Context, id change.PersonID) (change.Person, error) {
	if p.silent.Load() {
		return change.Person{}, &change.OutsideError{System: change.SystemSlack, Call: "users.info", Outcome: change.Unknown}
	}
	return p.Directory.Person(ctx, id)
}

func (p *people) Groups(ctx context.Context, ids []change.GroupID) change.GroupView {
	if p.silentGroups.Load() {
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
	for _, i := range o.incidents {
		if i.ID == id || i.Reference == id {
			return i, o.incErr
		}
	}
	return change.Incident{}, &change.OutsideError{System: change.SystemIncident, Outcome: change.Missing, Say: "There is no such incident."}
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

// edge is a workspace, the application beside it, and a database.
type edge struct {
	t       *testing.T
	ws      *slack.Workspace
	app     *slackapp.App
	clock   *edgeClock
	pool    *pgxpool.Pool
	ledger  *ledger.Ledger
	people  *people
	outside *outside
	log     *strings.Builder
}

type edgeOption func(o *slack.Options, a *slackapp.App)

func withRules(f func(*change.Rules)) edgeOption {
	return func(_ *slack.Options, a *slackapp.App) { f(&a.Rules) }
}

// setup starts the stand-in for Slack and the application. Every test ends with
// a look at what Slack would have held against the application.
func setup(t *testing.T, options ...edgeOption) *edge {
	t.Helper()
	return setupOn(t, databases.Pool(t), options...)
}

func setupOn(t *testing.T, pool *pgxpool.Pool, options ...edgeOption) *edge {
	t.Helper()
	e := &edge{t: t, clock: &edgeClock{at: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)}, pool: pool, ledger: ledger.New(pool), outside: &outside{}, log: &strings.Builder{}}
	so := slack.Options{Now: e.clock.Now, SigningSecret: "the-secret", Users: edgeUsers(), Channels: []slack.Channel{
		{ID: channel, Name: "emergency"}, {ID: otherChannel, Name: "prod"}, {ID: "C0SHARED", Name: "shared", Shared: true},
	}}
	e.app = &slackapp.App{
		Ledger: e.ledger, Rules: edgeRules(), Now: e.clock.Now, Log: slog.New(slog.DiscardHandler),
		Lookups: slackapp.Lookups{Person: e.outside, Access: e.outside, Tickets: e.outside, Incidents: e.outside},
		Config: slackapp.Config{
			TeamID: "T0SANDBOX", AppID: "A0BREAKGLASS", SigningSecret: "the-secret", Command: "/emergency", Channel: channel,
			ReleaseURL: "https://handbook.example.com/change", Organization: "Example Ltd",
		},
	}
	for _, option := range options {
		option(&so, e.app)
	}
	e.ws = slack.New(so)
	api := httptest.NewServer(e.ws)
	t.Cleanup(api.Close)
	t.Cleanup(e.ws.Close)
	e.ws.SetURL(api.URL)
	e.app.Config.APIURL = e.ws.APIURL()
	e.app.Slack = slackapp.NewClient(e.ws.APIURL(), "xoxb-sandbox", &http.Client{Timeout: 5 * time.Second}, slackgo.OptionAppLevelToken("xapp-sandbox"))
	e.people = &people{Directory: directory.New(slackapp.Workspace{Client: e.app.Slack, TeamID: "T0SANDBOX"}, nil, e.app.Rules.Groups, e.clock.Now, e.app.Log)}
	e.app.People = e.people
	e.app.Workflow = &workflow.Workflow{Ledger: e.ledger, Rules: e.app.Rules, Waker: noWaker{}, Now: e.clock.Now, Log: e.app.Log}
	mux := http.NewServeMux()
	mux.Handle("POST /slack/commands", e.app.Commands())
	mux.Handle("POST /slack/interactions", e.app.Interactions())
	mux.Handle("POST /slack/events", e.app.Events())
	door := httptest.NewServer(mux)
	t.Cleanup(door.Close)
	t.Cleanup(func() {
		e.app.Wait()
		if !t.Failed() {
			slack.RequireNoViolations(t, e.ws)
		}
	})
	e.ws.SetAppURL(door.URL)
	return e
}

func edgeUsers() []slack.User {
	return []slack.User{
		{ID: ada, RealName: "Ada", Email: "ada@example.com"}, {ID: ben, RealName: "Ben", Email: "ben@example.com"},
		{ID: cto, Name: "The CTO", RealName: "The CTO", Email: "cto@example.com"}, {ID: deputy, RealName: "The deputy", Email: "deputy@example.com"},
		{ID: "U0GUEST", Restricted: true}, {ID: "U0SINGLE", UltraRestricted: true}, {ID: "U0ROBOT", Bot: true},
		{ID: "U0STRANGER", TeamID: "T0OTHER", Stranger: true}, {ID: "U0GONE", Deactivated: true},
	}
}

func edgeRules() change.Rules {
	return change.Rules{
		Reasons: []change.Reason{
			{ID: "pipeline", Label: "GitHub is unavailable"}, {ID: "stuck", Label: "The platform cannot recover"},
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

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fill opens the request form and fills it in as a person would.
func (e *edge) fill(who string) slack.Person {
	e.t.Helper()
	ctx, p := e.t.Context(), e.ws.Person(who)
	_, err := p.Command(ctx, otherChannel, "/emergency", "")
	must(e.t, err)
	must(e.t, p.Type(ctx, "What will you change?", "Restart <!channel> & the queue"))
	must(e.t, p.Type(ctx, "Why is it needed now?", "Orders are stuck"))
	must(e.t, p.Select(ctx, "Why can't the release process be used?", "The platform cannot recover"))
	must(e.t, p.Select(ctx, "Kind of change", "Work on production directly"))
	must(e.t, p.Select(ctx, "Where", "Production"))
	must(e.t, p.Select(ctx, "Permission set", "BreakGlassAdmin"))
	return p
}

// request makes a change and answers it.
func (e *edge) request(who string) change.Change {
	e.t.Helper()
	must(e.t, e.fill(who).Submit(e.t.Context()))
	n := e.newest()
	return e.change(n)
}

func (e *edge) newest() change.Number {
	e.t.Helper()
	var n int64
	must(e.t, e.pool.QueryRow(e.t.Context(), `SELECT coalesce(max(number), 0) FROM changes`).Scan(&n))
	return change.Number(n)
}

func (e *edge) change(n change.Number) change.Change {
	e.t.Helper()
	c, err := e.ledger.Change(e.t.Context(), n)
	must(e.t, err)
	return c
}

// system carries a command out as breakglass itself does.
func (e *edge) system(n change.Number, cmd change.Command) change.Change {
	e.t.Helper()
	c, err := e.app.Workflow.Do(e.t.Context(), n, cmd, change.Itself("test"))
	must(e.t, err)
	return c
}

// activate takes a requested change to where its access was seen.
func (e *edge) activate(n change.Number) change.Change {
	e.t.Helper()
	c := e.change(n)
	_, err := e.app.Workflow.Do(e.t.Context(), n, change.Approve{Ask: c.OpenAsk().ID}, change.Actor{
		ID: cto, Standing: change.Member, Via: "test",
		Groups: change.GroupView{"cto": {Known: true, People: []change.PersonID{cto}}, "deputies": {Known: true}},
	})
	must(e.t, err)
	e.system(n, change.IntendAccess{})
	return e.system(n, change.AccessVerified{})
}

// posted puts a message with buttons where the program would have posted it, and
// tells the ledger so.
func (e *edge) posted(n change.Number, kind change.DeliveryKind, key string, to string, ref string, buttons ...string) slack.Message {
	e.t.Helper()
	where := channel
	if to != "" {
		where = to
	}
	var elements []slackgo.BlockElement
	for _, b := range buttons {
		id, value, _ := strings.Cut(b, " ")
		elements = append(elements, slackgo.NewButtonBlockElement(id, value, slackgo.NewTextBlockObject(slackgo.PlainTextType, id, false, false)))
	}
	at, ts, err := e.app.Slack.PostMessageContext(e.t.Context(), where, slackgo.MsgOptionText(n.String(), false), slackgo.MsgOptionBlocks(slackgo.NewActionBlock("", elements...)))
	must(e.t, err)
	_, err = e.pool.Exec(e.t.Context(), `INSERT INTO deliveries (number, kind, key, system, mode, recipient, ref, wanted, external_id)
		VALUES ($1, $2, $3, 'Slack', 'converge', $4, $5, 1, $6)
		ON CONFLICT ON CONSTRAINT deliveries_key_unique DO UPDATE SET external_id = excluded.external_id`,
		int64(n), string(kind), key, to, ref, at+":"+ts)
	must(e.t, err)
	for _, m := range e.ws.Messages(at) {
		if m.TS == ts {
			return m
		}
	}
	e.t.Fatal("the message is not there")
	return slack.Message{}
}

// ask posts an approver's message about the change's first question.
func (e *edge) ask(n change.Number, to string) slack.Message {
	e.t.Helper()
	k := value(n, 1)
	return e.posted(n, change.DeliverAsk, "1/"+to, to, `{"ask":1}`, "approve "+k, "deny "+k, "change_duration "+k, "show "+k, "end_now "+k)
}

func value(n change.Number, ask int) string {
	return strings.TrimPrefix(n.String(), "EC-") + "/" + string(rune('0'+ask)) + "//0"
}

// told waits for the next ephemeral message to somebody, and answers its text.
func (e *edge) told(who string) string {
	e.t.Helper()
	e.app.Wait()
	all := e.ws.Ephemerals(who)
	if len(all) == 0 {
		e.t.Fatalf("%s was told nothing", who)
	}
	return e.ws.RenderMessage(who, all[len(all)-1])
}

func (e *edge) toldHolds(who string, wants ...string) {
	e.t.Helper()
	said := e.told(who)
	for _, want := range wants {
		if !strings.Contains(said, want) {
			e.t.Errorf("%s was told %q, without %q", who, said, want)
		}
	}
}

// systemEvents lists the types of what belongs to no change.
func (e *edge) systemEvents() []change.EventType {
	e.t.Helper()
	events, err := e.ledger.SystemEvents(e.t.Context(), 0, 100)
	must(e.t, err)
	var types []change.EventType
	for _, event := range events {
		types = append(types, event.Type)
	}
	return types
}

// formError answers what stands at the inputs of a form that was not taken.
func formError(t *testing.T, err error) map[string]string {
	t.Helper()
	refused, ok := errors.AsType[*slack.FormError](err)
	if !ok {
		t.Fatalf("the form was taken, or broke: %v", err)
	}
	if refused.Local {
		t.Fatalf("Slack itself refused: %v", refused)
	}
	return refused.ByLabel
}

func (e *edge) view(who string) string {
	e.t.Helper()
	v, open := e.ws.View(who)
	if !open {
		e.t.Fatalf("%s has no form open", who)
	}
	return e.ws.RenderView(v)
}
