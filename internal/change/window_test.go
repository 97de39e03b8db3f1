package change_test

import (
	"slices"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

func TestStoppingBeforeACreateIsIntendedWithdraws(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]struct {
		cmd change.Command
		by  change.PersonID
	}{"withdraw": {change.Withdraw{}, requester}, "finish": {change.Finish{}, requester}, "end now": {change.EndNow{}, cto}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := begin(t, request(withAccess)).approve()
			l.do(stop.cmd, member(stop.by))
			l.phase(change.Withdrawn)
			l.refused(change.IntendAccess{}, itself, change.TooLate)
		})
		t.Run(name+" after it", func(t *testing.T) {
			t.Parallel()
			l := begin(t, request(withAccess)).approve()
			l.do(change.IntendAccess{}, itself)
			l.now = l.now.Add(time.Minute)
			l.do(stop.cmd, member(stop.by))
			l.phase(change.Ended)
			w := l.c.Window
			if !w.Start.Equal(l.now) || !w.Ended.Equal(l.now) || w.EndedBy != stop.by {
				t.Errorf("the window is %+v", w)
			}
			l.do(change.AccessVerified{}, itself) // it came after all, and has to go
			l.phase(change.Ended)
			l.close()
		})
	}
}

func TestWhatComesTooLateIsGivenUp(t *testing.T) {
	t.Parallel()
	t.Run("never asked for", func(t *testing.T) {
		t.Parallel()
		l := begin(t, request(withAccess)).approve()
		l.after(30 * time.Minute)
		l.phase(change.Failed)
		if got := l.c.Reply; got != "AWS did not give the access in time, and it was never asked for there." {
			t.Errorf("the requester is told %q", got)
		}
	})
	t.Run("asked for and never seen", func(t *testing.T) {
		t.Parallel()
		l := begin(t, request(withAccess)).approve()
		l.do(change.IntendAccess{}, itself)
		l.after(30 * time.Minute)
		l.phase(change.Approved)
		if l.c.Wanted() {
			t.Error("it is still wanted")
		}
		l.do(change.AccessGone{}, itself)
		l.phase(change.Failed)
	})
	t.Run("seen afterwards", func(t *testing.T) {
		t.Parallel()
		l := begin(t, request(withAccess)).approve()
		l.do(change.IntendAccess{}, itself)
		l.after(31 * time.Minute)
		l.do(change.AccessVerified{}, itself)
		l.phase(change.Ended)
		if w := l.c.Window; !w.Start.Equal(l.now) || !w.Ended.Equal(l.now) || !l.c.Access.RevokeBy.Equal(l.now) {
			t.Errorf("the window is %+v, revoke by %s", w, l.c.Access.RevokeBy)
		}
	})
	t.Run("before the clock was there", func(t *testing.T) {
		t.Parallel()
		l := begin(t, request(withAccess)).approve()
		l.now = l.now.Add(30 * time.Minute)
		l.refused(change.IntendAccess{}, itself, change.TooLate)
		l = begin(t, request(withAccess)).approve()
		l.do(change.IntendAccess{}, itself)
		l.now = l.now.Add(30 * time.Minute)
		l.refused(change.IntendAccess{}, itself, change.TooLate)
		l.do(change.AccessVerified{}, itself)
		l.phase(change.Ended)
	})
}

func TestAccessCountsAsGoneOnlyOnceItWasWantedAndIsNoMore(t *testing.T) {
	t.Parallel()
	l := begin(t, request(withAccess))
	for _, cmd := range []change.Command{change.AccessGone{}, change.AccessFailed{Say: "x"}} {
		if events := l.do(cmd, itself); len(events) > 0 {
			t.Errorf("%T before the approval: %v", cmd, types(events))
		}
	}
	l.activate()
	if events := l.do(change.AccessGone{}, itself); len(events) > 0 {
		t.Errorf("gone while active: %v", types(events))
	}
	l.do(change.Finish{}, member(requester))
	l.record()
	l.do(change.SignOff{}, member(cto))
	l.review()
	l.phase(change.Ended) // the access alone holds it open
	l.do(change.AccessGone{}, itself)
	l.phase(change.Closed)
	l.do(change.AccessBack{}, itself)
	l.phase(change.Closed)
}

// TestAccessSeenWithoutACreateHasToGoToo: an overlapping change made it, and
// whoever ends last removes it.
func TestAccessSeenWithoutACreateHasToGoToo(t *testing.T) {
	t.Parallel()
	l := begin(t, request(withAccess)).approve()
	l.do(change.AccessVerified{}, itself)
	l.do(change.Finish{}, member(requester))
	l.record()
	l.do(change.SignOff{}, member(cto))
	l.review()
	l.phase(change.Ended)
	l.do(change.AccessGone{}, itself)
	l.phase(change.Closed)
}

