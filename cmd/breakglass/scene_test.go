package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/deploy"
	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/config"
	"github.com/breakglass-bot/breakglass/internal/forge"
	"github.com/breakglass-bot/breakglass/internal/identitycenter"
	"github.com/breakglass-bot/breakglass/internal/incidentio"
	"github.com/breakglass-bot/breakglass/internal/jira"
	"github.com/breakglass-bot/breakglass/internal/reconcile"
	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/slackapp"
	"github.com/breakglass-bot/breakglass/internal/workflow"
	"github.com/breakglass-bot/breakglass/migrations"
)

// scene is the program in this process, wired as serve wires it, with the
// stand-ins around it. Its clock is moved by the test alone, and so is its work:
// what is due is looked for and carried out by hand, one thing after the other.
// Several scenes may play in one database, each with its own changes.
type scene struct {
	*program
	ctx   context.Context //nolint:containedctx // it is the test's own
	world *sandbox.World
	at    atomic.Pointer[time.Time]
	clock *reconcile.Clock
	own   []change.Number // the changes of this scene
	marks *marks
	tries int // of deliveries and assignments, since the scene was opened

	deployments bool // a configuration change ends once it is deployed
}

// sceneStart is when a scene begins: on a Monday.
var sceneStart = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// scenes counts them, so that each has an instance of Identity Center for itself.
var scenes atomic.Int64

// sceneOptions says how a scene differs from the usual.
type sceneOptions struct {
	world   sandbox.Options
	timeout time.Duration // of each call outside; 0: as in production
	patient bool          // Slack's client repeats what is throttled, as in production
	start   time.Time     // zero: sceneStart

	deployments bool // as in scene
}

