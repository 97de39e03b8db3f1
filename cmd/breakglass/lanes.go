package main

import (
	"context"

	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/wake"
)

// How many assignments are worked on at once. A revocation waits for nobody, so that
// without AWS's limits a thousand are asked for in little time; of the others there
// need be no more than AWS answers in about a second.
const (
	revokesAtOnce = 24
	othersAtOnce  = 12
)

// lanes are the parts in which assignments are worked off.
func (p *program) lanes() []wake.Lane {
	var all []wake.Lane
	for _, lane := range ledger.Lanes() {
		atOnce := othersAtOnce
		if lane == ledger.RevokeLane {
			atOnce = revokesAtOnce
		}
		all = append(all, wake.NewLane(string(lane), atOnce, func(ctx context.Context, limit int) ([]int64, error) {
			return p.access.DueIn(ctx, lane, limit)
		}))
	}
	return all
}

// kick has the ticker look at once for assignments that are due. A job may run
// before it has started; it looks when it does.
func (p *program) kick() { p.ticker.Kick() }
