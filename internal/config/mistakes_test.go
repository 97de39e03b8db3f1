package config_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/breakglass-bot/breakglass/internal/config"
)

// mistake is one wrong edit of the example. The problem must stand exactly
// where the text `at` does, and say exactly want; further ones in also.
type mistake struct {
	name     string
	old, new string
	at       string
	want     string
	also     []string // parts of further sentences that the same edit must bring
}

func (m mistake) run(t *testing.T, base string) {
	t.Helper()
	if strings.Count(base, m.old) == 0 {
		t.Fatalf("the base has no %q to replace", m.old)
	}
	text := m.applied(base)
	m.want = placed(t, text, m.want)
	_, err := load(text, environment(), nil)
	var problems config.Problems
	if !errors.As(err, &problems) {
		t.Fatalf("got %v instead of problems", err)
	}
	if len(problems) != 1+len(m.also) {
		t.Errorf("%d problems instead of %d:\n%v", len(problems), 1+len(m.also), problems)
	}
	for _, part := range m.also {
		if !strings.Contains(problems.Error(), part) {
			t.Errorf("no problem says %q:\n%v", part, problems)
		}
	}
	for _, p := range problems {
		if p.Text != m.want {
			continue
		}
		lines := strings.SplitAfter(text, "\n")
		if p.Line > len(lines) || p.Column > len(lines[p.Line-1]) ||
			!strings.HasPrefix(strings.Join(lines[p.Line-1:], "")[p.Column-1:], m.at) {
			t.Errorf("the problem stands at %d:%d, which is not where %q begins", p.Line, p.Column, m.at)
		}
		return
	}
	t.Errorf("no problem says\n  %s\nbut\n  %v", m.want, problems)
}

func (m mistake) applied(base string) string { return strings.Replace(base, m.old, m.new, 1) }

func runAll(t *testing.T, base string, mistakes []mistake) {
	t.Helper()
	for _, m := range mistakes {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m.run(t, base)
		})
	}
}

func TestKeysAndTypesAreRefusedWithTheirPlace(t *testing.T) {
	t.Parallel()
	runAll(t, example(t), []mistake{
		{
			name: "unknown key at the top", old: "\napproval:", new: "\napprovals:", at: "approvals",
			want: "the file has no key `approvals`; did you mean `approval`?",
		},
		{
			name: "unknown key in a section", old: "team_id:", new: "teamid:", at: "teamid",
			want: "`slack` has no key `teamid`; did you mean `team_id`?", also: []string{"`slack` needs the key `team_id`"},
		},
		{
			name: "unknown key in a member of a list", old: "    approvals:\n      - {from: [cto], f", new: "    aprovals:\n      - {from: [cto], f", at: "aprovals",
			want: "`kinds[0]` has no key `aprovals`; did you mean `approvals`?", also: []string{"`kinds[0]` needs the key `approvals`"},
		},
		{
			name: "unknown key deep in flow style", old: "witnesses: 1", new: "witneses: 1", at: "witneses",
			want: "`kinds[1].self_approval` has no key `witneses`; did you mean `witnesses`?",
		},
		{
			name: "unknown key with no near one", old: "base_url: https://gitlab.com", new: "zzz: 1", at: "zzz",
			want: "`gitlab` has no key `zzz`; its keys are `base_url`, `confidential_projects`",
		},
		{
			name: "a secret in the file", old: "  mode: http ", new: "  bot_token: xoxb-1 ", at: "bot_token",
			want: "`slack` has no key `bot_token`; secrets come from the environment only",
		},
		{
			name: "missing key", old: "    account_id: \"111122223333\"\n", new: "", at: "id: production",
			want: "`targets[0]` needs the key `account_id`",
		},
		{
			name: "missing key of a section", old: "  region: eu-west-1 ", new: "  # ", at: "aws:",
			want: "`aws` needs the key `region`",
		},
		{
			name: "missing section", old: "\nroles:", new: "\nrolls:", at: "#",
			want: "the file needs the key `roles`", also: []string{"no key `rolls`; did you mean `roles`?"},
		},
		{
			name: "key given twice", old: "  team_id:", new: "  mode: http\n  team_id:", at: "mode: http",
			want: "`slack.mode` is given twice, first on line «  mode: http»; keep one",
		},
		{
			name: "list where a text belongs", old: "project: OPS", new: "project: [OPS]", at: "[OPS]",
			want: "`jira.project` is a list: it wants a text",
		},
		{
			name: "text where a list belongs", old: "from: [cto], fallback: [deputies], accept", new: "from: cto, fallback: [deputies], accept", at: "cto, fallback: [deputies], accept",
			want: "`record.sign_off.from` is `cto`: it wants a list, such as [a, b]",
		},
		{
			name: "mapping where a text belongs", old: "organization: Example Ltd", new: "organization: {a: b}", at: "{a: b}",
			want: "`organization` is a mapping of keys: it wants a text",
		},
		{
			name: "text where a mapping belongs", old: "review:     ", new: "review: soon\nzzz:", at: "soon",
			want: "`review` is `soon`: it wants a mapping of keys", also: []string{"the file has no key `zzz`"},
		},
		{
			name: "number where a text belongs", old: `"111122223333"`, new: `111122223333`, at: "111122223333",
			want: "`targets[0].account_id` is `111122223333`: it wants a text, so put it in quotes",
		},
		{
			name: "text where a number belongs", old: "max_in_flight: 8", new: "max_in_flight: many", at: "many",
			want: "`aws.max_in_flight` is `many`: it wants a whole number",
		},
		{
			name: "number out of bounds", old: "max_in_flight: 8", new: "max_in_flight: 11", at: "11",
			want: "`aws.max_in_flight` is 11; it may be 1 to 10",
		},
		{
			name: "a census too often", old: "census_every: 6h", new: "census_every: 9m", at: "9m",
			want: "`aws.census_every` is `9m`; it may be `10m` at the least, because every look is a call that AWS counts",
		},
		{
			name: "text where a flag belongs", old: "confidential: true", new: "confidential: yes", at: "yes",
			want: "`kinds[4].confidential` is `yes`: it wants true or false",
		},
		{
			name: "no value", old: "channel: C0EMERGENCY", new: "channel:", at: "channel:",
			want: "`slack.channel` has no value: it wants a text; give it one, or leave the key out",
		},
		{
			name: "empty text", old: "organization: Example Ltd", new: `organization: " "`, at: `" "`,
			want: "`organization` is empty; give it a value, or leave the key out",
		},
		{
			name: "alias", old: "auditors: []", new: "auditors: *x", at: "*x",
			want: "`roles.auditors` uses a YAML anchor, alias or tag, which are not read; write the value out",
		},
	})
}
