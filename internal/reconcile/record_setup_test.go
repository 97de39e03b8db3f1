package reconcile_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/incidentio"
	"github.com/breakglass-bot/breakglass/internal/jira"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/reconcile"
	sandboxincidentio "github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
	sandboxjira "github.com/breakglass-bot/breakglass/internal/sandbox/jira"
	"github.com/breakglass-bot/breakglass/internal/workflow"
)

// The people of the tests, and their Jira accounts.
const (
	engineer change.PersonID = "U0ENGINEER"
	chief    change.PersonID = "U0CTO"
	deputy   change.PersonID = "U0DEPUTY"
	other    change.PersonID = "U0OTHER"

	botAccount      = "5b10a0000000000000000001"
	ctoAccount      = "5b10a0000000000000000002"
	engineerAccount = "5b10a0000000000000000003"
	otherAccount    = "5b10a0000000000000000004"
	strangerAccount = "5b10a0000000000000000005"
)

// What is typed, all of it recognisable, so that leaks are found.
const (
	typedWhat = "restart the zebra broker"
	typedWhy  = "the walrus queue is stuck"
	typedDone = "restarted node giraffe twice"
)

// wallClock is moved by the test alone.
type wallClock struct{ at atomic.Pointer[time.Time] }

func newWallClock() *wallClock {
	c := &wallClock{}
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	c.at.Store(&at)
	return c
}

func (c *wallClock) now() time.Time { return *c.at.Load() }

func (c *wallClock) forward(d time.Duration) {
	at := c.now().Add(d)
	c.at.Store(&at)
}

// noWaker wakes nobody: the tests work what is due by hand.
type noWaker struct{}

func (noWaker) Wake(context.Context, pgx.Tx, workflow.Wake) error { return nil }

// messenger is Slack as far as messages go.
type messenger struct {
	mu      sync.Mutex
	next    int
	written []change.Posting

	retracted []change.Posting
}

func (m *messenger) Write(_ context.Context, p change.Posting) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.written = append(m.written, p)
	if p.External != "" {
		return p.External, nil
	}
	m.next++
	return fmt.Sprintf("C0/%d", m.next), nil
}

func (m *messenger) Remove(context.Context, string) error { return nil }

func (m *messenger) Retract(_ context.Context, p change.Posting) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.retracted = append(m.retracted, p)
	return nil
}

func (m *messenger) Permalink(_ context.Context, external string) (string, error) {
	return "https://slack.example.com/" + external, nil
}

func (m *messenger) told(to change.PersonID, what change.Message) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.ContainsFunc(m.written, func(p change.Posting) bool {
		return p.Delivery.To == to && p.Delivery.Ref.Message == what
	})
}

// directory knows four people; silent, it knows no group.
type directory struct {
	silent atomic.Bool
	gone   atomic.Bool // the CTO has left
	mute   atomic.Bool // nobody can be looked up, so that groups name whoever stands in them
	left   atomic.Bool // the CTO has left, and their group names them still

	mu   sync.Mutex
	more map[change.GroupID][]change.PersonID // in place of what stands below
}

func (d *directory) set(id change.GroupID, people ...change.PersonID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.more[id] = people
}

func (d *directory) Person(_ context.Context, id change.PersonID) (change.Person, error) {
	names := map[change.PersonID]string{engineer: "Erin Engineer", chief: "Cleo Chief", deputy: "Dana Deputy", other: "Olga Other"}
	if d.mute.Load() {
		return change.Person{}, &change.OutsideError{System: change.SystemSlack, Call: "users.info", Outcome: change.NotNow}
	}
	if id == chief && d.left.Load() {
		return change.Person{ID: id, Name: names[id], Standing: change.Deactivated}, nil
	}
	return change.Person{ID: id, Name: names[id], Standing: change.Member}, nil
}

