package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// How much of a list the page shows; CSV and JSON have all.
const (
	waitsShown   = 12 // of each sort
	repeatsShown = 12
	debtsShown   = 12
	placesShown  = 15
	ticketsShown = 8
	mediansShown = 8
)

// legend is one entry of a legend: a colour, what it stands for, and how often.
type legend struct{ Class, Label, Value string }

func statusClass(s Status) string {
	switch s {
	case OnTime:
		return "s-ontime"
	case CopyLate:
		return "s-copylate"
	case Late:
		return "s-late"
	case Overdue:
		return "s-overdue"
	case NotDue:
		return "s-notdue"
	case Waived:
		return "s-waived"
	case NotOwed:
	}
	return "s-none"
}

// MonthsPlot draws the changes of each month.
func (p page) MonthsPlot() columnPlot {
	desc := "Emergency changes asked for in each month:"
	for _, m := range p.Months {
		desc += fmt.Sprintf(" %s %d;", m.Start.Format("January 2006"), m.N())
	}
	return monthColumns(plot{ID: "months", Title: "Emergency changes by month", Desc: desc}, p.Months)
}

func (p page) MonthsLegend() []legend {
	outcomes := map[Outcome]int{}
	for _, o := range p.Outcomes {
		outcomes[Outcome(o.ID)] = o.N
	}
	var all []legend
	for _, g := range groupsOf(outcomes) {
		all = append(all, legend{g.ID, g.Label, strconv.Itoa(g.N)})
	}
	return all
}

func (p page) KindsPlot() bars {
	return countBars(plot{ID: "kinds", Title: "By kind", Desc: "Emergency changes by kind: " + countsOf(p.Kinds)}, "s-made", p.Kinds, p.Changes)
}

func (p page) ReasonsPlot() bars {
	return countBars(plot{ID: "reasons", Title: "By reason", Desc: "Emergency changes by reason: " + countsOf(p.Reasons)}, "s-made", p.Reasons, p.Changes)
}

func (p page) ExceptionsPlot() bars {
	return countBars(plot{ID: "exceptions", Title: "What stands out", Desc: "Changes by what stands out about them: " + countsOf(p.Exceptions)}, "s-late", p.Exceptions, p.Changes)
}

func bucketCounts(buckets []Bucket) []Count {
	counts := make([]Count, len(buckets))
	for i, b := range buckets {
		counts[i] = Count{ID: b.Label, Label: b.Label, N: b.N}
	}
	return counts
}

func (p page) ApprovalPlot() bars {
	counts := bucketCounts(p.Approval.Buckets)
	return countBars(plot{ID: "approval", Title: "Time to approve", Desc: "Approvals by the time they took: " + countsOf(counts)}, "s-made", counts, p.Approval.Time.N)
}

// MediansPlot draws how long approvals took in each of the last months.
func (p page) MediansPlot() bars {
	b := bars{plot: plot{ID: "medians", Title: "Median time to approve by month", Desc: "Median time to approve:"}}
	var largest Span
	months := p.Months[max(0, len(p.Months)-mediansShown):]
	for _, m := range months {
		largest = max(largest, m.Approval.Median)
	}
	for _, m := range months {
		value := "nothing approved"
		if m.Approval.N > 0 {
			value = fmt.Sprintf("%s · %d approved", m.Approval.Median, m.Approval.N)
		}
		name := m.Start.Format("January 2006")
		b.add(name, value).stack("s-made", float64(m.Approval.Median), float64(largest), name+": "+value)
		b.Desc += fmt.Sprintf(" %s %s;", name, value)
	}
	return b
}

