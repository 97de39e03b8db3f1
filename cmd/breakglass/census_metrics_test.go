package main

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/migrations"
)

// measured gathers the metrics by name and label.
func measured(t *testing.T, c prometheus.Collector) map[string]float64 {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(c)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := strings.TrimPrefix(f.GetName(), "breakglass_census_")
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			got[name] = m.GetGauge().GetValue()
		}
	}
	return got
}

func TestTheCensusIsMeasured(t *testing.T) {
	t.Parallel()
	url := databases.URL(t)
	if err := migrations.Up(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	metrics := newCensusMetrics(ledger.New(pool), slog.New(slog.DiscardHandler))
	if got := measured(t, metrics); len(got) != 4 || got["findings unasked"] != 0 || got["round_pairs"] != 0 {
		t.Errorf("before the first round: %v", got)
	}
	began := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for _, sql := range []string{
		`INSERT INTO census (instance_arn, began_at, pairs, last_began_at, last_ended_at, last_pairs, last_skipped, next_try)
			VALUES ('arn:instance', $1::TIMESTAMPTZ + '6h', 7, $1, $1::TIMESTAMPTZ + '90s', 40, 3, $1)`,
		`INSERT INTO census_findings (kind, instance_arn, account_id, permission_set_arn, user_id, state, outcome, first_seen_at, last_seen_at)
			SELECT 'unasked', 'arn:instance', '1', 'arn:admin', s, s, CASE WHEN s = 'closed' THEN 'gone' ELSE '' END, $1, $1
			FROM unnest(ARRAY['suspected', 'open', 'standing', 'ending', 'closed', 'dismissed']) s`,
	} {
		if _, err := pool.Exec(t.Context(), sql, began); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]float64{
		"findings unasked": 2, "findings left": 0, "findings vanished": 0, "round_pairs": 7, "pairs": 40, "skipped": 3, "round_seconds": 90,
		"round_ended_seconds": float64(began.Add(90 * time.Second).Unix()),
	}
	got := measured(t, metrics)
	for name, n := range want {
		if got[name] != n {
			t.Errorf("%s is %v, want %v", name, got[name], n)
		}
	}
}
