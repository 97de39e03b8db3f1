package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
	"github.com/breakglass-bot/breakglass/migrations"
)

// secretLife is one confidential change, from its request on.
type secretLife struct {
	*circle
	n change.Number
}

// noMergeRequest lets the kinds of the example be asked for without one. Some of
// roles.cto have no part in them.
var noMergeRequest = []string{
	"merge_request: required       # one for each version", "merge_request: optional",
	"  cto: [cto]      ", "  cto: [cto, release-managers]",
	"issue_type: Task\n", "issue_type: Task\n  security_level: Security team\n",
}

// secretLives is how many random lives one run of the test plays. The flag
// -rapid.checks asks for more.
const secretLives = "15"

// TestNoSequenceOfDeedsLetsAnybodyOutsideReadAConfidentialChange plays random
// deeds of random people, and looks after each at everything that those outside
// can see: their screens, the tickets, the public incidents, the reports and the
// log.
func TestNoSequenceOfDeedsLetsAnybodyOutsideReadAConfidentialChange(t *testing.T) {
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		if err := f.Value.Set(secretLives); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { // the flag is that of the whole process
			if err := f.Value.Set(f.DefValue); err != nil {
				t.Error(err)
			}
		})
	}
	url, folder := databases.URL(t), t.TempDir()
	if err := migrations.Up(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		alter := noMergeRequest
		if rapid.Bool().Draw(rt, "no security level") {
			alter = alter[:4]
		}
		l := &secretLife{circle: openCircle(rt, url, folder, alter...)}
		l.begin(rt)
		l.check(rt)
		for range rapid.IntRange(4, 12).Draw(rt, "deeds") {
			deed := rapid.SampledFrom([]func(*rapid.T) string{l.insider, l.insider, l.forward, l.types, l.clicks, l.clicks, l.home, l.looksUp}).Draw(rt, "deed")(rt)
			l.work(l.n)
			if found := l.leaks(l.n); len(found) > 0 {
				rt.Fatalf("after %s:\n%s", deed, strings.Join(found, "\n"))
			}
		}
	})
}

func (l *secretLife) check(rt *rapid.T) {
	l.work(l.n)
	if found := l.leaks(l.n); len(found) > 0 {
		rt.Fatalf("after the request:\n%s", strings.Join(found, "\n"))
	}
}

// begin asks for a change, or reports one: of a confidential kind, or during a
// private incident.
func (l *secretLife) begin(rt *rapid.T) {
	private := l.world.IncidentIO.Open(incidentio.Incident{Name: l.marked("incident"), Private: true})[0]
	l.world.IncidentIO.Open(incidentio.Incident{Name: "Something that everybody sees"})
	req := change.Request{
		Kind: "security-release", Reason: "critical-vulnerability", What: l.marked("what"), Why: l.marked("why"),
		Choice: rapid.SampledFrom([]change.TicketChoice{change.TicketNow, change.TicketLater}).Draw(rt, "choice"),
	}
	if rapid.IntRange(0, 2).Draw(rt, "kind") == 0 {
		req.Kind, req.Answers = "configuration-change", map[change.QuestionID]string{"criticality": "C1", "rollback": l.marked("answer")}
		req.Reason = "incident-mitigation"
	}
	if req.Kind != "security-release" || rapid.Bool().Draw(rt, "incident") {
		found, err := l.p.systems.incident.Incident(context.Background(), private.ID)
		if err != nil || !found.Private {
			rt.Fatalf("the private incident is %+v: %v", found, err)
		}
		req.Incident = &found
	}
	if rapid.IntRange(0, 4).Draw(rt, "report") == 0 {
		req.Reported, req.MadeAt = true, l.now().Add(-time.Minute)
		if req.Incident != nil {
			req.Incident.Created = l.now().Add(-time.Hour)
		}
	}
	if req.Kind == "security-release" {
		ref := change.MergeRequestRef{URL: "https://" + l.mark + ".example.com/version/1"}
		req.MergeRequests = []change.RequestedMergeRequest{{Ref: ref}}
		if rapid.Bool().Draw(rt, "seen") {
			ref = change.MergeRequestRef{Forge: change.GitLab, Project: l.mark + "/app", Number: 1, URL: "https://gitlab.example.com/" + l.mark + "/app/-/merge_requests/1"}
			req.MergeRequests = []change.RequestedMergeRequest{{Ref: ref, Seen: &change.MergeRequest{Ref: ref, Title: l.marked("title"), State: change.MROpen, SeenAt: l.now()}}}
		}
	}
	c, err := l.p.workflow.Submit(context.Background(), req, l.as(sandbox.Engineer, nil))
	if err != nil {
		rt.Fatal(err)
	}
	if !c.Confidential {
		rt.Fatal("it is not confidential")
	}
	l.n = c.Number
}

