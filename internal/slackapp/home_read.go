package slackapp

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// home is what somebody's home tab shows.
type home struct {
	waiting homePage[waitingRow]
	mine    homePage[change.Change]
	open    homePage[openRow]
	sees    bool // everything open: they approve or audit
	doubt   bool // a group could not be looked up
	more    bool // there are more open changes than were read
}

// homePage is one page of a list.
type homePage[T any] struct {
	rows  []T
	page  int // from 0
	total int // rows of all pages
}

// openRow is an open change, for somebody who may or may not read it.
type openRow struct {
	change  change.Change
	cleared bool
}

// lastPage is the page itself, or the last one there is.
func lastPage(page, total int) int { return min(page, max(0, total-1)/homeRows) }

func pageOf[T any](all []T, page int) homePage[T] {
	p := homePage[T]{page: lastPage(page, len(all)), total: len(all)}
	from := p.page * homeRows
	p.rows = all[from:min(from+homeRows, len(all))]
	return p
}

func (h home) pages() homePages {
	return homePages{homeWaiting: h.waiting.page, homeMine: h.mine.page, homeOpen: h.open.page}
}

// homeOf reads what somebody's home tab shows. Groups that could not be looked
// up count as not this person's.
func (a *App) homeOf(ctx context.Context, who change.PersonID, pages homePages) (home, error) {
	o, err := a.overviewOf(ctx, who)
	if err != nil {
		return home{}, err
	}
	h := home{more: o.more}
	slices.SortStableFunc(o.waiting, func(x, y waitingRow) int {
		return cmp.Or(x.until().Compare(y.until()), cmp.Compare(x.change.Number, y.change.Number))
	})
	h.waiting = pageOf(o.waiting, pages[homeWaiting])
	if h.sees, h.doubt = a.seesEverything(who, o.groups); h.sees {
		h.open = pageOf(o.all, pages[homeOpen])
	}
	total, err := a.Ledger.CountWith(ctx, who)
	if err != nil {
		return home{}, err
	}
	h.mine = homePage[change.Change]{page: lastPage(pages[homeMine], total), total: total}
	h.mine.rows, err = a.Ledger.ChangesWith(ctx, who, h.mine.page*homeRows, homeRows)
	return h, err
}

// seesEverything tells whether somebody approves changes of any kind, or audits
// them; doubt, whether a group could not be looked up.
func (a *App) seesEverything(who change.PersonID, groups change.GroupView) (sees, doubt bool) {
	has, known := groups.Has(who, a.overseers()...)
	return has, !known
}

// overseers are the groups whose people are shown everything open.
func (a *App) overseers() []change.GroupID {
	ids := slices.Clone(a.Rules.Roles.Auditors)
	for _, kind := range a.Rules.Kinds {
		for _, rule := range kind.Approvals {
			ids = append(ids, rule.From...)
			ids = append(ids, rule.Fallback...)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// until is by when the first thing is to be done: what is overdue comes first.
func (r waitingRow) until() time.Time {
	at := r.change.RequestedAt.AddDate(100, 0, 0) // whatever has no deadline comes last
	if r.asks || r.call {
		if ask := r.change.OpenAsk(); !ask.LapseAt.IsZero() {
			at = ask.LapseAt
		}
	}
	for _, o := range r.owed {
		if !o.Due.IsZero() && o.Due.Before(at) {
			at = o.Due
		}
	}
	return at
}
