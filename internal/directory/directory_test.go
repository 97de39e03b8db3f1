package directory_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/directory"
)

// looker is either way to look groups up.
type looker interface {
	Groups(ctx context.Context, ids []change.GroupID) change.GroupView
}

func people(p ...change.PersonID) change.Membership {
	return change.Membership{Known: true, People: p}
}

func one(t *testing.T, d looker, id change.GroupID) change.Membership {
	t.Helper()
	view := d.Groups(t.Context(), []change.GroupID{id})
	m, ok := view[id]
	if !ok || len(view) != 1 {
		t.Fatalf("asked for %s, got %v", id, view)
	}
	return m
}

func TestWhoBelongsToAGroup(t *testing.T) {
	t.Parallel()
	for id, want := range map[change.GroupID]change.Membership{
		"cto":              people(cto),
		"deputies":         people(deputy, cto),
		"mixed":            people(ada, ben),
		"release-managers": people(ben, ada),
		"on-call":          people(ada),
		"engineers":        {Known: true, Everyone: true},
		"managers":         people(cto, ben, ada),
		"nested":           people(cto, ben, ada, deputy),
		"open":             {Known: true, Everyone: true, People: []change.PersonID{ada}},
		"circle":           people(cto, deputy),
		"circle-back":      people(cto, deputy),
		"dangling":         people(cto),
		"removed":          people(),
		"nobody":           people(),
	} {
		t.Run(string(id), func(t *testing.T) {
			t.Parallel()
			d, _ := setup(t)
			for name, l := range map[string]looker{"a decision": d, "asking": directory.Asking{Directory: d}} {
				if diff := cmp.Diff(want, one(t, l, id)); diff != "" {
					t.Errorf("for %s (-want +got):\n%s", name, diff)
				}
			}
		})
	}
}

func TestEveryGroupThatIsAskedForIsAnswered(t *testing.T) {
	t.Parallel()
	d, w := setup(t)
	w.set(func() { w.down["S0REL"] = true })
	got := d.Groups(t.Context(), []change.GroupID{"cto", "release-managers", "removed", "cto"})
	want := change.GroupView{"cto": people(cto), "release-managers": {}, "removed": people()}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAScheduleIsAskedForThisMoment(t *testing.T) {
	t.Parallel()
	d, w := setup(t)
	one(t, d, "on-call")
	w.forward(3 * time.Hour)
	one(t, d, "on-call")
	if diff := cmp.Diff([]time.Time{w.Now().Add(-3 * time.Hour), w.Now()}, w.times); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWithoutIncidentIOAScheduleIsNotKnown(t *testing.T) {
	t.Parallel()
	_, w := setup(t)
	d := directory.New(w, nil, groups(), w.Now, slog.New(slog.DiscardHandler))
	if m := one(t, d, "on-call"); m.Known {
		t.Errorf("%+v", m)
	}
	if m := one(t, d, "cto"); !m.Has(cto) {
		t.Errorf("the rest suffers: %+v", m)
	}
}

func TestASourceThatIsDownIsNotKnown(t *testing.T) {
	t.Parallel()
	for source, ids := range map[string][]change.GroupID{"S0REL": {"release-managers", "managers", "nested"}, "schedule": {"on-call", "nested", "open"}} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			d, w := setup(t)
			w.set(func() { w.down[source] = true })
			for id, m := range d.Groups(t.Context(), append(ids, "cto")) {
				if m.Known != (id == "cto") {
					t.Errorf("%s: %+v", id, m)
				}
			}
		})
	}
}

