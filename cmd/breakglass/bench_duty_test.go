//go:build bench

package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/breakglass-bot/breakglass/deploy"
	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/config"
	"github.com/breakglass-bot/breakglass/internal/embeddedpg"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/aws"
	"github.com/breakglass-bot/breakglass/internal/wake"
	"github.com/breakglass-bot/breakglass/internal/workflow"
	"github.com/breakglass-bot/breakglass/migrations"
)

// dutyStage is a stage with a durable Postgres on which grants are put into the ledger as
// the program would, so that they fall due when the benchmark says. Every grant is
// in an account of its own: AWS does one thing at a time in each.
type dutyStage struct {
	*stage
	t    *testing.T
	pool *pgxpool.Pool
	cfg  *config.Config
	jobs *wake.Queue
}

// plain is the program as it is delivered.
var plain = build{name: "plain"}

// dutyLag is how long AWS works on an operation.
const dutyLag = 2 * time.Second

func openDuty(ctx context.Context, t *testing.T, limited bool, accounts, censusPairs int) *dutyStage {
	t.Helper()
	d := &dutyStage{t: t}
	binary(t, plain) // not while something falls due
	server, err := embeddedpg.Start(ctx, embeddedpg.Options{Durable: true})
	d.must(err)
	t.Cleanup(func() { d.must(server.Stop()) })
	world := sandbox.Options{AWS: aws.Options{SettleAfter: dutyLag, PageSize: 100, OneUpdatePerAccount: true, Record: true}}
	template := deploy.Example
	if !limited {
		world.AWS.CallsPerSecond, world.AWS.OutstandingCreates = -1, -1
		template = bytes.Replace(template, []byte("calls_per_second: 20"), []byte("calls_per_second: 0"), 1)
	}
	if censusPairs > 0 {
		template = bytes.Replace(template, []byte("\nreasons: "), []byte(censusTargets(censusPairs)+"\nreasons: "), 1)
	}
	d.stage, err = openStage(ctx, stageOptions{world: world, databaseURL: server.URL("postgres"), say: t.Logf, empty: true, template: template})
	d.must(err)
	t.Cleanup(func() { d.must(d.close()) })
	d.must(migrations.Up(ctx, d.dbURL))
	pools, err := pgxpool.ParseConfig(d.dbURL)
	d.must(err)
	pools.MaxConns = 10
	d.pool, err = pgxpool.NewWithConfig(ctx, pools)
	d.must(err)
	t.Cleanup(d.pool.Close)
	for i := range accounts {
		d.world.AWS.AddAccount(dutyAccount(i))
	}
	for i := range censusPairs {
		d.world.AWS.AddAccount(censusAccount(i))
	}
	s := &scene{world: d.world}
	d.cfg, err = s.config(d.pool)
	d.must(err)
	d.cfg.Rules.Targets = nil
	for i := range accounts {
		d.cfg.Rules.Targets = append(d.cfg.Rules.Targets, change.Target{
			ID: change.TargetID(dutyAccount(i)), Name: dutyAccount(i), AccountID: dutyAccount(i),
			PermissionSets: []change.PermissionSet{{ID: "admin", Name: "BreakGlassAdmin", ARN: sandbox.AdminSet, MaxDuration: 4 * time.Hour}},
		})
	}
	d.jobs, err = wake.New(wake.Options{Pool: d.pool, Schema: migrations.RiverSchema, Log: slog.New(slog.DiscardHandler)}, func() wake.Jobs { return wake.Jobs{} })
	d.must(err)
	return d
}

func dutyAccount(i int) string   { return fmt.Sprintf("7%011d", i) }
func censusAccount(i int) string { return fmt.Sprintf("8%011d", i) }

// censusTargets are more targets, as the configuration has them.
func censusTargets(n int) string {
	var out strings.Builder
	for i := range n {
		fmt.Fprintf(&out, "  - id: c%d\n    name: C%d\n    account_id: %q\n    permission_sets:\n      - {id: admin, name: BreakGlassAdmin, arn: %q, max_duration: 1h}\n",
			i, i, censusAccount(i), sandbox.AdminSet)
	}
	return out.String()
}

func (d *dutyStage) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// at is the workflow at a moment. Unless it wakes, the program hears nothing of it.
func (d *dutyStage) at(now func() time.Time, wakes bool) *workflow.Workflow {
	w := &workflow.Workflow{Ledger: ledger.New(d.pool), Rules: d.cfg.Rules, Waker: nobody{}, Now: now, Log: slog.New(slog.DiscardHandler)}
	if wakes {
		w.Waker = waker{d.jobs}
	}
	return w
}

// dutyGroups makes everybody an engineer, and one the CTO.
var dutyGroups = change.GroupView{
	"engineers": {Known: true, Everyone: true}, "cto": {Known: true, People: []change.PersonID{sandbox.CTO}},
	"deputies": {Known: true, People: []change.PersonID{sandbox.Deputy}},
}

