package report

import (
	"fmt"
	"strings"
)

// Digest says the figures in plain sentences, the most telling first, for the
// audit channel. Each stands for itself and holds no names, no texts that
// people typed, and no marks of any chat's formatting.
func Digest(f Figures) []string {
	period := f.Since.UTC().Format("2 January 2006") + " to " + f.Until.UTC().Add(-1).Format("2 January 2006")
	if f.Changes == 0 {
		return []string{"No emergency change was asked for from " + period + "."}
	}
	lines := []string{fmt.Sprintf("%s from %s: %s.", plural(f.Changes, "emergency change"), period, outcomesOf(f.Outcomes))}
	if share := f.share(); share != "" {
		lines = append(lines, share)
	}
	lines = append(lines, "By kind: "+countsOf(f.Kinds)+". By reason: "+countsOf(f.Reasons)+".")
	switch s := f.Approval.Time; s.N {
	case 0:
	case 1:
		lines = append(lines, fmt.Sprintf("The one approval took %s.", s.Median))
	default:
		lines = append(lines, fmt.Sprintf("Of %d approvals half came within %s, nine in ten within %s.", s.N, s.Median, s.P90))
	}
	if a := f.Access; a.Given > 0 {
		lines = append(lines, fmt.Sprintf("Access was asked for %s in all, approved for %s and there for %s.", hours(a.Totals.Asked), hours(a.Totals.Approved), hours(a.Totals.Used)))
	}
	for _, d := range f.Duties {
		if d.Owed > 0 {
			lines = append(lines, plural(d.Owed, d.Name)+": "+d.statuses()+".")
		}
	}
	for _, r := range f.Repeats {
		if r.AgainSince > 0 {
			lines = append(lines, fmt.Sprintf("%s: %s, %d of them after a preventive action was agreed.", r.Label, plural(r.N, "time"), r.AgainSince))
		}
	}
	if len(f.Exceptions) > 0 {
		lines = append(lines, "To look at: "+countsOf(f.Exceptions)+".")
	}
	return lines
}

// share says which share of all changes were emergencies, where it is known.
func (f Figures) share() string {
	if f.AllChanges <= 0 {
		return ""
	}
	percent := 100 * float64(f.Changes) / float64(f.AllChanges)
	s := fmt.Sprintf("%d of %d changes to production were emergencies (%.1f %%).", f.Changes, f.AllChanges, percent)
	if percent > 10 {
		s += " More than a tenth is commonly taken for a finding."
	}
	return s
}

// statuses says how a duty was met: 3 on time, 1 late.
func (d Duty) statuses() string {
	var parts []string
	for _, s := range Statuses() {
		if n := d.Statuses[s]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	return strings.Join(parts, ", ")
}

// countsOf writes names with their counts: Hot patch 3, Security release 1.
func countsOf(counts []Count) string {
	parts := make([]string, len(counts))
	for i, c := range counts {
		parts[i] = fmt.Sprintf("%s %d", c.Label, c.N)
	}
	return strings.Join(parts, ", ")
}

// outcomesOf writes counts as people say them: 3 made, 1 denied.
func outcomesOf(counts []Count) string {
	parts := make([]string, len(counts))
	for i, c := range counts {
		parts[i] = fmt.Sprintf("%d %s", c.N, c.Label)
	}
	return strings.Join(parts, ", ")
}

func plural(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}
