package main

import (
	"context"
	"fmt"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/directory"
	"github.com/breakglass-bot/breakglass/internal/incidentio"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/reconcile"
	"github.com/breakglass-bot/breakglass/internal/report"
	"github.com/breakglass-bot/breakglass/internal/slackapp"
)

// wireReconcilers makes what agrees the world with the ledger. A system that is
// not configured stays nil: an interface that holds a nil pointer would not be.
func (p *program) wireReconcilers() {
	messenger := slackapp.NewMessenger(p.systems.slack, slackapp.Words{
		Organization: p.cfg.Organization, ReleaseURL: p.cfg.ReleaseProcessURL, PortalURL: p.portal(),
		Command: p.cfg.Slack.Command, Channel: p.cfg.Slack.Channel, AuditChannel: p.cfg.Slack.AuditChannel,
		Usergroup: func(id change.GroupID) string { return p.cfg.Rules.Groups[id].SlackUsergroup },
		People:    p.cfg.Rules.People,
	})
	p.deliverer = &reconcile.Deliverer{
		Ledger: p.ledger, Workflow: p.workflow, Directory: directory.Asking{Directory: p.directory}, Messenger: messenger, Links: messenger,
		Digest: p.digest, Pauses: slackapp.Workspace{Client: p.systems.slack, TeamID: p.cfg.Slack.TeamID}, Now: p.now, Nonce: nonce, Log: p.log,
	}
	if p.systems.aws != nil {
		p.deliverer.Persons = p.systems.aws
		p.access = &reconcile.Access{
			Ledger: p.ledger, Workflow: p.workflow, AWS: p.systems.aws, MaxInFlight: p.cfg.AWS.MaxInFlight,
			Now: p.now, Nonce: nonce, Log: p.log,
		}
		p.census = &reconcile.Census{
			Ledger: p.ledger, Workflow: p.workflow, AWS: p.systems.aws, Every: p.cfg.AWS.CensusEvery,
			Now: p.now, Nonce: nonce, Log: p.log,
		}
	}
	if j := p.cfg.Jira; j != nil {
		p.deliverer.Tickets = p.systems.jira
		p.deliverer.Project.SecurityLevel = j.SecurityLevel
		p.deliverer.Project.Key, p.deliverer.Project.IssueType, p.deliverer.Project.PreventionType = j.Project, j.IssueType, j.PreventionIssueType
	}
	if p.systems.incident != nil {
		p.deliverer.Incidents = p.systems.incident
		p.deliverer.Project.EscapeMarkdown = incidentio.EscapeMarkdown
	}
	p.wireForges()
}

// wireSlack makes Slack's edge.
func (p *program) wireSlack() {
	p.app = &slackapp.App{
		Slack: p.systems.slack, Ledger: p.ledger, Workflow: p.workflow, People: p.directory, Rules: p.cfg.Rules, Now: p.now, Log: p.log,
		Config: slackapp.Config{
			TeamID: p.cfg.Slack.TeamID, AppID: p.cfg.Slack.AppID, SigningSecret: p.cfg.Secrets.SlackSigningSecret.Reveal(), Command: p.cfg.Slack.Command,
			Channel: p.cfg.Slack.Channel, AuditChannel: p.cfg.Slack.AuditChannel, ReleaseURL: p.cfg.ReleaseProcessURL,
			Organization: p.cfg.Organization, PortalURL: p.portal(), APIURL: p.cfg.Slack.APIURL,
		},
	}
	if p.systems.aws != nil {
		p.app.Lookups.Person, p.app.Lookups.Access = p.systems.aws, p.systems.aws
	}
	if p.systems.jira != nil {
		p.app.Lookups.Tickets = p.systems.jira
	}
	if p.systems.incident != nil {
		p.app.Lookups.Incidents = p.systems.incident
	}
	p.app.Lookups.MergeRequests = p.systems.forge
}

// portal is AWS's access portal; empty where no access is granted through AWS.
func (p *program) portal() string {
	if p.cfg.AWS == nil {
		return ""
	}
	return p.cfg.AWS.AccessPortalURL
}

// digest computes the sentences of the monthly digest.
func (p *program) digest(ctx context.Context, from, to time.Time) ([]string, error) {
	tally := report.NewTally(report.Options{Since: from, Until: to, AsOf: p.now()})
	err := p.ledger.Population(ctx, ledger.Period{Since: from, Until: to}, func(row ledger.PopulationRow) error {
		tally.Add(row)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("compute the digest: %w", err)
	}
	return report.Digest(tally.Figures()), nil
}
