package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/config"
	"github.com/breakglass-bot/breakglass/internal/directory"
	"github.com/breakglass-bot/breakglass/internal/forge"
	"github.com/breakglass-bot/breakglass/internal/httpserver"
	"github.com/breakglass-bot/breakglass/internal/identitycenter"
	"github.com/breakglass-bot/breakglass/internal/incidentio"
	"github.com/breakglass-bot/breakglass/internal/jira"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/reconcile"
	"github.com/breakglass-bot/breakglass/internal/slackapp"
	"github.com/breakglass-bot/breakglass/internal/wake"
	"github.com/breakglass-bot/breakglass/internal/workflow"
	"github.com/breakglass-bot/breakglass/migrations"
)

// program is breakglass as it serves: every part, wired.
type program struct {
	cfg  *config.Config
	now  func() time.Time
	log  *slog.Logger
	pool *pgxpool.Pool

	ledger    *ledger.Ledger
	workflow  *workflow.Workflow
	directory *directory.Directory
	systems   systems
	app       *slackapp.App
	deliverer *reconcile.Deliverer
	access    *reconcile.Access // nil where no access is granted through AWS
	census    *reconcile.Census // likewise
	clock     *reconcile.Clock
	queue     *wake.Queue
	ticker    *wake.Ticker
	server    *httpserver.Server

	broken      chan error // a part that must not end has ended
	stopSocket  context.CancelFunc
	socketEnded chan struct{} // closed once nothing of it is in hand any more
}

// systems are the clients of what breakglass talks to. Those that the
// configuration has no section for are nil.
type systems struct {
	slack    *slack.Client
	aws      *identitycenter.Client
	calls    *identitycenter.Budget // of aws
	jira     *jira.Client
	incident *incidentio.Client
	forge    *forge.Client // always there: without a forge, addresses are kept as text
}

// slackTimeout bounds every call of Slack's Web API.
const slackTimeout = 10 * time.Second

// slackConnections is how many connections to Slack stay open while nothing is
// asked. Of the two that are usual, all but two of the clicks that come at once
// would each open another, and close it again.
const slackConnections = 32

// slackClient is what Slack's Web API is called with.
func slackClient() *http.Client {
	c := &http.Client{Timeout: slackTimeout, Transport: http.DefaultTransport}
	if standard, is := http.DefaultTransport.(*http.Transport); is { // it is another in a build with points
		own := standard.Clone()
		own.MaxIdleConnsPerHost = slackConnections
		c.Transport = own
	}
	return c
}