func TestALateRemovalIsToldOnce(t *testing.T) {
	t.Parallel()
	l := begin(t, request(withAccess)).end()
	l.now = l.now.Add(change.LateAfter - 1)
	l.do(change.AccessLate{}, itself)
	l.now = l.now.Add(1)
	l.do(change.AccessLate{}, itself)
	l.now = l.now.Add(time.Hour)
	l.do(change.AccessLate{}, itself)
	l.do(change.AccessGone{}, itself)
	l.do(change.AccessBack{}, itself)
	l.do(change.AccessLate{}, itself) // it is late anew
	if n := l.count(change.EventAccessLate); n != 2 {
		t.Errorf("told %d times", n)
	}
}

// The program or its database was away when the time was over.
func TestAnEndThatComesLateIsALateRemoval(t *testing.T) {
	t.Parallel()
	fact := func(l *life, of change.EventType, name string) any {
		t.Helper()
		for _, e := range slices.Backward(l.events) {
			if e.Type == of {
				return e.Facts[name]
			}
		}
		t.Fatalf("no %s", of)
		return nil
	}
	const away = 3 * time.Hour
	t.Run("of an access in use", func(t *testing.T) {
		t.Parallel()
		l := begin(t, request(withAccess)).activate()
		until := l.c.Window.Until
		l.now = until.Add(away)
		l.do(change.Tick{}, itself)
		l.phase(change.Ended)
		if !l.c.Window.Ended.Equal(l.now) || !l.c.AccessEnd().Equal(until) {
			t.Errorf("ended %s, its access %s", l.c.Window.Ended, l.c.AccessEnd())
		}
		l.do(change.AccessLate{}, itself)
		if at := fact(l, change.EventAccessLate, "ended"); at != until.UTC().Format(time.RFC3339) {
			t.Errorf("told to have ended %v, want %s", at, until)
		}
		l.now = l.now.Add(10 * time.Second)
		l.do(change.AccessGone{}, itself)
		if late := fact(l, change.EventAccessGone, "late_seconds"); late != int64((away+10*time.Second)/time.Second) {
			t.Errorf("gone %v s late", late)
		}
	})
	t.Run("of an access that was never seen in time", func(t *testing.T) {
		t.Parallel()
		l := begin(t, request(withAccess)).approve()
		l.do(change.IntendAccess{}, itself)
		promised := l.c.Access.RevokeBy
		l.now = promised.Add(away)
		l.do(change.Tick{}, itself)
		l.do(change.AccessVerified{}, itself)
		l.phase(change.Ended)
		l.do(change.AccessLate{}, itself)
		if l.count(change.EventAccessLate) != 1 || !l.c.AccessEnd().Equal(promised) {
			t.Errorf("its access ended %s, told %d times as late", l.c.AccessEnd(), l.count(change.EventAccessLate))
		}
	})
	t.Run("but none of an end by hand", func(t *testing.T) {
		t.Parallel()
		l := begin(t, request(withAccess)).end()
		if l.do(change.AccessLate{}, itself); l.count(change.EventAccessLate) != 0 || !l.c.AccessEnd().Equal(l.c.Window.Ended) {
			t.Errorf("its access ended %s, the change %s", l.c.AccessEnd(), l.c.Window.Ended)
		}
	})
}

func TestAnExtensionLeavesNoGap(t *testing.T) {
	t.Parallel()
	l := begin(t, request(withAccess)).activate()
	until := l.c.Window.Until
	l.after(40 * time.Minute)
	l.do(change.Extend{Duration: time.Hour, Why: "Not done"}, member(requester))
	l.refused(change.Extend{Duration: time.Hour}, member(requester), change.Decided)
	l.refused(change.Approve{Ask: 1}, member(cto), change.Decided) // the first message's button
	l.refused(change.Approve{Ask: 2}, member(requester), change.OwnChange)
	l.do(change.ChangeDuration{Ask: 2, Duration: 30 * time.Minute}, member(cto))
	l.after(15 * time.Minute)
	l.do(change.Approve{Ask: 2}, member(cto))
	want := until.Add(30 * time.Minute)
	if a := l.c.Access; !l.c.Window.Until.Equal(want) || !a.RevokeBy.Equal(want) || a.Approved != 90*time.Minute {
		t.Errorf("until %s, revoke by %s, approved %s", l.c.Window.Until, a.RevokeBy, a.Approved)
	}
	l.after(34 * time.Minute)
	l.phase(change.Active)
	l.after(time.Minute)
	l.phase(change.Ended)
	if n := l.count(change.EventEndWarned); n != 2 {
		t.Errorf("warned %d times of 2 ends", n)
	}
}

