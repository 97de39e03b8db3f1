package reconcile_test

import (
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
)

// recorded gives a change whose record stands in Jira and awaits its sign-off.
func (b *recordBundle) recorded(t *testing.T) (change.Number, string) {
	t.Helper()
	c := b.made(t, ticketNow)
	b.write(t, c.Number)
	b.work(t)
	b.wantOwes(t, c.Number, change.OweSignOff, change.Owed)
	return c.Number, b.issue(t).Key
}

func TestCommentSignsOffOnlyByItsSigner(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, account, body string
		alter               func(*recordBundle)
		want                change.ObligationState
		doubted             int
	}{
		{"the CTO", ctoAccount, "Seen, thank you", nil, change.Done, 0},
		{"the requester", engineerAccount, "Approved", nil, change.Owed, 0},
		{"somebody else of ours", otherAccount, "Approved", nil, change.Owed, 0},
		{"a stranger", strangerAccount, "Approved", nil, change.Owed, 0},
		{"the CTO, asking", ctoAccount, "Who did this?", nil, change.Owed, 1},
		{"the CTO, holding back", ctoAccount, "I do not agree", nil, change.Owed, 1},
		{"the CTO, who has left", ctoAccount, "Fine", func(b *recordBundle) { b.people.gone.Store(true) }, change.Owed, 0},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := setupRecords(t)
			n, key := b.recorded(t)
			if tc.alter != nil {
				tc.alter(b)
			}
			b.jira.CommentAs(tc.account, key, tc.body)
			b.pass(t, 5*time.Minute, 30*time.Second)
			b.wantOwes(t, n, change.OweSignOff, tc.want)
			if got := b.events(t, n, change.EventSignOffDoubted); got != tc.doubted {
				t.Errorf("doubted %d times, want %d", got, tc.doubted)
			}
			if told := b.slack.told(chief, change.MessageSignOffDoubted); told != (tc.doubted > 0) {
				t.Errorf("the signer was told why: %t", told)
			}
		})
	}
}

func TestSignOffIsTakenBackWithItsComment(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		spoil  func(b *recordBundle, key, id string)
		want   change.ObligationState
		undone int
	}{
		{"deleted", func(b *recordBundle, key, id string) { b.jira.DeleteComment(key, id) }, change.Owed, 1},
		{"edited into a no", func(b *recordBundle, key, id string) { b.jira.EditComment(ctoAccount, key, id, "On hold") }, change.Owed, 1},
		{"edited into another yes", func(b *recordBundle, key, id string) { b.jira.EditComment(ctoAccount, key, id, "Fine indeed") }, change.Done, 0},
		{"edited by somebody else", func(b *recordBundle, key, id string) { b.jira.EditComment(otherAccount, key, id, "Very fine") }, change.Owed, 1},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := setupRecords(t)
			n, key := b.recorded(t)
			id, _ := b.jira.CommentAs(ctoAccount, key, "Fine")
			b.pass(t, 2*time.Minute, 30*time.Second)
			b.wantOwes(t, n, change.OweSignOff, change.Done)
			tc.spoil(b, key, id)
			b.pass(t, 20*time.Minute, time.Minute)
			b.wantOwes(t, n, change.OweSignOff, tc.want)
			if got := b.events(t, n, change.EventSignOffUndone); got != tc.undone {
				t.Errorf("undone %d times, want %d", got, tc.undone)
			}
			if tc.want == change.Owed {
				b.jira.CommentAs(ctoAccount, key, "Fine after all")
				b.pass(t, 2*time.Minute, 30*time.Second)
				b.wantOwes(t, n, change.OweSignOff, change.Done)
			}
		})
	}
}

func TestSignOffWaitsUntilSignersAreKnown(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	n, key := b.recorded(t)
	b.people.silent.Store(true)
	b.jira.CommentAs(ctoAccount, key, "Fine")
	b.pass(t, 2*time.Minute, 30*time.Second)
	b.wantOwes(t, n, change.OweSignOff, change.Owed)
	b.people.silent.Store(false)
	b.pass(t, time.Minute, 10*time.Second)
	b.wantOwes(t, n, change.OweSignOff, change.Done)
}

