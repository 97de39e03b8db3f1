package config_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestTargetsAndReasonsAreChecked(t *testing.T) {
	t.Parallel()
	const firstARN = `"arn:aws:sso:::permissionSet/ssoins-0000000000000000/ps-0000000000000001", max_duration: 4h`
	runAll(t, example(t), []mistake{
		{
			name: "account id", old: `"111122223333"`, new: `"11112222333"`, at: `"11112222333"`,
			want: "`targets[0].account_id` is `11112222333`; it must be an AWS account id of twelve digits, such as \"012345678901\"",
		},
		{
			name: "target twice", old: "id: security\n", new: "id: production\n", at: "production\n",
			want: "`targets[1].id`: the target `production` is declared already, on line «  - id: production»; give each its own id",
		},
		{
			name: "permission set twice", old: "{id: read,", new: "{id: admin,", at: "admin, name: BreakGlassReadOnly",
			want: "`targets[0].permission_sets[1].id`: the permission set `admin` is declared already, on line «      - {id: admin,»; give each its own id",
		},
		{
			name: "the same access twice", old: "ps-0000000000000002", new: "ps-0000000000000001", at: `"arn:aws:sso:::permissionSet/ssoins-0000000000000000/ps-0000000000000001", max_duration: 8h`,
			want: "`targets[0].permission_sets[1].arn` offers what line «      - {id: admin,» offers already, the same permission set in the same account; keep one",
		},
		{
			name: "permission set of another instance", old: firstARN, new: strings.Replace(firstARN, "ssoins-0", "ssoins-1", 1), at: `"arn:aws:sso:::permissionSet/ssoins-1`,
			want: "`targets[0].permission_sets[0].arn` is `arn:aws:sso:::permissionSet/ssoins-1000000000000000/ps-00000…`, a permission set of another instance than `aws.instance_arn`, `arn:aws:sso:::instance/ssoins-0000000000000000`",
		},
		{
			name: "no permission set's ARN", old: firstARN, new: "BreakGlassAdmin, max_duration: 4h", at: "BreakGlassAdmin, max",
			want: "`targets[0].permission_sets[0].arn` is `BreakGlassAdmin`; it must be the ARN of a permission set, such as arn:aws:sso:::permissionSet/ssoins-0123456789abcdef/ps-0123456789abcdef",
		},
		{
			name: "targets without AWS", old: section(t, "aws"), new: "", at: "targets:",
			want: "`targets` needs the section `aws`, which the file does not have; add it, or leave the targets out",
			also: []string{"`kinds[0].access` is `required`, which needs the section `aws`"},
		},
		{
			name: "access without targets", old: section(t, "targets"), new: "", at: "required              # required",
			want: "`kinds[0].access` is `required`, but `targets` offers nothing to have access to; declare a target",
		},
		{
			name: "long label", old: "The infrastructure is deliberately not automated", new: strings.Repeat("x", 76), at: `"xxx`,
			want: "`reasons[2].label` has 76 characters; it may have 75, because Slack shows no more",
		},
		{
			name: "too many reasons", old: "  - {id: none,", new: manyReasons(5) + "  - {id: none,", at: "reasons:",
			want: "`reasons` has 11 members; it may have 10, because Slack shows no more radio buttons",
		},
		{
			name: "reason twice", old: "{id: not-automated,", new: "{id: platform-unrecoverable,", at: "platform-unrecoverable, label: \"The infra",
			want: "`reasons[2].id`: the reason `platform-unrecoverable` is declared already, on line «  - {id: platform-unrecoverable,»; give each its own id",
			also: []string{"names the reason `not-automated`, which does not exist"},
		},
		{
			name: "evidence", old: "github-status", new: "github-statsu", at: "github-statsu",
			want: "`reasons[0].evidence` is `github-statsu`; it may be `github-status`; did you mean `github-status`?",
		},
		{
			name: "evidence without GitHub", old: section(t, "github"), new: "", at: "github-status}",
			want: "`reasons[0].evidence` is `github-status`, which needs the section `github`, which the file does not have; add it (`github: {}` takes its defaults)",
		},
		{
			name: "unknown reason", old: "[incident-mitigation, critical", new: "[incident-mitigations, critical", at: "incident-mitigations",
			want: "`kinds[1].reasons[0]` names the reason `incident-mitigations`, which does not exist; did you mean `incident-mitigation`?",
		},
		{
			name: "standard path in a kind", old: "not-automated]", new: "not-automated, none]", at: "none]",
			want: "`kinds[0].reasons[3]` names the reason `none`, which ends in the release process (`standard_path`, line «  - {id: none,») and so in no kind; take it out",
		},
		{
			name: "no reason allows the kind", old: "[incident-mitigation, critical-vulnerability, release-pipeline-down]", new: "[]", at: "reasons: []",
			want: "`kinds[1].reasons` is empty; no reason would allow this kind; leave the key out to have any reason do",
		},
	})
}

