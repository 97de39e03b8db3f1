package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/breakglass-bot/breakglass/internal/config"
)

// story is an emergency change of one kind, as the demo plays it: from the form
// to the closed record, on the example configuration as it is.
type story struct {
	kind     string // its id in the example configuration
	says     string // what happens, in half a sentence
	chapters []chapter
}

type chapter struct {
	title string
	play  func(context.Context, act, *narrator) error
}

// stories are those of every kind of the example configuration. The first is
// played where none is named.
func stories() []story {
	return []story{productionAccess(), configurationChange(), hotPatch(), fastTrackDeployment(), securityRelease()}
}

// storyNamed finds the story of a kind. A mistake is told with the nearest name.
func storyNamed(kind string) (story, error) {
	var kinds []string
	for _, st := range stories() {
		if st.kind == kind {
			return st, nil
		}
		kinds = append(kinds, st.kind)
	}
	return story{}, errors.Join(fmt.Errorf("there is no story %q%s (there are %s)", kind, config.DidYouMean(kind, kinds), strings.Join(kinds, ", ")), errMistake)
}

// mainStory is the one that is played where none is named.
func mainStory(ctx context.Context, s *stage, n *narrator) error { return stories()[0].play(ctx, s, n) }

// play plays the story, and has the trail checked in the end. Promises that do
// not hold are the narrator's to tell; an error means that it could not go on.
func (st story) play(ctx context.Context, s *stage, n *narrator) error {
	for _, c := range st.chapters {
		n.chapter(s, "%s", c.title)
		if err := c.play(ctx, act{s}, n); err != nil {
			return fmt.Errorf("%s: %w", c.title, err)
		}
	}
	out, err := s.verify(ctx)
	n.say("%s", strings.TrimSpace(out))
	n.keep("`breakglass audit verify` finds the trail whole", err == nil)
	return nil
}
