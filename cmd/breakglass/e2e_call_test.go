package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
	"github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

// begun opens the form and fills in what every kind asks for; more fills in what
// the kind asks for besides. It is not submitted.
func begun(ctx context.Context, a act, who, reason, kind string, more ...step) error {
	p := a.person(who)
	if _, err := p.Command(ctx, sandbox.OtherChannel, "/emergency", ""); err != nil {
		return err
	}
	return steps(append([]step{
		func() error { return p.Select(ctx, "Why can't the release process be used?", reason) },
		func() error { return p.Select(ctx, "Kind of change", kind) },
		func() error { return p.Type(ctx, "What will you change?", "Turn the checkout flag off") },
		func() error { return p.Type(ctx, "Why is it needed now?", "Orders are not being processed") },
	}, more...)...)
}

const (
	mitigateNow = "An active incident must be mitigated now"
	ordersStuck = "INC-1 Orders are stuck (Investigating)"
)

// toldPrivately waits until somebody alone was told something.
func (a act) toldPrivately(ctx context.Context, who, text string) error {
	return a.until(ctx, who+" is told "+text, func() bool {
		for _, m := range a.world.Slack.Ephemerals(who) {
			if strings.Contains(a.world.Slack.RenderMessage(who, m), text) {
				return true
			}
		}
		return false
	})
}

func TestAConfigurationChangeIsSelfApprovedOnTheCall(t *testing.T) {
	t.Parallel()
	ctx, a := open(t, stageOptions{})
	incident := a.world.IncidentIO.Open(incidentio.Incident{Name: "Orders are stuck"})[0]
	p := a.person(sandbox.OnCall)
	must(t,
		func() error {
			return begun(ctx, a, sandbox.OnCall, mitigateNow, "Configuration or environment change",
				func() error { return p.Select(ctx, "Active incident", ordersStuck) },
				func() error { return p.Select(ctx, "Criticality", "C2") },
				func() error { return p.Type(ctx, "How will it be rolled back?", "Turn it on again") },
				func() error {
					return p.Select(ctx, "Who is on the call with you?", sandbox.Engineer, sandbox.Colleague)
				},
				func() error { return p.Submit(ctx) })
		},
		func() error {
			return a.until(ctx, "the witnesses are asked", func() bool {
				return a.dm(sandbox.Engineer, "I was on the call") != nil && a.dm(sandbox.Colleague, "I was on the call") != nil
			})
		},
		func() error {
			return a.until(ctx, "the card says for whom it waits", func() bool { return a.saysOnCard("waiting for the people on the call") })
		},
	)
	if a.dm(sandbox.CTO, "Approve") != nil {
		t.Error("an approver was asked although the witnesses have time")
	}
	must(t,
		func() error { return a.press(ctx, sandbox.Engineer, "I was on the call") },
		func() error { return a.until(ctx, "it is active", func() bool { return a.saysOnCard("active from") }) },
		func() error {
			return a.until(ctx, "the CTO is told", func() bool { return a.dm(sandbox.CTO, "End now") != nil })
		},
		func() error {
			return a.until(ctx, "the audit channel is told", func() bool { return a.saysInAudit("self-approved") })
		},
		func() error {
			return a.until(ctx, "no dead button stays", func() bool {
				return a.dm(sandbox.Engineer, "I was on the call") == nil && a.dm(sandbox.Colleague, "I was on the call") == nil
			})
		},
	)
	if !a.saysOnCard("approved this themselves on the emergency call") || !a.saysOnCard("named, and not confirmed:* @colleague") && !a.saysOnCard("named, and not confirmed: @colleague") {
		t.Errorf("the card does not call it what it is:\n%s", a.world.Slack.RenderMessage("", *a.card()))
	}
	must(t,
		func() error { return a.press(ctx, sandbox.OnCall, "Finish") },
		func() error { return a.person(sandbox.OnCall).CloseView(ctx) },
		func() error { return a.writeRecord(ctx, sandbox.OnCall) },
		func() error {
			return a.elapse(ctx, "the incident holds the record", time.Second, func() bool {
				told := a.world.IncidentIO.Text(incident.ID)
				return strings.Contains(told, "Restarted the queue by hand") && strings.Contains(told, "self-approved on the emergency call; confirmed by Engineer") &&
					strings.Contains(told, "Turn it on again")
			})
		},
	)
	settled(ctx, t, a, 0)
}

func TestWitnessesWhoDoNotConfirmLeaveItToTheApprovers(t *testing.T) {
	t.Parallel()
	ctx, a := open(t, stageOptions{})
	a.world.IncidentIO.Open(incidentio.Incident{Name: "Orders are stuck"})
	p := a.person(sandbox.OnCall)
	must(t,
		func() error {
			return begun(ctx, a, sandbox.OnCall, mitigateNow, "Configuration or environment change",
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

// withoutMergeRequest is the example with a hot patch that names no merge
// request: these stories are about its incident.
func withoutMergeRequest(cfg []byte) []byte {
	i := bytes.Index(cfg, []byte("- id: hot-patch"))
	return append(bytes.Clone(cfg[:i]), instead(bytes.Clone(cfg[i:]), "merge_request: required", "merge_request: none", "    permanent_fix: required ", "    permanent_fix: none ")...)
}

func TestAHotPatchIsRefusedWithoutAnUnmitigatedIncident(t *testing.T) {
	t.Parallel()
	ctx, a := open(t, stageOptions{example: withoutMergeRequest})
	incident := a.world.IncidentIO.Open(incidentio.Incident{Name: "Orders are stuck"})[0]
	status := func(name string) step {
		return func() error { return a.world.IncidentIO.SetStatus(incident.ID, name) }
	}
	p := a.person(sandbox.Engineer)
	refused := func() error {
		err := p.Submit(ctx)
		if refused, ok := errors.AsType[*slack.FormError](err); ok && strings.Contains(refused.ByLabel["Active incident"], "INC-1 is mitigated (Monitoring)") {
			return nil
		}
		return fmt.Errorf("the form was to be refused at the incident: %w", err)
	}
	must(t,
		func() error {
			return begun(ctx, a, sandbox.Engineer, mitigateNow, "Post-deployment hot patch", func() error { return p.Select(ctx, "Active incident", ordersStuck) })
		},
		status("Monitoring"), refused,
		status("Investigating"), func() error { return p.Submit(ctx) },
		func() error {
			return a.until(ctx, "the approvers are asked", func() bool { return a.dm(sandbox.OnCall, "Approve") != nil })
		},
		status("Monitoring"),
		func() error { return a.press(ctx, sandbox.OnCall, "Approve") },
		func() error { return a.toldPrivately(ctx, sandbox.OnCall, "INC-1 is mitigated already (Monitoring)") },
	)
	if !a.saysOnCard("waiting for approval") {
		t.Error("it was approved although its incident is mitigated")
	}
	must(t,
		status("Fixing"),
		func() error { return a.press(ctx, sandbox.ReleaseManager, "Approve") },
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
			return begun(ctx, a, sandbox.Engineer, "The platform cannot recover without manual intervention", "Work on production directly",
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
