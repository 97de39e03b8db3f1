package slackapp_test

import (
	"errors"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

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
	door := httptest.NewUnstartedServer(mux)
	door.Config.ErrorLog = log.New(io.Discard, "", 0) // some handlers panic on purpose
	door.Start()
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

func asFormError(err error) (*slack.FormError, bool) { return errors.AsType[*slack.FormError](err) }

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
