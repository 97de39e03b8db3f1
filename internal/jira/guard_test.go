package jira_test

import (
	"errors"
	"testing"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// A ticket that was to be under a security level is never made without it.
func TestADraftWhoseSecurityLevelIsNotTakenMakesNoTicket(t *testing.T) {
	t.Parallel()
	for _, level := range []string{"10001", "Security team"} {
		b := setup(t)
		d := draft()
		d.Security = level
		_, err := b.Create(t.Context(), d)
		if !errors.Is(err, change.ErrNoSecurityLevel) || change.OutcomeOf(err) != change.Refused {
			t.Errorf("%s: %v", level, err)
		}
		if n := len(b.jira.Issues()); n != 0 {
			t.Errorf("%s: %d tickets were made", level, n)
		}
	}
}

func TestARefusalForAnotherReasonSaysNothingOfTheLevel(t *testing.T) {
	t.Parallel()
	b := setup(t)
	d := draft()
	d.IssueType = "Strict"
	if _, err := b.Create(t.Context(), d); err == nil || errors.Is(err, change.ErrNoSecurityLevel) {
		t.Errorf("%v", err)
	}
}

func TestACommentOfOursIsRewrittenWithItsMarker(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref, err := b.Create(t.Context(), draft())
	if err != nil {
		t.Fatal(err)
	}
	made, err := b.AddComment(t.Context(), ref.ID, marker, []change.TicketSection{{Text: "the zebra"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.EditComment(t.Context(), ref.ID, made.ID, marker, []change.TicketSection{{Text: "nothing"}}); err != nil {
		t.Fatal(err)
	}
	found, there, err := b.FindComment(t.Context(), ref.ID, marker)
	if err != nil || !there || found.ID != made.ID || found.Body == made.Body {
		t.Errorf("%+v, %t, %v", found, there, err)
	}
	wantOutcome(t, b.EditComment(t.Context(), ref.ID, "999", marker, nil), change.Missing)
	wantOutcome(t, b.EditComment(t.Context(), ref.ID, "../1", marker, nil), change.Refused)
	if err := b.RemoveRemoteLink(t.Context(), ref.ID, "never-there"); err != nil {
		t.Errorf("a link that is not there: %v", err)
	}
	wantOutcome(t, b.RemoveRemoteLink(t.Context(), ref.ID, ""), change.Refused)
}
