package reconcile

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return noon.Add(-d) }

func in(d time.Duration) step { return step{do: doRest, next: noon.Add(d)} }

var (
	waits  = party{number: 1, phase: change.Approved, wanted: true}
	asked  = party{number: 1, phase: change.Approved, wanted: true, intended: true}
	uses   = party{number: 1, phase: change.Active, wanted: true, intended: true, verified: true}
	over   = party{number: 2, phase: change.Ended, intended: true, verified: true, ended: ago(time.Minute)}
	gaveUp = party{number: 3, phase: change.Approved, intended: true}
)

func TestThePlanForEachState(t *testing.T) {
	t.Parallel()
	var (
		absent2 = ledger.Assignment{AbsentSince: ago(6 * time.Second), LookedAt: noon}
		ours    = ledger.Assignment{Standing: ledger.StandingOurs}
		found   = ledger.Assignment{Standing: ledger.StandingFound}
	)
	with := func(r ledger.Assignment, alter ...func(*ledger.Assignment)) ledger.Assignment {
		for _, f := range alter {
			f(&r)
		}
		return r
	}
	emptied := func(r *ledger.Assignment) { r.ClearSince = ago(7 * time.Second) }
	twice := func(r *ledger.Assignment) { r.AbsentSince, r.LookedAt = absent2.AbsentSince, absent2.LookedAt }
	once := func(r *ledger.Assignment) { r.AbsentSince, r.LookedAt = noon, noon }
	long := func(r *ledger.Assignment) { r.AbsentSince, r.LookedAt = ago(time.Minute), noon }
	open := func(d time.Duration) func(*ledger.Assignment) {
		return func(r *ledger.Assignment) { r.OpenCreates, r.CreateOpenSince = 1, ago(d) }
	}
	creating := func(d time.Duration, id string) func(*ledger.Assignment) {
		return func(r *ledger.Assignment) {
			r.Operation, r.SentAt, r.RequestID = ledger.CreateOperation, ago(d), id
		}
	}
	deleting := func(d time.Duration, id string) func(*ledger.Assignment) {
		return func(r *ledger.Assignment) {
			r.Operation, r.SentAt, r.RequestID = ledger.DeleteOperation, ago(d), id
		}
	}
	seen := func(r *ledger.Assignment) { r.LookedAt, r.SeenAt = ago(time.Hour), ago(time.Hour) }
	failure := func(r *ledger.Assignment) { r.Failure = "no" }
	for name, c := range map[string]struct {
		view view
		want step
	}{
		"nobody wants it and nothing is ours":          {view{}, step{do: doRest}},
		"the list comes before the first create":       {view{parties: []party{waits}}, step{do: doLook}},
		"nothing is created while lists fail":          {view{parties: []party{waits}, seen: lookFailed}, in(time.Second)},
		"what is not listed is created":                {view{parties: []party{waits}, seen: absent, row: with(ledger.Assignment{}, once)}, step{do: doCreate}},
		"what is listed is found":                      {view{parties: []party{waits}, seen: listed}, step{do: doVerify, who: []change.Number{1}, standing: true}},
		"what was listed at the request is doubted":    {view{parties: []party{{number: 1, phase: change.Approved, wanted: true, already: true}}, seen: absent, row: with(ledger.Assignment{}, once)}, in(absenceGap)},
		"a refused create is told after two looks":     {view{parties: []party{asked}, seen: absent, row: with(ledger.Assignment{}, failure, twice)}, step{do: doFail, who: []change.Number{1}}},
		"… and not after one":                          {view{parties: []party{asked}, seen: absent, row: with(ledger.Assignment{}, failure, once)}, in(absenceGap)},
		"found access at the end is left":              {view{parties: []party{over}, row: found}, step{do: doGone, who: []change.Number{2}}},
		"found access is not made anew after one look": {view{parties: []party{waits}, seen: absent, row: with(found, once)}, in(absenceGap)},
		"… but after two it is":                        {view{parties: []party{waits}, seen: absent, row: with(found, twice)}, step{do: doCreate}},

		"a create is polled":                    {view{parties: []party{asked}, row: with(ours, emptied, creating(time.Second, "r"))}, step{do: doPoll}},
		"… and waited for":                      {view{parties: []party{asked}, polled: true, row: with(ours, emptied, creating(time.Second, "r"))}, in(time.Second)},
		"… even when nobody wants it any more":  {view{parties: []party{over}, polled: true, row: with(ours, emptied, twice, creating(time.Second, "r"))}, in(time.Second)},
		"a stuck create is looked for in lists": {view{parties: []party{asked}, polled: true, row: with(ours, emptied, creating(stuckAfter, "r"))}, step{do: doLook}},
		"… and believed when they show it":      {view{parties: []party{asked}, polled: true, searched: true, seen: listed, row: with(ours, emptied, creating(stuckAfter, "r"))}, step{do: doVerify, who: []change.Number{1}}},
		"a create without an id is looked for":  {view{parties: []party{asked}, row: with(ours, emptied, creating(time.Second, ""))}, step{do: doFind}},
		"… and in lists":                        {view{parties: []party{asked}, searched: true, searchOK: true, row: with(ours, emptied, creating(time.Second, ""))}, step{do: doLook}},
		"… and not sent again soon":             {view{parties: []party{asked}, searched: true, searchOK: true, seen: absent, row: with(ours, emptied, twice, creating(59*time.Second, ""))}, in(time.Second)},
		"… nor when the search failed":          {view{parties: []party{asked}, searched: true, seen: absent, row: with(ours, emptied, twice, creating(time.Hour-time.Second, ""))}, in(time.Second)},
		"… nor while lists may lag":             {view{parties: []party{asked}, searched: true, searchOK: true, seen: absent, row: with(ours, emptied, twice, creating(time.Minute, ""))}, in(time.Second)},
		"… but after a minute":                  {view{parties: []party{asked}, searched: true, searchOK: true, seen: absent, row: with(ours, emptied, long, creating(time.Minute, ""))}, step{do: doCreate}},
		"… and unwanted it is deleted at once":  {view{parties: []party{gaveUp}, searched: true, searchOK: true, seen: absent, row: with(ours, emptied, twice, creating(time.Second, ""))}, step{do: doDelete}},

		"a create that succeeded needs a list":        {view{parties: []party{asked}, row: ours}, step{do: doLook}},
		"… that agrees":                               {view{parties: []party{asked}, seen: absent, row: with(ours, once)}, in(time.Second)},
		"access that somebody took away is made anew": {view{parties: []party{asked}, seen: absent, row: with(ours, long)}, step{do: doCreate}},
		"a second change has its own duty":            {view{parties: []party{waits, uses}, seen: listed, row: ours}, step{do: doVerify, who: []change.Number{1}}},
		"what was deleted under who has it is missed": {view{parties: []party{uses}, row: with(ours, emptied)}, step{do: doLook}},
		"… and made anew once it is gone":             {view{parties: []party{uses}, seen: absent, row: with(ours, emptied, twice)}, step{do: doCreate}},
		"all have it":                                 {view{parties: []party{uses}, row: ours}, step{do: doRest}},
		"one is over, another holds it":               {view{parties: []party{uses, over}, row: ours}, step{do: doGone, who: []change.Number{2}, held: true}},
		"one is over, another waits":                  {view{parties: []party{asked, over}, seen: absent, row: with(ours, once)}, in(time.Second)},
		"a deleted one is first gone, then made anew": {view{parties: []party{waits, over}, seen: absent, row: with(ours, emptied, once)}, in(absenceGap)},
		"… once it is gone":                           {view{parties: []party{waits}, seen: absent, row: with(ours, emptied, twice)}, step{do: doCreate}},
		"a stale list verifies nothing":               {view{parties: []party{waits}, seen: listed, row: with(ours, emptied)}, in(time.Second)},
		"an open create bars another":                 {view{parties: []party{asked}, searched: true, searchOK: true, seen: absent, row: with(ours, twice, open(30*time.Second))}, in(time.Second)},

		"at the end comes a look":                       {view{parties: []party{over}, row: ours}, step{do: doLook}},
		"… but none where one showed it last":           {view{parties: []party{over}, row: with(ours, seen)}, step{do: doDelete}},
		"… unless somebody was never told that it came": {view{parties: []party{over, gaveUp}, row: with(ours, seen)}, step{do: doLook}},
		"… or a create may yet take effect":             {view{parties: []party{over}, searched: true, row: with(ours, seen, open(time.Minute))}, step{do: doLook}},
		"… and a delete, listed":                        {view{parties: []party{over}, seen: listed, row: ours}, step{do: doDelete}},
		"… or not, for lists lag":                       {view{parties: []party{over}, seen: absent, row: with(ours, once)}, step{do: doDelete}},
		"… or not even answered":                        {view{parties: []party{over}, seen: lookFailed, row: ours}, step{do: doDelete}},
		"who gave up but had it is told so":             {view{parties: []party{gaveUp}, seen: listed, row: ours}, step{do: doVerify, who: []change.Number{3}}},
		"a delete is polled":                            {view{parties: []party{over}, row: with(ours, deleting(time.Second, "r"))}, step{do: doPoll}},
		"a delete without an id is looked for":          {view{parties: []party{over}, row: with(ours, deleting(time.Second, ""))}, step{do: doFind}},
		"… and sent again soon":                         {view{parties: []party{over}, searched: true, seen: listed, row: with(ours, deleting(deleteAgain, ""))}, step{do: doDelete}},
		"… but not where it would cut somebody off":     {view{parties: []party{waits}, searched: true, seen: listed, row: with(ours, deleting(59*time.Second, ""))}, in(time.Second)},
		"a stuck delete is sent again":                  {view{parties: []party{over}, polled: true, seen: listed, row: with(ours, deleting(stuckAfter, "r"))}, step{do: doDelete}},
		"one absence is no proof":                       {view{parties: []party{over}, seen: absent, row: with(ours, emptied, once)}, in(absenceGap)},
		"two are":                                       {view{parties: []party{over}, seen: absent, row: with(ours, emptied, twice)}, step{do: doGone, who: []change.Number{2}}},
		"… not while a create is open":                  {view{parties: []party{over}, searched: true, seen: absent, row: with(ours, emptied, twice, open(59*time.Minute))}, in(30 * time.Second)},
		"… until its hour is over":                      {view{parties: []party{over}, seen: absent, row: with(ours, emptied, twice, open(time.Hour))}, step{do: doGone, who: []change.Number{2}}},
		"… and then it is watched":                      {view{seen: absent, row: with(ours, emptied, twice, open(time.Hour))}, in(watchEvery)},
		"what an open create brings is deleted":         {view{parties: []party{over}, searched: true, seen: listed, row: with(ours, emptied, open(time.Minute))}, step{do: doDelete}},
		"a delete that fails for ever but left nothing": {view{parties: []party{over}, seen: absent, row: with(ours, long)}, step{do: doGone, who: []change.Number{2}}},
		"what comes back is told":                       {view{seen: listed, back: true, row: with(ours, emptied, func(r *ledger.Assignment) { r.WatchUntil = noon.Add(time.Hour) })}, step{do: doBack}},
		"lateness is told before anything else":         {view{parties: []party{{number: 2, phase: change.Ended, intended: true, ended: ago(change.LateAfter)}}, stop: true, row: ours}, step{do: doLate, who: []change.Number{2}}},
		"what a create never brought is not late":       {view{parties: []party{{number: 2, phase: change.Ended, intended: true, ended: ago(time.Hour)}}, stop: true, row: with(ours, emptied, twice, open(time.Minute))}, in(time.Second)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.view.now = noon
			_, got := plan(c.view)
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(step{})); diff != "" {
				t.Errorf("the plan differs (- want, + got):\n%s", diff)
			}
		})
	}
}

