package incidentio_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/incidentio"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
	sandbox "github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
)

func noteFor(id string, at time.Time) change.IncidentNote {
	return change.IncidentNote{
		IncidentID: id, At: at, Title: "EC-12 was done", Key: "EC-12/record/3", URL: "https://tickets.example.com/browse/OPS-7",
		Markdown: "**What**\n\n" + incidentio.EscapeMarkdown("Restarted it. @here <!channel> ![x](http://y)"),
	}
}

// scopes are the two ways a note goes out.
var scopes = map[string][]string{"timeline": nil, "update": {"timeline_items.create"}}

func TestANoteIsWrittenOnceThoughItsReplyIsLost(t *testing.T) {
	t.Parallel()
	b := setup(t)
	i := b.open(sandbox.Incident{})
	b.server.Faults.Add(fault.Fault{Kind: fault.ReplyLost, Call: "create timeline item", Times: 1})
	note := noteFor(i.ID, b.clock.now().Add(-time.Hour))

	_, err := b.client.AddNote(t.Context(), note)
	wantOutcome(t, err, change.Unknown)
	id, err := b.client.AddNote(t.Context(), note)
	if err != nil {
		t.Fatal(err)
	}
	want := []sandbox.Note{{ID: id, IncidentID: i.ID, At: note.At, Title: note.Title, Description: note.Markdown, Created: b.clock.now()}}
	if diff := cmp.Diff(want, b.server.Timeline(i.ID)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestWithoutTheScopeANoteIsAnUpdateAndAnAttachment(t *testing.T) {
	t.Parallel()
	b := setup(t)
	i := b.open(sandbox.Incident{})
	b.server.Without("timeline_items.create")
	b.server.Faults.Add(fault.Fault{Kind: fault.ReplyLost, Call: "create update", Times: 1})
	b.server.Faults.Add(fault.Fault{Kind: fault.ReplyLost, Call: "create attachment", Times: 1})
	note := noteFor(i.ID, b.clock.now())

	for range 2 { // the update's reply is lost, then the attachment's
		_, err := b.client.AddNote(t.Context(), note)
		wantOutcome(t, err, change.Unknown)
	}
	id, err := b.client.AddNote(t.Context(), note)
	if err != nil {
		t.Fatal(err)
	}
	updates := b.server.Updates(i.ID)
	if len(updates) != 2 || updates[1].ID != id {
		t.Fatalf("want the opening and one update %s, got %+v", id, updates)
	}
	for _, part := range []string{note.Title, "2026-03-02 10:00 UTC", note.Markdown, note.URL} {
		if !strings.Contains(strings.ReplaceAll(updates[1].Message, `\`, ""), strings.ReplaceAll(part, `\`, "")) {
			t.Errorf("the update lacks %q:\n%s", part, updates[1].Message)
		}
	}
	if links := b.server.Attachments(i.ID); len(links) != 1 || links[0].URL != note.URL || links[0].ResourceType != "arbitrary_url" {
		t.Errorf("attached %+v", links)
	}
	if len(b.server.Timeline(i.ID)) != 0 {
		t.Error("the timeline holds the note too")
	}
}

func TestAnIncidentThatIsOverRefusesNotes(t *testing.T) {
	t.Parallel()
	for way, without := range scopes {
		for _, status := range []string{"Closed", "Merged", "Declined", "Canceled"} {
			t.Run(way+"/"+status, func(t *testing.T) {
				t.Parallel()
				b := setup(t)
				b.server.Without(without...)
				i := b.open(sandbox.Incident{Status: status})
				_, err := b.client.AddNote(t.Context(), noteFor(i.ID, b.clock.now()))
				wantOutcome(t, err, change.Refused)
				if links := b.server.Attachments(i.ID); len(links) != 0 {
					t.Errorf("attached %+v", links)
				}
			})
		}
	}
}

func TestANoteForNoIncidentIsMissing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := b.client.AddNote(t.Context(), noteFor("01JNOSUCHINCIDENT", b.clock.now()))
	wantOutcome(t, err, change.Missing)
}

func TestANoteStandsThoughItsAttachmentIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	i := b.open(sandbox.Incident{})
	b.server.Without("timeline_items.create", "attachments.create")
	if _, err := b.client.AddNote(t.Context(), noteFor(i.ID, b.clock.now())); err != nil {
		t.Fatal(err)
	}
	if updates := b.server.Updates(i.ID); len(updates) != 2 {
		t.Errorf("updates %+v", updates)
	}
}

func TestANoteWaitsWhileItsAttachmentMaySucceedLater(t *testing.T) {
	t.Parallel()
	b := setup(t)
	i := b.open(sandbox.Incident{})
	b.server.Without("timeline_items.create")
	b.server.Faults.Add(fault.Fault{Kind: fault.TooMany, Call: "list attachments", Times: 1})
	_, err := b.client.AddNote(t.Context(), noteFor(i.ID, b.clock.now()))
	wantOutcome(t, err, change.NotNow)
}

func TestAKeyWithoutAnyWriteScopeIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	i := b.open(sandbox.Incident{})
	b.server.Without("timeline_items.create", "incident_updates.create")
	_, err := b.client.AddNote(t.Context(), noteFor(i.ID, b.clock.now()))
	wantOutcome(t, err, change.Refused)
}