// A group names members who could not be looked up, so that they are asked. It is
// not enough for a signature: their account in Jira may have outlived them.
func TestSignOffWaitsUntilItsSignerIsLookedUp(t *testing.T) {
	t.Parallel()
	for name, left := range map[string]bool{"still there": false, "gone": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setupRecords(t)
			n, key := b.recorded(t)
			b.people.mute.Store(true)
			b.jira.CommentAs(ctoAccount, key, "Fine")
			b.pass(t, 2*time.Minute, 30*time.Second)
			b.wantOwes(t, n, change.OweSignOff, change.Owed)
			b.people.left.Store(left)
			b.people.mute.Store(false)
			b.pass(t, 2*time.Minute, 10*time.Second)
			want := change.Done
			if left {
				want = change.Owed
			}
			b.wantOwes(t, n, change.OweSignOff, want)
		})
	}
}

func TestCommentsFromBeforeTheLinkSignNothingOff(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	c := b.made(t)
	key := b.jira.AddIssue(otherIssue)
	b.jira.CommentAs(ctoAccount, key, "Fine")
	b.clock.forward(time.Minute)
	b.do(t, c.Number, engineer, change.LinkTicket{Ticket: change.TicketRef{Key: key}})
	b.write(t, c.Number)
	b.pass(t, 10*time.Minute, time.Minute)
	b.wantOwes(t, c.Number, change.OweRecord, change.Done)
	b.wantOwes(t, c.Number, change.OweSignOff, change.Owed)
	b.jira.CommentAs(ctoAccount, key, "Fine")
	b.pass(t, 2*time.Minute, time.Minute)
	b.wantOwes(t, c.Number, change.OweSignOff, change.Done)
}

func TestSignOffInSlackIsMirroredAndWrittenAgainWhenDeleted(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	n, key := b.recorded(t)
	b.do(t, n, chief, change.SignOff{})
	b.work(t)
	const words = "Cleo Chief signed this change off in Slack"
	if got := comments(b.issue(t), words); len(got) != 1 || !strings.Contains(got[0], "breakglass wrote this for them") {
		t.Fatalf("the ticket says %q", got)
	}
	b.pass(t, 40*time.Minute, time.Minute)
	for _, comment := range b.issue(t).Comments {
		if strings.Contains(comment.Body, words) {
			b.jira.DeleteComment(key, comment.ID)
		}
	}
	if got := comments(b.issue(t), words); len(got) != 0 {
		t.Fatalf("it is still there: %q", got)
	}
	b.pass(t, 40*time.Minute, time.Minute)
	if got := comments(b.issue(t), words); len(got) != 1 {
		t.Errorf("it was written again %d times, want once", len(got))
	}
	b.wantOwes(t, n, change.OweSignOff, change.Done)
}

func TestOwnCommentsSignNothingOffEvenWithASignersToken(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	people := b.Workflow.Rules.People
	people[chief] = change.Identities{Jira: botAccount}
	n, key := b.recorded(t)
	b.pass(t, 5*time.Minute, time.Minute)
	b.wantOwes(t, n, change.OweSignOff, change.Owed)
	b.jira.CommentAs(botAccount, key, "Fine")
	b.pass(t, 2*time.Minute, time.Minute)
	b.wantOwes(t, n, change.OweSignOff, change.Done)
}

func TestHintOfJiraSpeedsTheSignOffUp(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	n, key := b.recorded(t)
	b.jira.CommentAs(ctoAccount, key, "Fine")
	b.clock.forward(time.Second)
	b.TicketHint(t.Context(), b.issue(t).ID, key)
	b.work(t)
	b.wantOwes(t, n, change.OweSignOff, change.Done)
}

func TestCommentOnOurTicketCountsBeforeWeHaveFoundIt(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	b.jira.SetSearchLag(2*time.Minute, 0)
	b.jira.Faults.Add(fault.Fault{Kind: fault.ReplyLost, Call: "create issue", Times: 1})
	c := b.made(t, ticketNow)
	b.work(t)
	b.clock.forward(30 * time.Second)
	b.jira.CommentAs(ctoAccount, b.issue(t).Key, "Fine")
	b.pass(t, 10*time.Minute, 30*time.Second)
	b.wantOwes(t, c.Number, change.OweSignOff, change.Done)
}
