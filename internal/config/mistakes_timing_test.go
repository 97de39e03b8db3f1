package config_test

import (
	"strings"
	"testing"
)

func TestDurationsAndDeadlinesAreChecked(t *testing.T) {
	t.Parallel()
	runAll(t, example(t), []mistake{
		{
			name: "no unit", old: "lapse_after: 1h", new: "lapse_after: 60", at: "60 ",
			want: "`approval.lapse_after` is `60`: it wants a duration with its unit, such as 30s, 10m or 24h",
		},
		{
			name: "unknown unit", old: "review_within: 72h", new: "review_within: 3d", at: "3d",
			want: "`merge_requests.review_within` is `3d`: it wants a duration with its unit, such as 30s, 10m or 24h",
		},
		{
			name: "negative", old: "grant_within: 30m", new: "grant_within: -30m", at: "-30m",
			want: "`access.grant_within` is `-30m`; a duration must be longer than zero",
		},
		{
			name: "zero", old: "max_total: 12h", new: "max_total: 0s", at: "0s",
			want: "`access.max_total` is `0s`; a duration must be longer than zero",
		},
		{
			name: "escalation after the lapse", old: "escalate_after: 10m", new: "escalate_after: 1h", at: "1h ",
			want: "`approval.escalate_after` is `1h`, but a request lapses after `1h` (`approval.lapse_after`), so the fallback would never be asked; make it shorter",
		},
		{
			name: "reminders out of order", old: "[1h, 12h, 20h, 23h]", new: "[1h, 20h, 12h, 23h]", at: "12h, 23h",
			want: "`record.remind[2]` is `12h`, not later than the `20h` before it; put the reminders in ascending order",
		},
		{
			name: "reminder at the deadline", old: "[1h, 12h, 20h, 23h]", new: "[1h, 12h, 20h, 24h]", at: "24h]",
			want: "`record.remind[3]` is `24h`, not before the deadline of `24h` (`within`); reminders come before it, and `remind_overdue_every` after it",
		},
		{
			name: "reminder after both deadlines", old: "[24h, 48h, 71h]", new: "[24h, 336h]", at: "336h]",
			want: "`merge_requests.remind[1]` is `336h`, not before the deadline of `336h` (the later of `review_within` and `permanent_fix_within`); reminders come before it, and `remind_overdue_every` after it",
		},
		{
			name: "reminder after the review's deadline", old: "[24h, 72h, 96h]", new: "[121h]", at: "121h",
			want: "`review.remind[0]` is `121h`, not before the deadline of `120h` (`within`); reminders come before it, and `remind_overdue_every` after it",
		},
		{
			name: "duration longer than every permission set's", old: "4h, 8h]", new: "4h, 9h]", at: "9h]",
			want: "`access.durations[4]` is `9h`, longer than every permission set's `max_duration` (at most `8h`), so nobody could choose it; take it out",
		},
		{
			name: "duration longer than a change", old: "max_total: 12h", new: "max_total: 4h", at: "8h]\n  grant",
			want: "`access.durations[4]` is `8h`, longer than a change may last (`access.max_total`, `4h`), so nobody could choose it; take it out",
		},
		{
			name: "duration twice", old: "[30m, 1h,", new: "[1h, 60m,", at: "60m",
			want: "`access.durations[1]` is `1h` a second time; keep one",
		},
		{
			name: "no duration fits a permission set", old: "max_duration: 1h}", new: "max_duration: 20m}", at: "20m}",
			want: "`targets[1].permission_sets[0].max_duration` is `20m`, and none of `access.durations` is that short; add one of at most `20m`",
		},
		{
			name: "no durations", old: "durations: [30m, 1h, 2h, 4h, 8h]", new: "durations: []", at: "durations: []",
			want: "`access.durations` names no duration, but a kind has access; name at least one",
		},
		{
			name: "durations left out", old: "  durations: [30m, 1h, 2h, 4h, 8h]\n", new: "", at: "access:\n  grant",
			want: "`access.durations` names no duration, but a kind has access; name at least one",
		},
	})
}

