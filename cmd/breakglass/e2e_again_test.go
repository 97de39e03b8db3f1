package main

import (
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
)

// form is the form on somebody's screen, as they read it.
func (a act) form(who string) string {
	v, open := a.world.Slack.View(who)
	if !open {
		return ""
	}
	return a.world.Slack.RenderView(v)
}

func TestWhateverCameToNothingIsAskedForAgain(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(a act) []step{
		"denied": func(a act) []step {
			ctx, cto := t.Context(), a.person(sandbox.CTO)
			return []step{
				func() error { return a.press(ctx, sandbox.CTO, "Deny") },
				func() error { return cto.Type(ctx, "Why?", "The pipeline is back") },
				func() error { return cto.Submit(ctx) },
			}
		},
		"lapsed": func(a act) []step {
			ctx := t.Context()
			return []step{
				func() error { return a.forward(11 * time.Minute) },
				func() error {
					return a.until(ctx, "the deputy is asked too", func() bool { return a.dm(sandbox.Deputy, "Approve") != nil })
				},
				func() error { return a.forward(50 * time.Minute) },
			}
		},
		"withdrawn": func(a act) []step {
			return []step{func() error { return a.person(sandbox.Engineer).Click(t.Context(), *a.card(), "Withdraw") }}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, a := open(t, stageOptions{})
			must(t,
				func() error { return a.request(ctx, sandbox.Engineer, request{duration: "2h"}) },
				func() error {
					return a.until(ctx, "the CTO is asked", func() bool { return a.dm(sandbox.CTO, "Approve") != nil && a.card() != nil })
				})
			must(t, end(a)...)
			must(t, func() error { return a.press(ctx, sandbox.Engineer, "Ask again") })
			for _, kept := range []string{"Asking again for EC-1", "Restart the stuck message queue by hand", "Orders are not being processed", "Production", "BreakGlassAdmin", "2h"} {
				if form := a.form(sandbox.Engineer); !strings.Contains(form, kept) {
					t.Errorf("the form does not hold %q:\n%s", kept, form)
				}
			}
			must(t,
				func() error { return a.person(sandbox.Engineer).Submit(ctx) },
				func() error {
					return a.until(ctx, "the CTO is asked again", func() bool { return a.dm(sandbox.CTO, "Approve") != nil })
				})
			settled(ctx, t, a, 0)
		})
	}
}

func TestAReportMayNameAnIncidentThatIsOver(t *testing.T) {
	t.Parallel()
	ctx, a := open(t, stageOptions{})
	p := a.person(sandbox.Engineer)
	incident := a.world.IncidentIO.Open(incidentio.Incident{Name: "Orders were stuck"})[0]
	must(t, func() error { return a.forward(time.Hour) })
	during := a.now()
	must(t,
		func() error { return a.forward(time.Hour) },
		func() error { return a.world.IncidentIO.SetStatus(incident.ID, "Closed") },
		func() error { return a.forward(time.Hour) },
		func() error { _, err := p.Command(ctx, sandbox.OtherChannel, "/emergency", "report"); return err },
		func() error {
			return p.Select(ctx, "Why can't the release process be used?", "The platform cannot recover without manual intervention")
		},
		func() error { return p.Select(ctx, "Kind of change", "Work on production directly") },
		func() error { return p.Type(ctx, "What will you change?", "Restarted the queue") },
		func() error { return p.Type(ctx, "Why is it needed now?", "Orders were stuck") },
		func() error { return p.Select(ctx, "Where", "Production") },
		func() error {
			return p.Select(ctx, "Active incident", incident.Reference()+" Orders were stuck (Closed)")
		},
		func() error { return p.Pick(ctx, "When was the change made?", during.Add(90*time.Minute)) },
	)
	if err := p.Submit(ctx); err == nil || !strings.Contains(err.Error(), "was not active at the stated time") {
		t.Errorf("an incident that was over by then: %v", err)
	}
	must(t,
		func() error { return p.Pick(ctx, "When was the change made?", during) },
		func() error { return p.Submit(ctx) },
		func() error {
			return a.until(ctx, "the reporter is told", func() bool { return a.dm(sandbox.Engineer, "Write record") != nil })
		},
		func() error { return a.writeRecord(ctx, sandbox.Engineer) },
		func() error {
			return a.until(ctx, "there is a ticket", func() bool { return a.ticketSays("Restarted the queue by hand") })
		},
		func() error {
			return a.until(ctx, "the CTO is asked to sign off", func() bool { return a.dm(sandbox.CTO, "Sign off") != nil })
		},
	)
	if got := a.world.Slack.Messages(sandbox.Channel); len(got) != 1 {
		t.Errorf("the channel has %d cards", len(got))
	}
	settled(ctx, t, a, 0)
}
