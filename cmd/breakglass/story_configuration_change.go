package main

import (
	"context"
	"strings"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/gitlab"
	"github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
)

// configurationChange is self-approved on the emergency call by whoever is on
// call, and made up for afterwards: a merge request that somebody else reviews.
func configurationChange() story {
	return story{
		kind: "configuration-change",
		says: "whoever is on call approves it themselves on the emergency call, with a witness; merge request and review follow",
		chapters: []chapter{
			{"Orders are stuck, and the person on call asks from the emergency call", settingAsked},
			{"Somebody else on the call confirms it, and it is approved", settingApproved},
			{"The flag is off, and the merge request follows", settingMerged},
			{"Somebody else reviews it on GitLab, after the fact", settingReviewed},
			{"The incident holds the record; the review, and the end", settingClosed},
		},
	}
}

// settings is the project of the merge request that this story opens.
const settings = "platform/settings"

func settingAsked(ctx context.Context, a act, n *narrator) error {
	a.world.IncidentIO.Open(incidentio.Incident{Name: "Orders are stuck"})
	p := a.person(sandbox.OnCall)
	err := steps(
		func() error {
			return a.begin(ctx, sandbox.OnCall, mitigateNow, "Configuration or environment change", "Turn the checkout flag off",
				func() error { return p.Select(ctx, "Active incident", ordersStuck) },
				func() error { return p.Select(ctx, "Criticality", "C2") },
				func() error {
					return p.Type(ctx, "How will it be rolled back?", "Turn it on again,\nand restart the workers")
				},
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
	n.keep("it waits for the people on the call, and no approver is woken", err == nil && a.dm(sandbox.CTO, "Approve") == nil)
	return err
}

func settingApproved(ctx context.Context, a act, n *narrator) error {
	err := steps(
		func() error { return a.press(ctx, sandbox.Engineer, "I was on the call") },
		func() error { return a.until(ctx, "it is active", func() bool { return a.saysOnCard("active from") }) },
		func() error {
			return a.until(ctx, "the CTO is told", func() bool { return a.dm(sandbox.CTO, "End now") != nil })
		},
	)
	n.keep("the CTO is told at once, and can end it", err == nil)
	if err != nil {
		return err
	}
	err = a.until(ctx, "the audit channel is told", func() bool { return a.saysInAudit("self-approved") })
	n.keep("the audit channel is told of the self-approval", err == nil)
	n.keep("the card calls it what it is, and names who did not confirm", a.saysOnCard("approved this themselves on the emergency call") && a.saysOnCard("named, and not confirmed"))
	if err != nil {
		return err
	}
	err = a.until(ctx, "no dead button stays", func() bool {
		return a.dm(sandbox.Engineer, "I was on the call") == nil && a.dm(sandbox.Colleague, "I was on the call") == nil
	})
	n.keep("no dead button stays", err == nil)
	return err
}

func settingMerged(ctx context.Context, a act, n *narrator) error {
	m, err := a.world.GitLab.Open(gitlab.MergeRequest{Project: settings, Title: "Turn the checkout flag off", Author: sandbox.OnCallLogin})
	if err != nil {
		return err
	}
	err = steps(
		func() error { return a.forward(15 * time.Minute) },
		func() error { return a.finish(ctx, sandbox.OnCall) },
		func() error {
			return a.until(ctx, "it has ended", func() bool { return a.saysOnCard("state:* ended") || a.saysOnCard("state: ended") })
		},
	)
	if err != nil {
		return err
	}
	n.keep("the merge request and its review are owed, and the card says so", a.saysOnCard("merge request") && a.saysOnCard("independent review"))
	err = steps(
		func() error {
			return a.linkMergeRequest(ctx, sandbox.OnCall, a.world.MergeRequestURL(settings, m.IID), "")
		},
		func() error {
			return a.until(ctx, "the merge request is linked", func() bool { return a.saysInThread("linked merge request platform/settings!1") })
		},
	)
	n.keep("a merge request that is linked afterwards counts", err == nil)
	return err
}

func settingReviewed(ctx context.Context, a act, n *narrator) error {
	err := steps(
		func() error { return a.world.GitLab.Approve(settings, 1, sandbox.ColleagueLogin) },
		func() error { return a.world.GitLab.Merge(settings, 1, "c0ffee", sandbox.OnCallLogin) },
		// The example does not say who the person on call is on GitLab.
		func() error { return a.pressInThread(ctx, sandbox.Colleague, "Confirm review") },
		func() error {
			return a.elapse(ctx, "it is reviewed", time.Minute, func() bool { return a.saysInThread("the independent review is done, by colleague on gitlab") })
		},
	)
	n.keep("the review of somebody without a part in it counts, read from GitLab", err == nil)
	return err
}

func settingClosed(ctx context.Context, a act, n *narrator) error {
	incident := a.world.IncidentIO.Incidents()[0]
	err := steps(
		func() error { return a.writeRecord(ctx, sandbox.OnCall) },
		func() error {
			return a.elapse(ctx, "the incident holds the record", time.Second, func() bool {
				told := a.world.IncidentIO.Text(incident.ID)
				return strings.Contains(told, "Restarted the queue by hand") && strings.Contains(told, "self-approved on the emergency call; confirmed by Engineer") &&
					strings.Contains(told, "and restart the workers")
			})
		},
	)
	n.keep("the incident holds the record: who approved it how, the answers, and what was done", err == nil)
	if err != nil {
		return err
	}
	err = a.elapse(ctx, "the incident refers to the merge request", time.Second, func() bool {
		for _, attached := range a.world.IncidentIO.Attachments(incident.ID) {
			if attached.URL == a.world.MergeRequestURL(settings, 1) {
				return true
			}
		}
		return false
	})
	n.keep("the incident refers to the merge request", err == nil)
	if err != nil {
		return err
	}
	return reviewedAndClosed(sandbox.OnCall, 1)(ctx, a, n)
}