// insider is a deed of the change's own people, with something marked in it.
func (l *secretLife) insider(rt *rapid.T) string {
	c := l.change(l.n)
	actions := []change.Action{{What: l.marked("action"), Owner: sandbox.Engineer, Due: l.now().Add(time.Hour)}}
	review := change.ReviewText{What: l.marked("review"), Standard: l.marked("standard"), Prevent: l.marked("prevent"), RootCause: l.marked("cause"), Actions: actions}
	type deed struct {
		who string
		cmd change.Command
	}
	all := []deed{
		{sandbox.AppSec, change.Approve{Ask: len(c.Asks)}},
		{"U0MAINT1", change.Approve{Ask: len(c.Asks)}},
		{sandbox.OnCall, change.Approve{Ask: len(c.Asks)}},
		{"U0MAINT2", change.Deny{Ask: len(c.Asks), Reason: l.marked("denial")}},
		{sandbox.Engineer, change.AddNote{Text: l.marked("note")}},
		{sandbox.Engineer, change.LinkURL{URL: "https://" + l.mark + ".example.com/" + fmt.Sprint(len(c.Links))}},
		{sandbox.Engineer, change.LinkMergeRequest{Ref: change.MergeRequestRef{URL: "https://" + l.mark + ".example.com/version/" + fmt.Sprint(len(c.MergeRequests)+1)}}},
		{"U0MAINT1", change.ConfirmMergeRequest{Item: 1}},
		{sandbox.Engineer, change.Finish{}},
		{sandbox.AppSec, change.EndNow{}},
		{sandbox.Engineer, change.WriteRecord{Done: l.marked("done"), Why: l.marked("why done")}},
		{sandbox.Engineer, change.SaveDraft{Text: review}},
		{sandbox.Engineer, change.SubmitReview{Text: review}},
		{sandbox.AppSec, change.Waive{Obligation: change.OweRecord, Reason: l.marked("waiver")}},
		{"U0MAINT1", change.Waive{Obligation: change.OweReview, Reason: l.marked("waiver")}},
		{sandbox.CTO, change.SignOff{}},
		{"", change.OwnerGone{Person: sandbox.Engineer}},
		{"", change.ApproverAway{Ask: len(c.Asks), Person: sandbox.AppSec, Until: l.now().Add(time.Hour)}},
		{"", change.Escalate{Ask: len(c.Asks)}},
		{"", change.IncidentRefused{Say: "It takes no notes.", Private: true}},
	}
	chosen := rapid.SampledFrom(all).Draw(rt, "command")
	err := l.do(l.n, chosen.who, chosen.cmd)
	if _, refused := errors.AsType[*change.Refusal](err); err != nil && !refused {
		rt.Fatal(err)
	}
	return fmt.Sprintf("%T by %s (%v)", chosen.cmd, chosen.who, err)
}

// forward lets time pass: reminders, breaches, lapses.
func (l *secretLife) forward(rt *rapid.T) string {
	d := rapid.SampledFrom([]time.Duration{30 * time.Second, 3 * time.Minute, 15 * time.Minute, 2 * time.Hour, 25 * time.Hour}).Draw(rt, "time")
	l.offset.Add(int64(d))
	if err := l.do(l.n, "", change.Tick{}); err != nil {
		rt.Fatal(err)
	}
	return d.String()
}

// somebody is anybody of the world, those outside more often.
func (l *secretLife) somebody(rt *rapid.T) string {
	all := append(l.outsiders(l.n), sandbox.Colleague, sandbox.ReleaseManager, sandbox.Colleague, sandbox.Engineer, sandbox.AppSec, sandbox.CTO)
	return rapid.SampledFrom(all).Draw(rt, "who")
}

// types is a command, of anybody, about the change.
func (l *secretLife) types(rt *rapid.T) string {
	text := rapid.SampledFrom([]string{
		"show %s", "show %s", "note %s a word", "link %s https://example.com", "link %s OPS-1", "link %s INC-1", "extend %s 1h", "finish %s", "withdraw %s", "list", "help", "report", "",
	}).Draw(rt, "text")
	if strings.Contains(text, "%s") {
		text = fmt.Sprintf(text, l.n)
	}
	who := l.somebody(rt)
	_, _ = l.world.Slack.Person(who).Command(context.Background(), sandbox.OtherChannel, "/emergency", text) // what it answers is on the screen
	return "/emergency " + text + " by " + who
}

// clicks is any button of any message that somebody sees, or of the form on top
// of their screen, which is then submitted as it is.
func (l *secretLife) clicks(rt *rapid.T) string {
	who := l.somebody(rt)
	p := l.world.Slack.Person(who)
	screen, _ := l.world.Slack.Screen(who)
	type press struct {
		name string
		do   func() error
	}
	var all []press
	for _, channel := range screen.Channels {
		for _, m := range channel.Messages {
			for _, b := range buttonsOf(m.Blocks) {
				all = append(all, press{b + " in " + channel.Name, func() error { return p.Click(context.Background(), m, b) }})
			}
		}
	}
	if v := screen.Modal; v != nil {
		for _, b := range buttonsOf(v.Blocks) {
			all = append(all, press{b + " in the form", func() error { return p.ClickInView(context.Background(), b) }})
		}
		all = append(all, press{"submit", func() error { return p.Submit(context.Background()) }})
	}
	if len(all) == 0 {
		return "nothing to press for " + who
	}
	chosen := all[rapid.IntRange(0, len(all)-1).Draw(rt, "button")]
	_ = chosen.do() // whatever comes of it is on the screen
	return chosen.name + " by " + who
}

