package directory

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// Patience bounds a live look-up of groups: a click waits no longer.
const Patience = 1500 * time.Millisecond

// recently is how long an answer serves for asking and reminding. Decisions
// never rest on an answer that old, but for whether a configured member has
// left.
const recently = time.Minute

// Workspace is Slack, as far as people go.
type Workspace interface {
	// Person looks somebody up, live.
	Person(ctx context.Context, id change.PersonID) (change.Person, error)
	// UsergroupMembers lists the members of a user group, live.
	UsergroupMembers(ctx context.Context, id string) ([]change.PersonID, error)
}

// Schedules is incident.io, as far as people go.
type Schedules interface {
	// OnCall lists who is on call on a schedule at a time.
	OnCall(ctx context.Context, scheduleID string, at time.Time) ([]change.OnCallPerson, error)
}

// Directory looks people and groups up. Schedules may be nil where no group is
// an incident.io schedule.
type Directory struct {
	workspace Workspace
	schedules Schedules
	groups    map[change.GroupID]change.Group
	now       func() time.Time
	log       *slog.Logger

	mu      sync.Mutex
	people  map[change.PersonID]seenPerson
	sources map[string]seenSource
}

type seenPerson struct {
	person change.Person
	at     time.Time
}

type seenSource struct {
	people []change.PersonID
	at     time.Time
}

// New takes the configured groups and what to ask about them.
func New(workspace Workspace, schedules Schedules, groups map[change.GroupID]change.Group, now func() time.Time, log *slog.Logger) *Directory {
	return &Directory{
		workspace: workspace, schedules: schedules, groups: groups, now: now, log: log,
		people: map[change.PersonID]seenPerson{}, sources: map[string]seenSource{},
	}
}

// Person looks somebody up, live. The answer is never a guess: when Slack does
// not answer, it is an *change.OutsideError.
func (d *Directory) Person(ctx context.Context, id change.PersonID) (change.Person, error) {
	p, err := d.workspace.Person(ctx, id)
	if err != nil {
		return change.Person{}, fmt.Errorf("look %s up: %w", id, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.people[id] = seenPerson{p, d.now()}
	return p, nil
}

// Groups looks groups up for a decision: every source is asked live, side by
// side, for at most Patience. A group whose source did not answer is not Known.
func (d *Directory) Groups(ctx context.Context, ids []change.GroupID) change.GroupView {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	return d.view(ctx, ids, 0)
}

// Asking looks groups up for asking and reminding: an answer may be a minute old.
type Asking struct{ *Directory }

// Groups looks groups up; an answer may be a minute old.
func (a Asking) Groups(ctx context.Context, ids []change.GroupID) change.GroupView {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return a.view(ctx, ids, recently)
}

// view resolves each group, side by side.
func (d *Directory) view(ctx context.Context, ids []change.GroupID, age time.Duration) change.GroupView {
	view := make(change.GroupView, len(ids))
	var mu sync.Mutex
	var all Looks
	for _, id := range ids {
		all.Go(func() {
			m := d.membership(ctx, id, age, nil)
			mu.Lock()
			defer mu.Unlock()
			view[id] = m
		})
	}
	all.Wait()
	return view
}

// membership resolves one group. A group that the configuration no longer has
// is known to be empty. path guards against unions that contain themselves.
func (d *Directory) membership(ctx context.Context, id change.GroupID, age time.Duration, path []change.GroupID) change.Membership {
	g, ok := d.groups[id]
	if !ok || slices.Contains(path, id) {
		return change.Membership{Known: true}
	}
	switch {
	case g.Everyone:
		return change.Membership{Known: true, Everyone: true}
	case len(g.Groups) > 0:
		return d.union(ctx, g.Groups, age, append(slices.Clone(path), id))
	}
	people, err := d.source(ctx, g, age)
	if err != nil {
		d.log.WarnContext(ctx, "a group could not be looked up", "group", string(id), "error", err)
		return change.Membership{}
	}
	return change.Membership{Known: true, People: d.present(ctx, people)}
}

// union resolves the groups of a union side by side, so that one whose source
// stalls does not use up the time of the others. Who is in those that answered is
// named although the union as a whole is not Known.
func (d *Directory) union(ctx context.Context, ids []change.GroupID, age time.Duration, path []change.GroupID) change.Membership {
	parts := make([]change.Membership, len(ids))
	var running Looks
	for i, id := range ids {
		running.Go(func() { parts[i] = d.membership(ctx, id, age, path) })
	}
	running.Wait()
	all := change.Membership{Known: true}
	for _, m := range parts {
		all.Known = all.Known && m.Known
		all.Everyone = all.Everyone || m.Everyone
		for _, p := range m.People {
			if !slices.Contains(all.People, p) {
				all.People = append(all.People, p)
			}
		}
	}
	return all
}

// source asks where the members of a group stand.
func (d *Directory) source(ctx context.Context, g change.Group, age time.Duration) ([]change.PersonID, error) {
	if len(g.Members) > 0 {
		return g.Members, nil
	}
	key := g.SlackUsergroup + "|" + g.IncidentIOSchedule
	if people, ok := d.remembered(key, age); ok {
		return people, nil
	}
	people, err := d.ask(ctx, g)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sources[key] = seenSource{people, d.now()}
	return people, nil
}

func (d *Directory) remembered(key string, age time.Duration) ([]change.PersonID, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, ok := d.sources[key]
	return s.people, ok && d.now().Sub(s.at) < age
}

// errNoSchedules says that a group needs incident.io, which is not configured.
var errNoSchedules = errors.New("this group needs incident.io, which is not configured")

func (d *Directory) ask(ctx context.Context, g change.Group) ([]change.PersonID, error) {
	if g.SlackUsergroup != "" {
		return d.workspace.UsergroupMembers(ctx, g.SlackUsergroup)
	}
	if g.IncidentIOSchedule == "" {
		return nil, nil
	}
	if d.schedules == nil {
		return nil, errNoSchedules
	}
	onCall, err := d.schedules.OnCall(ctx, g.IncidentIOSchedule, d.now())
	if err != nil {
		return nil, err
	}
	var people []change.PersonID
	for _, p := range onCall {
		if p.SlackID != "" { // an e-mail address identifies nobody
			people = append(people, p.SlackID)
		}
	}
	return people, nil
}

// present leaves out who is no full member any more. Whoever cannot be looked
// up stays: what they do themselves is checked live in any case.
func (d *Directory) present(ctx context.Context, people []change.PersonID) []change.PersonID {
	standing := make([]change.Standing, len(people))
	var all Looks
	all.Limit(8)
	for i, id := range people {
		all.Go(func() { standing[i] = d.standing(ctx, id) })
	}
	all.Wait()
	var here []change.PersonID
	for i, id := range people {
		if standing[i] == change.Member && !slices.Contains(here, id) {
			here = append(here, id)
		}
	}
	return here
}

func (d *Directory) standing(ctx context.Context, id change.PersonID) change.Standing {
	d.mu.Lock()
	seen, ok := d.people[id]
	d.mu.Unlock()
	if ok && d.now().Sub(seen.at) < recently {
		return seen.person.Standing
	}
	p, err := d.Person(ctx, id)
	if err != nil {
		d.log.WarnContext(ctx, "a member of a group could not be looked up", "person", string(id), "error", err)
		return change.Member
	}
	return p.Standing
}
