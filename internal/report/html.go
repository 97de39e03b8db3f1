package report

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

//go:embed page
var pageFiles embed.FS

// page is what the templates show.
type page struct {
	Figures
	Last time.Time // the last moment of the period
}

// HTML writes one page that needs nothing else: no script, no font and no image
// from elsewhere. Its plots are SVG, its colours follow the reader's theme, and
// it prints on A4. The whole population stands in a table at its end, so the
// page is held in memory while it is made: some 4 KB for each change.
func HTML(w io.Writer, rows Source, opts Options) error {
	templates, err := template.New("").Funcs(template.FuncMap{
		"minute": minute, "day": day, "hours": hours, "plural": plural,
		"web": webAddress,
	}).ParseFS(pageFiles, "page/*")
	if err != nil {
		return fmt.Errorf("read the page's templates: %w", err)
	}
	tally := NewTally(opts)
	var table bytes.Buffer
	err = rows(func(row ledger.PopulationRow) error {
		tally.Add(row)
		if err := templates.ExecuteTemplate(&table, "row.tmpl", viewOf(&row, opts.AsOf)); err != nil {
			return fmt.Errorf("show %s: %w", row.Number, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	shown := page{Figures: tally.Figures(), Last: opts.Until.Add(-1)}
	for _, piece := range []func() error{
		func() error { return templates.ExecuteTemplate(w, "top.tmpl", shown) },
		func() error { _, err := table.WriteTo(w); return err },
		func() error { return templates.ExecuteTemplate(w, "bottom.tmpl", shown) },
	} {
		if err := piece(); err != nil {
			return fmt.Errorf("write the page: %w", err)
		}
	}
	return nil
}

// tile is one of the numbers at the top of the page.
type tile struct{ Value, Label, Note string }

// Tiles are the numbers that a reader looks for first.
func (p page) Tiles() []tile {
	outcomes := map[Outcome]int{}
	for _, o := range p.Outcomes {
		outcomes[Outcome(o.ID)] = o.N
	}
	approval := tile{"–", "median time to approve", "nothing was approved"}
	if s := p.Approval.Time; s.N > 0 {
		approval = tile{s.Median.String(), "median time to approve", "nine in ten within " + s.P90.String()}
	}
	access := tile{"–", "of the approved access time used", "no access was given"}
	if t := p.Access.Totals; t.Approved > 0 {
		access = tile{percentOf(int(t.Used.Seconds()), int(t.Approved.Seconds())), "of the approved access time used", hours(t.Used) + " of " + hours(t.Approved)}
	}
	onTime, settled := 0, 0
	for _, d := range p.Duties {
		onTime += d.Statuses[OnTime] + d.Statuses[CopyLate]
		settled += d.Owed - d.Statuses[NotDue] - d.Statuses[Waived]
	}
	return []tile{
		{fmt.Sprint(p.Changes), "emergency " + noun(p.Changes, "change"), fmt.Sprintf("%d made, %d reported afterwards", outcomes[Made], outcomes[Reported])},
		approval, access,
		{percentOf(onTime, settled), "done in time", fmt.Sprintf("%d of %d records, sign-offs and reviews", onTime, settled)},
		{fmt.Sprint(len(p.Overdue)), "overdue now", "records, sign-offs and reviews"},
	}
}

func noun(n int, one string) string {
	if n == 1 {
		return one
	}
	return one + "s"
}

// Debts are the overdue things that the page lists, the longest due first.
func (p page) Debts() []Debt { return p.Overdue[:min(len(p.Overdue), debtsShown)] }

// Places are the targets that the page lists.
func (p page) Places() []Place { return p.Access.ByPlace[:min(len(p.Access.ByPlace), placesShown)] }

// Share says which share of all changes were emergencies; empty where unknown.
func (p page) Share() string { return p.share() }

// StatusNames are the columns of the table of duties.
func (p page) StatusNames() []Status { return Statuses() }

// WaitsShown are the pairs that the page lists.
func (p page) WaitsShown() []Wait {
	return slices.Concat(p.waitsFor(WaitApproval), p.waitsFor(WaitSignOff))
}

// RepeatsShown are the reasons that the page lists.
func (p page) RepeatsShown() []Repeat { return p.Repeats[:min(len(p.Repeats), repeatsShown)] }

// OfKind is how many changes of the month were of a kind.
func (m Month) OfKind(id string) int { return m.Kinds[id] }

// Became is how many changes of the month came to an outcome.
func (m Month) Became(outcome string) int { return m.Outcomes[Outcome(outcome)] }

// Of is how often a duty had a status.
func (d Duty) Of(s Status) int { return d.Statuses[s] }

// TicketsShown are the tickets that the page lists.
func (r Repeat) TicketsShown() []change.TicketRef {
	return r.Tickets[:min(len(r.Tickets), ticketsShown)]
}

// TicketsMore is how many tickets the page leaves out.
func (r Repeat) TicketsMore() int { return len(r.Tickets) - len(r.TicketsShown()) }
