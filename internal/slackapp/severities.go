package slackapp

import (
	"context"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// severitiesFresh is how long the list of severities serves: an organisation
// hardly ever alters it.
const severitiesFresh = 10 * time.Minute

// severityCache holds incident.io's severities as they were last seen.
type severityCache struct {
	mu  sync.Mutex
	at  time.Time
	all []change.IncidentSeverity
}

// known gives the severities without a look-up, however old.
func (c *severityCache) known() (all []change.IncidentSeverity, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all, !c.at.IsZero()
}

func (c *severityCache) fresh(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.at.IsZero() && now.Sub(c.at) <= severitiesFresh
}

func (c *severityCache) put(all []change.IncidentSeverity, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all, c.at = all, now
}

// learnSeverities gives incident.io's severities: looked up, or as they were
// last seen. known is false where it has never answered.
func (a *App) learnSeverities(ctx context.Context) (all []change.IncidentSeverity, known bool) {
	if a.Lookups.Incidents == nil {
		return nil, false
	}
	if !a.severities.fresh(a.Now()) {
		look, cancel := context.WithTimeout(ctx, lookWithin)
		defer cancel()
		seen, err := a.Lookups.Incidents.Severities(look)
		if err != nil {
			a.Log.WarnContext(ctx, "severities could not be listed", "error", err)
		} else {
			a.severities.put(seen, a.Now())
		}
	}
	return a.severities.known()
}

func (a *App) severityOptions(ctx context.Context) []*slack.OptionBlockObject {
	all, _ := a.learnSeverities(ctx)
	var options []*slack.OptionBlockObject
	for _, s := range all {
		options = append(options, optionOf(s.ID, s.Name))
	}
	return options
}
