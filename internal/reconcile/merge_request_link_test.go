package reconcile_test

import (
	"testing"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// redrawn counts how often the reply that tells of a linking was edited.
func (b *recordBundle) redrawn() int {
	return b.slack.count(func(p change.Posting) bool {
		return p.Event.Type == change.EventMergeRequestLinked && p.Delivery.Kind == change.DeliverThread && p.External != ""
	})
}

// The reply has the button with which another person confirms the review.
func TestTheReplyAboutAMergeRequestIsDrawnAnewWhenNobodysWordIsNeededAnyMore(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(b *recordBundle, n change.Number){
		"confirmed": func(b *recordBundle, n change.Number) { b.do(t, n, other, change.ConfirmMergeRequest{Item: 1}) },
		"not taken": func(b *recordBundle, n change.Number) {
			b.do2(t, n, change.MergeRequestRefused{Item: 1, Say: "There is none."})
		},
		"withdrawn": func(b *recordBundle, n change.Number) { b.do(t, n, engineer, change.Withdraw{}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setupRecords(t)
			c := b.request(t)
			for _, url := range []string{"https://git.example.com/x/pull/3", "https://git.example.com/x/pull/4"} {
				b.do(t, c.Number, engineer, change.LinkMergeRequest{Ref: change.MergeRequestRef{URL: url}})
			}
			b.work(t)
			if n := b.redrawn(); n != 0 {
				t.Fatalf("it was drawn anew %d times before", n)
			}
			end(b, c.Number)
			b.work(t)
			want := 1
			if name == "withdrawn" {
				want = 2
			}
			if n := b.redrawn(); n != want {
				t.Errorf("drawn anew %d times, want %d", n, want)
			}
		})
	}
}
