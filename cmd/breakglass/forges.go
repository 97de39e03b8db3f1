package main

import (
	"time"

	"github.com/breakglass-bot/breakglass/internal/config"
	"github.com/breakglass-bot/breakglass/internal/forge"
)

// newForge makes the client of GitLab, GitHub and its status page, as far as they
// are configured. The tokens go to the configured hosts and nowhere else.
func newForge(cfg *config.Config, now func() time.Time) (*forge.Client, error) {
	o := forge.Options{GitLabToken: cfg.Secrets.GitLabToken.Reveal(), GitHubToken: cfg.Secrets.GitHubToken.Reveal(), Now: now}
	if cfg.GitLab != nil {
		o.GitLabURL = cfg.GitLab.BaseURL
	}
	if cfg.GitHub != nil {
		o.GitHubAPIURL, o.StatusURL = cfg.GitHub.APIURL, cfg.GitHub.StatusURL
	}
	return forge.New(o)
}

// wireForges lets merge requests and the status page be looked at where there is
// any to look at, and incidents refer to merge requests.
func (p *program) wireForges() {
	if p.cfg.GitLab != nil || p.cfg.GitHub != nil {
		p.deliverer.MergeRequests = p.systems.forge
	}
	if p.cfg.GitHub != nil {
		p.deliverer.StatusPage = p.systems.forge
	}
	if p.systems.incident != nil {
		p.deliverer.Attachments = p.systems.incident
	}
}
