package slackapp

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// incidentsFresh is how long a list of incidents serves searches.
const incidentsFresh = 15 * time.Second

// incidentCache holds the lists that searches are served from: one for requests
// and one for reports.
type incidentCache struct {
	mu           sync.Mutex
	live, recent incidentList
}

type incidentList struct {
	at  time.Time
	all []change.Incident
}

func (c *incidentCache) list(report bool) *incidentList {
	if report {
		return &c.recent
	}
	return &c.live
}

// known gives the incidents without a look-up; ok is false when they are older
// than that.
func (c *incidentCache) known(report bool, now time.Time) (all []change.Incident, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.list(report)
	return l.all, !l.at.IsZero() && now.Sub(l.at) <= incidentsFresh
}

func (c *incidentCache) put(report bool, all []change.Incident, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*c.list(report) = incidentList{at: now, all: all}
}

// find gives an incident as it was last seen in any list, however old.
func (c *incidentCache) find(id string) (change.Incident, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, i := range slices.Concat(c.live.all, c.recent.all) {
		if i.ID == id {
			return i, true
		}
	}
	return change.Incident{}, false
}

// offeredIncidents lists the public incidents that may be chosen: the live ones,
// or for a report those no longer live as well. This channel's comes first, then
// the newest.
func (a *App) offeredIncidents(ctx context.Context, m formMeta) []change.Incident {
	all, ok := a.incidents.known(m.Report, a.Now())
	if !ok {
		read := a.Lookups.Incidents.Live
		if m.Report {
			read = a.Lookups.Incidents.Recent
		}
		look, cancel := context.WithTimeout(ctx, lookWithin)
		defer cancel()
		fresh, err := read(look)
		if err != nil {
			a.Log.WarnContext(ctx, "incidents could not be listed", "error", err)
		} else {
			a.incidents.put(m.Report, fresh, a.Now())
			all = fresh
		}
	}
	all = slices.DeleteFunc(slices.Clone(all), func(i change.Incident) bool { return i.Private })
	slices.SortStableFunc(all, func(x, y change.Incident) int {
		return cmp.Or(cmp.Compare(elsewhereThan(m.Channel, x), elsewhereThan(m.Channel, y)), y.Created.Compare(x.Created))
	})
	return all
}

func elsewhereThan(channel string, i change.Incident) int {
	if channel != "" && i.SlackChannel == channel {
		return 0
	}
	return 1
}

// incidentOfChannel is this channel's live incident, if it is known without a
// look-up.
func (a *App) incidentOfChannel(channel string) (change.Incident, bool) {
	all, ok := a.incidents.known(false, a.Now())
	if !ok || channel == "" {
		return change.Incident{}, false
	}
	for _, i := range all {
		if i.SlackChannel == channel && !i.Private && i.Category == change.IncidentLive {
			return i, true
		}
	}
	return change.Incident{}, false
}

// incidentLine is an incident as an option shows it.
func incidentLine(i change.Incident) string {
	status := i.Status
	if i.Mitigated {
		status += ", mitigated"
	}
	return clip(strings.TrimSpace(i.Reference+" "+i.Name)+" ("+status+")", 75)
}

// unchecked is an incident as it was seen before, where incident.io does not
// answer now: what it is at this moment is not known. What it was in the past,
// which a report asks about, does not change.
func unchecked(i change.Incident, report bool) *change.Incident {
	i.SeenAt = time.Time{}
	if !report {
		i.Category, i.Mitigated, i.MitigatedSince, i.Closed = change.IncidentLive, false, time.Time{}, time.Time{}
	}
	return &i
}