func newProgram(ctx context.Context, cfg *config.Config, now func() time.Time, log *slog.Logger) (*program, error) {
	outsidePoints()
	p := &program{cfg: cfg, now: now, log: log, broken: make(chan error, 1)}
	var err error
	if p.systems, err = newSystems(ctx, cfg, now); err != nil {
		return nil, err
	}
	if p.pool, err = openPool(ctx, cfg.Secrets.DatabaseURL); err != nil {
		return nil, err
	}
	if err := p.wire(); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func newSystems(ctx context.Context, cfg *config.Config, now func() time.Time) (systems, error) {
	var s systems
	var err error
	var more []slack.Option
	if token := cfg.Secrets.SlackAppToken; token != "" {
		more = append(more, slack.OptionAppLevelToken(token.Reveal()))
	}
	s.slack = slackapp.NewClient(cfg.Slack.APIURL, cfg.Secrets.SlackBotToken.Reveal(), slackClient(), more...)
	if a := cfg.AWS; a != nil {
		s.calls = identitycenter.NewBudget(identitycenter.BudgetOptions{PerSecond: a.CallsPerSecond, Now: now})
		s.aws, err = identitycenter.New(ctx, identitycenter.Options{
			Region: a.Region, InstanceARN: a.InstanceARN, IdentityStoreID: a.IdentityStoreID, EndpointURL: a.EndpointURL, HTTPClient: awsPoints(), Budget: s.calls,
		})
		if err != nil {
			return s, err
		}
	}
	if j := cfg.Jira; j != nil {
		s.jira, err = jira.New(jira.Options{
			BaseURL: j.BaseURL, Email: cfg.Secrets.JiraEmail.Reveal(), Token: cfg.Secrets.JiraAPIToken.Reveal(),
			Project: j.Project, LinkProjects: j.LinkProjects, Now: now,
		})
		if err != nil {
			return s, err
		}
	}
	if i := cfg.IncidentIO; i != nil {
		s.incident, err = incidentio.New(incidentio.Options{
			BaseURL: i.BaseURL, APIKey: cfg.Secrets.IncidentIOAPIKey.Reveal(), Now: now, MitigatedStatuses: i.MitigatedStatuses,
		})
		if err != nil {
			return s, err
		}
	}
	s.forge, err = newForge(cfg, now)
	return s, err
}

// poolConnections is how many connections one replica keeps at most, unless the
// database's address says otherwise with pool_max_conns.
const poolConnections = 16

func openPool(ctx context.Context, url config.Secret) (*pgxpool.Pool, error) {
	c, err := poolConfig(url)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	return pool, nil
}

func poolConfig(url config.Secret) (*pgxpool.Config, error) {
	c, err := pgxpool.ParseConfig(url.Reveal())
	if err != nil {
		return nil, errors.New("DATABASE_URL is not the address of a Postgres database, such as postgres://user@host/name") // the error would show it
	}
	if !strings.Contains(url.Reveal(), "pool_max_conns") {
		c.MaxConns = poolConnections
	}
	c.ConnConfig.RuntimeParams["application_name"] = "breakglass"
	c.ConnConfig.RuntimeParams["statement_timeout"] = statementTimeout
	c.ConnConfig.DialFunc = dialDatabase
	tracePoints(c)
	ledger.Patience(c, answerWithin)
	c.ConnConfig.RuntimeParams["idle_in_transaction_session_timeout"] = "60000"
	return c, nil
}

// wire makes the parts of each other.
func (p *program) wire() error {
	p.ledger = ledger.New(p.pool)
	queue, err := wake.New(wake.Options{Pool: p.pool, Schema: migrations.RiverSchema, Log: p.log}, p.jobs)
	if err != nil {
		return err
	}
	p.queue = queue
	p.workflow = &workflow.Workflow{Ledger: p.ledger, Rules: p.cfg.Rules, Waker: waker{queue}, Now: p.now, Log: p.log}
	workspace := slackapp.Workspace{Client: p.systems.slack, TeamID: p.cfg.Slack.TeamID}
	var schedules directory.Schedules
	if p.systems.incident != nil {
		schedules = p.systems.incident
	}
	p.directory = directory.New(workspace, schedules, p.cfg.Rules.Groups, p.now, p.log)
	p.wireReconcilers()
	p.wireSlack()
	p.deliverer.GiveWay = p.app.GiveWay
	p.clock = &reconcile.Clock{Ledger: p.ledger, Workflow: p.workflow, Now: p.now, Digests: p.cfg.Slack.AuditChannel != "", Log: p.log}
	if p.access != nil {
		p.clock.Revokes = p.access.RevokesDue
	}
	p.ticker = &wake.Ticker{
		Ledger: p.ledger, Jobs: p.jobs(), Now: p.now, Log: p.log, Every: tickPoints(),
		Clock: p.clock.Tick,
		Seal:  (&reconcile.Sealer{Ledger: p.ledger, Now: p.now, Post: p.cfg.Slack.AuditChannel != ""}).Seal,
	}
	if p.census != nil {
		p.ticker.Census = p.census.Work
	}
	if p.access != nil {
		p.ticker.Lanes = p.lanes()
	}
	return p.wireServer()
}

// waker puts the workflow's wake-ups into the queue.
type waker struct{ queue *wake.Queue }

// Wake implements workflow.Waker.
func (w waker) Wake(ctx context.Context, tx pgx.Tx, wake workflow.Wake) error {
	return w.queue.Insert(ctx, tx, wake.Work, wake.Assignment)
}

// jobs are what River and the ticker start.
func (p *program) jobs() wake.Jobs {
	j := wake.Jobs{Deliver: func(ctx context.Context, w ledger.Work) error {
		p.clock.GiveWay(ctx)
		return p.deliverer.Work(ctx, w)
	}}
	if p.access != nil {
		j.Assign, j.Kick = p.access.Work, p.kick
	}
	return j
}

// nonce marks a claim.
func nonce() string { return claimMark() + rand.Text() }

// start begins to work and to listen.
func (p *program) start(ctx context.Context) error {
	background := context.WithoutCancel(ctx) // work in hand ends with stop, not with the signal
	if err := p.queue.Start(background); err != nil {
		return err
	}
	p.ticker.Start(background)
	if p.cfg.Slack.Mode == config.SlackOverSocket {
		var socket context.Context
		socket, p.stopSocket = context.WithCancel(background)
		p.socketEnded = make(chan struct{})
		p.app.ExpectSocket() // before anybody can ask whether we are ready
		go func() {
			defer close(p.socketEnded)
			if err := p.app.RunSocket(socket, p.systems.slack); err != nil {
				p.broken <- err
			}
		}()
	}
	return p.server.Start(background)
}

// stop finishes what is in hand, until ctx ends: first what comes in, then what goes
// out. Each part may use those that end after it.
func (p *program) stop(ctx context.Context) error {
	if p.stopSocket != nil {
		p.stopSocket()
		select {
		case <-p.socketEnded:
		case <-ctx.Done():
		}
	}
	err := p.server.Stop(ctx)
	until(ctx, p.app.Wait)
	until(ctx, p.ticker.Stop)
	return errors.Join(err, p.queue.Stop(ctx))
}

// until does something that takes no context, and waits for it until ctx ends.
func until(ctx context.Context, do func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

func (p *program) close() { p.pool.Close() }
