package directory_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/directory"
)

const (
	ada, ben, cto, deputy = change.PersonID("U0ADA"), change.PersonID("U0BEN"), change.PersonID("U0CTO"), change.PersonID("U0DEPUTY")
	gone, guest           = change.PersonID("U0GONE"), change.PersonID("U0GUEST")
	robot, stranger       = change.PersonID("U0ROBOT"), change.PersonID("U0STRANGER")
)

var errDown = &change.OutsideError{System: change.SystemSlack, Call: "test", Outcome: change.Unknown, Err: errors.New("down")}

// world is Slack and incident.io, as far as people go. A source that is down
// fails; one that stalls answers nothing until the caller gives up.
type world struct {
	mu        sync.Mutex
	at        time.Time
	standing  map[change.PersonID]change.Standing // left out: a full member
	groups    map[string][]change.PersonID
	schedules map[string][]change.OnCallPerson
	down      map[string]bool // by the id of a person, a user group or a schedule
	stalled   map[string]bool
	asked     map[string]int
	times     []time.Time // that OnCall was asked about
}

func (w *world) Now() time.Time { return locked(w, func() time.Time { return w.at }) }

// set alters the world.
func (w *world) set(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

func (w *world) forward(by time.Duration) { w.set(func() { w.at = w.at.Add(by) }) }

func locked[T any](w *world, f func() T) T {
	w.mu.Lock()
	defer w.mu.Unlock()
	return f()
}

// answers counts the question, and fails or stalls as the world has it.
func (w *world) answers(ctx context.Context, id string) error {
	if err := ctx.Err(); err != nil {
		return err // as any call over the wire
	}
	var down, stalled bool
	w.set(func() {
		w.asked[id]++
		down, stalled = w.down[id], w.stalled[id]
	})
	if stalled {
		<-ctx.Done()
		return ctx.Err()
	}
	if down {
		return errDown
	}
	return nil
}

func (w *world) Person(ctx context.Context, id change.PersonID) (change.Person, error) {
	if err := w.answers(ctx, string(id)); err != nil {
		return change.Person{}, err
	}
	return locked(w, func() change.Person {
		p := change.Person{ID: id, Standing: w.standing[id]}
		if p.Standing == "" {
			p.Standing = change.Member
		}
		return p
	}), nil
}

func (w *world) UsergroupMembers(ctx context.Context, id string) ([]change.PersonID, error) {
	if err := w.answers(ctx, id); err != nil {
		return nil, err
	}
	return locked(w, func() []change.PersonID { return w.groups[id] }), nil
}

func (w *world) OnCall(ctx context.Context, id string, at time.Time) ([]change.OnCallPerson, error) {
	if err := w.answers(ctx, id); err != nil {
		return nil, err
	}
	return locked(w, func() []change.OnCallPerson {
		w.times = append(w.times, at)
		return w.schedules[id]
	}), nil
}

func (w *world) count(id string) int { return locked(w, func() int { return w.asked[id] }) }

// groups are the configured ones of every test.
func groups() map[change.GroupID]change.Group {
	return map[change.GroupID]change.Group{
		"cto":              {Members: []change.PersonID{cto}},
		"deputies":         {Members: []change.PersonID{deputy, cto, deputy}},
		"mixed":            {Members: []change.PersonID{gone, ada, guest, robot, stranger, ben}},
		"release-managers": {SlackUsergroup: "S0REL"},
		"on-call":          {IncidentIOSchedule: "schedule"},
		"engineers":        {Everyone: true},
		"managers":         {Groups: []change.GroupID{"cto", "release-managers"}},
		"nested":           {Groups: []change.GroupID{"managers", "deputies", "managers", "on-call"}},
		"open":             {Groups: []change.GroupID{"engineers", "on-call"}},
		"circle":           {Groups: []change.GroupID{"cto", "circle-back"}},
		"circle-back":      {Groups: []change.GroupID{"circle", "deputies", "circle-back"}},
		"dangling":         {Groups: []change.GroupID{"cto", "removed"}},
		"nobody":           {},
	}
}

func setup(t *testing.T) (*directory.Directory, *world) {
	t.Helper()
	w := &world{
		at:       time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC),
		standing: map[change.PersonID]change.Standing{gone: change.Deactivated, guest: change.Guest, robot: change.Bot, stranger: change.Stranger},
		groups:   map[string][]change.PersonID{"S0REL": {ben, gone, ada, ben}},
		schedules: map[string][]change.OnCallPerson{"schedule": {
			{SlackID: ada, Email: "ada@example.com"}, {Email: "cto@example.com"}, {SlackID: guest}, {},
		}},
		down: map[string]bool{}, stalled: map[string]bool{}, asked: map[string]int{},
	}
	return directory.New(w, w, groups(), w.Now, slog.New(slog.DiscardHandler)), w
}
