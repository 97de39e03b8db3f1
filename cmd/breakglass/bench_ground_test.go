//go:build bench

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/breakglass-bot/breakglass/deploy"
	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/config"
	"github.com/breakglass-bot/breakglass/internal/embeddedpg"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/aws"
	"github.com/breakglass-bot/breakglass/internal/slackapp"
	"github.com/breakglass-bot/breakglass/internal/workflow"
	"github.com/breakglass-bot/breakglass/migrations"
)

// preparedChanges is how many changes wait for the CTO in each copy of the
// prepared database: as many as the longest measurement approves.
const preparedChanges = 3300

// firstPrepared is the number of the first of them: all have as many digits.
const firstPrepared = 6_000_001

// ground is where clicks are measured: a durable Postgres with a database in
// which many changes wait for their approval, and a world that they are told in.
type ground struct {
	server *embeddedpg.Server
	world  *sandbox.World
	folder string
	sample recorded
	secret string
	bodies []string // the payload of the click on each change, in the form it is sent in
	copies int
}

// newGround makes everything. It ends with the test.
func newGround(ctx context.Context, t *testing.T) *ground {
	t.Helper()
	g := &ground{folder: t.TempDir()}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	g.server, err = embeddedpg.Start(ctx, embeddedpg.Options{
		Durable: true, Mirror: os.Getenv("BREAKGLASS_POSTGRES_MIRROR"), Settings: map[string]string{"max_connections": "200"},
	})
	must(err)
	t.Cleanup(func() {
		if err := g.server.Stop(); err != nil {
			t.Error(err)
		}
	})
	must(g.execute(ctx, "postgres", "CREATE DATABASE sample"))
	g.sample, err = record(ctx, t, g.server.URL("sample"))
	must(err)
	g.world, err = sandbox.Start(ctx, sandbox.Options{Now: time.Now})
	must(err)
	t.Cleanup(func() {
		if err := g.world.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, v := range g.world.Env() {
		if secret, found := strings.CutPrefix(v, "SLACK_SIGNING_SECRET="); found {
			g.secret = secret
		}
	}
	must(os.WriteFile(g.configFile(), g.world.Config(deploy.Example, "127.0.0.1:0"), 0o600))
	must(g.prepare(ctx))
	return g
}

func (g *ground) configFile() string { return filepath.Join(g.folder, "breakglass.yaml") }

// execute runs statements on one of the server's databases.
func (g *ground) execute(ctx context.Context, database string, statements ...string) error {
	conn, err := pgx.Connect(ctx, g.server.URL(database))
	if err != nil {
		return err
	}
	for _, sql := range statements {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return errors.Join(fmt.Errorf("%.80s: %w", sql, err), conn.Close(ctx))
		}
	}
	return conn.Close(ctx)
}

// configuration reads the ground's configuration.
func (g *ground) configuration() (*config.Config, error) {
	env := map[string]string{"DATABASE_URL": g.server.URL("prepared")}
	for _, v := range g.world.Env() {
		name, value, _ := strings.Cut(v, "=")
		env[name] = value
	}
	return config.Load(g.configFile(), func(name string) (string, bool) { v, ok := env[name]; return v, ok }, os.ReadFile)
}

// silent wakes nobody.
type silent struct{}

// Wake implements workflow.Waker.
func (silent) Wake(context.Context, pgx.Tx, workflow.Wake) error { return nil }

// prepare fills the database: each change asked for by the ledger's own ways, by
// somebody with an AWS user of their own, and its messages posted in the world.
func (g *ground) prepare(ctx context.Context) error {
	if err := g.execute(ctx, "postgres", "CREATE DATABASE prepared"); err != nil {
		return err
	}
	at := g.server.URL("prepared")
	if err := migrations.Up(ctx, at); err != nil {
		return err
	}
	cfg, err := g.configuration()
	if err != nil {
		return err
	}
	c, err := pgxpool.ParseConfig(at)
	if err != nil {
		return err
	}
	c.ConnConfig.RuntimeParams["synchronous_commit"] = "off"
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return err
	}
	defer pool.Close()
	if _, err := pool.Exec(ctx, `UPDATE numbers SET last = $1 WHERE name = 'change'`, firstPrepared-1); err != nil {
		return err
	}
	w := &workflow.Workflow{Ledger: ledger.New(pool), Rules: cfg.Rules, Waker: silent{}, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	for range preparedChanges {
		if err := g.ask(ctx, w); err != nil {
			return err
		}
	}
	if err := g.announce(ctx, cfg, pool); err != nil {
		return err
	}
	_, err = pool.Exec(ctx, `VACUUM ANALYZE`)
	return err
}

// ask has one change asked for.
func (g *ground) ask(ctx context.Context, w *workflow.Workflow) error {
	number := firstPrepared + len(g.bodies)
	user := strings.ReplaceAll(sampleUser, sampleNumber, strconv.Itoa(number))
	g.world.AWS.AddUser(aws.User{ID: user, UserName: "bench-" + strconv.Itoa(number), Email: "bench-" + strconv.Itoa(number) + "@example.com"})
	_, err := w.Submit(ctx, change.Request{
		Kind: "production-access", Reason: "platform-unrecoverable", What: "Restart the stuck message queue by hand", Why: "Orders are not being processed",
		Choice: change.TicketLater, Target: "production", PermissionSet: "admin", Duration: 30 * time.Minute, AWSUser: &change.AWSUser{ID: user},
	}, change.Actor{ID: sandbox.Engineer, Standing: change.Member, Via: "slack", Groups: change.GroupView{
		"cto": {Known: true, People: []change.PersonID{sandbox.CTO}}, "deputies": {Known: true, People: []change.PersonID{sandbox.Deputy}}, "engineers": {Known: true, Everyone: true},
	}})
	g.bodies = append(g.bodies, "")
	return err
}

// announce posts the messages of every change, and writes down that nothing is
// left to deliver.
func (g *ground) announce(ctx context.Context, cfg *config.Config, pool *pgxpool.Pool) error {
	client := slackapp.NewClient(cfg.Slack.APIURL, cfg.Secrets.SlackBotToken.Reveal(), newLoad("", "").client)
	direct, _, err := client.PostMessageContext(ctx, sandbox.CTO, slackText("Good morning"))
	if err != nil {
		return err
	}
	g.sample.moveTo(direct)
	var all errgroup.Group
	all.SetLimit(8)
	for i := range g.bodies {
		all.Go(func() error {
			number := firstPrepared + i
			_, card, err := client.PostMessageContext(ctx, sandbox.Channel, slackText("The card of EC-"+strconv.Itoa(number)))
			if err != nil {
				return err
			}
			_, ask, err := client.PostMessageContext(ctx, g.sample.channel, slackText("EC-"+strconv.Itoa(number)+" asks for you"))
			if err != nil {
				return err
			}
			if _, err := pool.Exec(ctx, `INSERT INTO deliveries (number, kind, key, system, mode, recipient, ref, wanted) VALUES ($1, 'ask', $2, 'slack', 'converge', $3, $4, 1)`,
				number, g.sample.askKey, sandbox.CTO, g.sample.askRef); err != nil {
				return err
			}
			if _, err := pool.Exec(ctx, `UPDATE deliveries SET state = 'done', done = wanted, next_try = NULL, intended_at = $2,
				external_id = CASE kind WHEN 'ask' THEN $3 WHEN 'card' THEN $4 ELSE '-' END WHERE number = $1`,
				number, time.Now(), g.sample.channel+":"+ask, sandbox.Channel+":"+card); err != nil {
				return err
			}
			payload := strings.NewReplacer(sampleNumber, strconv.Itoa(number), sampleTS, ask).Replace(g.sample.payload)
			g.bodies[i] = url.Values{"payload": {payload}}.Encode()
			return nil
		})
	}
	return all.Wait()
}

// copied makes a copy of the prepared database, and answers its name.
func (g *ground) copied(ctx context.Context) (string, error) {
	g.copies++
	name := "copy_" + strconv.Itoa(g.copies)
	if err := g.execute(ctx, "postgres", "CREATE DATABASE "+name+" TEMPLATE prepared"); err != nil {
		return "", err
	}
	return name, g.execute(ctx, name, "CHECKPOINT")
}

// drop drops a copy.
func (g *ground) drop(ctx context.Context, name string) error {
	return g.execute(context.WithoutCancel(ctx), "postgres", "DROP DATABASE "+name+" WITH (FORCE)")
}

// program is one of the programs that are compared.
type contender struct {
	name string
	as   string // BENCH_AS; empty: the ordinary build
}

// start starts a contender on a database.
func (g *ground) start(ctx context.Context, t *testing.T, c contender, database string, more ...string) (*child, error) {
	env := append(g.world.Env(), "DATABASE_URL="+g.server.URL(database))
	env = append(env, more...)
	log := filepath.Join(g.folder, c.name+".log")
	if c.as == "" {
		if os.Getenv("BENCH_PROFILE") != "" {
			return startChild(ctx, log, append(env, "BENCH_AS="+asServe), "serve", "--config", g.configFile(), "--stop-with-stdin")
		}
		return startProgram(ctx, binary(t, build{name: "ordinary"}), log, env, "serve", "--config", g.configFile(), "--stop-with-stdin")
	}
	return startChild(ctx, log, append(env, "BENCH_AS="+c.as), g.configFile(), filepath.Join(g.folder, "click.json"))
}
