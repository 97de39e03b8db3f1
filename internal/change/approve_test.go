package change_test

import (
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

func TestTwoApprovalsNeedTwoPeople(t *testing.T) {
	t.Parallel()
	l := begin(t, request(twoSay))
	both := seeing(cto, with("managers", change.Membership{Known: true, People: []change.PersonID{manager, cto}}))
	l.do(change.Approve{Ask: 1}, both)
	l.phase(change.Requested)
	l.refused(change.Approve{Ask: 1}, both, change.Decided)
	if missing := l.c.Missing(); len(missing) != 1 {
		t.Errorf("missing are %v", missing)
	}
	l.do(change.Approve{Ask: 1}, member(deputy))
	l.phase(change.Approved)
}

func TestASecondApproverOfTheSameGroupAddsNothing(t *testing.T) {
	t.Parallel()
	l := begin(t, request(twoSay))
	l.do(change.Approve{Ask: 1}, member(cto))
	l.refused(change.Approve{Ask: 1}, member(deputy), change.Decided)
	l.do(change.Approve{Ask: 1}, member(manager))
	l.phase(change.Approved)
}

// One source of a union is silent. Whom another names is an approver all the same:
// an emergency does not wait for a schedule that nobody needs.
func TestWhomOneSourceOfAUnionNamesApprovesThoughAnotherIsSilent(t *testing.T) {
	t.Parallel()
	half := with("cto", change.Membership{People: []change.PersonID{cto}})
	l := begin(t, request(withAccess))
	l.refused(change.Approve{Ask: 1}, seeing(manager, half), change.Unestablished)
	l.do(change.Approve{Ask: 1}, seeing(cto, half))
	l.phase(change.Approved)
}

func TestADenialEndsTheQuestionWhateverWasApproved(t *testing.T) {
	t.Parallel()
	l := begin(t, request(twoSay))
	l.do(change.Approve{Ask: 1}, member(cto))
	l.refused(change.Deny{Ask: 1, Reason: " \n"}, member(manager), change.BadInput)
	l.refused(change.Deny{Ask: 1, Reason: strings.Repeat("x", change.TextLimit+1)}, member(manager), change.BadInput)
	l.refused(change.Deny{Ask: 1, Reason: "a\x00b"}, member(manager), change.BadInput)
	l.do(change.Deny{Ask: 1, Reason: "Wait it out"}, member(manager))
	l.phase(change.Denied)
	if l.c.Reply != "Wait it out" {
		t.Errorf("the requester is told %q", l.c.Reply)
	}
}

func TestALateClickNamesWhoDecided(t *testing.T) {
	t.Parallel()
	l := begin(t, request(withAccess)).approve()
	decided := l.now
	l.now = l.now.Add(time.Minute)
	for _, cmd := range []change.Command{change.Approve{Ask: 1}, change.Deny{Ask: 1, Reason: "x"}, change.ChangeDuration{Ask: 1, Duration: 1}} {
		if r := l.refusal(cmd, member(deputy), change.Decided); r.By != cto || !r.At.Equal(decided) {
			t.Errorf("%T is told that %s decided at %s", cmd, r.By, r.At)
		}
	}
	l.refused(change.Approve{Ask: 7}, member(cto), change.TooLate)
}

func TestAClickAfterItsTimeIsTooLateThoughTheClockHasNotBeenThere(t *testing.T) {
	t.Parallel()
	l := begin(t, request(withAccess))
	l.now = start.Add(2 * time.Hour)
	for _, cmd := range []change.Command{change.Approve{Ask: 1}, change.Deny{Ask: 1, Reason: "x"}, change.ChangeDuration{Ask: 1, Duration: 1}} {
		l.refused(cmd, member(cto), change.TooLate)
	}
	l.stopped(0)
	l.phase(change.Lapsed)
	l.refused(change.Approve{Ask: 1}, member(cto), change.TooLate)
}

func TestADurationIsOnlyEverMadeShorter(t *testing.T) {
	t.Parallel()
	l := begin(t, request(withAccess))
	for _, d := range []time.Duration{-time.Minute, 0, time.Hour, 2 * time.Hour} {
		l.refused(change.ChangeDuration{Ask: 1, Duration: d}, member(cto), change.BadInput)
	}
	l.do(change.ChangeDuration{Ask: 1, Duration: 30 * time.Minute}, member(deputy))
	l.approve()
	if l.c.Access.Approved != 30*time.Minute || l.c.Access.Asked != time.Hour {
		t.Errorf("approved are %s of %s", l.c.Access.Approved, l.c.Access.Asked)
	}
	plain := begin(t, request(noAccess))
	plain.refused(change.ChangeDuration{Ask: 1, Duration: time.Minute}, member(cto), change.BadInput)
}

func TestWhereNobodyCanBeSureNobodyDecides(t *testing.T) {
	t.Parallel()
	silent := change.Membership{}
	for name, c := range map[string]struct {
		actor change.Actor
		want  change.RefusalCode
	}{
		"their own group is silent":        {seeing(cto, with("cto", silent)), change.Unestablished},
		"the group that may not is silent": {seeing(cto, with("barred", silent)), change.Unestablished},
		"another group is silent":          {seeing(cto, with("deputies", silent)), ""},
		"they are barred for certain":      {seeing(barred, with("deputies", silent)), change.NotAllowed},
		"nothing was looked up":            {change.Actor{ID: cto, Standing: change.Member}, change.Unestablished},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := begin(t, request(withAccess))
			if c.want == "" {
				l.do(change.Approve{Ask: 1}, c.actor)
				return
			}
			l.refused(change.Approve{Ask: 1}, c.actor, c.want)
			l.refused(change.Deny{Ask: 1, Reason: "x"}, c.actor, c.want)
			l.approve() // and pressing again works
		})
	}
}

func TestTheFallbackIsAskedAtOnceWhereNobodyMayDecide(t *testing.T) {
	t.Parallel()
	people := func(p ...change.PersonID) change.Membership { return change.Membership{Known: true, People: p} }
	for name, c := range map[string]struct {
		cto  change.Membership
		want bool
	}{
		"somebody may":           {people(cto), false},
		"nobody is there":        {people(), true},
		"the requester alone is": {people(requester), true},
		"the barred alone are":   {people(barred), true},
		"nobody knows":           {change.Membership{}, false},
		"everyone may":           {change.Membership{Known: true, Everyone: true}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := beginAs(t, request(withAccess), seeing(requester, with("cto", c.cto)), start)
			if got := l.has(change.EventEscalated); got != c.want {
				t.Errorf("asked at once: %t", got)
			}
			l.after(15 * time.Minute)
			if got := l.count(change.EventEscalated); got != 1 || !l.c.Asks[0].Fallback {
				t.Errorf("after its time the fallback was asked %d times", got)
			}
		})
	}
}

func TestWhereThereIsNoFallbackNobodyIsSaidToBeAsked(t *testing.T) {
	t.Parallel()
	r := rules()
	r.Kinds[0].Approvals[0].Fallback = nil
	c, _, err := change.Submit(r, request(withAccess), seeing(requester, with("cto", change.Membership{Known: true})), 1, start)
	if err != nil {
		t.Fatal(err)
	}
	if !c.NextAt().Equal(start.Add(2 * time.Hour)) {
		t.Errorf("the clock is to look at %s", c.NextAt())
	}
	if _, events, err := change.Decide(r, c, change.Escalate{Ask: 1}, itself, start); err != nil || len(events) > 0 {
		t.Errorf("escalating: %v, %v", types(events), err)
	}
}
