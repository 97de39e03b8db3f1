package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

// narrator prints the story: what people do, and what each of them sees.
type narrator struct {
	mu       sync.Mutex
	out      io.Writer
	begun    time.Time
	promises []promise
}

// promise is something that the demo has to show.
type promise struct {
	what string
	kept bool
}

func newNarrator(out io.Writer) *narrator { return &narrator{out: out, begun: time.Now()} }

// say prints a line of the story.
func (n *narrator) say(format string, args ...any) {
	n.print("   " + fmt.Sprintf(format, args...))
}

// chapter prints a heading with the time of the story.
func (n *narrator) chapter(s *stage, format string, args ...any) {
	n.print(fmt.Sprintf("\n== %s · %s", s.now().UTC().Format("Mon 15:04"), fmt.Sprintf(format, args...)))
}

func (n *narrator) print(line string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, _ = fmt.Fprintln(n.out, line) // a closed pipe ends the demo elsewhere
}

// keep notes whether a promise held.
func (n *narrator) keep(what string, kept bool) {
	n.promises = append(n.promises, promise{what, kept})
	mark := "✓"
	if !kept {
		mark = "✗ NOT SO:"
	}
	n.say("%s %s", mark, what)
}

// watch prints what people see in Slack, as it happens.
func (n *narrator) watch(s *stage) {
	s.world.Slack.Subscribe(func(e slack.Event) {
		where, text := n.seen(s.world, e)
		if where == "" {
			return
		}
		n.print("   │ " + where)
		for line := range strings.Lines(strings.TrimSpace(text)) {
			n.print("   │   " + strings.TrimRight(line, "\n"))
		}
	})
}

// seen says where something happened and what is to be seen there.
func (n *narrator) seen(w *sandbox.World, e slack.Event) (where, text string) {
	m := e.Message
	switch e.Kind {
	case slack.Posted, slack.EphemeralPosted, slack.Deleted, slack.Edited:
		where = place(w, m) + ", " + string(e.Kind)
		text = w.Slack.RenderMessage(m.Reader, m)
		if e.Kind == slack.Deleted {
			text = ""
		}
		if e.Kind == slack.Edited && m.ThreadTS == "" {
			text = strings.Join(firstLines(text, 4), "\n")
		}
	case slack.ModalOpened:
		where, text = "on the screen of "+name(w, e.View.User)+", a form", w.Slack.RenderView(e.View)
	case slack.EphemeralEdited, slack.EphemeralGone, slack.ModalUpdated, slack.ModalClosed, slack.HomePublished:
	}
	return where, text
}

func firstLines(text string, n int) []string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) > n {
		return append(lines[:n:n], "…")
	}
	return lines
}

// place names the channel of a message as people do.
func place(w *sandbox.World, m slack.Message) string {
	switch m.Channel {
	case sandbox.Channel:
		if m.ThreadTS != "" && m.ThreadTS != m.TS {
			return "#emergency, in the thread"
		}
		return "#emergency"
	case sandbox.AuditChannel:
		return "#audit"
	}
	for _, u := range w.Slack.Users() {
		if w.Slack.DMChannel(u.ID) == m.Channel {
			return "to " + name(w, u.ID) + ", directly"
		}
	}
	return m.Channel
}

func name(w *sandbox.World, id string) string { return w.Slack.RenderText("", "<@"+id+">") }

// summary says which promises held. It answers an error unless all did.
func (n *narrator) summary(ctx context.Context, s *stage) error {
	n.chapter(s, "What has been shown")
	violations := s.world.Violations()
	for _, v := range violations {
		n.say("violation: %s", v)
	}
	n.keep("the stand-ins, as strict as the real systems, have nothing to complain of", len(violations) == 0)
	broken := 0
	for _, p := range n.promises {
		if !p.kept {
			broken++
		}
	}
	n.print(fmt.Sprintf("\n%d promises shown, %d broken. %s in all, on %d outside calls to Slack alone.", len(n.promises), broken,
		time.Since(n.begun).Round(100*time.Millisecond), len(s.world.Slack.Calls(""))))
	if broken > 0 {
		return fmt.Errorf("%d promises did not hold", broken)
	}
	return ctx.Err()
}

// remain keeps everything up until the program is interrupted.
func (n *narrator) remain(ctx context.Context, s *stage, page string) error {
	n.print("\nEverything stays up until you press Ctrl-C. Use it at " + page)
	n.say("breakglass   http://%s  (/healthz, /readyz)", s.running().address)
	for _, at := range s.world.Addresses() {
		n.say("%-12s %s", at.Name, at.URL)
	}
	n.say("database     %s", s.dbURL)
	n.say("breakglass audit verify, with DATABASE_URL set to that, checks the trail.")
	for {
		program := s.running()
		select {
		case <-ctx.Done():
			return nil
		case <-program.ended:
		}
		if s.running() == program { // or somebody at the page has had it killed and started again
			return errors.Join(errors.New("the program has ended by itself"), program.err)
		}
	}
}