// Whatever the row holds and whoever wants what: the rules that no plan breaks.
func TestNoPlanBreaksThePromises(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		for range 50 {
			v := anyView(t)
			known := slices.Clone(v.row.Known)
			row, s := plan(v)
			checkPlan(t, v, row, s)
			if !slices.Equal(known, v.row.Known) {
				t.Fatal("the plan altered what it was made from")
			}
		}
	})
}

func checkPlan(t *rapid.T, v view, row ledger.Assignment, s step) {
	demand := func(ok bool, what string) {
		if !ok {
			t.Fatalf("%s: %+v\nfrom %+v\nto %+v", what, s, v, row)
		}
	}
	has := func(fits func(party) bool) bool { return slices.ContainsFunc(v.parties, fits) }
	wanted := has(func(x party) bool { return x.wanted })
	theirs := row.Standing == ledger.StandingFound || row.Standing == ledger.StandingKept
	unresolved := row.Operation == ledger.CreateOperation || row.OpenCreates > 0
	switch s.do {
	case doCreate:
		demand(wanted, "nobody wants it")
		demand(!theirs, "it is not ours")
		demand(v.seen == absent, "no look came before")
		demand(row.Operation == ledger.NoOperation, "one is in flight")
		demand(row.OpenCreates == 0 || (v.searchOK && !v.now.Before(row.CreateOpenSince.Add(createAgain))), "one is open and was not looked for")
	case doDelete:
		demand(!wanted, "somebody wants it")
		demand(row.Standing == ledger.StandingOurs, "it is not ours")
		demand(row.Operation == ledger.NoOperation, "one is in flight")
	case doVerify:
		demand(v.seen == listed, "no list shows it")
		demand(s.standing == theirs, "whose it is, is told wrongly")
		demand(len(s.who) > 0, "nobody is told")
	case doGone:
		demand(len(s.who) > 0, "nobody is told")
		if s.held {
			demand(has(func(x party) bool { return x.wanted && x.verified && x.intended }), "nobody holds it")
		} else if !theirs {
			demand(!wanted || row.Standing == ledger.StandingUnknown, "somebody has it")
			demand(absentTwice(row) && v.seen == absent && !unresolved, "it is not proved")
		}
	case doFail:
		demand(absentTwice(row) && v.seen == absent && !unresolved && row.Failure != "", "it is not proved")
	case doBack:
		demand(v.seen == listed && !wanted, "it is not back")
	case doRest:
		demand(s.next.IsZero() || (s.next.After(v.now) && !s.next.After(v.now.Add(watchEvery))), "the next look is at no good time")
		if s.next.IsZero() {
			demand(row.Operation == ledger.NoOperation, "an operation is forgotten")
			demand(wanted || row.Standing != ledger.StandingOurs, "what is ours is forgotten")
			demand(!has(func(x party) bool { return x.wanted && !x.verified }), "who waits is forgotten")
			demand(!has(func(x party) bool { return x.phase == change.Ended && !x.wanted }), "who is over is forgotten")
		}
	case doLook:
		demand(v.seen == notLooked, "it was looked already")
	case doPoll:
		demand(!v.polled && row.RequestID != "", "it was polled already")
	case doFind:
		demand(!v.searched, "it was searched already")
	case doLate:
		demand(!wanted && len(s.who) > 0, "it is not late")
	}
}

