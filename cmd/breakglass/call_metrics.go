package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/identitycenter"
)

// callMetrics tells how what AWS allows is spent, each time it is asked.
type callMetrics struct {
	budget    *identitycenter.Budget
	waiting   *prometheus.Desc
	calls     *prometheus.Desc
	throttled *prometheus.Desc
	allowed   *prometheus.Desc
}

func newCallMetrics(b *identitycenter.Budget) *callMetrics {
	return &callMetrics{
		budget:    b,
		waiting:   prometheus.NewDesc("breakglass_aws_calls_waiting", "Calls of Identity Center that wait for their turn in this replica, by urgency.", []string{"urgency"}, nil),
		calls:     prometheus.NewDesc("breakglass_aws_calls_total", "Calls of Identity Center that this replica has made, by urgency.", []string{"urgency"}, nil),
		throttled: prometheus.NewDesc("breakglass_aws_calls_throttled_total", "Of them, those that AWS throttled.", nil, nil),
		allowed:   prometheus.NewDesc("breakglass_aws_calls_per_second", "Calls of Identity Center a second that this replica allows itself just now; 0: no limit.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (c *callMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.waiting, c.calls, c.throttled, c.allowed} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *callMetrics) Collect(out chan<- prometheus.Metric) {
	f := c.budget.Figures()
	for _, u := range change.Urgencies() {
		out <- prometheus.MustNewConstMetric(c.waiting, prometheus.GaugeValue, float64(f.Waiting[u]), u.String())
		out <- prometheus.MustNewConstMetric(c.calls, prometheus.CounterValue, float64(f.Calls[u]), u.String())
	}
	out <- prometheus.MustNewConstMetric(c.throttled, prometheus.CounterValue, float64(f.Throttled))
	out <- prometheus.MustNewConstMetric(c.allowed, prometheus.GaugeValue, f.PerSecond)
}
