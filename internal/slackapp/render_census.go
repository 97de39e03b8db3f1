package slackapp

import (
	"strconv"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// finding is a finding of the census as the audit channel sees it, kept current.
func finding(p change.Posting) *message {
	f := p.Finding
	if f == nil {
		return nil
	}
	if f.News != "" {
		return findingNews(f)
	}
	m := findingHeading(f, findingTopic(f.Kind))
	m.text += ": " + findingAccess(f)
	m.say("*Access:* "+findingAccess(f), findingWhat(f), "*Seen:* first "+moment(f.FirstSeen)+", last "+moment(f.LastSeen), findingState(f))
	if f.State == change.FindingOpen && f.Kind != change.FindingVanished && !f.Removing {
		m.buttons(findingButton(actionFindingKeep, "Mark as standing", f.ID), danger(findingButton(actionFindingEnd, "End access", f.ID)))
		m.small("Members of `roles.cto` decide. A permission set that is assigned to a group is not looked at.")
	}
	return m
}

// findingNews is what became of a finding after it was told.
func findingNews(f *change.CensusNotice) *message {
	topic := "late to go"
	line := "Its end was asked for " + moment(f.DecidedAt) + " by " + person(f.DecidedBy) + ", and AWS still lists it. breakglass keeps trying."
	if f.News == change.CensusOver {
		topic, line = "over", findingOutcome(f)
	}
	m := findingHeading(f, topic)
	m.text += ": " + findingAccess(f)
	m.say("*Access:* "+findingAccess(f), line)
	return m
}

func findingHeading(f *change.CensusNotice, topic string) *message {
	title := "Census " + strconv.FormatInt(f.ID, 10) + " · " + topic
	return &message{text: title, blocks: []slack.Block{slack.NewHeaderBlock(plainObject(title, 150))}}
}

func findingButton(action, label string, id int64) *slack.ButtonBlockElement {
	return slack.NewButtonBlockElement(action, strconv.FormatInt(id, 10), plainObject(label, 75))
}

func findingTopic(k change.FindingKind) string {
	switch k {
	case change.FindingUnasked:
		return "access that nobody asked for"
	case change.FindingLeft:
		return "access that should have gone"
	case change.FindingVanished:
		return "access that vanished"
	}
	return string(k)
}

// findingAccess names whose access it is, and where. That of a confidential change
// is not told.
func findingAccess(f *change.CensusNotice) string {
	if f.Confidential && f.Kind != change.FindingUnasked {
		return "of " + f.Number.String() + ", which is confidential"
	}
	who := "`" + oneLine(f.Key.UserID, roomForName) + "`"
	if f.UserName != "" {
		who = oneLine(f.UserName, roomForName) + " (" + who + ")"
	}
	set, account := oneLine(f.PermissionSetName, roomForName), oneLine(f.TargetName, roomForName)
	if f.PermissionSetName == "" {
		set = "`" + oneLine(f.Key.PermissionSetARN, roomForName) + "`"
	}
	if f.TargetName == "" {
		return set + " in " + escaped(f.Key.AccountID) + ", of " + who
	}
	return set + " in " + account + " (" + escaped(f.Key.AccountID) + "), of " + who
}

// findingWhat says what does not agree.
func findingWhat(f *change.CensusNotice) string {
	before := ""
	if f.Number != 0 && !f.Confidential {
		before = " The last change that asked for it was " + f.Number.String() + "."
	}
	switch {
	case f.Kind == change.FindingUnasked:
		return "AWS lists it, assigned to the user directly. No emergency change wants it, and nobody has marked it as standing." + before
	case f.Kind == change.FindingLeft && f.Removing:
		return "AWS lists it, though " + f.Number.String() + " is over. It is being removed; this takes longer than it should."
	case f.Kind == change.FindingLeft:
		return "AWS lists it, though it had gone, or was never given." + before
	}
	return f.Number.String() + " is active and has it, and AWS does not list it any more: somebody took it away, or a removal came late. " +
		"breakglass looks for it and gives it back while the change is active. To take it away for good, end the change."
}

// findingState says what has been decided, or become of it.
func findingState(f *change.CensusNotice) string {
	switch f.State {
	case change.FindingStanding:
		return "*Marked as standing* by " + person(f.DecidedBy) + ", " + moment(f.DecidedAt) + ". It is left alone."
	case change.FindingEnding:
		return "*Ended* by " + person(f.DecidedBy) + ", " + moment(f.DecidedAt) + ". It is being removed."
	case change.FindingClosed:
		return findingOutcome(f)
	case change.FindingSuspected, change.FindingOpen, change.FindingDismissed:
	}
	return ""
}

// findingOutcome says how a finding was closed.
func findingOutcome(f *change.CensusNotice) string {
	when := ", seen " + moment(f.ClosedAt) + "."
	switch f.Outcome {
	case change.OutcomeGone:
		return "*Gone:* AWS lists it no more" + when
	case change.OutcomeEnded:
		return "*Gone:* ended by " + person(f.DecidedBy) + "; AWS lists it no more" + when
	case change.OutcomeSettled:
		return "*Settled:* a change wants it by now, or it was marked as standing" + when
	case change.OutcomeBack:
		return "*Back:* AWS lists it again" + when
	case change.OutcomeOver:
		return "*Over:* no change wants it any more" + when
	case change.OutcomeUnconfigured:
		return "*No longer looked at:* the configuration does not name this account with this permission set any more" + when
	}
	return ""
}
