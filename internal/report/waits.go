package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

type waitKey struct {
	from, to change.PersonID
	what     WaitFor
}

type waitTally struct {
	open  int
	spans []time.Duration
}

func (t *Tally) addWait(key waitKey, span time.Duration, open bool) {
	w := t.waits[key]
	if w == nil {
		w = &waitTally{}
		t.waits[key] = w
	}
	if open {
		w.open++
	}
	w.spans = append(w.spans, max(0, span))
}

// addWaits adds who waited for whose approval, and for whose sign-off. What
// nobody answered was a wait for nobody; what was withdrawn while nobody had
// answered was none.
func (t *Tally) addWaits(row *ledger.PopulationRow) {
	for _, a := range row.Asks {
		for _, answer := range a.Answers {
			if answer.By != row.Requester && answer.By != row.Implementer {
				t.addWait(waitKey{a.By, answer.By, WaitApproval}, answer.At.Sub(a.At), false)
			}
		}
		switch a.Result {
		case change.AskLapsed:
			t.addWait(waitKey{a.By, "", WaitApproval}, a.Settled.Sub(a.At), false)
		case change.AskOpen:
			t.addWait(waitKey{a.By, "", WaitApproval}, t.opts.AsOf.Sub(a.At), true)
		case change.AskApproved, change.AskDenied, change.AskWithdrawn:
		}
	}
	recorded := row.Record.Done
	if recorded.IsZero() || row.SignOff.State == "" || row.SignOff.State == change.Waived {
		return
	}
	if row.SignOff.State == change.Done {
		t.addWait(waitKey{row.Requester, row.SignOff.By, WaitSignOff}, row.SignOff.Done.Sub(recorded), false)
		return
	}
	t.addWait(waitKey{row.Requester, "", WaitSignOff}, t.opts.AsOf.Sub(recorded), true)
}

// sortedWaits lists the waits, those that took longest altogether first.
func (t *Tally) sortedWaits() []Wait {
	all := make([]Wait, 0, len(t.waits))
	for key, w := range t.waits {
		all = append(all, Wait{From: key.from, To: key.to, For: key.what, Open: w.open, Time: spreadOf(w.spans)})
	}
	slices.SortFunc(all, func(a, b Wait) int {
		return cmp.Or(cmp.Compare(b.Time.Total, a.Time.Total), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), cmp.Compare(a.For, b.For))
	})
	return all
}
