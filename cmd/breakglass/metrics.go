package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// backlog measures what is waiting, each time it is asked.
type backlog struct {
	ledger *ledger.Ledger
	now    func() time.Time
	log    *slog.Logger
	phases *prometheus.Desc
	late   *prometheus.Desc
	access *prometheus.Desc
}

func newBacklog(l *ledger.Ledger, now func() time.Time, log *slog.Logger) *backlog {
	return &backlog{
		ledger: l, now: now, log: log,
		phases: prometheus.NewDesc("breakglass_changes", "Changes that are not final, by phase.", []string{"phase"}, nil),
		late:   prometheus.NewDesc("breakglass_deliveries_failing", "Deliveries that are being tried again, by system.", []string{"system"}, nil),
		access: prometheus.NewDesc("breakglass_access_late", "Access in AWS that should be gone by now.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (b *backlog) Describe(out chan<- *prometheus.Desc) {
	out <- b.phases
	out <- b.late
	out <- b.access
}

// Collect implements prometheus.Collector.
func (b *backlog) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	counts, err := b.ledger.Backlog(ctx, b.now())
	if err != nil {
		b.log.WarnContext(ctx, "the backlog could not be measured", "error", err)
		return
	}
	for phase, n := range counts.Open {
		out <- prometheus.MustNewConstMetric(b.phases, prometheus.GaugeValue, float64(n), string(phase))
	}
	for system, n := range counts.Failing {
		out <- prometheus.MustNewConstMetric(b.late, prometheus.GaugeValue, float64(n), string(system))
	}
	out <- prometheus.MustNewConstMetric(b.access, prometheus.GaugeValue, float64(counts.LateAccess))
}