func (d *directory) Groups(_ context.Context, ids []change.GroupID) change.GroupView {
	people := map[change.GroupID][]change.PersonID{"cto": {chief}, "deputies": {deputy}, "on-call": {engineer}, "witnesses": {deputy, other}}
	if d.gone.Load() {
		people["cto"] = nil
	}
	d.mu.Lock()
	maps.Copy(people, d.more)
	d.mu.Unlock()
	view := change.GroupView{}
	for _, id := range ids {
		if !d.silent.Load() { // otherwise it names nobody, as a source that does not answer
			view[id] = change.Membership{Known: true, People: people[id]}
		}
	}
	return view
}

// wire counts the requests that leave, by method and path. It can be cut, and
// bring no credentials or the answer that a thing is not shown.
type wire struct {
	cut    atomic.Bool
	locked atomic.Bool
	hidden atomic.Pointer[string] // path
	mu     sync.Mutex
	calls  map[string]int
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.calls[r.Method+" "+r.URL.Path]++
	w.mu.Unlock()
	if w.cut.Load() {
		r.URL.Host = "127.0.0.1:1" // nobody listens there
	}
	if w.locked.Load() {
		r.Header.Set("Authorization", "Basic bm9ib2R5Om5vdGhpbmc=")
	}
	if path := w.hidden.Load(); path != nil && r.URL.Path == *path {
		return &http.Response{StatusCode: http.StatusNotFound, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
	}
	return http.DefaultTransport.RoundTrip(r)
}

func (w *wire) count(call string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls[call]
}

type recordBundle struct {
	*reconcile.Deliverer
	jira      *sandboxjira.Server
	incidents *sandboxincidentio.Server
	clock     *wallClock
	slack     *messenger
	people    *directory
	wire      *wire
	expected  string // of the complaints about what was sent, those that hold this are the test's own
}

func recordRules() change.Rules {
	kind := func(id change.KindID, confidential bool) change.Kind {
		return change.Kind{
			ID: id, Name: "Work on production", Requesters: []change.GroupID{"engineers"}, Access: change.NeedNone,
			Incident: change.NeedOptional, Confidential: confidential,
			Approvals: []change.ApprovalRule{{From: []change.GroupID{"cto"}, Fallback: []change.GroupID{"deputies"}}},
			Questions: []change.Question{{ID: "rollback", Label: "How is it rolled back?"}},
		}
	}
	return change.Rules{
		Reasons: []change.Reason{{ID: "down", Label: "The pipeline is down"}},
		Kinds:   append([]change.Kind{kind("production", false), kind("secret", true)}, callKinds()...),
		Roles:   change.Roles{CTO: []change.GroupID{"cto"}},
		People: map[change.PersonID]change.Identities{
			chief: {Jira: ctoAccount}, engineer: {Jira: engineerAccount}, other: {Jira: otherAccount},
		},
		Approval: change.ApprovalRules{EscalateAfter: 10 * time.Minute, LapseAfter: time.Hour},
		Record: change.RecordRules{
			Within: 24 * time.Hour, DuringIncident: change.RecordInIncident, Otherwise: change.RecordInJira,
			SignOff: change.SignOffRules{
				From: []change.GroupID{"cto"}, Fallback: []change.GroupID{"deputies"}, Within: 24 * time.Hour,
				Accept: []change.SignOffWay{change.SignOffByJiraComment, change.SignOffInSlack},
			},
		},
		Review: change.ReviewRules{Within: 120 * time.Hour, NeedsAction: true},
		Access: change.AccessRules{NoneEndsAfter: 24 * time.Hour, MaxTotal: 12 * time.Hour},
	}
}

// setupRecords starts the stand-ins and a Deliverer over the real wire, and fails the
// test when anything careless was sent.
func setupRecords(t *testing.T) *recordBundle {
	t.Helper()
	b := &recordBundle{clock: newWallClock(), slack: &messenger{}, people: &directory{}, wire: &wire{calls: map[string]int{}}}
	levels := []sandboxjira.Level{{ID: "10001", Name: "Security team"}}
	task := []sandboxjira.IssueType{{Name: "Task", Levels: levels}, {Name: "Prevention", Levels: levels}}
	b.jira = sandboxjira.New(sandboxjira.Options{
		Now: b.clock.now, Email: "bot@example.com", Token: "jira-token", Bot: sandboxjira.Account{ID: botAccount, Name: "breakglass"},
		Accounts: []sandboxjira.Account{{ID: ctoAccount, Name: "The CTO"}, {ID: engineerAccount, Name: "The engineer"}, {ID: otherAccount, Name: "Other"}, {ID: strangerAccount, Name: "Somebody"}},
		Projects: []sandboxjira.Project{{Key: "OPS", Name: "Operations", IssueTypes: task}, {Key: "WEB", Name: "Web", IssueTypes: task}},
	})
	jiraServer := httptest.NewServer(b.jira)
	var err error
	if b.incidents, err = sandboxincidentio.New(sandboxincidentio.Options{Now: b.clock.now}); err != nil {
		t.Fatal(err)
	}
	incidentServer := httptest.NewServer(b.incidents)
	t.Cleanup(func() {
		jiraServer.Close()
		incidentServer.Close()
		b.jira.Close()
		b.incidents.Close()
		for _, v := range slices.Concat(b.jira.Violations(), b.incidents.Violations()) {
			if b.expected == "" || !strings.Contains(v, b.expected) {
				t.Errorf("sent carelessly: %s", v)
			}
		}
	})
	tickets, err := jira.New(jira.Options{
		BaseURL: jiraServer.URL, Email: "bot@example.com", Token: "jira-token", Project: "OPS", LinkProjects: []string{"WEB"},
		Transport: b.wire, Now: b.clock.now, Timeout: 5 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	incidents, err := incidentio.New(incidentio.Options{
		BaseURL: incidentServer.URL, APIKey: "sandbox-key", Now: b.clock.now, HTTPClient: &http.Client{Transport: b.wire, Timeout: 5 * time.Second},
		MitigatedStatuses: []string{"Monitoring"},
	})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	l := ledger.New(databases.Pool(t))
	flow := &workflow.Workflow{Ledger: l, Rules: recordRules(), Waker: noWaker{}, Now: b.clock.now, Log: log}
	var nonce atomic.Int64
	b.Deliverer = &reconcile.Deliverer{
		Ledger: l, Workflow: flow, Directory: b.people, Messenger: b.slack, Tickets: tickets, Incidents: incidents, Links: b.slack,
		Project: reconcile.Project{Key: "OPS", IssueType: "Task", PreventionType: "Prevention", EscapeMarkdown: incidentio.EscapeMarkdown},
		Now:     b.clock.now, Nonce: func() string { return fmt.Sprint(nonce.Add(1)) }, Log: log,
	}
	return b
}

// work delivers what is due, until nothing is.
func (b *recordBundle) work(t *testing.T) {
	t.Helper()
	for range 50 {
		idle := true
		for _, system := range ledger.Systems() {
			due, err := b.Ledger.DueWork(t.Context(), system, b.clock.now(), 100)
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range due {
				idle = false
				if err := b.Work(t.Context(), w); err != nil {
					t.Fatal(err)
				}
			}
		}
		if idle {
			return
		}
	}
	t.Fatal("the deliveries never come to rest")
}

// pass lets time go by in steps, delivering what comes due.
func (b *recordBundle) pass(t *testing.T, d, step time.Duration) {
	t.Helper()
	for end := b.clock.now().Add(d); b.clock.now().Before(end); {
		b.clock.forward(step)
		b.work(t)
	}
}

// as is how a person acts, with the groups of the moment.
func (b *recordBundle) as(p change.PersonID) change.Actor {
	view := b.people.Groups(context.Background(), []change.GroupID{"cto", "deputies", "on-call", "witnesses"})
	view["engineers"] = change.Membership{Known: true, Everyone: true}
	return change.Actor{ID: p, Standing: change.Member, Groups: view, Via: "slack"}
}

type asking func(*change.Request)

func (b *recordBundle) request(t *testing.T, alter ...asking) change.Change {
	t.Helper()
	req := change.Request{
		Kind: "production", Reason: "down", What: typedWhat, Why: typedWhy, Choice: change.TicketLater,
		Answers: map[change.QuestionID]string{"rollback": "undo the lemur"},
	}
	for _, f := range alter {
		f(&req)
	}
	c, err := b.Workflow.Submit(t.Context(), req, b.as(engineer))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func ticketNow(r *change.Request) { r.Choice = change.TicketNow }

func (b *recordBundle) during(t *testing.T, id string) asking {
	t.Helper()
	found, err := b.Incidents.Incident(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return func(r *change.Request) { r.Incident, r.Choice = &found, "" }
}

func (b *recordBundle) do(t *testing.T, n change.Number, by change.PersonID, commands ...change.Command) change.Change {
	t.Helper()
	var c change.Change
	for _, cmd := range commands {
		var err error
		if c, err = b.Workflow.Do(t.Context(), n, cmd, b.as(by)); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// made asks for a change that is approved and ended.
func (b *recordBundle) made(t *testing.T, alter ...asking) change.Change {
	t.Helper()
	c := b.request(t, alter...)
	b.do(t, c.Number, chief, change.Approve{Ask: 1})
	return b.do(t, c.Number, engineer, change.Finish{})
}

func (b *recordBundle) write(t *testing.T, n change.Number) {
	t.Helper()
	b.do(t, n, engineer, change.WriteRecord{Done: typedDone, Why: typedWhy})
}

func (b *recordBundle) change(t *testing.T, n change.Number) change.Change {
	t.Helper()
	c, err := b.Ledger.Change(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// owes tells the state of an obligation.
func (b *recordBundle) owes(t *testing.T, n change.Number, name change.ObligationName, item int) change.ObligationState {
	t.Helper()
	c := b.change(t, n)
	if o := c.Owes(name, item); o != nil {
		return o.State
	}
	return "never"
}

func (b *recordBundle) wantOwes(t *testing.T, n change.Number, name change.ObligationName, want change.ObligationState) {
	t.Helper()
	if got := b.owes(t, n, name, 0); got != want {
		t.Errorf("%s is %s, want %s", name, got, want)
	}
}

// issue gives the only issue there is.
func (b *recordBundle) issue(t *testing.T) sandboxjira.Issue {
	t.Helper()
	all := b.jira.Issues()
	if len(all) != 1 {
		t.Fatalf("there are %d issues, want one", len(all))
	}
	return all[0]
}

// comments gives the bodies of an issue's comments that hold some text.
func comments(i sandboxjira.Issue, with string) []string {
	var bodies []string
	for _, c := range i.Comments {
		if strings.Contains(c.Body, with) {
			bodies = append(bodies, c.Body)
		}
	}
	return bodies
}

// everything is all text that Jira holds.
func (b *recordBundle) everything() string {
	var s strings.Builder
	for _, i := range b.jira.Issues() {
		fmt.Fprintf(&s, "%s\n%s\n%v\n%v\n", i.Summary, i.Description, i.Labels, i.Properties)
		for _, c := range i.Comments {
			s.WriteString(c.Body + "\n")
		}
		for _, l := range i.Links {
			s.WriteString(l.Title + " " + l.Summary + " " + l.URL + "\n")
		}
	}
	return s.String()
}

// events counts the events of a type.
func (b *recordBundle) events(t *testing.T, n change.Number, kind change.EventType) int {
	t.Helper()
	all, err := b.Ledger.Events(t.Context(), n, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, e := range all {
		if e.Type == kind {
			count++
		}
	}
	return count
}