func TestTheRecordsPlaceAndSignOffAreChecked(t *testing.T) {
	t.Parallel()
	runAll(t, example(t), []mistake{
		{
			name: "place", old: "otherwise: jira", new: "otherwise: confluence", at: "confluence",
			want: "`record.otherwise` is `confluence`; it may be `incident.io`, `jira`",
		},
		{
			name: "place without an incident", old: "otherwise: jira", new: "otherwise: incident.io", at: "incident.io\n",
			want: "`record.otherwise` is `incident.io`, but `production-access` can be made without an incident and would have no record; set it to `jira`, or `incident: required` for every kind",
		},
		{
			name: "Jira missing", old: section(t, "jira"), new: "", at: "jira\n  sign_off",
			want: "`record.otherwise` is `jira`, which needs the section `jira`, which the file does not have",
			also: []string{"`record.sign_off.accept[0]` is `jira_comment`, which needs the section `jira`"},
		},
		{
			name: "way to sign off", old: "accept: [jira_comment,", new: "accept: [jira_coment,", at: "jira_coment",
			want: "`record.sign_off.accept[0]` is `jira_coment`; it may be `jira_comment`, `slack`; did you mean `jira_comment`?",
		},
		{
			name: "no way to sign off", old: "accept: [jira_comment, slack]", new: "accept: []", at: "accept: []",
			want: "`record.sign_off.accept` is empty; no sign-off could count; name `jira_comment`, `slack` or both",
		},
		{
			name: "sign-off by nobody", old: "sign_off: {from: [cto], fallback: [deputies],", new: "sign_off: {from: [],", at: "from: [], accept",
			want: "`record.sign_off.from` is empty; name the group that signs off",
		},
		{
			name: "unknown signers", old: "sign_off: {from: [cto],", new: "sign_off: {from: [ctoo],", at: "ctoo",
			want: "`record.sign_off.from[0]` names the group `ctoo`, which does not exist; did you mean `cto`?",
		},
	})
	noMembers := mistake{old: "cto: {members: [U0CTO, U0DEPUTY]}", new: "cto: {members: [U0CTO]}\n  none: {members: []}"}.applied(smallest)
	runAll(t, noMembers, []mistake{
		{
			name: "signers without members", old: "sign_off: {from: [cto]}", new: "sign_off: {from: [none]}", at: "sign_off",
			want: "`record.sign_off` is a sign-off that nobody could give: its groups have no members; give them some",
		},
		{
			name: "CTO without members", old: "roles: {cto: [cto]}", new: "roles: {cto: [none]}", at: "cto: [none]",
			want: "`roles.cto` is nobody: its groups have no members; give them some",
		},
	})
}

func TestTheFileAsAWholeIsChecked(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]struct{ text, want string }{
		"empty":         {"", "breakglass.yaml:1:1: the file is empty; begin with a copy of deploy/breakglass.example.yaml"},
		"comments only": {"# nothing\n", "breakglass.yaml:1:1: the file is empty; begin with a copy of deploy/breakglass.example.yaml"},
		"a list":        {"- a\n", "breakglass.yaml:1:1: the file is a list: it wants a mapping of keys"},
		"not YAML":      {"organization: [a\n", "breakglass.yaml:1:15: this is not YAML: sequence end token ']' not found"},
		"a tab":         {"http:\n\tlisten: x\n", "breakglass.yaml:2:1: this is not YAML: found character '\t' that cannot start any token"},
		"not UTF-8":     {"organization: a\nslack: \xff\n", "breakglass.yaml:2:1: this line is not UTF-8; save the file as UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := load(m.text, environment(), nil); err == nil || err.Error() != m.want {
				t.Errorf("got\n  %v\nwant\n  %s", err, m.want)
			}
		})
	}
	windows := "\ufeff" + strings.ReplaceAll(example(t), "\n", "\r\n")
	if _, err := load(windows, environment(), nil); err != nil {
		t.Errorf("an editor of Windows is refused: %v", err)
	}
	runAll(t, strings.ReplaceAll(example(t), "\n", "\r\n"), []mistake{
		{
			name: "line ends of Windows", old: "max_total: 12h", new: "max_total: 12d", at: "12d",
			want: "`access.max_total` is `12d`: it wants a duration with its unit, such as 30s, 10m or 24h",
		},
	})
	runAll(t, smallest, []mistake{
		{
			name: "two documents", old: "record:", new: "record: {sign_off: {from: [cto]}}\n---\nrecord:", at: "record: {sign_off: {from: [cto]}}\n",
			want: "a second YAML document begins here; keep everything in one, without `---`",
		},
	})
}
