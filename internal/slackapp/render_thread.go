package slackapp

import (
	"strconv"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// threadReply is an event as a reply to the card; nil where the timeline that
// people read leaves it out.
func threadReply(c *change.Change, e change.Event) *message {
	line := threadLine(c, e)
	if line == "" {
		return nil
	}
	m := &message{text: c.Number.String() + ": " + line}
	m.say(line)
	for _, field := range threadTexts(e.Type) {
		m.quote(field.label, e.Texts[field.name], roomForCard)
	}
	return m
}

type textField struct{ name, label string }

// threadTexts are the texts of an event that its reply quotes.
func threadTexts(t change.EventType) []textField {
	switch t { //nolint:exhaustive // the others quote nothing
	case change.EventDenied, change.EventExtensionDenied, change.EventApprovedOverdue:
		return []textField{{"reason", "Why"}}
	case change.EventExtensionAsked:
		return []textField{{"why", "Why"}}
	case change.EventNoted:
		return []textField{{"text", ""}}
	case change.EventWaived:
		return []textField{{"reason", "Why"}}
	case change.EventRecordWritten:
		return []textField{{"done", "What was done"}, {"why", "Why"}}
	}
	return nil
}

// threadLine tells an event in one line of mrkdwn; empty for what people do not
// read.
func threadLine(c *change.Change, e change.Event) string {
	switch e.Type { //nolint:exhaustive // the other families follow
	case change.EventRequested:
		return by(e) + " asked for this change."
	case change.EventReported:
		return by(e) + " reported this change, made " + stamped(e, "made_at") + "."
	case change.EventClosed:
		return "Closed: the access is gone and nothing is owed any more."
	case change.EventWithdrawn:
		if e.Fact("how") == "end_now" {
			return by(e) + " ended it before any access was given."
		}
		return by(e) + " withdrew it; no access was given."
	case change.EventEnded:
		return endedLine(c, e)
	case change.EventActivated:
		return "It may be made now, until " + stamped(e, "until") + "."
	case change.EventEndWarned:
		return "It ends soon: " + stamped(e, "until") + "."
	case change.EventFailed:
		return "It failed, and no access was given: " + said(e)
	}
	for _, family := range []func(*change.Change, change.Event) string{askedLine, callLine, accessLine, linkedLine, recordLine, owedLine, mergeRequestEvent} {
		if line := family(c, e); line != "" {
			return line
		}
	}
	return ""
}

func endedLine(c *change.Change, e change.Event) string {
	switch e.Fact("how") {
	case "evidence":
		return "Ended: " + evidenceWords(c) + "."
	case "time":
		return "Its time is over: ended."
	case "grant_within":
		return "Ended: AWS gave the access too late."
	case "end_now":
		return by(e) + " ended it now."
	case "finish":
		return by(e) + " finished it."
	}
	return by(e) + " ended it."
}

// evidenceWords says what the end of a change rests on.
func evidenceWords(c *change.Change) string {
	if c.Plan.EndsOn != nil {
		return "every merge request is merged and deployed"
	}
	return "every merge request is merged"
}

// askedLine tells what approvers were asked and what they decided.
func askedLine(c *change.Change, e change.Event) string {
	switch e.Type { //nolint:exhaustive // other families tell the others
	case change.EventEscalated:
		return "The approvers that stand in are asked too: " + oneLine(e.Fact("why"), 200) + "."
	case change.EventApproverAway:
		return awayLine(e)
	case change.EventDurationChanged:
		return by(e) + " shortened it from " + seconds(e, "from") + " to " + seconds(e, "to") + "."
	case change.EventApprovalGiven:
		if e.Fact("for") == string(change.ForExtension) {
			return by(e) + " approved " + seconds(e, "seconds") + " more."
		}
		return by(e) + " approved it."
	case change.EventApproved:
		unchecked := ""
		if c.Plan.Incident == change.NeedRequired && e.Fact("incident_checked") == "false" {
			unchecked = " The incident was not checked: incident.io did not answer."
		}
		if e.Fact("seconds") == "" || e.Fact("seconds") == "0" {
			return "Approved, without access through breakglass." + unchecked
		}
		return "Approved for " + seconds(e, "seconds") + "; access is on its way." + unchecked
	case change.EventDenied:
		return by(e) + " denied it."
	case change.EventLapsed:
		return "Nobody decided in time, so the request has lapsed."
	case change.EventExtensionAsked:
		return by(e) + " asks for " + seconds(e, "seconds") + " more."
	case change.EventExtensionApproved:
		return "Extended by " + seconds(e, "seconds") + ", until " + stamped(e, "until") + "."
	case change.EventExtensionDenied:
		return by(e) + " denied more time."
	case change.EventExtensionLapsed:
		return "Nobody decided about more time, so the end stays as it was."
	}
	return ""
}

// accessLine tells what became of the access.
func accessLine(_ *change.Change, e change.Event) string {
	switch e.Type { //nolint:exhaustive // other families tell the others
	case change.EventPersonRefused:
		return "AWS cannot give the access yet: " + said(e)
	case change.EventAccessTrouble:
		if e.Fact("say") == "" {
			return "AWS is not waited for any more."
		}
		return "Waiting for AWS: " + said(e)
	case change.EventAccessVerified:
		if e.Fact("standing") == "true" {
			return "AWS lists the access. It had been there before, so the end of this change removes nothing."
		}
		return "AWS lists the access."
	case change.EventStandingKept:
		return by(e) + " marked this access as standing: breakglass leaves it alone from now on."
	case change.EventStandingEnded:
		return by(e) + " ended the access that had been there before; it is removed as soon as no other change needs it."
	case change.EventAccessGivenUp:
		return "AWS did not give the access in time. It is given up, and removed if it still appears."
	case change.EventAccessGone:
		return goneLine(e)
	case change.EventAccessLate:
		return "The access should be gone by now and is not: it ended " + stamped(e, "ended") + ". breakglass goes on removing it."
	case change.EventAccessBack:
		return "AWS lists the access again, although it had been removed. An approver has to look at it."
	}
	return ""
}

func goneLine(e change.Event) string {
	if e.Fact("standing") == "true" {
		return "The access had been there before, so it is left alone."
	}
	if e.Fact("held") == "true" {
		return "The access of this change is over; another change still holds the same one."
	}
	s := "The access is gone."
	if late, err := strconv.ParseInt(e.Fact("late_seconds"), 10, 64); err == nil && late >= 60 {
		s += " That took " + change.ShortDuration(time.Duration(late)*time.Second) + " from the end."
	}
	if e.Fact("sessions_end_by") != "" {
		s += " Sessions that were open may live until " + stamped(e, "sessions_end_by") + "."
	}
	return s
}

// by names who did it.
func by(e change.Event) string {
	if e.Actor == "" {
		return "breakglass"
	}
	return mention(e.Actor)
}

// said is the sentence that an event holds.
func said(e change.Event) string { return oneLine(e.Fact("say"), 500) }

// seconds is a fact that holds a duration.
func seconds(e change.Event, fact string) string {
	n, err := strconv.ParseInt(e.Fact(fact), 10, 64)
	if err != nil {
		return "some time"
	}
	return change.ShortDuration(time.Duration(n) * time.Second)
}

// stamped is a fact that holds a time.
func stamped(e change.Event, fact string) string {
	t, err := time.Parse(time.RFC3339Nano, e.Fact(fact))
	if err != nil {
		return "an unknown time"
	}
	return moment(t)
}
