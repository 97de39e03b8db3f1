package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/deploy"
	"github.com/breakglass-bot/breakglass/internal/embeddedpg/pgtest"
	"github.com/breakglass-bot/breakglass/internal/sandbox"
)

// databases are empty: the program migrates them itself.
var databases = pgtest.New(nil)

// TestMain lets the test binary be the program where the stage starts it as a
// child.
func TestMain(m *testing.M) {
	if played, code := playPart(); played {
		os.Exit(code)
	}
	name, value, _ := strings.Cut(asProgram, "=")
	if os.Getenv(name) == value {
		main()
	}
	code := databases.Run(m)
	if err := removeBuilds(); err != nil {
		fmt.Fprintln(os.Stderr, "removing the built programs:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// testWithin bounds one story.
const testWithin = 3 * time.Minute

// open makes a stage for a test, with a database of its own. In the end nothing
// may be left in AWS but what was there before, the trail must be whole, and the
// stand-ins must have nothing to complain of.
func open(t *testing.T, opts stageOptions) (context.Context, act) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testWithin)
	t.Cleanup(cancel)
	opts.databaseURL, opts.say = cmp.Or(opts.databaseURL, databases.URL(t)), t.Logf
	s, err := openStage(ctx, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			log, err := os.ReadFile(s.logFile())
			t.Logf("the program's log (%v):\n%s", err, tail(string(log), 80))
			if c := (act{s}).card(); c != nil {
				t.Logf("the card:\n%s", s.world.Slack.RenderMessage("", *c))
			}
		}
		if err := s.close(); err != nil {
			t.Errorf("close the stage: %v", err)
		}
	})
	return ctx, act{s}
}

func tail(text string, lines int) string {
	all := strings.Split(text, "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// settled demands what must hold when a story is over.
func settled(ctx context.Context, t *testing.T, a act, standing int) {
	t.Helper()
	for _, v := range a.world.Violations() {
		t.Errorf("violation: %s", v)
	}
	if left := a.world.AWS.Assignments(); len(left) != standing {
		t.Errorf("AWS holds %d assignments at the end, want %d: %v", len(left), standing, left)
	}
	if out, err := a.verify(ctx); err != nil {
		t.Errorf("audit verify: %v\n%s", err, out)
	}
}

func must(t *testing.T, all ...step) {
	t.Helper()
	for i, do := range all {
		if err := do(); err != nil {
			t.Fatalf("step %d: %v", i+1, err)
		}
	}
}

// playedThrough plays a story, and demands every promise of it.
func playedThrough(ctx context.Context, t *testing.T, a act, st story) {
	t.Helper()
	n := newNarrator(t.Output())
	n.watch(a.stage)
	if err := st.play(ctx, a.stage, n); err != nil {
		t.Error(err)
	}
	if err := n.summary(ctx, a.stage); err != nil {
		t.Error(err)
	}
	if len(n.promises) < 6 {
		t.Errorf("the story shows %d promises only", len(n.promises))
	}
	settled(ctx, t, a, 0)
}

func TestEveryStoryOfTheDemoKeepsItsPromises(t *testing.T) {
	t.Parallel()
	for _, st := range stories() {
		t.Run(st.kind, func(t *testing.T) {
			t.Parallel()
			ctx, a := open(t, stageOptions{})
			playedThrough(ctx, t, a, st)
		})
	}
}

func TestTheStoryIsTheSameOverSocketMode(t *testing.T) {
	t.Parallel()
	ctx, a := open(t, stageOptions{world: sandbox.Options{SocketMode: true}})
	playedThrough(ctx, t, a, stories()[0])
}

func TestThereIsAStoryOfEveryKindOfTheExample(t *testing.T) {
	t.Parallel()
	_, kinds, _ := bytes.Cut(deploy.Example, []byte("\nkinds:\n"))
	kinds, _, _ = bytes.Cut(kinds, []byte("\napproval:\n"))
	found := regexp.MustCompile(`(?m)^  - id: (\S+)$`).FindAllSubmatch(kinds, -1)
	if len(found) != len(stories()) {
		t.Fatalf("the example has %d kinds, and there are %d stories", len(found), len(stories()))
	}
	for _, kind := range found {
		if _, err := storyNamed(string(kind[1])); err != nil {
			t.Error(err)
		}
	}
}
