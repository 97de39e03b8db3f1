package config_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/breakglass-bot/breakglass/internal/config"
)

func TestWarningsTellWhatWorksButPerhapsNotAsMeant(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, old, new string
		env            map[string]string
		want           string
	}{
		{
			"a signer without Jira", "{slack: U0DEPUTY, jira: 5b10ac8d82e05b22cc7d4ef6}", "{slack: U0DEPUTY}", nil,
			"breakglass.yaml:«  deputies: »:24: `U0DEPUTY` can sign off in Slack only: `people` gives no `jira` for them, so a comment of theirs counts for nothing",
		},
		{
			"a requester without GitLab", "requesters: [engineers]\n    confidential", "requesters: [maintainers]\n    confidential", nil,
			"breakglass.yaml:«  maintainers: »:27: `U0MAINT1` asks for changes with a merge request, but `people` gives no `gitlab` for them; its review must be confirmed by another person in Slack",
		},
		{
			"a requester without GitHub", "requesters: [engineers]\n    confidential", "requesters: [maintainers]\n    confidential", nil,
			"breakglass.yaml:«  maintainers: »:37: `U0MAINT2` asks for changes with a merge request, but `people` gives no `github` for them; its review must be confirmed by another person in Slack",
		},
		{
			"a warning that comes at once", "warn_before_end: 10m", "warn_before_end: 30m", nil,
			"breakglass.yaml:«  warn_before_end: »:20: `access.warn_before_end` is `30m`, not shorter than the shortest of `access.durations`, `30m`; its warning comes as soon as the access does",
		},
		{
			"a census that has no time for a round", "\ntargets:                          # what access may be asked for; nothing else can be granted\n", manyTargets(2600), nil,
			"breakglass.yaml:«  census_every: »:17: `aws.census_every` is `10m`, but a round through 2603 permission sets of accounts takes `11m` or more; the next begins without a pause",
		},
		{
			"a token of another type", "", "",
			map[string]string{"SLACK_BOT_TOKEN": "xoxp-1"},
			"breakglass.yaml:«slack:»:1: SLACK_BOT_TOKEN does not begin with xoxb-, as such tokens of Slack do; it may be a token of another type",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(example(t), c.old, c.new, 1)
			if strings.Contains(c.name, "census") {
				text = strings.Replace(text, "census_every: 6h ", "census_every: 10m", 1)
			}
			cfg, err := load(text, without(nil, c.env), nil)
			if err != nil {
				t.Fatal(err)
			}
			want := placed(t, text, c.want)
			if !slices.ContainsFunc(cfg.Warnings, func(p config.Problem) bool { return p.String() == want }) {
				t.Errorf("no warning says\n  %s\nbut\n  %v", want, config.Problems(cfg.Warnings))
			}
		})
	}
}

// manyTargets is a list of targets that so many more begin.
func manyTargets(n int) string {
	var all strings.Builder
	all.WriteString("\ntargets:\n")
	for i := range n {
		fmt.Fprintf(&all, "  - {id: t%d, name: T%d, account_id: \"3333%08d\", permission_sets: [{id: a, name: A, arn: \"arn:aws:sso:::permissionSet/ssoins-0000000000000000/ps-0000000000000001\", max_duration: 4h}]}\n", i, i, i)
	}
	return all.String()
}

func TestAWarningOfTwoKindsIsGivenOnce(t *testing.T) {
	t.Parallel()
	cfg := mustLoad(t, strings.ReplaceAll(example(t), "requesters: [engineers]", "requesters: [maintainers]"))
	for i, w := range cfg.Warnings {
		if slices.Contains(cfg.Warnings[:i], w) {
			t.Errorf("told again: %s", w)
		}
	}
	if len(cfg.Warnings) != 4 { // two people, two forges
		t.Errorf("warnings:\n%v", config.Problems(cfg.Warnings))
	}
}

func TestMergeRequestsWithoutAForgeAreWarnedOf(t *testing.T) {
	t.Parallel()
	cfg := mustLoad(t, mistake{old: "requesters: [all],", new: "requesters: [all], merge_request: required,"}.applied(smallest))
	if !strings.Contains(config.Problems(cfg.Warnings).Error(), "the file has neither `gitlab` nor `github`") {
		t.Errorf("warnings: %v", cfg.Warnings)
	}
}

func TestAllMistakesAreToldAtOnceInTheOrderOfTheFile(t *testing.T) {
	t.Parallel()
	text := example(t)
	for _, m := range []mistake{
		{old: "organization: Example Ltd", new: "organisation: Example Ltd"},
		{old: "max_in_flight: 8", new: "max_in_flight: 0"},
		{old: "S0RELMGR", new: "relmgr"},
		{old: "access: required ", new: "access: must "},
		{old: "escalate_after: 10m", new: "escalate_after: soon"},
		{old: "max_total: 12h", new: "max_total: -1h"},
	} {
		text = m.applied(text)
	}
	_, err := load(text, without([]string{"DATABASE_URL"}, nil), nil)
	var problems config.Problems
	if !errors.As(err, &problems) {
		t.Fatal(err)
	}
	var lines []int
	for _, p := range problems {
		lines = append(lines, p.Line)
	}
	if len(problems) != 8 || !slices.IsSorted(lines[:7]) || problems[7].File != "environment" {
		t.Errorf("%d problems:\n%v", len(problems), err)
	}
}
