// Package sandbox is a small world for breakglass to live in: stand-ins for
// Slack, AWS, Jira, incident.io, GitLab, GitHub and its status page, each on its own
// loopback address, with the people, channels, accounts and projects that the
// example configuration names. The demo and the end-to-end tests play in it.
//
// It may import its own subpackages only.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox/aws"
	"github.com/breakglass-bot/breakglass/internal/sandbox/github"
	"github.com/breakglass-bot/breakglass/internal/sandbox/gitlab"
	"github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
	"github.com/breakglass-bot/breakglass/internal/sandbox/jira"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

// Options says how the world behaves.
type Options struct {
	Now        func() time.Time // required
	SocketMode bool             // Slack delivers over Socket Mode
	AWS        aws.Options      // how AWS settles; its ids are filled in, but for an InstanceARN that is there
	SearchLag  time.Duration    // of Jira
}

// World is the stand-ins, serving.
type World struct {
	Slack      *slack.Workspace
	AWS        *aws.Server
	Jira       *jira.Server
	IncidentIO *incidentio.Server
	GitHub     *github.Status // its status page
	Pulls      *github.Server // its pull requests
	GitLab     *gitlab.Server

	now     func() time.Time
	urls    urls
	servers []*http.Server
}

type urls struct{ slack, aws, jira, incidentIO, github, pulls, gitlab string }

// Start makes the world and serves it on loopback addresses until Close.
func Start(ctx context.Context, opts Options) (*World, error) {
	incidents, err := incidentio.New(incidentio.Options{Now: opts.Now, APIKey: incidentKey})
	if err != nil {
		return nil, fmt.Errorf("make incident.io: %w", err)
	}
	w := &World{
		now: opts.Now, Slack: slack.New(slackOptions(opts)), AWS: newAWS(opts), IncidentIO: incidents,
		Jira: jira.New(jiraOptions(opts)), GitHub: github.NewStatus(opts.Now),
		Pulls: github.New(github.Options{Now: opts.Now, Token: githubToken}), GitLab: gitlab.New(gitlab.Options{Now: opts.Now, Token: gitlabToken}),
	}
	for _, s := range []struct {
		handler http.Handler
		url     *string
	}{
		{w.Slack, &w.urls.slack},
		{w.AWS, &w.urls.aws},
		{w.Jira, &w.urls.jira},
		{w.IncidentIO, &w.urls.incidentIO},
		{w.GitHub, &w.urls.github},
		{w.Pulls, &w.urls.pulls},
		{w.GitLab, &w.urls.gitlab},
	} {
		if err := w.serve(ctx, s.handler, s.url); err != nil {
			return nil, errors.Join(err, w.Close())
		}
	}
	w.Slack.SetURL(w.urls.slack)
	w.people()
	if err := w.forges(); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

func (w *World) serve(ctx context.Context, handler http.Handler, url *string) error {
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("serve a stand-in: %w", err)
	}
	*url = "http://" + l.Addr().String()
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	w.servers = append(w.servers, server)
	go func() { _ = server.Serve(l) }() // it ends with Close
	return nil
}

// Close stops serving.
func (w *World) Close() error {
	var all error
	for _, s := range w.servers {
		all = errors.Join(all, s.Close())
	}
	w.Slack.Close()
	w.Jira.Close()
	w.IncidentIO.Close()
	return all
}

// Violations lists what breakglass did that the real systems would refuse, or
// that people would suffer from.
func (w *World) Violations() []string {
	var all []string
	for system, list := range map[string][]string{
		"Slack": w.Slack.Violations(), "AWS": w.AWS.Violations(), "Jira": w.Jira.Violations(),
		"incident.io": w.IncidentIO.Violations(), "GitHub status": w.GitHub.Violations(),
		"GitHub": w.Pulls.Violations(), "GitLab": w.GitLab.Violations(),
	} {
		for _, v := range list {
			all = append(all, system+": "+v)
		}
	}
	return all
}

// Config is the example configuration with its addresses turned to this world.
// Nothing else of it is altered.
func (w *World) Config(example []byte, listen string) []byte {
	return []byte(strings.NewReplacer(
		"listen: 127.0.0.1:8080", "listen: "+listen,
		"metrics_listen: 127.0.0.1:9090", "metrics_listen: 127.0.0.1:0",
		"mode: http ", "mode: "+w.mode()+" ",
		"https://slack.com/api/", w.Slack.APIURL(),
		"# endpoint_url: http://127.0.0.1:5600", "endpoint_url: "+w.urls.aws,
		"https://example.atlassian.net", w.urls.jira,
		"https://api.incident.io", w.urls.incidentIO,
		"https://www.githubstatus.com", w.urls.github,
		"https://api.github.com", w.urls.pulls,
		"https://gitlab.com", w.urls.gitlab,
	).Replace(string(example)))
}

func (w *World) mode() string {
	if w.Slack.SocketMode() {
		return "socket"
	}
	return "http"
}

// Env is the secrets of this world, as environment variables. None is worth
// keeping.
func (w *World) Env() []string {
	env := []string{
		"SLACK_BOT_TOKEN=" + botToken, "JIRA_EMAIL=" + jiraEmail, "JIRA_API_TOKEN=" + jiraToken,
		"INCIDENT_IO_API_KEY=" + incidentKey, "GITLAB_TOKEN=" + gitlabToken, "GITHUB_TOKEN=" + githubToken,
		"AWS_ACCESS_KEY_ID=sandbox", "AWS_SECRET_ACCESS_KEY=sandbox", "AWS_EC2_METADATA_DISABLED=true",
	}
	if w.Slack.SocketMode() {
		return append(env, "SLACK_APP_TOKEN="+appToken)
	}
	return append(env, "SLACK_SIGNING_SECRET="+signingSecret)
}

// Wait returns once the condition holds, or with ctx's error. The condition is
// looked at whenever anything in this world changes.
func (w *World) Wait(ctx context.Context, holds func() bool) error {
	for {
		aws, jira, incidents := w.AWS.Changed(), w.Jira.Changed(), w.IncidentIO.Changed()
		slack, gitlab, pulls := w.Slack.Changed(), w.GitLab.Changed(), w.Pulls.Changed()
		w.AWS.Settle()
		if holds() {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting: %w", ctx.Err())
		case <-aws:
		case <-jira:
		case <-incidents:
		case <-slack:
		case <-gitlab:
		case <-pulls:
		case <-time.After(50 * time.Millisecond): // what falls due by the clock changes only when somebody looks
		}
	}
}

// Address is where a stand-in is served.
type Address struct{ Name, URL string }

// Addresses lists where the stand-ins are served.
func (w *World) Addresses() []Address {
	return []Address{
		{"Slack", w.urls.slack},
		{"AWS", w.urls.aws},
		{"Jira", w.urls.jira},
		{"incident.io", w.urls.incidentIO},
		{"GitLab", w.urls.gitlab},
		{"GitHub", w.urls.pulls},
		{"GitHub status", w.urls.github},
	}
}