// TotalsPlot sets what was asked for, approved and used against each other.
func (p page) TotalsPlot() bars {
	t := p.Access.Totals
	b := bars{plot: plot{
		ID: "access-totals", Title: "Access asked for, approved and used, in all",
		Desc: fmt.Sprintf("Asked for %s, approved %s, used %s.", t.Asked, t.Approved, t.Used),
	}}
	largest := float64(max(t.Asked, t.Approved, t.Used))
	for _, x := range []struct {
		label, class string
		span         Span
	}{{"Asked for", "s-not", t.Asked}, {"Approved", "s-open", t.Approved}, {"Used: there in AWS", "s-made", t.Used}} {
		value := hours(x.span)
		if x.span != t.Asked {
			value += " · " + percentOf(int(x.span.Seconds()), int(t.Asked.Seconds()))
		}
		b.add(x.label, value).stack(x.class, float64(x.span), largest, x.label+": "+value)
	}
	return b
}

// hours writes long spans of access in hours, which add up in people's heads.
func hours(s Span) string {
	if h := time.Duration(s).Hours(); h >= 10 {
		return fmt.Sprintf("%.0f h", h)
	}
	return s.String()
}

func (p page) SharesPlot() bars {
	counts := bucketCounts(p.Access.Shares)
	n := 0
	for _, c := range counts {
		n += c.N
	}
	return countBars(plot{ID: "access-shares", Title: "How much of the approved time was used", Desc: "Changes by the share used of the approved time: " + countsOf(counts)}, "s-made", counts, n)
}

// LengthsPlot sets the median use against each approved length.
func (p page) LengthsPlot() bars {
	b := bars{plot: plot{ID: "access-lengths", Title: "Typical use of each approved length", Desc: "Median use by approved length:"}}
	var largest Span
	for _, l := range p.Access.ByLength {
		largest = max(largest, l.Approved, l.Used.Median)
	}
	for _, l := range p.Access.ByLength {
		value := fmt.Sprintf("median %s of %d", l.Used.Median, l.Used.N)
		into := b.add(l.Approved.String()+" approved", value)
		into.Segments = []segment{
			{Class: "s-track", W: part(float64(l.Approved), float64(largest)), Y: into.BarY, H: barHeight, Say: "approved " + l.Approved.String()},
			{Class: "s-made", W: part(float64(l.Used.Median), float64(largest)), Y: into.BarY + 3, H: barHeight - 6, Say: value},
		}
		b.Desc += fmt.Sprintf(" of %s approved %s used, %d changes;", l.Approved, l.Used.Median, l.Used.N)
	}
	return b
}

func (p page) DutiesPlot() bars {
	b := bars{plot: plot{ID: "duties", Title: "Records, sign-offs and reviews", Desc: "How they were met."}}
	for _, d := range p.Duties {
		value := "none owed"
		if d.Owed > 0 {
			value = fmt.Sprintf("%s on time", percentOf(d.Statuses[OnTime], d.Owed-d.Statuses[NotDue]-d.Statuses[Waived]))
		}
		into := b.add(fmt.Sprintf("%s%ss: %d owed", strings.ToUpper(d.Name[:1]), d.Name[1:], d.Owed), value)
		for _, s := range Statuses() {
			into.stack(statusClass(s), float64(d.Statuses[s]), float64(d.Owed), fmt.Sprintf("%ss %s: %d", d.Name, s, d.Statuses[s]))
		}
		if d.Owed > 0 {
			b.Desc += fmt.Sprintf(" %ss: %s.", d.Name, d.statuses())
		}
	}
	return b
}

func (p page) DutiesLegend() []legend {
	var all []legend
	for _, s := range Statuses() {
		n := 0
		for _, d := range p.Duties {
			n += d.Statuses[s]
		}
		if n > 0 {
			all = append(all, legend{statusClass(s), string(s), strconv.Itoa(n)})
		}
	}
	return all
}

// WaitPlots draw who waits for whom, for each thing that is waited for: from the
// median to the longest wait of the pairs that waited longest altogether.
func (p page) WaitPlots() []bars {
	var plots []bars
	for _, what := range []WaitFor{WaitApproval, WaitSignOff} {
		shown := p.waitsFor(what)
		if len(shown) > 0 {
			plots = append(plots, waitPlot(what, shown))
		}
	}
	return plots
}

