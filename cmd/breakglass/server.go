package main

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/breakglass-bot/breakglass/internal/config"
	"github.com/breakglass-bot/breakglass/internal/crashpoint"
	"github.com/breakglass-bot/breakglass/internal/httpserver"
	"github.com/breakglass-bot/breakglass/internal/incidentio"
	"github.com/breakglass-bot/breakglass/internal/jira"
	"github.com/breakglass-bot/breakglass/migrations"
)

// wireServer makes the listeners: Slack's routes in HTTP mode, the webhooks that
// have a secret, health and metrics.
func (p *program) wireServer() error {
	routes := map[string]http.Handler{}
	if p.cfg.Slack.Mode == config.SlackOverHTTP {
		routes["POST /slack/commands"] = p.app.Commands()
		routes["POST /slack/interactions"] = p.app.Interactions()
		routes["POST /slack/events"] = p.app.Events()
	}
	if err := p.webhooks(routes); err != nil {
		return err
	}
	for route, handler := range routes {
		routes[route] = crashpoint.Handler(route, handler)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	requests := timings("breakglass_http_request_seconds", "How long requests took, by route and status.", "route")
	if p.cfg.Slack.Mode == config.SlackOverSocket {
		payloads := timings("breakglass_socket_payload_seconds", "How long payloads of Socket Mode took, by door and status.", "door")
		registry.MustRegister(payloads)
		p.app.Observe = observing(payloads)
	}
	registry.MustRegister(requests, newBacklog(p.ledger, p.now, p.log), newCensusMetrics(p.ledger, p.log))
	if p.systems.calls != nil {
		registry.MustRegister(newCallMetrics(p.systems.calls))
	}
	server, err := httpserver.New(httpserver.Options{
		Listen: p.cfg.HTTP.Listen, MetricsListen: p.cfg.HTTP.MetricsListen, Routes: routes,
		Metrics: promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry}),
		Checks:  p.checks(), Log: p.log, Now: p.now,
		Observe: observing(requests),
	})
	p.server = server
	return err
}

// timings measure how long something took, by where it came in and its status.
func timings(name, help, where string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: name, Help: help, Buckets: []float64{.005, .02, .05, .1, .25, .5, 1, 2, 3, 5},
	}, []string{where, "status"})
}

func observing(timings *prometheus.HistogramVec) func(where string, status int, took time.Duration) {
	return func(where string, status int, took time.Duration) {
		timings.WithLabelValues(where, strconv.Itoa(status)).Observe(took.Seconds())
	}
}

// webhooks adds the webhooks that have a secret. Without one they do not exist.
func (p *program) webhooks(routes map[string]http.Handler) error {
	if secret := p.cfg.Secrets.JiraWebhookSecret; secret != "" && p.systems.jira != nil {
		routes["POST /webhooks/jira"] = jira.Webhook(secret.Reveal(), p.deliverer.TicketHint)
	}
	if secret := p.cfg.Secrets.IncidentIOWebhookSecret; secret != "" && p.systems.incident != nil {
		handler, err := incidentio.Webhook(secret.Reveal(), p.now, p.deliverer.IncidentHint)
		if err != nil {
			return err
		}
		routes["POST /webhooks/incident-io"] = handler
	}
	return nil
}

// checks are what has to be fine before traffic is welcome.
func (p *program) checks() []httpserver.Check {
	return []httpserver.Check{
		{Name: "database", Sentence: "The database does not answer.", Ready: p.ledger.Ping},
		{Name: "room", Sentence: "The database takes nothing up: its disk may be full.", Ready: p.ledger.Writable},
		{Name: "migrations", Sentence: "The database does not have this version's schema: run breakglass migrate.", Ready: func(ctx context.Context) error {
			return migrations.Check(ctx, p.pool)
		}},
		{Name: "slack", Sentence: "There is no connection to Slack.", Ready: func(context.Context) error { return p.app.Ready() }},
	}
}
