//go:build bench

package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/reconcile"
	"github.com/breakglass-bot/breakglass/internal/sandbox"
)

// strands are what is compared. Those that move the clock come late, and those
// that leave more changes open come last.
func strands() []strand {
	return slices.Concat(loopStrands(), slackStrands(), lookStrands(), timeStrands(), commandStrands())
}

// loopStrands are what the program does again and again by itself, when nothing is
// due.
func loopStrands() []strand {
	return []strand{
		{what: "a tick of the clock, nothing due", times: 300, do: func(x *side) error { _, err := x.tick(); return err }},
		{what: "a look for due deliveries of all systems", times: 300, do: func(x *side) error {
			for _, system := range ledger.Systems() {
				if _, err := x.ledger.DueWork(x.ctx, system, x.time(), 100); err != nil {
					return err
				}
			}
			return nil
		}},
		{what: "a look for due access", times: 300, do: func(x *side) error { _, err := x.access.Due(x.ctx, 100); return err }},
		{what: "the operations in flight", times: 300, do: func(x *side) error {
			return x.inTx(func(tx ledger.Tx) error { return tx.TakeSlot(x.ctx, x.time().Add(-time.Hour), 10) })
		}},
		{what: "the census, not due", times: 300, ready: func(x *side) error {
			if x.turn > 0 {
				return nil
			}
			return x.census.Work(x.ctx)
		}, do: func(x *side) error { return x.census.Work(x.ctx) }},
		{what: "a look of the census at a pair that is due", times: 200, do: func(x *side) error {
			if _, err := x.ledger.DueCensusPair(x.ctx, x.cfg.AWS.InstanceARN, x.time(), x.time().Add(-time.Hour)); !errors.Is(err, ledger.ErrNotFound) {
				return err
			}
			_, err := x.ledger.Glance(x.ctx, x.cfg.AWS.InstanceARN, ledger.CensusPair{AccountID: historyAccountID(3), PermissionSetARN: "none"}, x.time())
			return err
		}},
		{what: "a scrape of the metrics", times: 100, do: func(x *side) error {
			w := httptest.NewRecorder()
			if _, err := x.ledger.Backlog(x.ctx, x.time()); err != nil {
				return err
			}
			w.WriteHeader(http.StatusOK)
			_, err := x.ledger.CensusFigures(x.ctx)
			return err
		}},
		{what: "whether a digest is due", times: 100, do: func(x *side) error {
			clock := &reconcile.Clock{Ledger: x.ledger, Workflow: x.workflow, Now: x.time, Digests: true, Log: x.log}
			_, err := clock.Tick(x.ctx)
			return err
		}},
		{what: "forgetting what Slack has sent", times: 100, do: func(x *side) error { return x.ledger.ForgetSeen(x.ctx, x.time().Add(-7*24*time.Hour)) }},
	}
}

// slackStrands are what people do in Slack, until the answer is there.
func slackStrands() []strand {
	command := func(who, text string) func(x *side) error {
		return func(x *side) error {
			_, err := x.world.Slack.Person(who).Command(x.ctx, sandbox.OtherChannel, "/emergency", text)
			x.app.Wait()
			return err
		}
	}
	home := func(who string) func(x *side) error {
		return func(x *side) error {
			err := x.world.Slack.Person(who).OpenHome(x.ctx)
			x.app.Wait()
			return err
		}
	}
	turn := func(button string) func(x *side) error {
		return func(x *side) error {
			err := x.world.Slack.Person(sandbox.Engineer).ClickAtHome(x.ctx, button)
			x.app.Wait()
			return err
		}
	}
	return []strand{
		{what: "/emergency list, of an engineer", times: 60, do: command(sandbox.Engineer, "list")},
		{what: "/emergency list, of the CTO", times: 60, do: command(sandbox.CTO, "list")},
		{what: "the home tab, of an engineer with 2 and 2,000 changes", times: 60, do: home(sandbox.Engineer)},
		{what: "the home tab, of the CTO", times: 60, do: home(sandbox.CTO)},
		{what: "the home tab, turned a page on", times: 30, ready: home(sandbox.Engineer), do: turn("mine/1")},
		{what: "/emergency show, of a closed change", times: 60, do: func(x *side) error {
			return command(sandbox.Engineer, fmt.Sprintf("show EC-%d", x.closed/2+int64(x.turn)))(x)
		}},
	}
}