func TestAReasonThatAllowsNoKindIsRefused(t *testing.T) {
	t.Parallel()
	named := strings.Replace(smallest, "requesters: [all]", "reasons: [broken], requesters: [all]", 1)
	runAll(t, named, []mistake{
		{
			name: "one reason unused", old: "reasons: [{id: broken", new: "reasons: [{id: idle, label: Idle}, {id: broken", at: "idle, label",
			want: "the reason `idle` allows no kind, so choosing it would lead nowhere; name it in the `reasons` of a kind, or give it `standard_path: true`",
		},
		{
			name: "only the standard path", old: "label: It is broken}", new: "label: It is broken, standard_path: true}", at: "reasons:",
			want: "`reasons` has none without `standard_path`, so no kind of change could ever be asked for; add one",
			also: []string{"which ends in the release process"},
		},
	})
}

func TestKindsAreChecked(t *testing.T) {
	t.Parallel()
	runAll(t, example(t), []mistake{
		{
			name: "kind twice", old: "id: hot-patch\n", new: "id: production-access\n", at: "production-access\n    name: Post",
			want: "`kinds[2].id`: the kind `production-access` is declared already, on line «  - id: production-access»; give each its own id",
		},
		{
			name: "too many kinds", old: "\napproval:", new: manyKinds(96) + "\napproval:", at: "kinds:",
			want: "`kinds` has 101 members; it may have 100, because Slack shows no more in a select",
		},
		{
			name: "access", old: "access: required ", new: "access: requird ", at: "requird",
			want: "`kinds[0].access` is `requird`; it may be `none`, `optional`, `required`; did you mean `required`?",
		},
		{
			name: "incident", old: "incident: required ", new: "incident: none ", at: "none            #",
			want: "`kinds[2].incident` is `none`; it may be `optional`, `required`",
		},
		{
			name: "merge request", old: "merge_request: with_record", new: "merge_request: with-record", at: "with-record",
			want: "`kinds[1].merge_request` is `with-record`; it may be `none`, `optional`, `required`, `with_record`; did you mean `with_record`?",
		},
		{
			name: "permanent fix", old: "permanent_fix: required", new: "permanent_fix: true", at: "true       # a second",
			want: "`kinds[2].permanent_fix` is `true`: it wants a text, so put it in quotes",
		},
		{
			name: "no requesters", old: "requesters: [engineers]", new: "requesters: []", at: "requesters: []",
			want: "`kinds[0].requesters` is empty; nobody could ask for this kind",
		},
		{
			name: "unknown requesters", old: "requesters: [engineers]", new: "requesters: [enginers]", at: "enginers",
			want: "`kinds[0].requesters[0]` names the group `enginers`, which does not exist; did you mean `engineers`?",
		},
		{
			name: "requesters without members", old: "{everyone: true}", new: "{members: []}", at: "requesters: [engineers]\n    access: required",
			want: "`kinds[0].requesters` is nobody: its groups have no members, so nobody could ask for this kind; give them some",
			also: []string{"kinds[1].requesters", "kinds[2].requesters", "kinds[3].requesters", "kinds[4].requesters", "has too few people"},
		},
		{
			name: "no approvals", old: "approvals:\n      - {from: [cto], fallback: [deputies]}", new: "approvals: []", at: "approvals: []",
			want: "`kinds[0].approvals` is empty; a kind needs at least one approval",
		},
		{
			name: "approval by a group without members", old: "[U0APPSEC]", new: "[]", at: "{from: [appsec]}",
			want: "`kinds[4].approvals[0]` is an approval that nobody could give: `from` and `fallback` less `not` leave no one; name a group with members",
		},
		{
			name: "approval less all of its own", old: "not: [release-managers]", new: "not: [maintainers]", at: "{from: [maintainers]",
			want: "`kinds[4].approvals[1]` is an approval that nobody could give: `from` and `fallback` less `not` leave no one; name a group with members",
		},
		{
			name: "approval less everyone", old: "not: [release-managers]", new: "not: [engineers]", at: "{from: [maintainers]",
			want: "`kinds[4].approvals[1]` is an approval that nobody could give: `from` and `fallback` less `not` leave no one; name a group with members",
		},
		{
			name: "live approval less itself", old: "{from: [release-managers], fallback: [cto]}", new: "{from: [release-managers], not: [release-managers]}", at: "{from: [release-managers], not",
			want: "`kinds[3].approvals[0]` is an approval that nobody could give: `from` and `fallback` less `not` leave no one; name a group with members",
		},
		{
			name: "the only approver is the only requester", old: "requesters: [engineers]\n    confidential", new: "requesters: [appsec]\n    confidential", at: "{from: [appsec]}",
			want: "`kinds[4].approvals[0]` is an approval that nobody could give: `U0APPSEC` is the only approver and the only requester, and nobody approves their own change; name another",
		},
		{
			name: "unknown approvers", old: "{from: [on-call, cto], fallback", new: "{from: [oncall, cto], fallback", at: "oncall",
			want: "`kinds[1].approvals[0].from[0]` names the group `oncall`, which does not exist; did you mean `on-call`?",
		},
		{
			name: "self approval's word", old: "self_approval: never", new: "self_approval: nevr", at: "nevr",
			want: "`kinds[0].self_approval` is `nevr`; it may be `never`, or a mapping with the key `who`; did you mean `never`?",
		},
		{
			name: "self approval's shape", old: "self_approval: never", new: "self_approval: [on-call]", at: "[on-call]",
			want: "`kinds[0].self_approval` is a list: it wants `never`, or a mapping with the key `who`",
		},
		{
			name: "self approval by nobody", old: "{who: [on-call],", new: "{who: [],", at: "who: []",
			want: "`kinds[1].self_approval.who` is empty; name who may approve their own change, or set `self_approval: never`",
		},
		{
			name: "witnesses from nowhere", old: ", witnesses_from: [engineers]", new: "", at: "self_approval: {who",
			want: "`kinds[1].self_approval` asks for witnesses (`witnesses`, 1) but not from whom; add `witnesses_from`, or set `witnesses: 0`",
		},
		{
			name: "witnesses not wanted", old: "witnesses: 1", new: "witnesses: 0", at: "witnesses_from",
			want: "`kinds[1].self_approval.witnesses_from` names witnesses, but `witnesses` is 0; set how many are needed, or leave it out",
		},
		{
			name: "witnesses below none", old: "witnesses: 1", new: "witnesses: -1", at: "-1",
			want: "`kinds[1].self_approval.witnesses` is -1; it may be 0 to 10",
		},
		{
			name: "too few witnesses", old: "witnesses: 1, witnesses_from: [engineers]", new: "witnesses: 2, witnesses_from: [cto]", at: "witnesses_from: [cto]",
			want: "`kinds[1].self_approval.witnesses_from` has too few people: 2 are needed, and nobody witnesses their own change; add members, or ask for fewer",
		},
		{
			name: "own witness", old: "{who: [on-call], needs_incident: true, witnesses: 1, witnesses_from: [engineers]}", new: "{who: [cto], witnesses_from: [cto]}", at: "witnesses_from: [cto]",
			want: "`kinds[1].self_approval.witnesses_from` has too few people: 1 are needed, and nobody witnesses their own change; add members, or ask for fewer",
		},
		{
			name: "labels' shape", old: `- ["Pick into auto-deploy"]`, new: `- "Pick into auto-deploy"`, at: `"Pick`,
			want: "`kinds[3].merge_request_labels[0]` is `Pick into auto-deploy`: it wants a list, such as [a, b]",
		},
		{
			name: "labels without a merge request", old: "merge_request: required\n    merge_request_labels", new: "merge_request: none\n    merge_request_labels", at: "merge_request_labels",
			want: "`kinds[3].merge_request_labels` asks for labels of a merge request, but the kind takes none; set `merge_request`, or leave the labels out",
		},
		{
			name: "empty line of labels", old: `["Pick into auto-deploy"]`, new: `[]`, at: "[]\n",
			want: "`kinds[3].merge_request_labels[0]` is empty; no label could meet this line",
		},
		{
			name: "question twice", old: "{id: rollback,", new: "{id: criticality,", at: "criticality, label: \"How",
			want: "`kinds[1].questions[1].id`: the question `criticality` is declared already, on line «      - {id: criticality,»; give each its own id",
		},
		{
			name: "too many options", old: "[C1, C2, C3, C4]", new: manyOptions(101), at: "options",
			want: "`kinds[1].questions[0].options` has 101 members; it may have 100, because Slack shows no more in a select",
		},
		{
			name: "long option", old: "C1,", new: strings.Repeat("x", 76) + ",", at: "xxx",
			want: "`kinds[1].questions[0].options[0]` has 76 characters; it may have 75, because Slack shows no more",
		},
		{
			name: "option twice", old: "C2,", new: "C1,", at: "C1, C3",
			want: "`kinds[1].questions[0].options[1]` says `C1` a second time; keep one",
		},
		{
			name: "options and lines", old: "C4], required", new: "C4], multiline: true, required", at: "true, required: true}\n",
			want: "`kinds[1].questions[0].multiline` is for written answers, but this question has options; keep one of the two",
		},
		{
			name: "long question", old: `"Criticality"`, new: `"` + strings.Repeat("x", 2001) + `"`, at: `"xxx`,
			want: "`kinds[1].questions[0].label` has 2001 characters; it may have 2000, because Slack shows no more",
		},
		{
			name: "incident.io missing", old: section(t, "incident_io"), new: "", at: "01HEXAMPLESCHEDULE",
			want: "`groups.on-call.incident_io_schedule` needs the section `incident_io`, which the file does not have",
			also: []string{
				"`kinds[2].incident` is `required`, which needs the section `incident_io`", "`kinds[1].self_approval` needs an incident",
				"`record.during_incident` is `incident.io`, which needs the section `incident_io`",
			},
		},
	})
}

// section gives a top-level section of the example, as it stands there.
func section(t *testing.T, name string) string {
	t.Helper()
	_, rest, ok := strings.Cut(example(t), "\n"+name+":")
	if !ok {
		t.Fatalf("the example has no section %s", name)
	}
	body, _, _ := strings.Cut(rest, "\n\n")
	return "\n" + name + ":" + body + "\n"
}

func manyReasons(n int) string {
	var s strings.Builder
	for i := range n {
		fmt.Fprintf(&s, "  - {id: more-%d, label: More}\n", i)
	}
	return s.String()
}

func manyKinds(n int) string {
	var s strings.Builder
	for i := range n {
		fmt.Fprintf(&s, "  - {id: more-%d, name: More, requesters: [engineers], approvals: [{from: [cto], fallback: [deputies]}]}\n", i)
	}
	return s.String()
}

func manyOptions(n int) string {
	options := make([]string, n)
	for i := range options {
		options[i] = fmt.Sprintf("O%d", i)
	}
	return "[" + strings.Join(options, ", ") + "]"
}
