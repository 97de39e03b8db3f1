package jira_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/jira"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
)

const marker = "breakglass EC-12/4"

func TestCommentsComeNewestFirstPageByPage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.create(t)
	var want []string
	for i := range 120 {
		b.clock.forward(time.Second)
		body := fmt.Sprintf("comment %d", i)
		b.jira.CommentAs(ctoID, ref.Key, body)
		want = append([]string{body}, want...)
	}
	all, err := b.Comments(t.Context(), ref.ID)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range all {
		got = append(got, c.Body)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if c := all[0]; c.Author != ctoID || !c.Created.Equal(b.clock.now()) || !c.Updated.Equal(b.clock.now()) {
		t.Errorf("newest is %+v", c)
	}
}

// between runs a function before the second page of comments is asked for.
type between struct{ do func() }

func (b between) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Query().Get("startAt") == "50" {
		b.do()
	}
	return http.DefaultTransport.RoundTrip(r)
}

func TestACommentWrittenWhilePagingIsNoReasonToTellAnotherTwice(t *testing.T) {
	t.Parallel()
	var meanwhile between
	b := setup(t, func(o *jira.Options) { o.Transport = &meanwhile })
	ref := b.create(t)
	for i := range 60 {
		b.jira.CommentAs(ctoID, ref.Key, fmt.Sprint(i))
	}
	meanwhile.do = func() { b.jira.CommentAs(ctoID, ref.Key, "meanwhile") }
	all, err := b.Comments(t.Context(), ref.ID)
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]int{}
	for _, c := range all {
		if told[c.ID]++; told[c.ID] > 1 {
			t.Errorf("%q was told twice", c.Body)
		}
	}
	if len(all) != 60 {
		t.Errorf("%d comments, want the 60 that were there", len(all))
	}
}

func TestNoMoreThanTheNewestThousandCommentsAreRead(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.create(t)
	for i := range 1060 {
		b.jira.CommentAs(ctoID, ref.Key, fmt.Sprint(i))
	}
	all, err := b.Comments(t.Context(), ref.ID)
	if err != nil || len(all) != 1000 || all[0].Body != "1059" {
		t.Errorf("%d comments, %v", len(all), err)
	}
}

func TestAnEditedOrDeletedCommentIsSeen(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.create(t)
	id, _ := b.jira.CommentAs(ctoID, ref.Key, "Signed off")
	made := b.clock.now()
	b.clock.forward(time.Hour)
	b.jira.EditComment(ctoID, ref.Key, id, "Not yet")
	got, err := b.Comment(t.Context(), ref.ID, id)
	want := change.TicketComment{ID: id, Author: ctoID, Editor: ctoID, Body: "Not yet", Created: made, Updated: b.clock.now()}
	if diff := cmp.Diff(want, got, cmp.Comparer(time.Time.Equal)); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	b.jira.DeleteComment(ref.Key, id)
	_, err = b.Comment(t.Context(), ref.ID, id)
	wantOutcome(t, err, change.Missing)
}

func TestACommentEndsWithItsMarker(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.create(t)
	long := []change.TicketSection{{Heading: "What was done", Text: strings.Repeat("{x} 🔥", 30000)}}
	made, err := b.AddComment(t.Context(), ref.ID, marker, long)
	if err != nil {
		t.Fatal(err)
	}
	if made.Author != botID || made.ID == "" || !strings.HasSuffix(made.Body, "… (shortened)\n\n"+marker) {
		t.Errorf("made %s by %s ending with %q", made.ID, made.Author, made.Body[len(made.Body)-60:])
	}
	_, err = b.AddComment(t.Context(), ref.ID, "two\nlines", nil)
	wantOutcome(t, err, change.Refused)
}

func TestACommentWhoseReplyWasLostIsFoundByItsMarker(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.create(t)
	b.jira.CommentAs(ctoID, ref.Key, "forged\n\n"+marker)
	if _, found, err := b.FindComment(t.Context(), ref.ID, marker); found || err != nil {
		t.Errorf("somebody else's comment was taken for ours: %v", err)
	}
	b.jira.Faults.Add(fault.Fault{Kind: fault.ReplyLost, Call: "add comment", Times: 1})
	_, err := b.AddComment(t.Context(), ref.ID, marker, []change.TicketSection{{Text: "done"}})
	wantOutcome(t, err, change.Unknown)
	got, found, err := b.FindComment(t.Context(), ref.ID, marker)
	if err != nil || !found || got.Author != botID || !strings.HasPrefix(got.Body, "done") {
		t.Errorf("%+v, %v, %v", got, found, err)
	}
	if _, found, err := b.FindComment(t.Context(), ref.ID, "breakglass EC-12/44"); found || err != nil {
		t.Errorf("another marker was found: %v", err)
	}
	issue, _ := b.jira.Issue(ref.ID)
	if n := len(issue.Comments); n != 2 {
		t.Errorf("%d comments, want the forged one and ours", n)
	}
}

func TestACommentIsFoundThoughJiraEscapedItOtherwise(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.create(t)
	id, _ := b.jira.CommentAs(botID, ref.Key, "done\r\n\r\nbreakglass EC\\-12/4 \n")
	if got, found, err := b.FindComment(t.Context(), ref.ID, marker); !found || err != nil || got.ID != id {
		t.Errorf("%+v, %v, %v", got, found, err)
	}
}

func TestAWriteThatWasNeverSentIsNotUnknown(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.create(t)
	posts := b.sent.posts.Load()
	b.jira.Faults.Add(fault.Fault{Kind: fault.Internal, Call: "get issue"})
	_, err := b.AddComment(t.Context(), ref.ID, marker, nil)
	wantOutcome(t, err, change.NotNow)
	if b.sent.posts.Load() != posts {
		t.Error("the comment was sent without knowing the project")
	}
}
