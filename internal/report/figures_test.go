package report_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/report"
)

func at(d time.Duration) time.Time { return since().Add(d) }

// asked is a change that was asked for at a moment of the period.
func asked(n int, when time.Duration) ledger.PopulationRow {
	return ledger.PopulationRow{
		Number: change.Number(n), Phase: change.Requested, Kind: "config", KindName: "Configuration", Reason: "down", ReasonLabel: "GitHub is down",
		Requester: "U0A", Implementer: "U0A", RequestedAt: at(when),
		Asks: []ledger.PopulationAsk{{For: change.ForChange, By: "U0A", At: at(when)}},
	}
}

// approved is one that was approved after a while.
func approved(n int, when, after time.Duration) ledger.PopulationRow {
	row := asked(n, when)
	a := &row.Asks[0]
	a.Result, a.Settled = change.AskApproved, at(when+after)
	a.Answers = []ledger.PopulationAnswer{{By: "U0CTO", At: a.Settled, Approved: true}}
	row.Phase, row.Approvers, row.DecidedAt, row.StartedAt = change.Closed, []change.PersonID{"U0CTO"}, a.Settled, a.Settled
	return row
}

func TestADutyIsJudgedByItsOwnDeadline(t *testing.T) {
	t.Parallel()
	due, before, after := at(24*time.Hour), at(time.Hour), at(30*time.Hour)
	for _, c := range []struct {
		name string
		duty ledger.PopulationDuty
		asOf time.Time
		want report.Status
	}{
		{"none", ledger.PopulationDuty{}, after, report.NotOwed},
		{"without a deadline yet", ledger.PopulationDuty{State: change.Owed}, after, report.NotDue},
		{"before it is due", ledger.PopulationDuty{State: change.Owed, Due: due}, before, report.NotDue},
		{"at the very deadline", ledger.PopulationDuty{State: change.Owed, Due: due}, due, report.Overdue},
		{"after it", ledger.PopulationDuty{State: change.Owed, Due: due}, after, report.Overdue},
		{"written in time, its copy outstanding", ledger.PopulationDuty{State: change.Owed, Due: due, Part: before}, after, report.CopyLate},
		{"written late, its copy outstanding", ledger.PopulationDuty{State: change.Owed, Due: due, Part: after}, at(40 * time.Hour), report.Overdue},
		{"done in time", ledger.PopulationDuty{State: change.Done, Due: due, Part: before, Done: before}, after, report.OnTime},
		{"done late", ledger.PopulationDuty{State: change.Done, Due: due, Part: after, Done: after}, after, report.Late},
		{"its copy late", ledger.PopulationDuty{State: change.Done, Due: due, Part: before, Done: after}, after, report.CopyLate},
		{"waived", ledger.PopulationDuty{State: change.Waived, Due: due}, after, report.Waived},
	} {
		if got := report.Judge(c.duty, c.asOf); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestEveryChangeIsCountedOnceByKindReasonMonthAndOutcome(t *testing.T) {
	t.Parallel()
	rows := generated(700, since(), until())
	f := figuresOf(options(), rows)
	sum := func(counts []report.Count) (n int) {
		for _, c := range counts {
			n += c.N
		}
		return n
	}
	months := 0
	for _, m := range f.Months {
		months += m.N()
	}
	if f.Changes != 700 || sum(f.Outcomes) != 700 || sum(f.Kinds) != 700 || sum(f.Reasons) != 700 || months != 700 || len(f.Months) != 3 {
		t.Errorf("changes %d, outcomes %d, kinds %d, reasons %d, months %d in %d",
			f.Changes, sum(f.Outcomes), sum(f.Kinds), sum(f.Reasons), months, len(f.Months))
	}
	for _, d := range f.Duties {
		n := 0
		for _, times := range d.Statuses {
			n += times
		}
		if n != d.Owed {
			t.Errorf("%s: %d owed, %d with a status", d.Name, d.Owed, n)
		}
	}
}

func TestTheSameRowsGiveTheSameFigures(t *testing.T) {
	t.Parallel()
	one, two := figuresOf(options(), generated(300, since(), until())), figuresOf(options(), generated(300, since(), until()))
	if diff := cmp.Diff(one, two, cmp.AllowUnexported(report.Repeat{})); diff != "" {
		t.Errorf("two runs differ:\n%s", diff)
	}
}

func TestTimeToApproveLeavesSelfApprovalsAndDenialsOut(t *testing.T) {
	t.Parallel()
	rows := []ledger.PopulationRow{
		approved(1, 0, 2*time.Minute), approved(2, time.Hour, 4*time.Minute), approved(3, 2*time.Hour, 20*time.Minute), approved(4, 3*time.Hour, 3*time.Hour),
	}
	self := approved(5, 4*time.Hour, time.Second)
	self.SelfApproved = true
	denied := asked(6, 5*time.Hour)
	denied.Phase, denied.Asks[0].Result, denied.Asks[0].Settled = change.Denied, change.AskDenied, at(5*time.Hour+time.Minute)
	reported := ledger.PopulationRow{Number: 7, Reported: true, Phase: change.Ended, RequestedAt: at(6 * time.Hour)}
	a := figuresOf(options(), append(rows, self, denied, reported)).Approval

	want := report.Spread{N: 4, Median: report.Span(4 * time.Minute), P90: report.Span(3 * time.Hour), Longest: report.Span(3 * time.Hour), Total: report.Span(3*time.Hour + 26*time.Minute)}
	if diff := cmp.Diff(want, a.Time); diff != "" {
		t.Errorf("time to approve (-want +got):\n%s", diff)
	}
	if a.Asked != 6 || a.Approved != 5 || a.SelfApproved != 1 {
		t.Errorf("asked %d, approved %d, self-approved %d", a.Asked, a.Approved, a.SelfApproved)
	}
	got := map[string]int{}
	for _, b := range a.Buckets {
		if b.N > 0 {
			got[b.Label] = b.N
		}
	}
	if diff := cmp.Diff(map[string]int{"up to 5 min": 2, "up to 30 min": 1, "up to 4 h": 1}, got); diff != "" {
		t.Errorf("distribution (-want +got):\n%s", diff)
	}
}

func TestUseOfAccessIsMeasuredOnlyWhereItWasGiven(t *testing.T) {
	t.Parallel()
	hour := time.Hour
	access := func(a ledger.PopulationAccess) ledger.PopulationRow {
		row := approved(1, 0, time.Minute)
		a.Target, a.TargetName, a.PermissionSet, a.PermissionSetName, a.Asked = "prod", "Production", "admin", "Administrator", hour
		row.Access = &a
		return row
	}
	rows := []ledger.PopulationRow{
		access(ledger.PopulationAccess{Approved: hour, VerifiedAt: at(0), GoneAt: at(15 * time.Minute)}),         // a quarter
		access(ledger.PopulationAccess{Approved: hour, VerifiedAt: at(0), GoneAt: at(hour + change.LateAfter)}),  // to the end
		access(ledger.PopulationAccess{Approved: hour, VerifiedAt: at(0), GoneAt: at(2 * hour)}),                 // longer
		access(ledger.PopulationAccess{Approved: hour, VerifiedAt: until().Add(-30 * time.Minute)}),              // still there
		access(ledger.PopulationAccess{Approved: hour, VerifiedAt: at(0), GoneAt: at(5 * hour), Standing: true}), // there before
		access(ledger.PopulationAccess{}), // never given
		approved(7, 0, time.Minute),       // none asked for
	}
	a := figuresOf(options(), rows).Access
	if a.Asked != 6 || a.Given != 4 || a.Standing != 1 || a.StillThere != 1 {
		t.Errorf("asked %d, given %d, standing %d, still there %d", a.Asked, a.Given, a.Standing, a.StillThere)
	}
	used := 15*time.Minute + hour + change.LateAfter + 2*hour + 30*time.Minute
	want := report.Hours{Asked: report.Span(4 * hour), Approved: report.Span(4 * hour), Used: report.Span(used)}
	if diff := cmp.Diff(want, a.Totals); diff != "" {
		t.Errorf("totals (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]report.Place{{Target: "Production", PermissionSet: "Administrator", N: 4, Hours: want}}, a.ByPlace); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
	var shares []int
	for _, b := range a.Shares {
		shares = append(shares, b.N)
	}
	if diff := cmp.Diff([]int{1, 0, 0, 1, 1}, shares); diff != "" {
		t.Errorf("shares (-want +got):\n%s", diff)
	}
	if len(a.ByLength) != 1 || a.ByLength[0].Used.N != 3 || a.ByLength[0].Used.Median != report.Span(hour+change.LateAfter) {
		t.Errorf("by length: %+v", a.ByLength)
	}
}

func TestWhoWaitsForWhomSaysWhenNobodyAnswers(t *testing.T) {
	t.Parallel()
	lapsed := asked(3, 2*time.Hour)
	lapsed.Phase, lapsed.Asks[0].Result, lapsed.Asks[0].Settled = change.Lapsed, change.AskLapsed, at(14*time.Hour)
	withdrawn := asked(4, 3*time.Hour)
	withdrawn.Asks[0].Result = change.AskWithdrawn
	open := asked(5, 0)
	open.RequestedAt, open.Asks[0].At = until().Add(-time.Hour), until().Add(-time.Hour)
	self := approved(6, 0, time.Second)
	self.Asks[0].Answers[0].By = "U0A"
	signed := approved(7, time.Hour, 10*time.Minute)
	signed.Record = ledger.PopulationDuty{State: change.Done, Done: at(5 * time.Hour)}
	signed.SignOff = ledger.PopulationDuty{State: change.Done, By: "U0CTO", Done: at(7 * time.Hour)}

	got := figuresOf(options(), []ledger.PopulationRow{approved(1, 0, 20*time.Minute), lapsed, withdrawn, open, self, signed}).Waits
	spread := func(n int, median, longest, total time.Duration) report.Spread {
		return report.Spread{N: n, Median: report.Span(median), P90: report.Span(longest), Longest: report.Span(longest), Total: report.Span(total)}
	}
	want := []report.Wait{
		{From: "U0A", For: report.WaitApproval, Open: 1, Time: spread(2, time.Hour, 12*time.Hour, 13*time.Hour)},
		{From: "U0A", To: "U0CTO", For: report.WaitSignOff, Time: spread(1, 2*time.Hour, 2*time.Hour, 2*time.Hour)},
		{From: "U0A", To: "U0CTO", For: report.WaitApproval, Time: spread(2, 10*time.Minute, 20*time.Minute, 30*time.Minute)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
}

func TestARepeatedReasonShowsWhatWasToPreventIt(t *testing.T) {
	t.Parallel()
	first, second, third := asked(1, 0), asked(2, 48*time.Hour), asked(3, 72*time.Hour)
	agreed, ref := at(24*time.Hour), change.TicketRef{Key: "OPS-1"}
	first.Actions = []ledger.PopulationAction{
		{What: "Mirror it", Agreed: agreed, Due: at(60 * time.Hour), Ticket: &ref},
		{What: "Ask for help", Agreed: agreed, Due: until().Add(time.Hour)},
	}
	once := asked(4, 96*time.Hour)
	once.Reason = "other"
	got := figuresOf(options(), []ledger.PopulationRow{first, second, third, once}).Repeats
	want := []report.Repeat{{
		ID: "down", Label: "GitHub is down", N: 3, Last: at(72 * time.Hour),
		Actions: 2, WithoutTicket: 1, PastDate: 1, AgainSince: 2, Tickets: []change.TicketRef{ref},
	}}
	ignore := cmp.FilterPath(func(p cmp.Path) bool {
		name := p.Last().String()
		return name == ".at" || name == ".agreed"
	}, cmp.Ignore())
	if diff := cmp.Diff(want, got, ignore); diff != "" {
		t.Errorf("repeats (-want +got):\n%s", diff)
	}
}

func TestTheTrendComparesAMonthWithThoseBefore(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	rows := []ledger.PopulationRow{asked(1, 0), asked(2, day), asked(3, 59*day), asked(4, 60*day), asked(5, 89*day)}
	want := &report.Trend{Recent: 2, Before: 1.5} // the last 30 of 90 days
	if diff := cmp.Diff(want, figuresOf(options(), rows).Trend); diff != "" {
		t.Errorf("trend (-want +got):\n%s", diff)
	}
	short := report.Options{Since: since(), Until: at(59 * day), AsOf: until()}
	if got := figuresOf(short, rows[:2]).Trend; got != nil {
		t.Errorf("a period of 59 days has a trend: %+v", got)
	}
}

func TestWhatStandsOutIsListed(t *testing.T) {
	t.Parallel()
	given := func(gone time.Time) *ledger.PopulationAccess {
		return &ledger.PopulationAccess{VerifiedAt: at(0), GoneAt: gone, EndedAt: at(time.Hour)}
	}
	due := at(24 * time.Hour)
	for _, c := range []struct {
		name string
		row  ledger.PopulationRow
		want []report.Exception
	}{
		{"nothing", ledger.PopulationRow{EndedAt: at(time.Hour), Access: given(at(time.Hour))}, nil},
		{"a removal in time", ledger.PopulationRow{EndedAt: at(time.Hour), Access: given(at(time.Hour + change.LateAfter))}, nil},
		{"a late removal", ledger.PopulationRow{EndedAt: at(time.Hour), Access: given(at(2 * time.Hour))}, []report.Exception{report.ExceptionAccessLate}},
		{"a removal in time of an end that came late", ledger.PopulationRow{EndedAt: at(4 * time.Hour), Access: given(at(4 * time.Hour))}, []report.Exception{report.ExceptionAccessLate}},
		{"no removal", ledger.PopulationRow{EndedAt: at(time.Hour), Access: given(time.Time{})}, []report.Exception{report.ExceptionAccessLeft}},
		{"standing access", ledger.PopulationRow{EndedAt: at(time.Hour), Access: &ledger.PopulationAccess{Standing: true, VerifiedAt: at(0)}}, []report.Exception{report.ExceptionAccessThere}},
		{"own approval", ledger.PopulationRow{SelfApproved: true}, []report.Exception{report.ExceptionSelfApproved}},
		{"duties", ledger.PopulationRow{
			Record:  ledger.PopulationDuty{State: change.Owed, Due: due},
			SignOff: ledger.PopulationDuty{State: change.Waived},
			Review:  ledger.PopulationDuty{State: change.Done, Due: due, Part: until(), Done: until()},
		}, []report.Exception{"record overdue", "sign-off waived", "review late"}},
		{"the rest", ledger.PopulationRow{Reported: true, AccessBack: 1, SignOffsUndone: 1, Undelivered: 2, NothingChanged: true, RecordChanged: true}, []report.Exception{
			report.ExceptionReported, report.ExceptionAccessBack, report.ExceptionSignOffUndone, report.ExceptionRecordChanged, report.ExceptionUndelivered, report.ExceptionNothingChanged,
		}},
	} {
		if diff := cmp.Diff(c.want, report.Exceptions(&c.row, until())); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestLengthsReadAsPeopleSayThem(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0 s", 400 * time.Millisecond: "0 s", 59 * time.Second: "59 s", 59600 * time.Millisecond: "1 min", 90 * time.Second: "2 min",
		time.Hour: "1 h", 59*time.Minute + 40*time.Second: "1 h", 90 * time.Minute: "1 h 30 min", 24*time.Hour - time.Second: "1 d",
		25*time.Hour + 20*time.Minute: "1 d 1 h", -time.Minute: "−1 min", 400 * 24 * time.Hour: "400 d",
	} {
		if got := report.Span(d).String(); got != want {
			t.Errorf("%s reads %q, want %q", d, got, want)
		}
	}
}
