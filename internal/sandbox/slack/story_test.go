package slack_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

func TestARequestIsMadeAndApprovedOverEitherTransport(t *testing.T) {
	t.Parallel()
	for name, socket := range map[string]bool{"over HTTP": false, "over Socket Mode": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, func(o *slack.Options) { o.SocketMode = socket })
			ctx, ada, cto := t.Context(), b.ws.Person("U0ADA"), b.ws.Person("U0CTO")
			var saw []slack.EventKind
			defer b.ws.Subscribe(func(e slack.Event) { saw = append(saw, e.Kind) })()

			_, err := ada.Command(ctx, "C0PROD", "/emergency", "")
			must(t, err)
			must(t, ada.Select(ctx, "Why can't the release process be used?", "It is down"))
			must(t, ada.Type(ctx, "What will you change?", "everything"))
			must(t, ada.Select(ctx, "Kind of change", "Manual change")) // the form grows, what was typed stays
			must(t, ada.Select(ctx, "Where", "Production"))
			must(t, ada.Select(ctx, "Who is on the call with you?", "The CTO"))
			must(t, ada.Pick(ctx, "When was the change made?", b.clock.Now()))

			var refused *slack.FormError
			if err := ada.Submit(ctx); !errors.As(err, &refused) || refused.ByLabel["What will you change?"] != "Name one thing." {
				t.Fatalf("Submit = %v, want the application's error at its input", err)
			}
			view, _ := b.ws.View("U0ADA")
			shown := b.ws.RenderView(view)
			for _, want := range []string{
				"┌ Emergency change", "(•) It is down", "( ) It is too slow", "▾ Manual change", "> everything",
				"! Name one thing.", "▾ Production", "▾ @The CTO", "◷ Mar 2, 2026 10:30 AM", "[ Cancel ] [ Request ]", "wait it out.",
			} {
				if !strings.Contains(shown, want) {
					t.Errorf("the form does not show %q:\n%s", want, shown)
				}
			}
			must(t, ada.Type(ctx, "What will you change?", "Restart <!channel> & the queue"))
			must(t, ada.Submit(ctx))
			if _, open := b.ws.View("U0ADA"); open {
				t.Error("the form is still open")
			}

			must(t, b.ws.WaitFor(ctx, func() bool { return len(b.ws.DMs("U0CTO")) == 1 }))
			ask := b.ws.DMs("U0CTO")[0]
			shown = b.ws.RenderMessage("U0CTO", ask)
			for _, want := range []string{"## EC-1", "Restart <!channel> & the queue", "today 4:30 AM", "[ Approve ]"} {
				if !strings.Contains(shown, want) {
					t.Errorf("the ask does not show %q:\n%s", want, shown)
				}
			}
			must(t, cto.Click(ctx, ask, "Approve"))
			after := b.ws.DMs("U0CTO")[0]
			if got := b.ws.RenderMessage("U0CTO", after); got != "Approved by @The CTO" {
				t.Errorf("after the approval: %q", got)
			}
			if len(after.Edits) != 1 || after.Edits[0].Text != "Ada asks for EC-1" {
				t.Errorf("what the message said before is lost: %+v", after.Edits)
			}
			want := []slack.EventKind{slack.ModalOpened, slack.ModalUpdated, slack.ModalUpdated, slack.Posted, slack.Posted, slack.ModalClosed, slack.Edited}
			if !slices.Equal(saw, want) {
				t.Errorf("people saw %v, want %v", saw, want)
			}
			if n := len(b.ws.Calls("chat.postMessage")); n != 2 {
				t.Errorf("%d messages posted, want 2", n)
			}
			slack.RequireNoViolations(t, b.ws)
		})
	}
}

func TestTheHomeTabAndMentionsReachTheApplication(t *testing.T) {
	t.Parallel()
	for name, socket := range map[string]bool{"over HTTP": false, "over Socket Mode": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, func(o *slack.Options) { o.SocketMode = socket })
			ctx, ada := t.Context(), b.ws.Person("U0ADA")
			must(t, ada.OpenHome(ctx))
			home, ok := b.ws.Home("U0ADA")
			if !ok || !strings.Contains(b.ws.RenderView(home), "Waiting for you") {
				t.Fatalf("home = %q", b.ws.RenderView(home))
			}
			must(t, ada.ClickAtHome(ctx, "Request"))
			must(t, ada.Mention(ctx, "C0PROD", "are you there?"))
			if got := b.ws.RenderMessage("U0CTO", b.ws.Messages("C0PROD")[0]); got != "@breakglass are you there?" {
				t.Errorf("the mention reads %q", got)
			}
			if got := b.app.seen(); !slices.Equal(got, []string{"event_callback", "block_actions", "event_callback"}) {
				t.Errorf("the application saw %v", got)
			}
		})
	}
}

func TestSlackItselfRefusesAnIncompleteForm(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	ctx, ada := t.Context(), b.ws.Person("U0ADA")
	_, err := ada.Command(ctx, "C0PROD", "/emergency", "")
	must(t, err)
	must(t, ada.Type(ctx, "What will you change?", "ab"))
	var refused *slack.FormError
	if err := ada.Submit(ctx); !errors.As(err, &refused) || !refused.Local || len(refused.ByLabel) != 3 {
		t.Fatalf("Submit = %v, want three local errors", err)
	}
	if got := refused.ByLabel["What will you change?"]; got != "Please enter at least 3 characters." {
		t.Errorf("too short a text is told %q", got)
	}
	if slices.Contains(b.app.seen(), "view_submission") {
		t.Error("the application was asked although Slack refuses by itself")
	}
	if err := ada.Type(ctx, "What will you change?", strings.Repeat("x", 101)); err == nil {
		t.Error("more could be typed than max_length allows")
	}
	if err := ada.Select(ctx, "Kind of change", "Holiday"); err == nil {
		t.Error("an option was chosen that is not offered")
	}
	must(t, ada.CloseView(ctx))
	if got := b.app.seen(); got[len(got)-1] != "view_closed" {
		t.Errorf("the application was not told of the closing: %v", got)
	}
}

func TestAnAnswerToACommandIsShownToThePersonAlone(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	_, err := b.ws.Person("U0ADA").Command(t.Context(), "C0PROD", "/emergency", "help")
	must(t, err)
	if got := b.ws.Ephemerals("U0ADA"); len(got) != 1 || got[0].Text != "Only when the release process is down." {
		t.Errorf("ephemeral messages = %+v", got)
	}
	if len(b.ws.Messages("C0PROD")) != 0 {
		t.Error("others see it too")
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := b.ws.WaitFor(ctx, func() bool { return false }); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("WaitFor = %v", err)
	}
}

func TestTimestampsGrowWhileTheClockStandsStill(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	last := ""
	for range 50 {
		m := b.ws.Person("U0ADA").Say("C0PROD", "tick")
		if m.TS <= last {
			t.Fatalf("ts %s after %s", m.TS, last)
		}
		last = m.TS
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