// home opens the home tab, and presses a button there.
func (l *secretLife) home(rt *rapid.T) string {
	who := l.somebody(rt)
	p := l.world.Slack.Person(who)
	_ = p.OpenHome(context.Background())
	v, open := l.world.Slack.Home(who)
	if !open {
		return "home of " + who
	}
	if all := buttonsOf(v.Blocks); len(all) > 0 {
		b := rapid.SampledFrom(all).Draw(rt, "button")
		_ = p.ClickAtHome(context.Background(), b)
		return b + " at home by " + who
	}
	return "home of " + who
}

// looksUp searches the lists of the request form.
func (l *secretLife) looksUp(rt *rapid.T) string {
	who := rapid.SampledFrom([]string{sandbox.Colleague, sandbox.ReleaseManager}).Draw(rt, "who")
	p := l.world.Slack.Person(who)
	ctx := context.Background()
	_, _ = p.Command(ctx, sandbox.OtherChannel, "/emergency", rapid.SampledFrom([]string{"", "report"}).Draw(rt, "form"))
	_ = p.Select(ctx, "Why can't the release process be used?", "A critical vulnerability must be closed now")
	_ = p.Select(ctx, "Kind of change", "Configuration or environment change")
	found, _ := p.Search(ctx, "Active incident", "")
	if slices.ContainsFunc(found, func(s string) bool { return strings.Contains(s, l.mark) }) {
		rt.Fatalf("a search offers %q", found)
	}
	return "a search by " + who
}

// What was shown of a change in Slack before it became confidential is gone
// soon after.
func TestWhatEverybodyHadSeenIsTakenBackFromSlackAndJira(t *testing.T) {
	url := databases.URL(t)
	if err := migrations.Up(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	c := openCircle(t, url, t.TempDir(), noMergeRequest[:4]...)
	incident := c.world.IncidentIO.Open(incidentio.Incident{Name: c.marked("incident"), Private: true})[0]
	found, err := c.p.systems.incident.Incident(t.Context(), incident.ID)
	if err != nil {
		t.Fatal(err)
	}
	made, err := c.p.workflow.Submit(t.Context(), change.Request{
		Kind: "configuration-change", Reason: "critical-vulnerability", What: c.marked("what"), Why: c.marked("why"), Choice: change.TicketNow,
		Answers: map[change.QuestionID]string{"criticality": "C1", "rollback": c.marked("answer")},
	}, c.as(sandbox.Engineer, nil))
	if err != nil {
		t.Fatal(err)
	}
	n := made.Number
	deeds := func(all ...step) {
		t.Helper()
		must(t, all...)
		c.work(n)
	}
	deeds()
	deeds(
		func() error { return c.do(n, sandbox.OnCall, change.Approve{Ask: 1}) },
		func() error { return c.do(n, sandbox.Engineer, change.AddNote{Text: c.marked("note")}) },
		func() error { return c.do(n, sandbox.Engineer, change.Finish{}) },
		func() error {
			return c.do(n, sandbox.CTO, change.Waive{Obligation: change.OweReview, Reason: c.marked("waiver")})
		},
	)
	if len(c.leaks(n)) == 0 { // nobody is outside yet; everybody's channel tells of it
		screen, _ := c.world.Slack.Screen(sandbox.Colleague)
		if !strings.Contains(fmt.Sprint(screen), c.mark) {
			t.Fatal("nothing was shown that could be taken back")
		}
	}
	deeds(func() error { return c.do(n, sandbox.Engineer, change.LinkIncident{Incident: found}) })
	if found := c.leaks(n); len(found) > 0 {
		t.Errorf("still to be seen:\n%s", strings.Join(found, "\n"))
	}
	if gone := c.world.Slack.DeletedMessages(sandbox.Channel); len(gone) == 0 {
		t.Error("no reply was deleted")
	}
	card := c.world.Slack.Messages(sandbox.Channel)[0]
	if said := c.world.Slack.RenderMessage(sandbox.Colleague, card); card.Text != n.String()+": confidential" || strings.Contains(said, "Waive") {
		t.Errorf("the card says %q\n%s", card.Text, said)
	}
	direct := c.world.Slack.DMs(sandbox.Engineer)
	if !slices.ContainsFunc(direct, func(m slack.Message) bool {
		return strings.Contains(c.world.Slack.RenderMessage(sandbox.Engineer, m), "[ Link record ]") && strings.Contains(c.world.Slack.RenderMessage(sandbox.Engineer, m), c.marked("what"))
	}) {
		t.Error("the requester has no card of their own")
	}
	for _, v := range c.world.Violations() {
		t.Errorf("violation: %s", v)
	}
}
