package reconcile_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/forge"
	"github.com/breakglass-bot/breakglass/internal/reconcile"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
	"github.com/breakglass-bot/breakglass/internal/sandbox/github"
	"github.com/breakglass-bot/breakglass/internal/sandbox/gitlab"
	sandboxincidentio "github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
)

const app = "group/app"

type forgeBundle struct {
	*recordBundle
	lab    *gitlab.Server
	hub    *github.Server
	page   *github.Status
	client *forge.Client
	wires  *wire // of the forges alone
	labURL string
	hubURL string
}

// setupForges adds GitLab, GitHub and its status page. People are known there by
// what they do.
func setupForges(t *testing.T, kind ...func(*change.Kind)) *forgeBundle {
	t.Helper()
	b := &forgeBundle{recordBundle: setupRecords(t), wires: &wire{calls: map[string]int{}}}
	b.lab, b.hub = gitlab.New(gitlab.Options{Now: b.clock.now}), github.New(github.Options{Now: b.clock.now})
	b.page = github.NewStatus(b.clock.now)
	for _, user := range []string{"engineer", "chief", "other", "committer"} {
		b.lab.AddUser(gitlab.User{Username: user})
		b.hub.AddUser(github.User{Login: user})
	}
	b.lab.AddUser(gitlab.User{Username: "helper", Bot: true})
	urls := make([]string, 0, 3)
	for _, h := range []http.Handler{b.lab, b.hub, b.page} {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		urls = append(urls, s.URL)
	}
	b.labURL, b.hubURL = urls[0], urls[1]
	t.Cleanup(func() {
		for _, v := range append(append(b.lab.Violations(), b.hub.Violations()...), b.page.Violations()...) {
			t.Errorf("asked carelessly: %s", v)
		}
	})
	client, err := forge.New(forge.Options{
		GitLabURL: urls[0], GitLabToken: "sandbox-gitlab-token", GitHubAPIURL: urls[1], GitHubToken: "sandbox-github-token", StatusURL: urls[2],
		Now: b.clock.now, HTTPClient: &http.Client{Transport: b.wires}, Timeout: 5 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	b.client = client
	b.MergeRequests, b.StatusPage = client, client
	attach, is := b.Incidents.(reconcile.Attachments)
	if !is {
		t.Fatal("incidents take no attachments")
	}
	b.Attachments = attach
	rules := &b.Workflow.Rules
	rules.MergeRequests = change.MergeRequestRules{ReviewWithin: 72 * time.Hour, PermanentFixWithin: 336 * time.Hour}
	rules.People[engineer] = change.Identities{Jira: engineerAccount, GitLab: "engineer", GitHub: "engineer"}
	rules.People[other] = change.Identities{Jira: otherAccount, GitLab: "other", GitHub: "other"}
	for i := range rules.Kinds {
		rules.Kinds[i].MergeRequest = change.NeedRequired
		for _, alter := range kind {
			alter(&rules.Kinds[i])
		}
	}
	return b
}

// openOn opens a merge request of the engineer's and answers its reference.
func (b *forgeBundle) openOn(t *testing.T) change.MergeRequestRef {
	t.Helper()
	m, err := b.lab.Open(gitlab.MergeRequest{Project: app, Author: "engineer", Title: "Mend the *broker*"})
	if err != nil {
		t.Fatal(err)
	}
	return b.ref(t, fmt.Sprintf("%s/%s/-/merge_requests/%d", b.labURL, app, m.IID))
}

func (b *forgeBundle) ref(t *testing.T, address string) change.MergeRequestRef {
	t.Helper()
	ref, err := b.client.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func with(refs ...change.MergeRequestRef) asking {
	return func(r *change.Request) {
		for _, ref := range refs {
			r.MergeRequests = append(r.MergeRequests, change.RequestedMergeRequest{Ref: ref})
		}
	}
}

// approved asks for a change that is approved.
func (b *forgeBundle) approved(t *testing.T, alter ...asking) change.Change {
	t.Helper()
	c := b.request(t, alter...)
	b.work(t)
	return b.do(t, c.Number, chief, change.Approve{Ask: 1})
}

// looks counts how often GitLab was asked for a merge request.
func (b *forgeBundle) looks(iid int) int {
	return b.wires.count(fmt.Sprintf("GET /api/v4/projects/%s/merge_requests/%d", app, iid))
}

// linked is a merge request of a change as it stands.
func (b *forgeBundle) linked(t *testing.T, n change.Number, item int) change.LinkedMergeRequest {
	t.Helper()
	c := b.change(t, n)
	m := c.MergeRequest(item)
	if m == nil {
		t.Fatalf("%s has no merge request %d", n, item)
	}
	return *m
}

func ok(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestAMergeRequestIsFollowedUntilItsReviewIsDone(t *testing.T) {
	t.Parallel()
	b := setupForges(t)
	ref := b.openOn(t)
	c := b.approved(t, with(ref))
	b.work(t)
	if m := b.linked(t, c.Number, 1); m.Seen == nil || m.Seen.Author != "engineer" || m.Seen.State != change.MROpen {
		t.Fatalf("seen: %+v", m.Seen)
	}
	b.clock.forward(time.Minute)
	ok(t, b.lab.Merge(app, 1, "c0ffee", "engineer"))
	b.pass(t, time.Minute, 10*time.Second)
	if got := b.change(t, c.Number); got.Phase != change.Ended || got.MergeRequest(1).Seen.MergedCommit != "c0ffee" {
		t.Errorf("merged, the change is %s: %+v", got.Phase, got.MergeRequest(1).Seen)
	}
	b.wantOwes(t, c.Number, change.OweIndependentReview, change.Owed)
	note, err := b.lab.Note(app, 1, "other", "Reviewed, thank you")
	ok(t, err)
	b.pass(t, 20*time.Minute, 30*time.Second)
	b.wantOwes(t, c.Number, change.OweIndependentReview, change.Done)
	ok(t, b.lab.DeleteNote(app, 1, note))
	b.pass(t, 70*time.Minute, time.Minute)
	b.wantOwes(t, c.Number, change.OweIndependentReview, change.Owed)
	if !b.slack.told(engineer, change.MessageIndependentReviewUndone) {
		t.Error("nobody is told that the review is owed again")
	}
	if _, err := b.lab.Note(app, 1, "other", "Approved once more"); err != nil {
		t.Fatal(err)
	}
	b.pass(t, 70*time.Minute, time.Minute)
	b.wantOwes(t, c.Number, change.OweIndependentReview, change.Done)
}

func TestOnlyAnotherPersonsWordAfterTheMergeCounts(t *testing.T) {
	t.Parallel()
	b := setupForges(t)
	ref := b.openOn(t)
	ok(t, b.lab.Push(app, 1, gitlab.Commit{AuthorName: "committer", AuthorEmail: "committer@example.com"}),
		b.lab.Approve(app, 1, "engineer"), b.lab.Approve(app, 1, "helper"))
	c := b.approved(t, with(ref))
	ok(t, b.lab.Merge(app, 1, "c0ffee", "engineer"))
	for who, note := range map[string]string{"engineer": "Reviewed", "helper": "Approved", "other": "Not reviewed yet"} {
		_, err := b.lab.Note(app, 1, who, note)
		ok(t, err)
	}
	b.pass(t, time.Hour, time.Minute)
	b.wantOwes(t, c.Number, change.OweIndependentReview, change.Owed)
}

func TestAForgeThatIsDownUndoesNothingAndIsShownAsWaitedFor(t *testing.T) {
	t.Parallel()
	b := setupForges(t)
	ref := b.openOn(t)
	c := b.approved(t, with(ref))
	ok(t, b.lab.Approve(app, 1, "other"))
	b.pass(t, time.Minute, 30*time.Second)
	before := b.change(t, c.Number)
	b.lab.Faults.Add(fault.Fault{Kind: fault.Internal})
	ok(t, b.lab.Merge(app, 1, "c0ffee", "engineer"))
	b.pass(t, 30*time.Minute, 30*time.Second)
	during := b.change(t, c.Number)
	if during.Phase != change.Active || during.MergeRequest(1).Refused != "" || during.MergeRequest(1).Seen.State != before.MergeRequest(1).Seen.State {
		t.Errorf("while GitLab was down, the change became %s: %+v", during.Phase, during.MergeRequest(1))
	}
	b.wantOwes(t, c.Number, change.OweIndependentReview, change.Done)
	if waiting, err := b.Ledger.Waiting(t.Context(), c.Number); err != nil || !strings.Contains(waiting[change.SystemForge], "look again") {
		t.Errorf("waited for: %v (%v)", waiting, err)
	}
	if n := b.looks(1); n > 45 {
		t.Errorf("GitLab was asked %d times in half an hour in which it did not answer", n)
	}
	b.lab.Faults.Clear()
	b.pass(t, 2*time.Minute, 10*time.Second)
	if got := b.change(t, c.Number); got.Phase != change.Ended {
		t.Errorf("GitLab is back, and the change is %s", got.Phase)
	}
	if waiting, err := b.Ledger.Waiting(t.Context(), c.Number); err != nil || len(waiting) > 0 {
		t.Errorf("still waited for: %v (%v)", waiting, err)
	}
}

func TestAForgeThatAsksToWaitIsLeftAlone(t *testing.T) {
	t.Parallel()
	b := setupForges(t)
	b.lab.Faults.Add(fault.Fault{Kind: fault.TooMany, Times: 1, RetryAfter: 10 * time.Minute})
	c := b.request(t, with(b.openOn(t)))
	b.pass(t, 9*time.Minute, 10*time.Second)
	if n := b.looks(1); n != 1 {
		t.Errorf("GitLab was asked %d times while it asked to wait", n)
	}
	b.pass(t, 2*time.Minute, 10*time.Second)
	if b.linked(t, c.Number, 1).Seen == nil {
		t.Error("it was not asked again")
	}
}

func TestWhatTheForgeNeverHadIsRefusedAndWhatItHadIsKept(t *testing.T) {
	t.Parallel()
	b := setupForges(t)
	there := b.openOn(t)
	nowhere := b.ref(t, b.labURL+"/"+app+"/-/merge_requests/99")
	c := b.request(t, with(there, nowhere))
	b.work(t)
	got := b.change(t, c.Number)
	if m := got.MergeRequest(2); m.Refused == "" || m.Seen != nil || !b.slack.told(engineer, change.MessageMergeRequestRefused) {
		t.Errorf("a merge request that is not there: %+v", m)
	}
	ok(t, b.lab.Forbid(app, true))
	b.pass(t, 10*time.Minute, time.Minute)
	moved := b.change(t, c.Number)
	if m := moved.MergeRequest(1); m.Refused != "" || m.Seen == nil {
		t.Errorf("one that was seen before: %+v", m)
	}
}

func TestTheWindowEndsOnceItIsDeployed(t *testing.T) {
	t.Parallel()
	b := setupForges(t, func(k *change.Kind) { k.EndsOn = &change.Deployment{Environments: []string{"staging", "production"}} })
	c := b.approved(t, with(b.openOn(t)))
	ok(t, b.lab.Merge(app, 1, "c0ffee", "engineer"))
	b.pass(t, 2*time.Minute, 10*time.Second)
	if got := b.change(t, c.Number).Phase; got != change.Active {
		t.Errorf("merged and not deployed, the change is %s", got)
	}
	if _, err := b.lab.Deploy(app, "production", "failed", ""); err != nil {
		t.Fatal(err)
	}
	b.pass(t, 2*time.Minute, 10*time.Second)
	if got := b.change(t, c.Number).Phase; got != change.Active {
		t.Errorf("after a deployment that failed, the change is %s", got)
	}
	if _, err := b.lab.Deploy(app, "production", "success", ""); err != nil {
		t.Fatal(err)
	}
	b.pass(t, 2*time.Minute, 10*time.Second)
	got := b.change(t, c.Number)
	if got.Phase != change.Ended || got.MergeRequest(1).Deployed == nil || got.MergeRequest(1).Deployed.Environment != "production" {
		t.Errorf("deployed, the change is %s: %+v", got.Phase, got.MergeRequest(1).Deployed)
	}
}

func TestDeploymentsThatCannotBeReadHoldUpNothingElse(t *testing.T) {
	t.Parallel()
	b := setupForges(t, func(k *change.Kind) { k.EndsOn = &change.Deployment{Environments: []string{"production"}} })
	c := b.approved(t, with(b.openOn(t)))
	b.lab.Faults.Add(fault.Fault{Kind: fault.Internal, Call: "list deployments"})
	ok(t, b.lab.Approve(app, 1, "other"), b.lab.Merge(app, 1, "c0ffee", "engineer"))
	b.pass(t, 2*time.Minute, 10*time.Second)
	got := b.change(t, c.Number)
	if got.Phase != change.Active || got.MergeRequest(1).Seen.State != change.MRMerged {
		t.Errorf("the change is %s: %+v", got.Phase, got.MergeRequest(1).Seen)
	}
	b.wantOwes(t, c.Number, change.OweIndependentReview, change.Done)
}

func TestMergeRequestsAreLookedAtLessAndLessAndNotOnceItIsOver(t *testing.T) {
	t.Parallel()
	b := setupForges(t)
	ref := b.openOn(t)
	c := b.approved(t, with(ref))
	ok(t, b.lab.Merge(app, 1, "c0ffee", "engineer"))
	b.pass(t, 2*time.Minute, 30*time.Second)
	before := b.looks(1)
	b.pass(t, 48*time.Hour, 10*time.Minute)
	if n := b.looks(1) - before; n < 40 || n > 110 {
		t.Errorf("owed, it was looked at %d times in two days", n)
	}
	_, err := b.lab.Note(app, 1, "other", "Reviewed")
	ok(t, err)
	b.pass(t, 2*time.Hour, 10*time.Minute)
	b.wantOwes(t, c.Number, change.OweIndependentReview, change.Done)
	before = b.looks(1)
	b.pass(t, 10*time.Hour, 10*time.Minute)
	if n := b.looks(1) - before; n < 9 || n > 11 {
		t.Errorf("reviewed, it was looked at %d times in ten hours", n)
	}
	b.write(t, c.Number)
	b.work(t)
	b.do(t, c.Number, chief, change.SignOff{})
	b.do(t, c.Number, engineer, change.SubmitReview{Text: change.ReviewText{What: "a", Standard: "b", Prevent: "c", NoAction: "d"}})
	b.pass(t, 2*time.Hour, 10*time.Minute)
	if got := b.change(t, c.Number).Phase; got != change.Closed {
		t.Fatalf("the change is %s", got)
	}
	before = b.looks(1)
	b.pass(t, 24*time.Hour, time.Hour)
	if n := b.looks(1) - before; n != 0 {
		t.Errorf("closed, it was looked at %d times", n)
	}
}

func TestAPullRequestIsReviewedAfterItsMergeAndDismissed(t *testing.T) {
	t.Parallel()
	b := setupForges(t)
	p, err := b.hub.Open(github.Pull{Repository: app, Author: "engineer"})
	ok(t, err)
	c := b.approved(t, with(b.ref(t, fmt.Sprintf("%s/%s/pull/%d", b.hubURL, app, p.Number))))
	ok(t, b.hub.Merge(app, 1, "", "engineer"))
	b.pass(t, time.Minute, 10*time.Second)
	b.wantOwes(t, c.Number, change.OweIndependentReview, change.Owed)
	review, err := b.hub.Review(app, 1, "other", github.Approved)
	ok(t, err)
	b.pass(t, 10*time.Minute, time.Minute)
	b.wantOwes(t, c.Number, change.OweIndependentReview, change.Done)
	got := b.change(t, c.Number)
	if o := got.Owes(change.OweIndependentReview, 0); o.Proof.By != other || o.Proof.Way != "GitHub" {
		t.Errorf("its proof: %+v", o.Proof)
	}
	ok(t, b.hub.Dismiss(app, 1, review))
	b.pass(t, 70*time.Minute, time.Minute)
	b.wantOwes(t, c.Number, change.OweIndependentReview, change.Owed)
}

func TestTheIncidentHasItAttachedOnceWhateverBecomesOfTheReply(t *testing.T) {
	t.Parallel()
	for _, kind := range []fault.Kind{fault.ReplyLost, fault.InternalLie, fault.Truncated, fault.Refused, fault.TooMany} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			b := setupForges(t)
			i := b.incidents.Open(sandboxincidentio.Incident{Name: "Orders are stuck"})[0]
			b.incidents.Faults.Add(fault.Fault{Kind: kind, Call: "create attachment", Times: 1})
			ref := b.openOn(t)
			b.request(t, b.during(t, i.ID), with(ref))
			b.pass(t, 5*time.Minute, 10*time.Second)
			all := b.incidents.Attachments(i.ID)
			if len(all) != 1 || all[0].URL != ref.URL || all[0].ResourceType != "gitlab_merge_request" {
				t.Errorf("attached: %+v", all)
			}
		})
	}
}

func TestTheTicketLinksToItAndHoldsWhatIsKnown(t *testing.T) {
	t.Parallel()
	b := setupForges(t)
	ref := b.openOn(t)
	c := b.approved(t, with(ref), ticketNow)
	ok(t, b.lab.Approve(app, 1, "other"), b.lab.Merge(app, 1, "c0ffee", "engineer"))
	b.pass(t, 3*time.Minute, 30*time.Second)
	i := b.issue(t)
	if !strings.Contains(i.Description, `group/app\!1`) || !strings.Contains(i.Description, ref.URL) {
		t.Errorf("the ticket does not name it:\n%s", i.Description)
	}
	links := 0
	for _, l := range i.Links {
		if l.URL == ref.URL && l.Title == "EC-1: merge request group/app!1" {
			links++
		}
	}
	if links != 1 {
		t.Errorf("the ticket's links: %+v", i.Links)
	}
	b.write(t, c.Number)
	b.pass(t, 2*time.Minute, 30*time.Second)
	held := strings.Join(comments(b.issue(t), "giraffe"), "\n")
	for _, want := range []string{"group/app", "Merged 2026-03-02", "c0ffee", "Approved by another person: other", "read 2026-03-02"} {
		if !strings.Contains(held, want) {
			t.Errorf("the record lacks %q:\n%s", want, held)
		}
	}
}

func TestOfAConfidentialChangeNobodyElseReadsWhichMergeRequestItIs(t *testing.T) {
	t.Parallel()
	b := setupForges(t)
	i := b.incidents.Open(sandboxincidentio.Incident{Name: "Orders are stuck"})[0]
	ref := b.openOn(t)
	c := b.request(t, with(ref), func(r *change.Request) { r.Kind, r.Choice = "secret", change.TicketNow })
	b.work(t)
	found, err := b.Incidents.Incident(t.Context(), i.ID)
	ok(t, err)
	b.do(t, c.Number, engineer, change.LinkIncident{Incident: found})
	b.do(t, c.Number, chief, change.Approve{Ask: 1})
	b.pass(t, 5*time.Minute, 30*time.Second)
	b.write(t, c.Number)
	b.pass(t, 5*time.Minute, 30*time.Second)
	if all := b.incidents.Attachments(i.ID); len(all) > 0 {
		t.Errorf("attached to a public incident: %+v", all)
	}
	for where, text := range map[string]string{"Jira": b.everything(), "incident.io": b.incidents.Text(i.ID)} {
		if strings.Contains(text, app) || strings.Contains(text, "broker") || strings.Contains(text, b.labURL) {
			t.Errorf("%s holds more than the number:\n%s", where, text)
		}
	}
}

func TestTheStatusPageIsKeptOnceWithItsTime(t *testing.T) {
	t.Parallel()
	b := setupForges(t)
	b.Workflow.Rules.Reasons[0].Evidence = "github-status"
	b.page.Break("Actions are slow", github.MajorOutage, github.Actions)
	b.page.Faults.Add(fault.Fault{Kind: fault.Unavailable})
	c := b.request(t, with(b.openOn(t)))
	b.pass(t, 10*time.Minute, 10*time.Second)
	if b.change(t, c.Number).Status != nil {
		t.Error("a page that did not answer said something")
	}
	b.page.Faults.Clear()
	b.pass(t, 2*time.Minute, 10*time.Second)
	s := b.change(t, c.Number).Status
	if s == nil || s.Indicator != "critical" || !s.TakenAt.After(c.RequestedAt.Add(10*time.Minute)) || len(s.Incidents) != 1 {
		t.Fatalf("kept: %+v", s)
	}
	b.page.Mend()
	b.pass(t, 10*time.Minute, time.Minute)
	if again := b.change(t, c.Number).Status; again.Indicator != "critical" || b.events(t, c.Number, change.EventStatusSeen) != 1 {
		t.Errorf("the snapshot was altered: %+v", again)
	}
}
