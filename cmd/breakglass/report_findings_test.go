package main

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/migrations"
)

func TestAFindingDoesNotTellWhereAConfidentialChangeHadAccess(t *testing.T) {
	url := databases.URL(t)
	if err := migrations.Up(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	c := openCircle(t, url, t.TempDir(), noMergeRequest[:4]...)
	made, err := c.p.workflow.Submit(t.Context(), change.Request{
		Kind: "security-release", Reason: "critical-vulnerability", What: "x", Why: "y", Choice: change.TicketLater,
	}, c.as(sandbox.Engineer, nil))
	if err != nil {
		t.Fatal(err)
	}
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	for _, kind := range []change.FindingKind{change.FindingUnasked, change.FindingLeft} {
		if _, err := pool.Exec(t.Context(), `INSERT INTO census_findings (kind, instance_arn, account_id, permission_set_arn, user_id, state, outcome, first_seen_at, last_seen_at, told_at, number)
			VALUES ($1, 'arn', '111122223333', 'set', $1, 'open', '', $2, $2, $2, $3)`, string(kind), c.now(), int64(made.Number)); err != nil {
			t.Fatal(err)
		}
	}
	for _, cleared := range []bool{false, true} {
		found, err := findingsSince(t.Context(), ledger.New(pool), c.now().Add(-time.Hour), cleared)
		if err != nil || len(found) != 2 {
			t.Fatalf("%d findings: %v", len(found), err)
		}
		for _, f := range found {
			if both := f.Number != 0 && f.Key.AccountID != ""; both != cleared {
				t.Errorf("cleared %t: %s of %s in %q", cleared, f.Kind, f.Number, f.Key.AccountID)
			}
		}
	}
}
