package main

import (
	"context"
	"strings"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
)

// hotPatch needs an incident that is not mitigated, ends when it is merged, and
// stays open until the permanent fix is merged too.
func hotPatch() story {
	return story{
		kind: "hot-patch",
		says: "refused without an unmitigated incident; approved by whoever is on call, ended by its merge, closed by the permanent fix",
		chapters: []chapter{
			{"A hot patch without an incident, and one of a mitigated incident", patchRefused},
			{"The incident is back, and the hot patch is asked for", patchAsked},
			{"The person on call approves, as long as the incident is not mitigated", patchApproved},
			{"It is reviewed and merged, and that ends it", patchMerged},
			{"Record and review are written; the permanent fix is still missing", patchRecorded},
			{"The permanent fix is merged, and the end", patchFixed},
		},
	}
}

func patchRefused(ctx context.Context, a act, n *narrator) error {
	p := a.person(sandbox.Engineer)
	err := a.begin(ctx, sandbox.Engineer, mitigateNow, "Post-deployment hot patch", "Let consumers take ten messages at most",
		func() error { return p.Type(ctx, "Merge request", a.world.MergeRequestURL(sandbox.HotPatches, 1)) })
	if err != nil {
		return err
	}
	said := complaint(p.Submit(ctx), "Active incident")
	n.say("At Active incident: %s", said)
	n.keep("without an incident it is refused", said != "")
	incident := a.world.IncidentIO.Open(incidentio.Incident{Name: "Orders are stuck"})[0]
	err = steps(
		func() error { return p.Select(ctx, "Active incident", ordersStuck) },
		func() error { return a.world.IncidentIO.SetStatus(incident.ID, "Monitoring") },
	)
	if err != nil {
		return err
	}
	said = complaint(p.Submit(ctx), "Active incident")
	n.say("At Active incident: %s", said)
	n.keep("with a mitigated incident it is refused", strings.Contains(said, "INC-1 is mitigated (Monitoring)"))
	n.keep("nobody was asked so far", a.card() == nil)
	return nil
}

func patchAsked(ctx context.Context, a act, n *narrator) error {
	incident := a.world.IncidentIO.Incidents()[0]
	err := steps(
		func() error { return a.world.IncidentIO.SetStatus(incident.ID, "Investigating") },
		func() error { return a.person(sandbox.Engineer).Submit(ctx) },
		func() error {
			return a.until(ctx, "the approvers are asked", func() bool {
				return a.dm(sandbox.OnCall, "Approve") != nil && a.dm(sandbox.ReleaseManager, "Approve") != nil && a.card() != nil
			})
		},
	)
	n.keep("whoever is on call and the release managers are asked, and see the merge request", err == nil && a.saysOnCard("platform/patcher!1"))
	return err
}

func patchApproved(ctx context.Context, a act, n *narrator) error {
	incident := a.world.IncidentIO.Incidents()[0]
	err := steps(
		func() error { return a.world.IncidentIO.SetStatus(incident.ID, "Monitoring") },
		func() error { return a.press(ctx, sandbox.OnCall, "Approve") },
		func() error { return a.toldPrivately(ctx, sandbox.OnCall, "INC-1 is mitigated already (Monitoring)") },
	)
	n.keep("mitigated meanwhile, it is refused at the approval too", err == nil && a.saysOnCard("waiting for approval"))
	if err != nil {
		return err
	}
	err = steps(
		func() error { return a.world.IncidentIO.SetStatus(incident.ID, "Fixing") },
		func() error { return a.press(ctx, sandbox.OnCall, "Approve") },
		func() error { return a.until(ctx, "it is active", func() bool { return a.saysOnCard("active from") }) },
	)
	n.keep("the person on call approves it", err == nil)
	return err
}

func patchMerged(ctx context.Context, a act, n *narrator) error {
	err := steps(
		func() error { return a.world.GitLab.Approve(sandbox.HotPatches, 1, sandbox.ColleagueLogin) },
		func() error { return a.world.GitLab.Merge(sandbox.HotPatches, 1, "0ff1ce", sandbox.EngineerLogin) },
		func() error {
			return a.elapse(ctx, "the merge ends it", 20*time.Second, func() bool { return a.saysInThread("ended: every merge request is merged") })
		},
	)
	n.keep("its merge ends it", err == nil)
	if err != nil {
		return err
	}
	err = steps(
		// The example does not say who the engineer is on GitLab.
		func() error { return a.pressInThread(ctx, sandbox.Colleague, "Confirm review") },
		func() error {
			return a.elapse(ctx, "it is reviewed", time.Minute, func() bool { return a.saysInThread("the independent review is done, by colleague on gitlab") })
		},
	)
	n.keep("the review of somebody without a part in it counts", err == nil)
	return err
}

func patchRecorded(ctx context.Context, a act, n *narrator) error {
	err := steps(
		func() error { return a.writeRecord(ctx, sandbox.Engineer) },
		func() error { return a.writeReview(ctx, sandbox.Engineer) },
		func() error {
			return a.elapse(ctx, "the review is done", 20*time.Second, func() bool { return len(a.world.Jira.Issues()) == 1 })
		},
		func() error { return a.forward(2 * time.Hour) },
		func() error {
			return a.linkMergeRequest(ctx, sandbox.Engineer, a.world.MergeRequestURL(sandbox.AppProject, 2), "The permanent fix")
		},
		func() error {
			return a.until(ctx, "the permanent fix is linked", func() bool { return a.saysInThread("linked the permanent fix: platform/queue!2") })
		},
	)
	n.keep("it stays open for its permanent fix, which is linked and not merged", err == nil && a.saysOnCard("permanent fix") && !a.saysOnCard("state: closed"))
	return err
}

func patchFixed(ctx context.Context, a act, n *narrator) error {
	err := steps(
		func() error { return a.world.GitLab.Merge(sandbox.AppProject, 2, "decade", sandbox.ColleagueLogin) },
		func() error {
			return a.elapse(ctx, "the permanent fix is merged", time.Minute, func() bool { return a.saysInThread("the permanent fix is merged") })
		},
		func() error {
			return a.elapse(ctx, "the change is closed", 30*time.Second, func() bool { return a.saysOnCard("closed") })
		},
	)
	n.keep("the merge of the permanent fix closes it", err == nil)
	return err
}