func dutyActor(id change.PersonID) change.Actor {
	return change.Actor{ID: id, Standing: change.Member, Groups: dutyGroups, Via: "slack"}
}

// asked puts a request for an hour in the i-th account into the ledger.
func (d *dutyStage) asked(ctx context.Context, w *workflow.Workflow, i int) (change.Number, error) {
	c, err := w.Submit(ctx, change.Request{
		Kind: "production-access", Reason: "platform-unrecoverable", What: "Restart the queue", Why: "Orders stand still",
		Target: change.TargetID(dutyAccount(i)), PermissionSet: "admin", Duration: time.Hour, Choice: change.TicketLater,
		AWSUser: &change.AWSUser{ID: sandbox.AWSUser(sandbox.Engineer)},
	}, dutyActor(sandbox.Engineer))
	return c.Number, err
}

// grant puts accesses that are there and that end at their moments into the ledger
// and into AWS, in the accounts from first on.
func (d *dutyStage) grant(ctx context.Context, first int, ends []time.Time) {
	d.t.Helper()
	var all errgroup.Group
	all.SetLimit(8)
	for i, end := range ends {
		all.Go(func() error {
			now := end.Add(-time.Hour)
			w := d.at(func() time.Time { return now }, false)
			n, err := d.asked(ctx, w, first+i)
			if err != nil {
				return err
			}
			if _, err := w.Do(ctx, n, change.Approve{Ask: 1}, dutyActor(sandbox.CTO)); err != nil {
				return err
			}
			for _, cmd := range []change.Command{change.IntendAccess{}, change.AccessVerified{}} {
				if _, err := w.Do(ctx, n, cmd, change.Itself("aws")); err != nil {
					return err
				}
			}
			now = end.Add(-5 * time.Minute) // the warning before the end is over
			_, err = w.Do(ctx, n, change.Tick{}, change.Itself("clock"))
			return err
		})
		d.world.AWS.Plant(d.key(first + i))
	}
	d.must(all.Wait())
	d.done(ctx)
}

// done lets the program find nothing to do: what was to be said has been said.
func (d *dutyStage) done(ctx context.Context) {
	d.t.Helper()
	for _, sql := range []string{
		`UPDATE assignments a SET standing = 'ours', seen_at = now(), looked_at = now(),
			next_try = (SELECT min(until) FROM grants WHERE assignment_id = a.id AND wanted) WHERE standing = ''`,
		`UPDATE deliveries SET state = 'done', done = wanted, next_try = NULL`,
		`VACUUM ANALYZE`,
	} {
		_, err := d.pool.Exec(ctx, sql)
		d.must(err)
	}
}

func (d *dutyStage) key(i int) aws.Key {
	k := sandbox.AdminOf(sandbox.Engineer)
	k.AccountID = dutyAccount(i)
	return k
}

// serve starts the program at a moment of the stage's clock.
func (d *dutyStage) serve(ctx context.Context, at time.Time) {
	d.t.Helper()
	d.must(d.moveTo(time.Until(at)))
	c, err := startProgram(ctx, binary(d.t, plain), filepath.Join(d.folder, "program.log"), append(d.world.Env(), "DATABASE_URL="+d.dbURL),
		"serve", "--stop-with-stdin", "--config", d.configFile(), "--clock-offset-file", d.clockFile())
	d.must(err)
	d.mu.Lock()
	d.child = c
	d.mu.Unlock()
	d.world.Slack.SetAppURL("http://" + c.address)
}

// deletes waits until so many deletes were accepted, and answers when each first was.
func (d *dutyStage) deletes(ctx context.Context, n int, within time.Duration) map[string]time.Time {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	first := map[string]time.Time{}
	for {
		for _, c := range d.world.AWS.History() {
			if _, known := first[c.Key.AccountID]; c.Operation == "DeleteAccountAssignment" && c.Refused == "" && !known {
				first[c.Key.AccountID] = c.At
			}
		}
		if len(first) >= n {
			return first
		}
		select {
		case <-ctx.Done():
			d.t.Fatalf("%d of %d deletes were asked for within %s", len(first), n, within)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// ranked is a quantile of sorted times.
func ranked(all []time.Duration, q float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	return all[min(len(all)-1, int(q*float64(len(all))))]
}

func short(d time.Duration) string { return d.Round(time.Millisecond).String() }

func spread(all []time.Duration) string {
	slices.Sort(all)
	return fmt.Sprintf("p50 %s, p99 %s, last %s", short(ranked(all, 0.5)), short(ranked(all, 0.99)), short(all[len(all)-1]))
}

// figures of the calls that AWS heard in a span, by operation.
func dutyCalls(all []aws.Heard, from, to time.Time) (counts map[string]int, throttled, sum int) {
	counts = map[string]int{}
	for _, h := range all {
		if h.At.Before(from) || h.At.After(to) {
			continue
		}
		sum++
		counts[h.Operation]++
		if h.Throttled {
			throttled++
		}
	}
	return counts, throttled, sum
}