// anyView draws a view that the ledger could hold, and some more.
func anyView(t *rapid.T) view {
	when := func(name string) time.Time {
		return ago(rapid.SampledFrom([]time.Duration{0, time.Second, 6 * time.Second, 31 * time.Second, 61 * time.Second, 6 * time.Minute, 16 * time.Minute, 61 * time.Minute}).Draw(t, name))
	}
	maybe := func(name string) time.Time {
		if rapid.Bool().Draw(t, name+" set") {
			return when(name)
		}
		return time.Time{}
	}
	v := view{
		now: noon, polled: rapid.Bool().Draw(t, "polled"), searched: rapid.Bool().Draw(t, "searched"),
		stop: rapid.Bool().Draw(t, "stop"), seen: sight(rapid.IntRange(0, 3).Draw(t, "seen")),
	}
	v.searchOK = v.searched && rapid.Bool().Draw(t, "search ok")
	r := &v.row
	r.Standing = rapid.SampledFrom([]ledger.Standing{"", "ours", "ours", "found", "kept"}).Draw(t, "standing")
	r.Polls = rapid.IntRange(0, 9).Draw(t, "polls")
	r.Known = []string{"a", "r", "b"}
	if r.Standing == ledger.StandingOurs {
		r.Operation = rapid.SampledFrom([]ledger.Operation{"", "create", "delete"}).Draw(t, "operation")
		if r.Operation != "" {
			r.SentAt = when("sent")
			r.RequestID = rapid.SampledFrom([]string{"", "r"}).Draw(t, "id")
		}
		if r.OpenCreates = rapid.IntRange(0, 2).Draw(t, "open"); r.OpenCreates > 0 {
			r.CreateOpenSince = when("open since")
		}
		r.ClearSince = maybe("clear")
		if rapid.Bool().Draw(t, "watched") {
			r.WatchUntil = noon.Add(time.Hour)
		}
	}
	r.Failure = rapid.SampledFrom([]string{"", "no"}).Draw(t, "failure")
	switch v.seen {
	case listed:
		r.LookedAt, r.SeenAt = noon, noon
		v.back = rapid.Bool().Draw(t, "back")
	case absent:
		r.LookedAt, r.AbsentSince = noon, when("absent")
	case notLooked, lookFailed:
		if r.AbsentSince = maybe("absent"); !r.AbsentSince.IsZero() {
			r.LookedAt = r.AbsentSince
		}
	}
	for n := range rapid.IntRange(0, 3).Draw(t, "parties") {
		x := rapid.SampledFrom([]party{waits, asked, uses, over, gaveUp, {phase: change.Active, wanted: true, verified: true}}).Draw(t, "party")
		x.number = change.Number(n + 1)
		x.late = rapid.Bool().Draw(t, "late")
		v.parties = append(v.parties, x)
	}
	return v
}

