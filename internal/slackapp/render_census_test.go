package slackapp

import (
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

func TestEveryFindingSaysWhatItIsAndHasButtonsOnlyWhileSomebodyMayDecide(t *testing.T) {
	t.Parallel()
	key := change.AssignmentKey{InstanceARN: "arn:instance", AccountID: "111122223333", PermissionSetARN: arn, UserID: "aws-zoe"}
	base := change.CensusNotice{
		TargetName: "Production", PermissionSetName: "BreakGlassAdmin",
		CensusFinding: change.CensusFinding{ID: 7, Key: key, UserName: "zoe <!here>", State: change.FindingOpen, FirstSeen: morning, LastSeen: morning.Add(time.Minute), ToldAt: morning},
	}
	for name, c := range map[string]struct {
		alter   func(*change.CensusNotice)
		says    []string
		never   []string
		buttons bool
	}{
		"nobody asked": {
			func(f *change.CensusNotice) { f.Kind = change.FindingUnasked },
			[]string{"Census 7 · access that nobody asked for", "BreakGlassAdmin in Production (111122223333), of zoe <!here>", "No emergency change wants it"},
			nil, true,
		},
		"it should have gone": {
			func(f *change.CensusNotice) { f.Kind, f.Number = change.FindingLeft, 5 },
			[]string{"access that should have gone", "The last change that asked for it was EC-5."},
			nil, true,
		},
		"it is being removed anyway": {
			func(f *change.CensusNotice) { f.Kind, f.Number, f.Removing = change.FindingLeft, 5, true },
			[]string{"though EC-5 is over", "takes longer than it should"},
			nil, false,
		},
		"it vanished": {
			func(f *change.CensusNotice) { f.Kind, f.Number = change.FindingVanished, 5 },
			[]string{"access that vanished", "EC-5 is active and has it", "end the change"},
			nil, false,
		},
		"it vanished from a confidential change": {
			func(f *change.CensusNotice) { f.Kind, f.Number, f.Confidential = change.FindingVanished, 5, true },
			[]string{"EC-5"},
			[]string{"zoe", "Production", "111122223333", "BreakGlassAdmin"},
			false,
		},
		"left over from a confidential change": {
			func(f *change.CensusNotice) { f.Kind, f.Number, f.Confidential = change.FindingLeft, 5, true },
			[]string{"EC-5"},
			[]string{"zoe", "Production", "111122223333", "BreakGlassAdmin"},
			true,
		},
		"marked as standing": {
			func(f *change.CensusNotice) {
				f.Kind, f.State, f.DecidedBy, f.DecidedAt = change.FindingUnasked, change.FindingStanding, cto, morning
			},
			[]string{"Marked as standing by @"},
			nil, false,
		},
		"ended": {
			func(f *change.CensusNotice) {
				f.Kind, f.State, f.DecidedBy, f.DecidedAt = change.FindingUnasked, change.FindingEnding, cto, morning
			},
			[]string{"Ended by @", "It is being removed."},
			nil, false,
		},
		"gone by itself": {
			func(f *change.CensusNotice) {
				f.Kind, f.State, f.Outcome, f.ClosedAt = change.FindingUnasked, change.FindingClosed, change.OutcomeGone, morning
			},
			[]string{"Gone: AWS lists it no more"},
			nil, false,
		},
		"the news that it is over": {
			func(f *change.CensusNotice) {
				f.Kind, f.State, f.Outcome, f.ClosedAt, f.News = change.FindingVanished, change.FindingClosed, change.OutcomeBack, morning, change.CensusOver
			},
			[]string{"Census 7 · over", "AWS lists it again"},
			nil, false,
		},
		"the news that its end is late": {
			func(f *change.CensusNotice) {
				f.Kind, f.State, f.DecidedBy, f.DecidedAt, f.News = change.FindingUnasked, change.FindingEnding, cto, morning, change.CensusLate
			},
			[]string{"Census 7 · late to go", "breakglass keeps trying"},
			nil, false,
		},
		"no longer configured": {
			func(f *change.CensusNotice) {
				f.Kind, f.State, f.Outcome, f.ClosedAt = change.FindingUnasked, change.FindingClosed, change.OutcomeUnconfigured, morning
				f.TargetName, f.PermissionSetName = "", ""
			},
			[]string{"No longer looked at", arn, "111122223333"},
			nil, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setupPost(t)
			f := base
			c.alter(&f)
			b.write(t, change.Posting{ID: 9, Finding: &f, Delivery: change.Delivery{Kind: change.DeliverFinding, Key: "7", Mode: change.Converge}})
			all := b.ws.Messages("C0AUDIT")
			if len(all) != 1 {
				t.Fatalf("%d messages", len(all))
			}
			shown := b.ws.RenderMessage("U0CTO", all[0])
			for _, want := range c.says {
				if !strings.Contains(shown, want) {
					t.Errorf("without %q:\n%s", want, shown)
				}
			}
			for _, never := range c.never {
				if strings.Contains(shown+all[0].Text, never) {
					t.Errorf("with %q:\n%s\n%s", never, all[0].Text, shown)
				}
			}
			if strings.Contains(all[0].Text, "<!here>") {
				t.Errorf("the notification is %q", all[0].Text)
			}
			if got := strings.Contains(shown, "End access") && strings.Contains(shown, "Mark as standing"); got != c.buttons {
				t.Errorf("buttons: %v\n%s", got, shown)
			}
			slack.RequireNoViolations(t, b.ws)
		})
	}
}
