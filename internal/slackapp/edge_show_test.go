package slackapp_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// long is a text of 3,000 characters, the longest that a form takes, whose ends
// are recognised.
func long(name, filled string) string {
	begin, end := "{"+name+" begins}\n", "{"+name+" ends}"
	room := 3000 - len(begin) - len(end)
	return begin + string([]rune(strings.Repeat(filled, room))[:room]) + end
}

func (e *edge) as(p change.PersonID) change.Actor {
	return change.Actor{ID: p, Standing: change.Member, Via: "test", Groups: change.GroupView{
		"cto": {Known: true, People: []change.PersonID{cto}}, "deputies": {Known: true, People: []change.PersonID{deputy}},
		"everyone": {Known: true, Everyone: true},
	}}
}

func (e *edge) carries(n change.Number, p change.PersonID, commands ...change.Command) {
	e.t.Helper()
	for _, cmd := range commands {
		_, err := e.app.Workflow.Do(e.t.Context(), n, cmd, e.as(p))
		must(e.t, err)
	}
}

// written makes a change of which everything that people type is as long as it may be.
func written(t *testing.T, questions, links, mergeRequests, notes int, filled string) *edge {
	t.Helper()
	e := setup(t, withRules(func(r *change.Rules) {
		r.MergeRequests = change.MergeRequestRules{ReviewWithin: 72 * time.Hour, PermanentFixWithin: 336 * time.Hour}
		r.Kinds[2].MergeRequest = change.NeedOptional
		for i := range questions {
			r.Kinds[2].Questions = append(r.Kinds[2].Questions, change.Question{ID: change.QuestionID(fmt.Sprint(i)), Label: fmt.Sprintf("Question %d", i), Multiline: true})
		}
	}))
	req := change.Request{
		Kind: "patch", Reason: "stuck", What: long("what", filled), Why: long("why", filled), Choice: change.TicketLater,
		Answers: map[change.QuestionID]string{},
	}
	for i := range questions {
		req.Answers[change.QuestionID(fmt.Sprint(i))] = long(fmt.Sprintf("answer %d", i), filled)
	}
	for i := range mergeRequests {
		req.MergeRequests = append(req.MergeRequests, change.RequestedMergeRequest{Ref: change.MergeRequestRef{URL: fmt.Sprintf("https://git.example.com/%s/pull/%d", strings.Repeat("a&b", 150), i)}})
	}
	c, err := e.app.Workflow.Submit(t.Context(), req, e.as(ada))
	must(t, err)
	e.carries(c.Number, cto, change.Approve{Ask: 1})
	e.carries(c.Number, ada, change.Finish{}, change.WriteRecord{Done: long("done", filled), Why: long("record", filled)})
	for i := range links {
		e.carries(c.Number, ada, change.LinkURL{URL: fmt.Sprintf("https://wiki.example.com/%d/%s", i, strings.Repeat("a&b", 600))})
	}
	for i := range notes {
		e.carries(c.Number, ada, change.AddNote{Text: long(fmt.Sprintf("note %d", i), filled)})
	}
	return e
}

// pages turns through the form that shows a change, and answers all that it showed.
func (e *edge) pages(who, turn string) (all []string) {
	e.t.Helper()
	all = append(all, e.view(who))
	for range 60 {
		if !strings.Contains(e.view(who), "[ "+turn+" ]") {
			return all
		}
		must(e.t, e.ws.Person(who).ClickInView(e.t.Context(), turn))
		all = append(all, e.view(who))
	}
	e.t.Fatalf("the pages never end")
	return nil
}

func holds(t *testing.T, shown string, names ...string) {
	t.Helper()
	for _, name := range names {
		if !strings.Contains(shown, "{"+name+" begins}") || !strings.Contains(shown, "{"+name+" ends}") {
			t.Errorf("%s does not stand there in full", name)
		}
	}
}

