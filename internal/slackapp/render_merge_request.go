package slackapp

import (
	"fmt"
	"strings"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// shownMergeRequests bounds what one message lists.
const shownMergeRequests = 5

// mergeRequestLines lists the merge requests of a change, with what was last seen
// of each.
func mergeRequestLines(c *change.Change, limit int) []string {
	var lines []string
	for i := range c.MergeRequests {
		if i == limit {
			return append(lines, more(len(c.MergeRequests)-i, "merge request")+": Show")
		}
		lines = append(lines, mergeRequestLine(&c.MergeRequests[i]))
	}
	return lines
}

func mergeRequestLine(m *change.LinkedMergeRequest) string {
	line := "*Merge request:* "
	if m.Fix {
		line = "*Permanent fix:* "
	}
	line += mergeRequestName(m)
	switch {
	case m.Refused != "":
		return line + " – not taken: " + oneLine(m.Refused, 200)
	case m.Seen != nil:
		line += seenWords(m.Seen)
	case m.Ref.Readable():
		line += " (not checked yet)"
	default:
		line += " (kept as text: breakglass does not read this place)"
	}
	if d := m.Deployed; d != nil {
		line += ", deployed to " + oneLine(d.Environment, 60) + " " + moment(d.At)
	}
	if m.Confirmed != "" {
		line += ", confirmed by " + mention(m.Confirmed)
	}
	return line
}

// mergeRequestName is a merge request as its forge names it, with a link to it.
func mergeRequestName(m *change.LinkedMergeRequest) string {
	return reference(m.Ref.URL, m.Ref.String())
}

// seenWords is what a forge showed. All names and titles in it are other people's.
func seenWords(s *change.MergeRequest) string {
	w := " “" + oneLine(s.Title, 100) + "”"
	switch s.State {
	case change.MRMerged:
		w += ", merged " + moment(s.MergedAt)
	case change.MRClosed:
		w += ", closed without being merged"
	case change.MROpen:
		w += ", open"
	}
	if s.Author != "" {
		w += ", by " + oneLine(s.Author, 60)
	}
	if len(s.Labels) > 0 {
		w += ", labels: " + oneLine(strings.Join(s.Labels, ", "), 150)
	}
	users := []string{}
	for _, a := range s.IndependentApprovals(nil) {
		users = append(users, a.User)
	}
	if len(users) == 0 {
		return w + "; nobody else has approved it yet"
	}
	return w + "; approved there by " + oneLine(strings.Join(users, ", "), 150)
}

// statusLine is what GitHub's status page said, and when it was read.
func statusLine(c *change.Change) string {
	s := c.Status
	if s == nil {
		return ""
	}
	var said []string
	for _, component := range s.Components {
		if component.Status != "operational" {
			said = append(said, oneLine(component.Name, 60)+": "+strings.ReplaceAll(oneLine(component.Status, 60), "_", " "))
		}
	}
	for i, incident := range s.Incidents {
		if i == 2 {
			said = append(said, "and "+more(len(s.Incidents)-i, "incident"))
			break
		}
		said = append(said, reference(incident.URL, "“"+clip(incident.Name, 100)+"”")+" ("+oneLine(incident.Status, 60)+")")
	}
	if len(said) == 0 {
		said = append(said, oneLine(s.Description, 100))
	}
	return "*GitHub said* at " + moment(s.TakenAt) + ": " + strings.Join(said, "; ")
}

// mergeRequestEvent tells what became of a merge request, and of what is owed for it.
func mergeRequestEvent(c *change.Change, e change.Event) string {
	name, fix := "a merge request", e.Fact("fix") == "true"
	if m := mergeRequestOf(c, e); m != nil {
		name, fix = mergeRequestName(m), m.Fix
	}
	switch e.Type { //nolint:exhaustive // other families tell the others
	case change.EventMergeRequestLinked:
		if fix {
			return by(e) + " linked the permanent fix: " + name + "."
		}
		return by(e) + " linked merge request " + name + "."
	case change.EventMergeRequestRefused:
		return capital(name) + " was not taken: " + said(e)
	case change.EventMergeRequestSeen:
		return newsLine(name, e)
	case change.EventMergeRequestConfirmed:
		if fix {
			return by(e) + " confirmed that " + name + " is merged."
		}
		return by(e) + " confirmed the review of " + name + "."
	case change.EventIndependentReviewUndone:
		return "The independent review counts no more: " + name + " lacks the approval of another person. The review is owed again."
	case change.EventDone:
		return reviewedLine(e)
	}
	return ""
}

func newsLine(name string, e change.Event) string {
	switch e.Fact("news") {
	case "merged":
		return capital(name) + " was merged " + stamped(e, "merged_at") + "."
	case "merged and deployed":
		return capital(name) + " was merged " + stamped(e, "merged_at") + " and deployed" + deployedWords(e) + "."
	case "deployed":
		return capital(name) + " was deployed" + deployedWords(e) + "."
	case "closed":
		return capital(name) + " was closed without being merged."
	}
	return ""
}

func deployedWords(e change.Event) string {
	if e.Fact("deployed") == "" {
		return ""
	}
	return " to " + oneLine(e.Fact("deployed"), 60) + " " + stamped(e, "deployed_at")
}

// reviewedLine tells who has reviewed, by their Slack name where that is known.
func reviewedLine(e change.Event) string {
	switch change.ObligationName(e.Fact("obligation")) { //nolint:exhaustive // the others are told by events of their own
	case change.OwePermanentFix:
		return "The permanent fix is merged."
	case change.OweIndependentReview:
		if p := change.PersonID(e.Fact("by")); p != "" {
			return "The independent review is done, by " + mention(p) + "."
		}
		if account := e.Fact("account"); account != "" {
			return "The independent review is done, by " + oneLine(account, 60) + " on " + oneLine(e.Fact("way"), 40) + "."
		}
		return "The independent review is done."
	}
	return ""
}

// mergeRequestOf is the merge request that an event is about, or nil.
func mergeRequestOf(c *change.Change, e change.Event) *change.LinkedMergeRequest {
	var item int
	if _, err := fmt.Sscan(e.Fact("item"), &item); err != nil {
		return nil
	}
	return c.MergeRequest(item)
}

// capital begins a sentence.
func capital(s string) string {
	if strings.HasPrefix(s, "a ") {
		return "A" + s[1:]
	}
	return s
}

// mergeRequestRefusedMessage tells that a forge does not have what was linked.
func mergeRequestRefusedMessage(c *change.Change, e change.Event) *message {
	m := heading(c, "a merge request was not taken")
	line := mergeRequestEvent(c, e)
	if line == "" {
		line = "A merge request was not taken."
	}
	m.say(line, "Link another one.")
	m.about(c)
	m.buttons(linkMergeRequestButton(c))
	m.notify(c, line)
	return m
}

// independentReviewUndoneMessage tells that an approval was taken back.
func independentReviewUndoneMessage(c *change.Change, e change.Event) *message {
	m := heading(c, "the independent review is owed again")
	line := mergeRequestEvent(c, e)
	if line == "" {
		line = "The independent review counts no more, and is owed again."
	}
	m.say(line, howToReview(c))
	m.about(c)
	m.say(links(c)...)
	m.buttons(button(actionShow, "Show", buttonKey{Number: c.Number}))
	m.notify(c, line)
	return m
}

// howToReview says who reviews, and where.
func howToReview(c *change.Change) string {
	s := "Somebody who neither asked for the change nor made it, and who wrote none of it, approves it where it stands"
	for _, m := range c.Working() {
		if m.Ref.Forge == change.GitLab {
			s += "; after merging, GitLab takes no approval, and a note of theirs that begins with Approved or Reviewed counts"
			break
		}
	}
	s += "."
	if len(c.Working()) == 0 {
		s += " No merge request is linked yet."
	}
	return s + " Where breakglass cannot tell, they also confirm it in Slack: *Confirm review*, in the card's thread or under *Show*."
}

func linkMergeRequestButton(c *change.Change) *slack.ButtonBlockElement {
	return button(actionLinkMergeRequest, "Link merge request", buttonKey{Number: c.Number})
}

// cardLink is the card's button for merge requests, where the kind takes them.
func cardLink(c *change.Change) *slack.ButtonBlockElement {
	takes := c.Plan.MergeRequest != "" && c.Plan.MergeRequest != change.NeedNone
	if !takes && !c.Plan.PermanentFix {
		return nil
	}
	return linkMergeRequestButton(c)
}

// missingLink is the same while the change waits for approval: only where the merge
// request that its kind demands is not there.
func missingLink(c *change.Change) *slack.ButtonBlockElement {
	if c.Plan.MergeRequest != change.NeedRequired || len(c.Working()) > 0 {
		return nil
	}
	return cardLink(c)
}

// owesMergeRequest tells whether an obligation is met by a merge request.
func owesMergeRequest(name change.ObligationName) bool {
	return name == change.OweMergeRequest || name == change.OweIndependentReview || name == change.OwePermanentFix
}
