package main

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

// hole is what the security release is about: nobody outside may read it.
const hole = "heap overflow in the header parser"

// says tells whether any of somebody's direct messages holds a text.
func (a act) says(who, text string) bool {
	return slices.ContainsFunc(a.world.Slack.DMs(who), func(m slack.Message) bool {
		return strings.Contains(a.world.Slack.RenderMessage(who, m), text)
	})
}

func (a act) securityRelease(ctx context.Context, who string) error {
	p := a.person(who)
	return steps(
		func() error {
			_, err := p.Command(ctx, sandbox.OtherChannel, "/emergency", "")
			return err
		},
		func() error {
			return p.Select(ctx, "Why can't the release process be used?", "A critical vulnerability must be closed now")
		},
		func() error { return p.Select(ctx, "Kind of change", "Security release") },
		func() error { return p.Type(ctx, "What will you change?", "Release 1.2.3 against the "+hole) },
		func() error { return p.Type(ctx, "Why is it needed now?", "The "+hole+" is being exploited") },
		func() error { return p.Submit(ctx) },
	)
}

// A security release from the form to the closed record: approved by AppSec and
// by a maintainer who is no release manager, reviewed with its root cause, and a
// number to everybody else. The merge request is optional here; what is demanded
// of it has stories of its own.
func TestASecurityReleaseIsANumberToEverybodyElse(t *testing.T) {
	t.Parallel()
	ctx, a := open(t, stageOptions{example: func(cfg []byte) []byte {
		return instead(cfg, "merge_request: required       # one for each version", "merge_request: optional",
			"{members: [U0MAINT1, U0MAINT2]}", "{members: [U0MAINT1, U0MAINT2, "+sandbox.ReleaseManager+"]}")
	}})
	const maintainer = "U0MAINT1"
	must(t,
		func() error { return a.securityRelease(ctx, sandbox.Engineer) },
		func() error {
			return a.until(ctx, "its approvers are asked", func() bool {
				return a.dm(sandbox.AppSec, "Approve") != nil && a.dm(maintainer, "Approve") != nil && a.dm("U0MAINT2", "Approve") != nil
			})
		},
		func() error {
			return a.until(ctx, "the requester has the card", func() bool { return a.dm(sandbox.Engineer, "Withdraw") != nil })
		},
	)
	if a.dm(sandbox.ReleaseManager, "Approve") != nil {
		t.Error("a maintainer who is a release manager was asked")
	}
	must(t,
		func() error { return a.press(ctx, maintainer, "Approve") },
		func() error {
			return a.until(ctx, "one approval is there", func() bool { return a.says(sandbox.AppSec, "Approved by") })
		},
	)
	if a.dm(sandbox.Engineer, "Finish") != nil {
		t.Error("one approval was enough")
	}
	must(t,
		func() error { return a.press(ctx, sandbox.AppSec, "Approve") },
		func() error { return a.press(ctx, sandbox.Engineer, "Finish") },
		func() error { return a.person(sandbox.Engineer).CloseView(ctx) },
		func() error { return a.writeRecord(ctx, sandbox.Engineer) },
		func() error { return a.press(ctx, sandbox.CTO, "Sign off") },
		func() error { return a.press(ctx, sandbox.Engineer, "Write review") },
	)
	p := a.person(sandbox.Engineer)
	must(t,
		func() error { return p.Type(ctx, "What would prevent the same situation", "Fuzzing the parser") },
		func() error { return p.Type(ctx, "Why is no action needed", "It is planned") },
	)
	if refused, ok := p.Submit(ctx).(*slack.FormError); !ok || refused.ByLabel["Root-cause analysis"] == "" { //nolint:errorlint // Submit answers the bare type
		t.Errorf("the review was taken without its root cause: %v", refused)
	}
	must(t,
		func() error { return p.Type(ctx, "Root-cause analysis", "The "+hole+" was a missing bound") },
		func() error { return p.Submit(ctx) },
		func() error {
			return a.elapse(ctx, "the change is closed", 30*time.Second, func() bool { return a.says(sandbox.Engineer, "closed") })
		},
	)
	nobodyReads(t, a)
	settled(ctx, t, a, 0)
}

// nobodyReads demands that nothing of the security release is to be seen outside
// its circle, and that its number is.
func nobodyReads(t *testing.T, a act) {
	t.Helper()
	for _, who := range []string{sandbox.Colleague, sandbox.Guest, sandbox.ReleaseManager, sandbox.OnCall} {
		screen, _ := a.world.Slack.Screen(who)
		raw, err := json.Marshal(screen.Channels)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{hole, "1.2.3", "Security release", "Restarted the queue", "missing bound"} {
			if strings.Contains(string(raw), secret) {
				t.Errorf("%s can read %q", who, secret)
			}
		}
		if !strings.Contains(string(raw), "EC-1") {
			t.Errorf("%s does not even see its number", who)
		}
	}
	if n := len(a.world.Jira.Issues()); n != 1 || a.ticketSays(hole) || !a.ticketSays("EC-1, a confidential change") {
		t.Errorf("%d tickets, which say too much or too little", n)
	}
	if card := a.card(); len(a.world.Slack.Thread(card.Channel, card.TS)) > 1 {
		t.Error("its thread has replies")
	}
}
