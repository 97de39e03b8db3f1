package main

import (
	"bytes"
	"regexp"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
)

// without takes a section out of a configuration, and every kind that is not
// production-access, since those need what is missing.
func without(cfg []byte, section string) []byte {
	cfg = regexp.MustCompile(`(?m)^`+section+`:.*\n(?:[ \t]+.*\n|\n)*`).ReplaceAll(cfg, nil)
	cfg = regexp.MustCompile(`(?m)^    reasons: \[release.*\n`).ReplaceAll(cfg, nil)
	return regexp.MustCompile(`(?s)  # GitLab: a configuration.*\napproval:`).ReplaceAll(cfg, []byte("approval:"))
}

func instead(cfg []byte, pairs ...string) []byte {
	for i := 0; i+1 < len(pairs); i += 2 {
		cfg = bytes.Replace(cfg, []byte(pairs[i]), []byte(pairs[i+1]), 1)
	}
	return cfg
}

func TestWithoutIncidentIOTheTicketIsTheRecord(t *testing.T) {
	t.Parallel()
	ctx, a := open(t, stageOptions{example: func(cfg []byte) []byte {
		return instead(without(cfg, "incident_io"), "{incident_io_schedule: 01HEXAMPLESCHEDULE}", "{members: [U0ONCALL]}",
			"during_incident: incident.io", "during_incident: jira")
	}})
	granted(ctx, t, a, sandbox.Engineer, sandbox.CTO, request{duration: "30m"})
	finished(ctx, t, a, sandbox.Engineer)
	must(t,
		func() error { return a.writeRecord(ctx, sandbox.Engineer) },
		func() error { return a.press(ctx, sandbox.CTO, "Sign off") },
		func() error { return a.writeReview(ctx, sandbox.Engineer) },
	)
	closed(ctx, t, a)
	settled(ctx, t, a, 0)
}

func TestWithoutJiraTheIncidentIsTheRecord(t *testing.T) {
	t.Parallel()
	ctx, a := open(t, stageOptions{example: func(cfg []byte) []byte {
		return instead(without(cfg, "jira"), "accept: [jira_comment, slack]", "accept: [slack]",
			"    incident: optional   ", "    incident: required ", "otherwise: jira", "otherwise: incident.io")
	}})
	incident := a.world.IncidentIO.Open(incidentio.Incident{Name: "Orders are stuck"})[0]
	granted(ctx, t, a, sandbox.Engineer, sandbox.CTO, request{duration: "30m", incident: incident.Reference() + " Orders are stuck (Investigating)"})
	finished(ctx, t, a, sandbox.Engineer)
	must(t,
		func() error { return a.writeRecord(ctx, sandbox.Engineer) },
		func() error { return a.writeReview(ctx, sandbox.Engineer) },
		func() error {
			return a.until(ctx, "the action is a follow-up", func() bool { return a.saysInThread("is now a follow-up of the incident") })
		},
	)
	closed(ctx, t, a)
	settled(ctx, t, a, 0)
}

func TestMoreTimeIsDeniedThenGivenAndTheCTOEndsIt(t *testing.T) {
	t.Parallel()
	ctx, a := open(t, stageOptions{})
	cto := a.person(sandbox.CTO)
	granted(ctx, t, a, sandbox.Engineer, sandbox.CTO, request{duration: "30m"})
	p := a.person(sandbox.Engineer)
	must(t,
		func() error { return a.press(ctx, sandbox.Engineer, "Extend") },
		func() error { return p.Select(ctx, "For how much longer", "30m") },
		func() error { return p.Submit(ctx) },
		func() error { return a.press(ctx, sandbox.CTO, "Deny") },
		func() error { return cto.Type(ctx, "Why?", "Half an hour is enough") },
		func() error { return cto.Submit(ctx) },
		func() error {
			return a.until(ctx, "it is denied", func() bool { return a.saysInThread("denied more time") && a.dm(sandbox.CTO, "Deny") == nil })
		},
		func() error {
			_, err := p.Command(ctx, sandbox.OtherChannel, "/emergency", "extend EC-1 1h it is still stuck")
			return err
		},
		func() error { return a.press(ctx, sandbox.CTO, "Approve") },
		func() error {
			return a.until(ctx, "it is extended", func() bool { return a.saysInThread("extended by 1h") && a.dm(sandbox.CTO, "Approve") == nil })
		},
		func() error { return a.forward(45 * time.Minute) },
	)
	if !a.has(sandbox.AdminOf(sandbox.Engineer)) {
		t.Error("the extension left a gap")
	}
	must(t,
		func() error { return a.press(ctx, sandbox.CTO, "End now") },
		func() error {
			return a.elapse(ctx, "the access is seen gone", 5*time.Second, func() bool { return a.saysInThread("the access is gone") })
		},
	)
	settled(ctx, t, a, 0)
}