// scenePool makes a migrated database for any number of scenes.
func scenePool(t testing.TB) *pgxpool.Pool {
	t.Helper()
	url := databases.URL(t)
	if err := migrations.Up(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	c, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	c.MaxConns = 6
	pool, err := pgxpool.NewWithConfig(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// openScene sets a scene. close ends it.
func openScene(ctx context.Context, pool *pgxpool.Pool, opts sceneOptions) (s *scene, err error) {
	s = &scene{ctx: ctx, deployments: opts.deployments}
	s.setNow(sceneStart)
	if !opts.start.IsZero() {
		s.setNow(opts.start)
	}
	opts.world.Now = s.time
	opts.world.AWS.InstanceARN = fmt.Sprintf("arn:aws:sso:::instance/ssoins-%016x", scenes.Add(1))
	opts.world.AWS.CallsPerSecond = -1 // the clock stands still
	if s.world, err = sandbox.Start(ctx, opts.world); err != nil {
		return nil, err
	}
	s.marks = markSlack(s.world)
	cfg, err := s.config(pool)
	if err != nil {
		return nil, errors.Join(err, s.world.Close())
	}
	cfg.AWS.InstanceARN, cfg.Rules.InstanceARN = opts.world.AWS.InstanceARN, opts.world.AWS.InstanceARN
	s.program = &program{cfg: cfg, now: s.time, log: slog.New(slog.DiscardHandler), pool: pool}
	if s.systems, err = sceneSystems(ctx, cfg, s.time, opts); err == nil {
		err = s.wire()
	}
	if err != nil {
		return nil, errors.Join(err, s.world.Close())
	}
	s.workflow.Waker = nobody{}
	s.clock = &reconcile.Clock{Ledger: s.ledger, Workflow: s.workflow, Now: s.time, Log: s.log}
	return s, nil
}

// nobody is woken: a scene looks for what is due.
type nobody struct{}

func (nobody) Wake(context.Context, pgx.Tx, workflow.Wake) error { return nil }

// endsOn is the line of the example that says so, which it leaves to whoever wants it.
const endsOn = "ends_on: {environments: [production],"

func (s *scene) config(pool *pgxpool.Pool) (*config.Config, error) {
	example := deploy.Example
	if s.deployments {
		if example = bytes.Replace(example, []byte("# "+endsOn), []byte(endsOn), 1); bytes.Equal(example, deploy.Example) {
			return nil, fmt.Errorf("the example does not hold %q", endsOn)
		}
	}
	env := map[string]string{"DATABASE_URL": pool.Config().ConnString()}
	for _, pair := range s.world.Env() {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	look := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	read := func(string) ([]byte, error) { return s.world.Config(example, "127.0.0.1:0"), nil }
	return config.Load("breakglass.yaml", look, read)
}

// sceneSystems makes the clients as newSystems does, but for their patience: what
// they would repeat by themselves after a pause, the scene repeats by its clock.
func sceneSystems(ctx context.Context, cfg *config.Config, now func() time.Time, opts sceneOptions) (x systems, err error) {
	calls := &http.Client{Timeout: opts.timeout}
	if opts.patient {
		x.slack = slackapp.NewClient(cfg.Slack.APIURL, cfg.Secrets.SlackBotToken.Reveal(), calls)
	} else {
		x.slack = slack.New(cfg.Secrets.SlackBotToken.Reveal(), slack.OptionHTTPClient(calls), slack.OptionAPIURL(cfg.Slack.APIURL))
	}
	x.aws, err = identitycenter.New(ctx, identitycenter.Options{
		Region: cfg.AWS.Region, InstanceARN: cfg.AWS.InstanceARN, IdentityStoreID: cfg.AWS.IdentityStoreID, EndpointURL: cfg.AWS.EndpointURL,
		Credentials: credentials.NewStaticCredentialsProvider("sandbox", "sandbox", ""), ReadAttempts: 1, AttemptTimeout: opts.timeout,
	})
	if err != nil {
		return x, err
	}
	x.jira, err = jira.New(jira.Options{
		BaseURL: cfg.Jira.BaseURL, Email: cfg.Secrets.JiraEmail.Reveal(), Token: cfg.Secrets.JiraAPIToken.Reveal(),
		Project: cfg.Jira.Project, LinkProjects: cfg.Jira.LinkProjects, Now: now, Timeout: opts.timeout,
	})
	if err != nil {
		return x, err
	}
	x.incident, err = incidentio.New(incidentio.Options{
		BaseURL: cfg.IncidentIO.BaseURL, APIKey: cfg.Secrets.IncidentIOAPIKey.Reveal(), Now: now,
		MitigatedStatuses: cfg.IncidentIO.MitigatedStatuses, Timeout: opts.timeout,
	})
	if err != nil {
		return x, err
	}
	x.forge, err = forge.New(forge.Options{
		GitLabURL: cfg.GitLab.BaseURL, GitHubAPIURL: cfg.GitHub.APIURL, StatusURL: cfg.GitHub.StatusURL,
		GitLabToken: cfg.Secrets.GitLabToken.Reveal(), GitHubToken: cfg.Secrets.GitHubToken.Reveal(), Now: now, Timeout: opts.timeout,
	})
	return x, err
}

func (s *scene) close() error { return s.world.Close() }

func (s *scene) time() time.Time           { return *s.at.Load() }
func (s *scene) setNow(at time.Time)       { s.at.Store(&at) }
func (s *scene) later(by time.Duration)    { s.setNow(s.time().Add(by)) }
func (s *scene) mine(n change.Number) bool { return slices.Contains(s.own, n) }

// submit asks for a change in the name of somebody.
func (s *scene) submit(req change.Request, who change.PersonID) (change.Change, error) {
	kind, _ := s.cfg.Rules.Kind(req.Kind)
	draft := change.Change{Plan: change.Plan{Approvals: kind.Approvals, SelfApproval: kind.SelfApproval}, Self: &change.SelfApproved{}, Phase: change.Requested}
	actor, err := s.actor(who, slices.Concat(kind.Requesters, draft.GroupsOf(s.cfg.Rules)), false)
	if err != nil {
		return change.Change{}, err
	}
	c, err := s.workflow.Submit(s.ctx, req, actor)
	if err == nil {
		s.own = append(s.own, c.Number)
	}
	return c, err
}

// command gives a command in the name of somebody, who is looked up as the edge
// does it: live, and with less access never waiting for an answer.
func (s *scene) command(n change.Number, cmd change.Command, who change.PersonID) (change.Change, error) {
	c, err := s.ledger.Change(s.ctx, n)
	if err != nil {
		return c, err
	}
	less := false
	switch cmd.(type) {
	case change.Finish, change.Withdraw, change.EndNow:
		less = true
	}
	actor, err := s.actor(who, c.GroupsOf(s.cfg.Rules), less)
	if err != nil {
		return c, err
	}
	return s.workflow.Do(s.ctx, n, cmd, actor)
}

func (s *scene) actor(who change.PersonID, groups []change.GroupID, less bool) (change.Actor, error) {
	actor := change.Actor{ID: who, Standing: change.Member, Via: "slack", Groups: s.directory.Groups(s.ctx, groups)}
	p, err := s.directory.Person(s.ctx, who)
	switch {
	case err != nil && !less:
		return actor, &change.Refusal{Code: change.Unestablished, Say: "Who you are could not be looked up."}
	case err == nil:
		actor.Standing = p.Standing
	}
	return actor, nil
}

// tooMany bounds what is done without the clock moving: more of it is a defect.
const tooMany = 400

// work does what is due now, until nothing is.
func (s *scene) work() error {
	for range tooMany {
		now, err := s.due()
		if err == nil && now.any() {
			err = s.round(now)
		}
		if err != nil || !now.any() {
			return err
		}
	}
	return fmt.Errorf("at %s: it never comes to rest", s.time())
}

// dueNow says where anything is due. One look at all of it costs less than asking
// everybody, most of whom have nothing to do.
type dueNow struct {
	byTime  bool            // changes, of any scene in this database
	systems []change.System // that have deliveries of this scene to take
	access  bool            // assignments of this scene
}

func (d dueNow) any() bool { return d.byTime || d.access || len(d.systems) > 0 }

func (s *scene) due() (d dueNow, err error) {
	err = s.pool.QueryRow(s.ctx, `SELECT EXISTS (SELECT 1 FROM changes WHERE next_at <= $1),
			ARRAY(SELECT DISTINCT system FROM deliveries WHERE number = ANY ($2) AND GREATEST(next_try, lease_until) <= $1 AND next_try IS NOT NULL),
			EXISTS (SELECT 1 FROM assignments WHERE instance_arn = $3 AND GREATEST(next_try, lease_until) <= $1 AND next_try IS NOT NULL)`,
		s.time(), s.numbers(), s.cfg.AWS.InstanceARN).Scan(&d.byTime, &d.systems, &d.access)
	if err != nil {
		return d, fmt.Errorf("look for what is due: %w", err)
	}
	return d, nil
}

// round does everything that is due now, once.
func (s *scene) round(now dueNow) error {
	if now.byTime {
		if _, err := s.tick(); err != nil {
			return err
		}
	}
	for _, system := range now.systems {
		due, err := s.ledger.DueWork(s.ctx, system, s.time(), 100)
		if err != nil {
			return err
		}
		for _, w := range due {
			if !s.mine(w.Number) {
				continue
			}
			s.tries++
			if err := s.deliverer.Work(s.ctx, w); err != nil {
				return fmt.Errorf("deliver %v: %w", w, err)
			}
		}
	}
	if !now.access {
		return nil
	}
	ids, err := s.dueAssignments()
	for _, id := range ids {
		s.tries++
		if err := s.access.Work(s.ctx, id); err != nil {
			return fmt.Errorf("assignment %d: %w", id, err)
		}
	}
	return err
}

// tick lets happen what is due by time alone.
func (s *scene) tick() (bool, error) {
	n, err := s.clock.Tick(s.ctx)
	return n > 0, err
}

func (s *scene) dueAssignments() ([]int64, error) {
	due, err := s.access.Due(s.ctx, 100)
	if err != nil || len(due) == 0 {
		return nil, err
	}
	rows, err := s.pool.Query(s.ctx, `SELECT id FROM assignments WHERE id = ANY ($1) AND instance_arn = $2 ORDER BY array_position($1, id)`, due, s.cfg.AWS.InstanceARN)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}

// numbers are those of the changes of this scene.
func (s *scene) numbers() []int64 {
	all := make([]int64, len(s.own))
	for i, n := range s.own {
		all[i] = int64(n)
	}
	return all
}

// next is when anything of this scene is due; zero: never.
func (s *scene) next() (time.Time, error) {
	var at *time.Time
	err := s.pool.QueryRow(s.ctx, `SELECT min(at) FROM (
			SELECT next_at AS at FROM changes WHERE number = ANY ($1)
			UNION ALL SELECT GREATEST(next_try, lease_until) FROM deliveries WHERE next_try IS NOT NULL AND number = ANY ($1)
			UNION ALL SELECT GREATEST(next_try, lease_until) FROM assignments WHERE next_try IS NOT NULL AND instance_arn = $2
		) due`, s.numbers(), s.cfg.AWS.InstanceARN).Scan(&at)
	if err != nil || at == nil {
		return time.Time{}, err
	}
	return *at, nil
}

// run lets time pass: at each moment at which something is due it is done, but at
// so many moments at most; then the program is as if it were down until the end.
func (s *scene) run(by time.Duration, moments int) (whole bool, err error) {
	until := s.time().Add(by)
	for range moments {
		if err := s.work(); err != nil {
			return false, err
		}
		at, err := s.next()
		if err != nil {
			return false, err
		}
		if at.IsZero() || at.After(until) {
			s.setNow(until)
			return true, s.work()
		}
		if at.After(s.time()) {
			s.setNow(at)
		}
	}
	if s.time().Before(until) {
		s.setNow(until)
	}
	return false, s.work()
}
