package report

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// Options say what the figures are of.
type Options struct {
	Since, Until time.Time              // the period; Until is not part of it
	AsOf         time.Time              // the moment of the report: what is overdue then, and how long open waits last
	Findings     []change.CensusFinding // of the census
	AllChanges   int                    // all changes to production in the period, for the share of emergencies; 0: not known
}

// Tally adds changes up. It keeps a few numbers of each, not the changes.
type Tally struct {
	opts     Options
	changes  int
	outcomes map[Outcome]int
	kinds    counter
	reasons  counter
	except   counter
	months   map[time.Time]*monthTally
	recent   int // changes of the last thirty days
	approval Approval
	toAnswer []time.Duration
	access   accessTally
	duties   [3]dutyTally
	overdue  []Debt
	waits    map[waitKey]*waitTally
	repeats  map[change.ReasonID]*repeatTally
}

type monthTally struct {
	Month
	toAnswer []time.Duration
}

type dutyTally struct {
	Duty
	taken []time.Duration
}

// counter counts by id, under the label that came last.
type counter map[string]Count

func (c counter) add(id, label string) {
	c[id] = Count{ID: id, Label: label, N: c[id].N + 1}
}

// sorted lists the counts, the most frequent first.
func (c counter) sorted() []Count {
	all := slices.AppendSeq([]Count{}, maps.Values(c))
	slices.SortFunc(all, func(a, b Count) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.ID, b.ID)) })
	return all
}

// recentDays is the stretch whose changes are compared with those before.
const recentDays = 30

// NewTally starts with nothing.
func NewTally(opts Options) *Tally {
	t := &Tally{
		opts: opts, outcomes: map[Outcome]int{}, kinds: counter{}, reasons: counter{}, except: counter{},
		months: map[time.Time]*monthTally{}, access: newAccessTally(),
		waits: map[waitKey]*waitTally{}, repeats: map[change.ReasonID]*repeatTally{},
	}
	for start := monthOf(opts.Since); start.Before(opts.Until); start = start.AddDate(0, 1, 0) {
		t.month(start)
	}
	return t
}

func monthOf(at time.Time) time.Time {
	at = at.UTC()
	return time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC)
}

func (t *Tally) month(start time.Time) *monthTally {
	m, ok := t.months[start]
	if !ok {
		m = &monthTally{Month: Month{Start: start, Outcomes: map[Outcome]int{}, Kinds: map[string]int{}}}
		t.months[start] = m
	}
	return m
}

// Add adds a change.
func (t *Tally) Add(row ledger.PopulationRow) {
	outcome := OutcomeOf(&row)
	m := t.month(monthOf(row.RequestedAt))
	t.changes++
	t.outcomes[outcome]++
	t.kinds.add(string(row.Kind), row.KindName)
	t.reasons.add(string(row.Reason), row.ReasonLabel)
	m.Outcomes[outcome]++
	m.Kinds[string(row.Kind)]++
	if !row.RequestedAt.Before(t.opts.Until.AddDate(0, 0, -recentDays)) {
		t.recent++
	}
	for _, e := range Exceptions(&row, t.opts.AsOf) {
		t.except.add(string(e), string(e))
	}
	t.addApproval(&row, m)
	t.access.add(row.Access, t.opts.AsOf)
	t.addDuties(&row)
	t.addWaits(&row)
	t.addRepeat(&row)
}

func (t *Tally) addApproval(row *ledger.PopulationRow, m *monthTally) {
	for _, a := range row.Asks {
		if a.For != change.ForChange {
			continue
		}
		t.approval.Asked++
		if row.Escalations > 0 {
			t.approval.Fallback++
		}
		switch {
		case a.Result != change.AskApproved:
		case row.SelfApproved:
			t.approval.Approved++
			t.approval.SelfApproved++
		default:
			t.approval.Approved++
			t.toAnswer = append(t.toAnswer, a.Settled.Sub(a.At))
			m.toAnswer = append(m.toAnswer, a.Settled.Sub(a.At))
		}
	}
}

func (t *Tally) addDuties(row *ledger.PopulationRow) {
	for i, d := range dutiesOf(row) {
		into := &t.duties[i]
		status := Judge(d.duty, t.opts.AsOf)
		if status == NotOwed {
			continue
		}
		if into.Statuses == nil {
			into.Statuses = map[Status]int{}
		}
		into.Owed++
		into.Statuses[status]++
		if p := d.duty.Part; !p.IsZero() && !d.duty.From.IsZero() {
			into.taken = append(into.taken, max(0, p.Sub(d.duty.From)))
		}
		if status == Overdue {
			t.overdue = append(t.overdue, Debt{Number: row.Number, Duty: d.name, Owner: d.duty.Owner, Due: d.duty.Due})
		}
	}
}

// Figures gives the figures of what was added so far.
func (t *Tally) Figures() Figures {
	f := Figures{
		Since: t.opts.Since, Until: t.opts.Until, AsOf: t.opts.AsOf, Changes: t.changes, AllChanges: t.opts.AllChanges,
		Outcomes: []Count{}, Kinds: t.kinds.sorted(), Reasons: t.reasons.sorted(), Exceptions: t.except.sorted(),
		Trend: t.trend(), Approval: t.approval, Access: t.access.figures(),
		Findings: founds(t.opts.Findings), Overdue: slices.Clone(t.overdue), Waits: t.sortedWaits(), Repeats: t.sortedRepeats(),
	}
	for _, o := range Outcomes() {
		if n := t.outcomes[o]; n > 0 {
			f.Outcomes = append(f.Outcomes, Count{ID: string(o), Label: string(o), N: n})
		}
	}
	for _, m := range t.months {
		month := m.Month
		month.Approval = spreadOf(m.toAnswer)
		f.Months = append(f.Months, month)
	}
	slices.SortFunc(f.Months, func(a, b Month) int { return a.Start.Compare(b.Start) })
	f.Approval.Time, f.Approval.Buckets = spreadOf(t.toAnswer), answerBuckets(t.toAnswer)
	for i, d := range dutiesOf(&ledger.PopulationRow{}) {
		duty := t.duties[i].Duty
		duty.Name, duty.Time = d.name, spreadOf(t.duties[i].taken)
		f.Duties = append(f.Duties, duty)
	}
	slices.SortStableFunc(f.Overdue, func(a, b Debt) int { return a.Due.Compare(b.Due) })
	return f
}

func (t *Tally) trend() *Trend {
	days := t.opts.Until.Sub(t.opts.Since).Hours() / 24
	if days < 2*recentDays {
		return nil
	}
	return &Trend{Recent: t.recent, Before: float64(t.changes-t.recent) * recentDays / (days - recentDays)}
}

func answerBuckets(spans []time.Duration) []Bucket {
	upTo := []time.Duration{
		time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 4 * time.Hour, 12 * time.Hour,
	}
	buckets := make([]Bucket, len(upTo)+1)
	for i, d := range upTo {
		buckets[i].Label = "up to " + Span(d).String()
	}
	buckets[len(upTo)].Label = "longer"
	for _, d := range spans {
		i, _ := slices.BinarySearch(upTo, d)
		buckets[i].N++
	}
	return buckets
}