// The named are established, and decide; who else belongs to it is not known.
func TestAUnionWithASourceThatIsDownStillNamesTheOthers(t *testing.T) {
	t.Parallel()
	d, w := setup(t)
	w.set(func() { w.down["S0REL"] = true })
	if diff := cmp.Diff(change.Membership{People: []change.PersonID{cto}}, one(t, d, "managers")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	w.set(func() { w.down["schedule"] = true })
	if m := one(t, d, "open"); m.Known || !m.Everyone {
		t.Errorf("a union with everyone: %+v", m)
	}
}

// In a bubble time passes only when everything waits, so how long a stall lasts
// is exact.
func TestADecisionWaitsNoLongerThanPatience(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stalled []string
		want    change.GroupView
	}{
		"for a user group": {[]string{"S0REL"}, change.GroupView{"release-managers": {}, "on-call": people(ada), "nested": {People: []change.PersonID{cto, deputy, ada}}}},
		"for a schedule":   {[]string{"schedule"}, change.GroupView{"release-managers": people(ben, ada), "on-call": {}, "nested": {People: []change.PersonID{cto, ben, ada, deputy}}}},
		"for both":         {[]string{"S0REL", "schedule"}, change.GroupView{"release-managers": {}, "on-call": {}, "nested": {People: []change.PersonID{cto, deputy}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d, w := setup(t)
				for _, id := range c.stalled {
					w.stalled[id] = true
				}
				began := time.Now()
				got := d.Groups(t.Context(), []change.GroupID{"release-managers", "on-call", "nested"})
				if took := time.Since(began); took != directory.Patience {
					t.Errorf("it took %s", took)
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

// Whoever cannot be looked up stays in: what they do is checked live in any case.
func TestAMemberWhoCannotBeLookedUpStays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, w := setup(t)
		w.down[string(ada)], w.stalled[string(ben)] = true, true
		began := time.Now()
		if diff := cmp.Diff(people(ada, ben), one(t, d, "mixed")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if took := time.Since(began); took > directory.Patience {
			t.Errorf("it took %s", took)
		}
	})
}

func TestADecisionNeverRestsOnAnOldAnswer(t *testing.T) {
	t.Parallel()
	d, w := setup(t)
	asking := directory.Asking{Directory: d}
	for _, l := range []looker{d, asking} {
		one(t, l, "release-managers")
		one(t, l, "on-call")
	}
	w.set(func() {
		w.groups["S0REL"] = []change.PersonID{deputy}
		w.schedules["schedule"] = []change.OnCallPerson{{SlackID: ben}}
	})
	for id, want := range map[change.GroupID]change.Membership{"release-managers": people(deputy), "on-call": people(ben), "nested": people(cto, deputy, ben)} {
		if diff := cmp.Diff(want, one(t, d, id)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", id, diff)
		}
	}
	w.set(func() { w.down["S0REL"] = true })
	if m := one(t, d, "release-managers"); m.Known {
		t.Errorf("an old answer stands in for a source that is down: %+v", m)
	}
}

func TestAskingMayRestOnAnAnswerOfTheLastMinute(t *testing.T) {
	t.Parallel()
	d, w := setup(t)
	asking := directory.Asking{Directory: d}
	one(t, asking, "release-managers")
	w.set(func() { w.groups["S0REL"], w.down["S0REL"] = []change.PersonID{deputy}, true })
	w.forward(59 * time.Second)
	if diff := cmp.Diff(people(cto, ben, ada), one(t, asking, "managers")); diff != "" {
		t.Errorf("within the minute (-want +got):\n%s", diff)
	}
	w.forward(time.Second)
	if m := one(t, asking, "release-managers"); m.Known {
		t.Errorf("after the minute, with the source down: %+v", m)
	}
	w.set(func() { w.down["S0REL"] = false })
	if diff := cmp.Diff(people(deputy), one(t, asking, "release-managers")); diff != "" {
		t.Errorf("after the minute (-want +got):\n%s", diff)
	}
	if asked := w.count("S0REL"); asked != 3 {
		t.Errorf("the source was asked %d times", asked)
	}
}

func TestWhoHasLeftIsNoticedWithinAMinute(t *testing.T) {
	t.Parallel()
	d, w := setup(t)
	one(t, d, "cto")
	w.set(func() { w.standing[cto] = change.Deactivated })
	w.forward(time.Minute)
	if diff := cmp.Diff(people(), one(t, d, "cto")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAPersonIsAlwaysLookedUpLive(t *testing.T) {
	t.Parallel()
	d, w := setup(t)
	for _, want := range []change.Standing{change.Member, change.Deactivated} {
		w.set(func() { w.standing[cto] = want })
		if p, err := d.Person(t.Context(), cto); err != nil || p.Standing != want {
			t.Errorf("got %+v, %v; want %s", p, err, want)
		}
	}
	if diff := cmp.Diff(people(), one(t, d, "cto")); diff != "" {
		t.Errorf("the group has not learned of it (-want +got):\n%s", diff)
	}
	w.set(func() { w.down[string(cto)] = true })
	_, err := d.Person(t.Context(), cto)
	if _, ok := errors.AsType[*change.OutsideError](err); !ok {
		t.Errorf("got %v", err)
	}
}

func TestManyMayAskAtOnce(t *testing.T) {
	t.Parallel()
	d, w := setup(t)
	asking := directory.Asking{Directory: d}
	ids := []change.GroupID{"nested", "circle", "mixed", "release-managers", "open"}
	want := d.Groups(t.Context(), ids)
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for _, l := range []looker{d, asking} {
				if diff := cmp.Diff(want, l.Groups(t.Context(), ids)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
			if _, err := d.Person(t.Context(), ada); err != nil {
				t.Error(err)
			}
			w.forward(time.Duration(i) * time.Second)
		})
	}
	all.Wait()
}
