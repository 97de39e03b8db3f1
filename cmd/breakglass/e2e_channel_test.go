package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

func TestWithoutAChannelPeopleAreToldDirectly(t *testing.T) {
	t.Parallel()
	for name, gone := range map[string]slack.Channel{
		"archived":              {ID: sandbox.Channel, Name: "emergency", Archived: true},
		"breakglass not in it":  {ID: sandbox.Channel, Name: "emergency", BotNotMember: true},
		"private, and not told": {ID: sandbox.Channel, Name: "emergency", Private: true, BotNotMember: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, a := open(t, stageOptions{})
			a.world.Slack.PutChannel(gone)
			granted(ctx, t, a, sandbox.Engineer, sandbox.CTO, request{duration: "30m"})
			must(t,
				func() error {
					return a.until(ctx, "the audit channel hears of it", func() bool { return a.saysInAudit("not delivered") })
				},
				func() error {
					return a.until(ctx, "the requester has the card", func() bool { return a.dm(sandbox.Engineer, "Add note") != nil })
				},
				func() error { return a.press(ctx, sandbox.Engineer, "Finish") },
				func() error {
					return a.until(ctx, "the access is gone", func() bool { return len(a.world.AWS.Assignments()) == 0 })
				},
			)
			if n := len(a.world.Slack.Messages(sandbox.Channel)); n != 0 {
				t.Errorf("there are %d messages in a channel that takes none", n)
			}
		})
	}
}

// manyApprovers makes the group that approves one of Slack's, which chiefs makes
// larger than may be asked directly.
func manyApprovers(cfg []byte) []byte {
	return bytes.Replace(cfg, []byte("cto: {members: [U0CTO]}"), []byte("cto: {slack_usergroup: S0CHIEFS}"), 1)
}

func chiefs(a act) {
	g := slack.Usergroup{ID: "S0CHIEFS", Handle: "chiefs", Name: "Chiefs", Members: []string{sandbox.CTO}}
	for i := range 11 {
		g.Members = append(g.Members, fmt.Sprintf("U0CHIEF%d", i))
		a.world.Slack.PutUser(slack.User{ID: g.Members[i+1], Name: fmt.Sprintf("Chief %d", i)})
	}
	a.world.Slack.PutUsergroup(g)
}

func TestALargeGroupIsAskedOnceInTheThread(t *testing.T) {
	t.Parallel()
	ctx, a := open(t, stageOptions{example: manyApprovers})
	chiefs(a)
	must(t,
		func() error { return a.request(ctx, sandbox.Engineer, request{duration: "30m"}) },
		func() error {
			return a.until(ctx, "the group is asked in the thread", func() bool { return a.saysInThread("[ approve ]") })
		},
	)
	thread := a.world.Slack.Thread(sandbox.Channel, a.card().TS)
	for _, m := range thread {
		if strings.Contains(a.world.Slack.RenderMessage(sandbox.CTO, m), "[ Approve ]") {
			must(t, func() error { return a.person(sandbox.CTO).Click(ctx, m, "Approve") })
			break
		}
	}
	must(t, func() error {
		return a.until(ctx, "the access is there", func() bool { return a.has(sandbox.AdminOf(sandbox.Engineer)) })
	})
	for _, m := range a.world.Slack.DMs(sandbox.CTO) {
		t.Errorf("whom the thread mentions was asked directly as well: %s", a.world.Slack.RenderMessage(sandbox.CTO, m))
	}
	for _, v := range a.world.Violations() {
		t.Errorf("violation: %s", v)
	}
}

func TestALargeGroupIsAskedDirectlyWhereTheThreadHasNoPlace(t *testing.T) {
	t.Parallel()
	ctx, a := open(t, stageOptions{example: manyApprovers})
	chiefs(a)
	a.world.Slack.PutChannel(slack.Channel{ID: sandbox.Channel, Name: "emergency", Archived: true})
	granted(ctx, t, a, sandbox.Engineer, sandbox.CTO, request{duration: "30m"})
}
