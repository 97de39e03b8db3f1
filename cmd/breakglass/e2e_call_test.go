package main

import (
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
	"github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
)

func TestWitnessesWhoDoNotConfirmLeaveItToTheApprovers(t *testing.T) {
	t.Parallel()
	ctx, a := open(t, stageOptions{})
	a.world.IncidentIO.Open(incidentio.Incident{Name: "Orders are stuck"})
	p := a.person(sandbox.OnCall)
	must(t,
		func() error {
			return a.begin(ctx, sandbox.OnCall, mitigateNow, "Configuration or environment change", "Turn the checkout flag off",
				func() error { return p.Select(ctx, "Active incident", ordersStuck) },
				func() error { return p.Select(ctx, "Criticality", "C1") },
				func() error { return p.Type(ctx, "How will it be rolled back?", "Turn it on again") },
				func() error { return p.Select(ctx, "Who is on the call with you?", sandbox.Engineer) },
				func() error { return p.Submit(ctx) })
		},
		func() error {
			return a.until(ctx, "the witness is asked", func() bool { return a.dm(sandbox.Engineer, "I was on the call") != nil })
		},
		func() error { return a.forward(11 * time.Minute) },
		func() error { return a.press(ctx, sandbox.CTO, "Approve") },
		func() error { return a.until(ctx, "it is active", func() bool { return a.saysOnCard("active from") }) },
	)
	settled(ctx, t, a, 0)
}

func TestAnIncidentIsOpenedWithTheRequestAndHoldsItsRecord(t *testing.T) {
	t.Parallel()
	ctx, a := open(t, stageOptions{})
	a.hurry = time.Second // the lost reply is asked for again by the clock
	a.world.IncidentIO.Faults.Add(fault.Fault{Kind: fault.ReplyLost, Call: "create incident", Times: 1})
	p := a.person(sandbox.Engineer)
	must(t,
		func() error {
			return a.begin(ctx, sandbox.Engineer, "The platform cannot recover without manual intervention", "Work on production directly", "Turn the checkout flag off",
				func() error { return p.Select(ctx, "Active incident", "Open an incident") },
				func() error { return p.Type(ctx, "Name of the incident", "Orders are stuck") },
				func() error { return p.Select(ctx, "Severity", "Critical") },
				func() error { return p.Select(ctx, "Where", "Production") },
				func() error { return p.Select(ctx, "Permission set", "BreakGlassAdmin") },
				func() error { return p.Select(ctx, "For how long", "30m") },
				func() error { return p.Submit(ctx) })
		},
		func() error {
			return a.until(ctx, "the incident is on the card", func() bool { return a.saysOnCard("inc-1 “orders are stuck”") })
		},
		func() error { return a.press(ctx, sandbox.CTO, "Approve") },
		func() error {
			return a.until(ctx, "the access is there", func() bool { return a.world.AWS.Has(sandbox.AdminOf(sandbox.Engineer)) })
		},
		func() error {
			return a.until(ctx, "the requester is told", func() bool { return a.dm(sandbox.Engineer, "Finish") != nil })
		},
	)
	finished(ctx, t, a, sandbox.Engineer)
	must(t,
		func() error { return a.writeRecord(ctx, sandbox.Engineer) },
		func() error { return a.writeReview(ctx, sandbox.Engineer) },
	)
	closed(ctx, t, a)
	all := a.world.IncidentIO.Incidents()
	if len(all) != 1 || all[0].Severity != "Critical" || all[0].Private {
		t.Fatalf("incidents: %+v", all)
	}
	if told := a.world.IncidentIO.Text(all[0].ID); !strings.Contains(told, "Restarted the queue by hand") {
		t.Errorf("the incident does not hold the record:\n%s", told)
	}
	settled(ctx, t, a, 0)
}