// A request that is accounted for is never taken for one that is looked for.
func TestALostRequestIsNotMistakenForAnother(t *testing.T) {
	t.Parallel()
	earlier := change.AWSOperation{RequestID: "earlier", State: change.OperationSucceeded}
	lost := change.AWSOperation{RequestID: "lost", State: change.OperationInProgress}
	later := change.AWSOperation{RequestID: "later", State: change.OperationFailed, Reason: "quota"}
	sent := ledger.Assignment{Standing: ledger.StandingOurs, Operation: ledger.CreateOperation, SentAt: ago(time.Minute), Known: []string{"earlier"}, ClearSince: ago(time.Minute)}
	open := ledger.Assignment{Standing: ledger.StandingOurs, OpenCreates: 1, CreateOpenSince: ago(time.Minute), Known: []string{"earlier"}}
	for name, c := range map[string]struct {
		row   ledger.Assignment
		found []change.AWSOperation
		want  ledger.Assignment
	}{
		"an earlier one says nothing": {sent, []change.AWSOperation{earlier}, sent},
		"the lost one is followed": {sent, []change.AWSOperation{earlier, lost}, ledger.Assignment{
			Standing: ledger.StandingOurs, Operation: ledger.CreateOperation, SentAt: ago(time.Minute), RequestID: "lost",
			Known: []string{"earlier", "lost"}, ClearSince: ago(time.Minute),
		}},
		"one that failed made nothing": {sent, []change.AWSOperation{later}, ledger.Assignment{
			Known: []string{"earlier", "later"}, ClearSince: ago(time.Minute), Failure: "AWS could not give the access: quota",
		}},
		"an earlier one resolves no open create": {open, []change.AWSOperation{earlier}, open},
		"an open one that failed is resolved":    {open, []change.AWSOperation{later}, ledger.Assignment{Standing: ledger.StandingOurs, Known: []string{"earlier", "later"}}},
		"an open one in progress is followed": {open, []change.AWSOperation{lost}, ledger.Assignment{
			Standing: ledger.StandingOurs, Operation: ledger.CreateOperation, SentAt: ago(time.Minute), RequestID: "lost", Known: []string{"earlier", "lost"},
		}},
	} {
		row := c.row
		adopt(&row, c.found)
		if diff := cmp.Diff(c.want, row, cmpopts.IgnoreUnexported(ledger.Assignment{})); diff != "" {
			t.Errorf("%s (- want, + got):\n%s", name, diff)
		}
	}
}