func TestAnExtensionKeepsToTheLimits(t *testing.T) {
	t.Parallel()
	l := begin(t, request(withAccess)).activate()
	for _, d := range []time.Duration{-1, 0, 5 * time.Hour} {
		l.refused(change.Extend{Duration: d}, member(requester), change.BadInput)
	}
	l.do(change.Extend{Duration: 4 * time.Hour}, member(requester))
	l.do(change.Approve{Ask: 2}, member(cto))
	l.refused(change.Extend{Duration: 2 * time.Hour}, member(requester), change.BadInput) // 7 of 6 hours
	l.do(change.Extend{Duration: time.Hour}, member(requester))
	l.do(change.Approve{Ask: 3}, member(deputy))
	if got := l.c.Extensions(); len(got) > 0 {
		t.Errorf("offered are %v, and all is used up", got)
	}
	l.refused(change.Extend{Duration: time.Minute}, member(requester), change.BadInput)
	plain := begin(t, request(noAccess)).approve()
	plain.refused(change.Extend{Duration: time.Hour}, member(requester), change.BadInput)
}

func TestAnExtensionThatNobodyDecidesLapsesAtTheEnd(t *testing.T) {
	t.Parallel()
	l := begin(t, request(withAccess)).activate()
	l.do(change.Extend{Duration: time.Hour}, member(requester))
	l.now = l.c.Window.Until // the clock has not been there yet
	l.refused(change.Approve{Ask: 2}, member(cto), change.TooLate)
	l.refused(change.Extend{Duration: time.Hour}, member(requester), change.Decided)
	l.stopped(0)
	l.phase(change.Ended)
	if a := l.c.Asks[1]; a.Result != change.AskLapsed || l.count(change.EventExtensionLapsed) != 1 {
		t.Errorf("the question is %q", a.Result)
	}
	l.refused(change.Approve{Ask: 2}, member(cto), change.TooLate)
}

func TestAnExtensionIsTakenBackByFinishing(t *testing.T) {
	t.Parallel()
	l := begin(t, request(withAccess)).activate()
	l.do(change.Extend{Duration: time.Hour}, member(requester))
	l.do(change.Finish{}, member(requester))
	if a := l.c.Asks[1]; a.Result != change.AskWithdrawn || l.has(change.EventExtensionLapsed) {
		t.Errorf("the question is %q", a.Result)
	}
}

func TestAnExtensionMayBeDeniedOrLapseWhileTheWindowGoesOn(t *testing.T) {
	t.Parallel()
	req := request(withAccess)
	req.Duration = 4 * time.Hour
	l := begin(t, req).activate()
	l.do(change.Extend{Duration: time.Hour}, member(requester))
	l.do(change.Deny{Ask: 2, Reason: "Enough"}, member(cto))
	l.phase(change.Active)
	l.do(change.Extend{Duration: time.Hour}, member(requester))
	l.after(2 * time.Hour)
	l.phase(change.Active)
	if a := l.c.Asks[2]; a.Result != change.AskLapsed {
		t.Errorf("the question is %q", a.Result)
	}
}

func TestAWindowWithoutAccessRunsFromTheApproval(t *testing.T) {
	t.Parallel()
	l := begin(t, request(noAccess))
	l.now = l.now.Add(time.Hour)
	l.approve()
	l.phase(change.Active)
	if w := l.c.Window; !w.Start.Equal(start.Add(time.Hour)) || !w.Until.Equal(start.Add(9*time.Hour)) {
		t.Errorf("the window is %+v", w)
	}
	l.after(8 * time.Hour)
	l.phase(change.Ended)
	if l.has(change.EventEndWarned) {
		t.Error("a warning was given of an end that takes nothing away")
	}
}

func TestAWindowShorterThanTheWarningHasNone(t *testing.T) {
	t.Parallel()
	l := begin(t, request(withAccess))
	l.do(change.ChangeDuration{Ask: 1, Duration: 10 * time.Minute}, member(cto))
	l.activate()
	l.after(10 * time.Minute)
	l.phase(change.Ended)
	if l.has(change.EventEndWarned) {
		t.Error("a warning was given")
	}
}

func TestAReportedChangeOwesEverythingFromItsOwnTime(t *testing.T) {
	t.Parallel()
	req := request(withAccess)
	req.Reported, req.MadeAt, req.Implementer, req.GivenBy = true, start.Add(-3*time.Hour), colleague, cto
	l := begin(t, req)
	l.phase(change.Ended)
	if l.c.Wanted() || l.c.OpenAsk() != nil {
		t.Error("something is asked for")
	}
	for name, due := range map[change.ObligationName]time.Duration{change.OweRecord: 21 * time.Hour, change.OweSignOff: 45 * time.Hour, change.OweReview: 117 * time.Hour} {
		if o := l.owes(name); !o.Due.Equal(start.Add(due)) {
			t.Errorf("%s is due %s; want %s", name, o.Due, start.Add(due))
		}
	}
	l.do(change.WriteRecord{Done: "x", Why: "y"}, member(colleague))
	l.refused(change.SignOff{}, member(colleague), change.OwnChange)
	req.MadeAt = start.Add(time.Second)
	if _, _, err := change.Submit(rules(), req, member(requester), 1, start); err == nil {
		t.Error("a report of the future was taken")
	}
}
