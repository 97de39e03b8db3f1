package config

import "github.com/breakglass-bot/breakglass/internal/change"

func (b *builder) kinds() {
	raw := b.file.Kinds
	raw.filled(b.report, "declare a kind of change")
	if n := len(raw.items); n > maxOptions {
		b.problem(raw.spot, "`kinds` has %d members; it may have %d, because Slack shows no more in a select", n, maxOptions)
	}
	ids := unique{}
	used := map[string]bool{}
	for i := range raw.items {
		ids.check(b.report, raw.items[i].ID, "the kind")
		b.out.Rules.Kinds = append(b.out.Rules.Kinds, b.kind(&raw.items[i], used))
	}
	b.unusedReasons(used)
}

func (b *builder) kind(raw *fileKind, used map[string]bool) change.Kind {
	raw.ID.matches(b.report, nameShape())
	raw.Name.atMost(b.report, maxOptionText)
	raw.Access.oneOf(b.report, "none", "optional", "required")
	raw.Incident.oneOf(b.report, "optional", "required")
	raw.MergeRequest.oneOf(b.report, "none", "optional", "required", "with_record")
	raw.PermanentFix.oneOf(b.report, "none", "required")
	kind := change.Kind{
		ID:             change.KindID(raw.ID.value),
		Name:           raw.Name.value,
		Reasons:        b.kindReasons(raw, used),
		Requesters:     b.groupRefs(raw.Requesters),
		Confidential:   raw.Confidential.value,
		Access:         change.Need(raw.Access.or("none")),
		Incident:       change.Need(raw.Incident.or("optional")),
		MergeRequest:   change.Need(raw.MergeRequest.or("none")),
		PermanentFix:   raw.PermanentFix.value == "required",
		CoordinateWith: b.groupRefs(raw.CoordinateWith),
	}
	raw.RootCause.oneOf(b.report, "none", "required")
	kind.RootCause = raw.RootCause.value == "required" || (!raw.RootCause.given && kind.Confidential)
	kind.EndsOn = b.endsOn(raw, kind)
	raw.Requesters.filled(b.report, "nobody could ask for this kind")
	if raw.Requesters.given && len(raw.Requesters.items) > 0 && b.reachOf(raw.Requesters).empty() {
		b.problem(raw.Requesters.spot, "%s is nobody: its groups have no members, so nobody could ask for this kind; give them some", raw.Requesters.whole())
	}
	b.kindNeeds(raw, kind)
	kind.MergeRequestLabels = b.labels(raw, kind)
	kind.Approvals = b.approvals(raw)
	kind.SelfApproval = b.selfApproval(raw.SelfApproval.rule)
	kind.Questions = b.questions(raw.Questions)
	return kind
}

// kindNeeds checks that what a kind requires is to be had.
func (b *builder) kindNeeds(raw *fileKind, kind change.Kind) {
	if raw.Access.given && kind.Access != change.NeedNone {
		if b.file.AWS == nil {
			b.problem(raw.Access.spot, "%s is %s, which needs %s", raw.Access.whole(), quote(raw.Access.value), need("aws"))
		}
		if len(b.file.Targets.items) == 0 {
			b.problem(raw.Access.spot, "%s is %s, but `targets` offers nothing to have access to; declare a target", raw.Access.whole(), quote(raw.Access.value))
		}
	}
	if raw.Incident.given && kind.Incident == change.NeedRequired && b.file.IncidentIO == nil {
		b.problem(raw.Incident.spot, "%s is `required`, which needs %s", raw.Incident.whole(), need("incident_io"))
	}
}

// endsOn reads what shows, beyond the merge, that a change has reached production.
func (b *builder) endsOn(raw *fileKind, kind change.Kind) *change.Deployment {
	e := raw.EndsOn
	if e == nil {
		return nil
	}
	if kind.MergeRequest == change.NeedNone {
		b.problem(e.spot, "%s asks for the deployment of a merge request, but the kind takes none; set `merge_request`, or leave it out", e.whole())
	}
	if kind.Access != change.NeedNone {
		b.problem(e.spot, "%s ends changes without access, but `access` is %s; set `access: none`, or leave it out", e.whole(), quote(string(kind.Access)))
	}
	if len(e.Environments.items) == 0 && e.Label.value == "" {
		b.problem(e.spot, "%s says nothing; name `environments` on GitLab, a `label`, or both", e.whole())
	}
	if len(e.Environments.items) > 0 && b.file.GitLab == nil {
		b.problem(e.Environments.spot, "%s needs the section `gitlab`, where deployments are read; the file has none", e.Environments.whole())
	}
	return &change.Deployment{Environments: b.texts(e.Environments), Label: e.Label.value}
}

// labels reads the label lines: each line is met by one of its labels.
func (b *builder) labels(raw *fileKind, kind change.Kind) [][]string {
	lines := raw.MergeRequestLabels
	if len(lines.items) == 0 {
		return nil
	}
	if kind.MergeRequest == change.NeedNone {
		b.problem(lines.spot, "%s asks for labels of a merge request, but the kind takes none; set `merge_request`, or leave the labels out", lines.whole())
	}
	if b.file.GitLab == nil && b.file.GitHub == nil {
		b.problem(lines.spot, "%s needs the section `gitlab` or `github`, where labels are read; the file has neither", lines.whole())
	}
	var labels [][]string
	for _, line := range lines.items {
		line.filled(b.report, "no label could meet this line")
		labels = append(labels, b.texts(line))
	}
	return labels
}

func (b *builder) questions(raw list[fileQuestion]) []change.Question {
	if n := len(raw.items); n > maxQuestions {
		b.problem(raw.spot, "%s has %d members; it may have %d, because Slack's forms end somewhere", raw.whole(), n, maxQuestions)
	}
	ids := unique{}
	var questions []change.Question
	for i := range raw.items {
		q := &raw.items[i]
		q.ID.matches(b.report, nameShape())
		ids.check(b.report, q.ID, "the question")
		q.Label.atMost(b.report, maxLabel)
		q.Options.filled(b.report, "name what can be chosen, or leave the key out to have a text written")
		if n := len(q.Options.items); n > maxOptions {
			b.problem(q.Options.spot, "%s has %d members; it may have %d, because Slack shows no more in a select", q.Options.whole(), n, maxOptions)
		}
		for _, option := range q.Options.items {
			option.atMost(b.report, maxOptionText)
		}
		if q.Options.given && q.Multiline.value {
			b.problem(q.Multiline.spot, "%s is for written answers, but this question has options; keep one of the two", q.Multiline.whole())
		}
		questions = append(questions, change.Question{
			ID: change.QuestionID(q.ID.value), Label: q.Label.value, Options: b.texts(q.Options),
			Multiline: q.Multiline.value, Required: q.Required.value,
		})
	}
	return questions
}