// commandStrands are the transactions of commands.
func commandStrands() []strand {
	var n change.Number
	requested := func(x *side) (err error) { n, err = x.request(); return err }
	return []strand{
		{what: "submit: the transaction", times: 200, do: func(x *side) error { _, err := x.request(); return err }},
		{what: "approve: the transaction", times: 200, ready: requested, do: func(x *side) error { return x.do(n, change.Approve{Ask: 1, Reason: "Orders stand still"}, sandbox.CTO) }},
		{what: "withdraw: the transaction", times: 200, ready: requested, do: func(x *side) error { return x.do(n, change.Withdraw{}, sandbox.Engineer) }},
		{what: "note: the transaction", times: 200, do: func(x *side) error {
			return x.do(x.open[1], change.AddNote{Text: fmt.Sprintf("Note %d", x.turn)}, sandbox.Engineer)
		}},
		{what: "from request to gone: every reconciler", times: 20, ready: requested, do: func(x *side) error {
			if err := x.do(n, change.Approve{Ask: 1, Reason: "Orders stand still"}, sandbox.CTO); err != nil {
				return err
			}
			if err := x.work(); err != nil {
				return err
			}
			if err := x.do(n, change.Finish{}, sandbox.Engineer); err != nil {
				return err
			}
			return x.work()
		}},
	}
}

// lookStrands are the look-ups of a click, and others.
func lookStrands() []strand {
	return []strand{
		{what: "the records that somebody owes", times: 300, do: func(x *side) error {
			return x.inTx(func(tx ledger.Tx) error {
				_, err := tx.OverdueRecords(x.ctx, sandbox.Engineer, x.time().Add(1000*time.Hour))
				return err
			})
		}},
		{what: "a click's look-ups of messages", times: 300, do: func(x *side) error {
			n := x.open[x.turn%len(x.open)]
			d, err := x.ledger.DeliveryOf(x.ctx, n, change.DeliverCard, "card")
			if err != nil {
				return err
			}
			if _, err := x.ledger.Pressed(x.ctx, n, d.ExternalID); err != nil {
				return err
			}
			_, err = x.ledger.Waiting(x.ctx, n)
			return err
		}},
		{what: "the changes of a ticket and of an incident", times: 300, do: func(x *side) error {
			if _, err := x.ledger.ChangesByTicket(x.ctx, fmt.Sprint(10_000_000+x.closed/3)); err != nil {
				return err
			}
			_, err := x.ledger.ChangesByIncident(x.ctx, fmt.Sprintf("01HISTORY%017d", x.closed/3))
			return err
		}},
		{what: "the last grant of an access", times: 300, do: func(x *side) error {
			a, err := x.ledger.AssignmentOf(x.ctx, x.open[1])
			if err != nil {
				return err
			}
			if _, _, err = x.ledger.Parties(x.ctx, a.ID); err != nil {
				return err
			}
			if err := x.inTx(func(tx ledger.Tx) error { _, err := tx.Wanted(x.ctx, a.ID, x.now()); return err }); err != nil {
				return err
			}
			_, err = x.ledger.LastGranted(x.ctx, a.ID)
			return err
		}},
		{what: "the newest hundred changes", times: 60, do: func(x *side) error { _, err := x.ledger.NewestChanges(x.ctx, 0, 100); return err }},
		{what: "a hundred changes from the middle on", times: 60, do: func(x *side) error {
			_, err := x.ledger.NewestChanges(x.ctx, change.Number(x.closed/2), 100)
			return err
		}},
	}
}

// timeStrands move the clock.
func timeStrands() []strand {
	return []strand{
		{what: "a tick of the clock with something due: escalations, reminders", times: 80, ready: func(x *side) error {
			var at *time.Time
			if err := x.pool.QueryRow(x.ctx, `SELECT min(next_at) FROM changes WHERE next_at IS NOT NULL`).Scan(&at); err != nil {
				return err
			}
			if at == nil {
				return errOver
			}
			if at.After(x.time()) {
				x.setNow(*at)
			}
			return nil
		}, do: func(x *side) error { _, err := x.tick(); return err }},
		{what: "the seal of a day", times: 24, ready: func(x *side) error {
			x.later(24 * time.Hour)
			return x.do(x.open[2], change.AddNote{Text: fmt.Sprintf("Day %d", x.turn)}, sandbox.Engineer)
		}, do: func(x *side) error { return x.ledger.Seal(x.ctx, change.SealDay(x.time()), x.time(), true) }},
	}
}

// historyAccountID is one of the accounts of a history.
func historyAccountID(i int) string { return fmt.Sprintf("%012d", 555_000_000_000+i) }