// waitsFor lists the pairs that the page shows.
func (p page) waitsFor(what WaitFor) []Wait {
	var shown []Wait
	for _, w := range p.Waits {
		if w.For == what && len(shown) < waitsShown {
			shown = append(shown, w)
		}
	}
	return shown
}

func waitPlot(what WaitFor, shown []Wait) bars {
	b := bars{plot: plot{ID: "waits-" + string(what), Title: "Waiting for " + string(what), Desc: "Dots are medians, lines reach to the longest wait, on a logarithmic axis."}}
	longest := Span(2 * shortestWait)
	for _, w := range shown {
		longest = max(longest, w.Time.Longest)
	}
	for _, w := range shown {
		into := b.add(w.Label(), fmt.Sprintf("%s · %d×", w.Time.Median, w.Time.N))
		at, to := waitX(w.Time.Median, longest), waitX(w.Time.Longest, longest)
		say := fmt.Sprintf("%s: %d times, median %s, longest %s", w.Label(), w.Time.N, w.Time.Median, w.Time.Longest)
		into.Segments = []segment{{Class: "s-range", X: at, W: to - at, Y: into.BarY + 4, H: 4, Say: say}}
		class := "s-made"
		if w.To == "" {
			class = "s-overdue"
		}
		into.Dots = []segment{{Class: class, X: at, Y: into.BarY + 6, Say: say}}
		b.Desc += " " + say + "."
	}
	b.Ticks = waitTicks(longest, b.Height+14)
	b.Height += axisHeight
	return b
}

// Label says who waits for whom.
func (w Wait) Label() string {
	to := string(w.To)
	switch {
	case to == "" && w.Open > 0:
		to = "still open"
	case to == "":
		to = "nobody"
	}
	return fmt.Sprintf("%s → %s", w.From, to)
}

// RepeatsPlot draws when each reason came up, and when an action was agreed
// that was to prevent it.
func (p page) RepeatsPlot() bars {
	b := bars{plot: plot{ID: "repeats", Title: "Reasons that came up again", Desc: "Dots are changes, diamonds are preventive actions that were agreed."}}
	all := float64(p.Until.Sub(p.Since))
	x := func(at time.Time) percent { return 1 + part(float64(at.Sub(p.Since)), all)*0.98 }
	for _, r := range p.Repeats[:min(len(p.Repeats), repeatsShown)] {
		into := b.add(r.Label, fmt.Sprintf("%d×, ◆ %d", r.N, r.Actions))
		into.Segments = []segment{{Class: "s-axis", W: 100, Y: into.BarY + 6, H: 1}}
		into.Dots = thinned(r.at, into.BarY+6, "s-made", x)
		into.Marks = thinned(r.agreed, into.BarY+6, "s-late", x)
		b.Desc += fmt.Sprintf(" %s: %d times, the last on %s; %s.", r.Label, r.N, day(r.Last), plural(r.Actions, "action"))
	}
	y := b.Height + 14
	b.Ticks = []tick{
		{X: 1, Y: y, Label: day(p.Since), Anchor: "start"},
		{X: 50, Y: y, Label: day(p.Since.Add(p.Until.Sub(p.Since) / 2)), Anchor: "middle"},
		{X: 99, Y: y, Label: day(p.Until), Anchor: "end"},
	}
	b.Height += axisHeight
	return b
}

// thinned places a mark for each time in the page's width, but one only where
// many would cover each other. What was agreed after the period is counted, and
// has no place in the plot.
func thinned(at []time.Time, y int, class string, x func(time.Time) percent) []segment {
	var marks []segment
	for _, when := range at {
		s := segment{Class: class, X: x(when), Y: y, Say: day(when)}
		if s.X > 99 {
			break
		}
		if n := len(marks); n == 0 || s.X-marks[n-1].X >= 0.25 {
			marks = append(marks, s)
		}
	}
	return marks
}

func day(at time.Time) string { return at.UTC().Format("2 Jan 2006") }
