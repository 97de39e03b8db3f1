package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// censusMetrics tells how far the census has come, each time it is asked.
type censusMetrics struct {
	ledger   *ledger.Ledger
	log      *slog.Logger
	pairs    *prometheus.Desc
	skipped  *prometheus.Desc
	done     *prometheus.Desc
	took     *prometheus.Desc
	ended    *prometheus.Desc
	findings *prometheus.Desc
}

func newCensusMetrics(l *ledger.Ledger, log *slog.Logger) *censusMetrics {
	return &censusMetrics{
		ledger: l, log: log,
		pairs:    prometheus.NewDesc("breakglass_census_pairs", "Pairs of account and permission set that the last full round of the census was about.", nil, nil),
		skipped:  prometheus.NewDesc("breakglass_census_skipped", "Pairs of the last full round that AWS did not let the census look at.", nil, nil),
		done:     prometheus.NewDesc("breakglass_census_round_pairs", "Pairs that the round of the census under way is done with; 0 between rounds.", nil, nil),
		took:     prometheus.NewDesc("breakglass_census_round_seconds", "How long the last full round of the census took.", nil, nil),
		ended:    prometheus.NewDesc("breakglass_census_round_ended_seconds", "When the last full round of the census ended, as Unix time.", nil, nil),
		findings: prometheus.NewDesc("breakglass_census_findings", "Findings of the census that were told and have not been closed or marked as standing, by kind.", []string{"kind"}, nil),
	}
}

// Describe implements prometheus.Collector.
func (c *censusMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.pairs, c.skipped, c.done, c.took, c.ended, c.findings} {
		out <- d
	}
}

// Collect implements prometheus.Collector. Before the first full round it tells of
// none.
func (c *censusMetrics) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	f, err := c.ledger.CensusFigures(ctx)
	if err != nil {
		c.log.WarnContext(ctx, "the census could not be measured", "error", err)
		return
	}
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	gauge(c.done, float64(f.Pairs))
	if !f.LastEnded.IsZero() {
		gauge(c.pairs, float64(f.LastPairs))
		gauge(c.skipped, float64(f.LastSkipped))
		gauge(c.took, f.LastTook.Seconds())
		gauge(c.ended, float64(f.LastEnded.Unix()))
	}
	for kind, n := range f.Open {
		gauge(c.findings, float64(n), string(kind))
	}
}
