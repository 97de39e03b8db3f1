package config

import (
	"github.com/breakglass-bot/breakglass/internal/change"
)

// Slack's limits: what a select, radio buttons and their options can show.
const (
	maxOptions    = 100
	maxRadio      = 10
	maxOptionText = 75
	maxLabel      = 2000
	maxQuestions  = 50 // a form has 100 blocks, and its own inputs beside these
)

func (b *builder) targets() {
	ids := unique{}
	if targets := b.file.Targets; len(targets.items) > 0 && b.file.AWS == nil {
		b.problem(targets.spot, "`targets` needs %s; add it, or leave the targets out", need("aws"))
	}
	granted := map[string]int{}
	for i := range b.file.Targets.items {
		raw := &b.file.Targets.items[i]
		raw.ID.matches(b.report, nameShape())
		ids.check(b.report, raw.ID, "the target")
		raw.Name.atMost(b.report, maxOptionText)
		raw.AccountID.matches(b.report, accountShape())
		raw.PermissionSets.filled(b.report, "a target without permission sets offers nothing")
		target := change.Target{ID: change.TargetID(raw.ID.value), Name: raw.Name.value, AccountID: raw.AccountID.value}
		setIDs := unique{}
		for j := range raw.PermissionSets.items {
			target.PermissionSets = append(target.PermissionSets, b.permissionSet(&raw.PermissionSets.items[j], setIDs, raw.AccountID, granted))
		}
		b.out.Rules.Targets = append(b.out.Rules.Targets, target)
	}
}

func (b *builder) permissionSet(raw *filePermissionSet, ids unique, account text, granted map[string]int) change.PermissionSet {
	raw.ID.matches(b.report, nameShape())
	ids.check(b.report, raw.ID, "the permission set")
	raw.Name.atMost(b.report, maxOptionText)
	raw.ARN.matches(b.report, permissionSetShape())
	if aws := b.file.AWS; aws != nil && aws.InstanceARN.given && raw.ARN.given && !ofInstance(raw.ARN.value, aws.InstanceARN.value) {
		b.problem(raw.ARN.spot, "%s is %s, a permission set of another instance than `aws.instance_arn`, %s", raw.ARN.whole(), quote(raw.ARN.value), quote(aws.InstanceARN.value))
	}
	if raw.ARN.given && account.given {
		key := account.value + " " + raw.ARN.value
		if line, twice := granted[key]; twice {
			b.problem(raw.ARN.spot, "%s offers what line %d offers already, the same permission set in the same account; keep one", raw.ARN.whole(), line)
		} else {
			granted[key] = raw.ARN.line
		}
	}
	return change.PermissionSet{
		ID: change.PermissionSetID(raw.ID.value), Name: raw.Name.value, ARN: raw.ARN.value, MaxDuration: raw.MaxDuration.value,
	}
}

func (b *builder) reasons() {
	raw := b.file.Reasons
	raw.filled(b.report, "name a reason why the release process cannot be used")
	if n := len(raw.items); n > maxRadio {
		b.problem(raw.spot, "`reasons` has %d members; it may have %d, because Slack shows no more radio buttons", n, maxRadio)
	}
	ids := unique{}
	usable := 0
	for i := range raw.items {
		reason := &raw.items[i]
		reason.ID.matches(b.report, nameShape())
		ids.check(b.report, reason.ID, "the reason")
		reason.Label.atMost(b.report, maxOptionText)
		reason.Evidence.oneOf(b.report, evidenceGitHubStatus)
		if reason.Evidence.given && b.file.GitHub == nil {
			b.problem(reason.Evidence.spot, "%s is %s, which needs %s; add it (`github: {}` takes its defaults)", reason.Evidence.whole(), quote(reason.Evidence.value), need("github"))
		}
		if !reason.StandardPath.value {
			usable++
		}
		b.out.Rules.Reasons = append(b.out.Rules.Reasons, change.Reason{
			ID: change.ReasonID(reason.ID.value), Label: reason.Label.value,
			Evidence: reason.Evidence.value, StandardPath: reason.StandardPath.value,
		})
	}
	if len(raw.items) > 0 && usable == 0 {
		b.problem(raw.spot, "`reasons` has none without `standard_path`, so no kind of change could ever be asked for; add one")
	}
}

// evidenceGitHubStatus is the only evidence there is: what GitHub's status page said.
const evidenceGitHubStatus = "github-status"

// kindReasons checks a kind's reasons, and notes which are used.
func (b *builder) kindReasons(raw *fileKind, used map[string]bool) []change.ReasonID {
	var known []string
	standard := map[string]int{}
	for _, reason := range b.file.Reasons.items {
		if reason.ID.value == "" {
			continue // reported already
		}
		known = append(known, reason.ID.value)
		if reason.StandardPath.value {
			standard[reason.ID.value] = reason.line
		} else if !raw.Reasons.given {
			used[reason.ID.value] = true
		}
	}
	raw.Reasons.filled(b.report, "no reason would allow this kind; leave the key out to have any reason do")
	for _, name := range raw.Reasons.items {
		used[name.value] = true
		if line, ok := standard[name.value]; ok && name.given {
			b.problem(name.spot, "%s names the reason %s, which ends in the release process (`standard_path`, line %d) and so in no kind; take it out", name.whole(), quote(name.value), line)
		}
	}
	return refs[change.ReasonID](b, raw.Reasons, "reason", known)
}

// unusedReasons reports reasons that would lead to a form without any kind.
func (b *builder) unusedReasons(used map[string]bool) {
	if len(b.file.Kinds.items) == 0 {
		return
	}
	for _, reason := range b.file.Reasons.items {
		if reason.ID.given && !reason.StandardPath.value && !used[reason.ID.value] {
			b.problem(reason.ID.spot, "the reason %s allows no kind, so choosing it would lead nowhere; name it in the `reasons` of a kind, or give it `standard_path: true`", quote(reason.ID.value))
		}
	}
}