func TestShowShowsInFullWhatTheMessagesCut(t *testing.T) {
	t.Parallel()
	e := written(t, 7, 12, 6, 1, "a < b & c, ")
	card := e.posted(1, change.DeliverCard, "card", "", `{}`, "show "+value(1, 0))
	must(t, e.ws.Person(ben).Click(t.Context(), card, "show"))
	shown := strings.Join(e.pages(ben, "Next page"), "\n")
	holds(t, shown, "what", "why", "done", "record", "note 0")
	for i := range 7 {
		holds(t, shown, fmt.Sprintf("answer %d", i))
	}
	for i := range 12 {
		if !strings.Contains(shown, fmt.Sprintf("https://wiki.example.com/%d/", i)) {
			t.Errorf("link %d is not there", i)
		}
	}
	for i := range 6 {
		if !strings.Contains(shown, fmt.Sprintf("/pull/%d", i)) {
			t.Errorf("merge request %d is not there", i)
		}
	}
}

// Slack refuses a view of more than 100 blocks, of more than 250 KB or with a
// paragraph of more than 3,000 characters; the stand-in does so too.
func TestTheLongestChangeFitsOnPages(t *testing.T) {
	t.Parallel()
	for name, filled := range map[string]string{"what is escaped": "<& ", "beyond ASCII": "🔥漢\n"} {
		t.Run(name, func(t *testing.T) { // one after the other: each turns many long pages, and Slack waits three seconds for each
			e := written(t, 50, 20, 20, 12, filled)
			card := e.posted(1, change.DeliverCard, "card", "", `{}`, "show "+value(1, 0))
			must(t, e.ws.Person(cto).Click(t.Context(), card, "show"))
			shown := strings.Join(e.pages(cto, "Next page"), "\n")
			holds(t, shown, "what", "why", "done", "record")
			for i := range 50 {
				holds(t, shown, fmt.Sprintf("answer %d", i))
			}
			must(t, e.ws.Person(cto).ClickInView(t.Context(), "First page"))
			pages := e.pages(cto, "Older")
			shown = strings.Join(pages, "\n")
			for i := range 12 {
				holds(t, shown, fmt.Sprintf("note %d", i))
			}
			if last := pages[len(pages)-1]; !strings.Contains(last, "requested") {
				t.Errorf("the last page of the timeline:\n%.2000s", last)
			}
			must(t, e.ws.Person(cto).ClickInView(t.Context(), "First page"))
			holds(t, e.view(cto), "what", "why")
		})
	}
}

func TestTheCommandSaysWhereTheRestIs(t *testing.T) {
	t.Parallel()
	e := written(t, 6, 11, 7, 3, "<")
	said := e.types(ada, "show 1")
	for _, want := range []string{"in full: Show", "1 more answer: Show", "1 more link: Show", "2 more merge requests: Show", "[ Show ]"} {
		if !strings.Contains(said, want) {
			t.Errorf("told without %q:\n%s", want, said)
		}
	}
	must(t, e.ws.Person(ada).Click(t.Context(), e.newestPrivate(ada), "Show"))
	holds(t, e.view(ada), "what", "why")
}

func TestLinksOfAChangeCanBeClicked(t *testing.T) {
	t.Parallel()
	e := setup(t)
	c := e.request(ada)
	e.carries(c.Number, ada, change.LinkURL{URL: "https://wiki.example.com/a?b=1&c=2"})
	card := e.posted(1, change.DeliverCard, "card", "", `{}`, "show "+value(1, 0))
	must(t, e.ws.Person(ada).Click(t.Context(), card, "show"))
	v, _ := e.ws.View(ada)
	if !slices.ContainsFunc(v.Blocks, func(b map[string]any) bool {
		return strings.Contains(fmt.Sprint(b["text"]), "<https://wiki.example.com/a?b=1&amp;c=2|")
	}) {
		t.Errorf("no link stands in %v", v.Blocks)
	}
}
