package config

import (
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

func (b *builder) record() {
	raw := &b.file.Record
	inIncident, inJira := string(change.RecordInIncident), string(change.RecordInJira)
	raw.DuringIncident.oneOf(b.report, inIncident, inJira)
	raw.Otherwise.oneOf(b.report, inIncident, inJira)
	during := inJira
	if b.file.IncidentIO != nil {
		during = inIncident
	}
	rules := change.RecordRules{
		Within:             raw.Within.or(24 * time.Hour),
		DuringIncident:     change.RecordPlace(raw.DuringIncident.or(during)),
		Otherwise:          change.RecordPlace(raw.Otherwise.or(inJira)),
		RemindOverdueEvery: raw.RemindOverdueEvery.or(4 * time.Hour),
	}
	rules.Remind = b.rungs(raw.Remind, rules.Within, "`within`",
		rungsBefore(rules.Within, time.Hour, 12*time.Hour, 20*time.Hour, 23*time.Hour))
	if raw.line > 0 {
		b.recordPlaces(raw, rules)
		rules.SignOff = b.signOff(&raw.SignOff)
	}
	b.out.Rules.Record = rules
}

// recordPlaces checks that every change has a place where it can be recorded.
func (b *builder) recordPlaces(raw *fileRecord, rules change.RecordRules) {
	for _, place := range []struct {
		text text
		key  string
		is   change.RecordPlace
	}{
		{raw.DuringIncident, "during_incident", rules.DuringIncident},
		{raw.Otherwise, "otherwise", rules.Otherwise},
	} {
		at := place.text.spot
		if at.line == 0 {
			at = raw.spot
		}
		missing := ""
		switch {
		case place.is == change.RecordInJira && b.file.Jira == nil:
			missing = "jira"
		case place.is == change.RecordInIncident && b.file.IncidentIO == nil:
			missing = "incident_io"
		}
		if missing != "" {
			b.problem(at, "`record.%s` is `%s`, which needs %s", place.key, place.is, need(missing))
		}
	}
	if rules.Otherwise != change.RecordInIncident {
		return
	}
	for _, kind := range b.file.Kinds.items {
		if kind.Incident.value != "required" {
			b.problem(raw.Otherwise.spot, "`record.otherwise` is `incident.io`, but %s can be made without an incident and would have no record; set it to `jira`, or `incident: required` for every kind", quote(kind.ID.or(kind.path)))
			return
		}
	}
}

func (b *builder) signOff(raw *fileSignOff) change.SignOffRules {
	for i := range raw.Accept.items {
		raw.Accept.items[i].oneOf(b.report, string(change.SignOffByJiraComment), string(change.SignOffInSlack))
	}
	raw.Accept.filled(b.report, "no sign-off could count; name `jira_comment`, `slack` or both")
	rules := change.SignOffRules{
		From:     b.groupRefs(raw.From),
		Fallback: b.groupRefs(raw.Fallback),
		Within:   raw.Within.or(24 * time.Hour),
	}
	for _, way := range b.texts(raw.Accept) {
		rules.Accept = append(rules.Accept, change.SignOffWay(way))
	}
	if !raw.Accept.given {
		rules.Accept = []change.SignOffWay{change.SignOffInSlack}
		if b.file.Jira != nil {
			rules.Accept = []change.SignOffWay{change.SignOffByJiraComment, change.SignOffInSlack}
		}
	}
	for _, way := range raw.Accept.items {
		if way.value == string(change.SignOffByJiraComment) && way.given && b.file.Jira == nil {
			b.problem(way.spot, "%s is `jira_comment`, which needs %s", way.whole(), need("jira"))
		}
	}
	raw.From.filled(b.report, "name the group that signs off")
	if raw.From.given && len(raw.From.items) > 0 && b.reachOf(raw.From, raw.Fallback).empty() {
		b.problem(raw.spot, "%s is a sign-off that nobody could give: its groups have no members; give them some", raw.whole())
	}
	return rules
}
