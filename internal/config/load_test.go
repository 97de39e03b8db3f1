package config_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/config"
)

const examplePath = "../../deploy/breakglass.example.yaml"

// example gives the file that operators begin with.
func example(t testing.TB) string {
	t.Helper()
	data, err := os.ReadFile(examplePath)
	if err != nil {
		t.Fatalf("reading the example: %v", err)
	}
	return string(data)
}

// placed puts into a sentence, for each beginning of a line between « and », the
// number of the first line in the text that begins so.
func placed(t testing.TB, text, sentence string) string {
	t.Helper()
	return regexp.MustCompile(`«.+?»`).ReplaceAllStringFunc(sentence, func(quoted string) string {
		beginning := strings.TrimSuffix(strings.TrimPrefix(quoted, "«"), "»")
		for i, line := range strings.Split(text, "\n") {
			if strings.HasPrefix(line, beginning) {
				return strconv.Itoa(i + 1)
			}
		}
		t.Fatalf("no line begins with %q", beginning)
		return ""
	})
}

// environment has every secret that the example needs.
func environment() map[string]string {
	return map[string]string{
		"DATABASE_URL":         "postgres://breakglass@127.0.0.1/breakglass",
		"SLACK_BOT_TOKEN":      "xoxb-test",
		"SLACK_SIGNING_SECRET": "signing",
		"JIRA_EMAIL":           "bot@example.com",
		"JIRA_API_TOKEN":       "jira",
		"INCIDENT_IO_API_KEY":  "incident",
	}
}

// load reads a configuration from memory, with further files beside it.
func load(text string, env, files map[string]string) (*config.Config, error) {
	return config.Load("breakglass.yaml",
		func(name string) (string, bool) { v, ok := env[name]; return v, ok },
		func(path string) ([]byte, error) {
			if path == "breakglass.yaml" {
				return []byte(text), nil
			}
			content, ok := files[path]
			if !ok {
				return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
			}
			return []byte(content), nil
		})
}

func mustLoad(t *testing.T, text string) *config.Config {
	t.Helper()
	cfg, err := load(text, environment(), nil)
	if err != nil {
		t.Fatalf("the configuration was refused:\n%v", err)
	}
	return cfg
}

func TestEveryValueOfTheExampleLands(t *testing.T) {
	t.Parallel()
	cfg := mustLoad(t, example(t))
	if diff := cmp.Diff(exampleSettings(), cfg, cmpopts.IgnoreFields(config.Config{}, "Rules", "Warnings")); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(exampleRules(), cfg.Rules); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
}

func TestTheExampleWarnsOfTheOneApproverWhoAlsoAsks(t *testing.T) {
	t.Parallel()
	cfg := mustLoad(t, example(t))
	if len(cfg.Warnings) != 1 || !strings.Contains(cfg.Warnings[0].Text, "when `U0APPSEC`, the only approver, asks for it") {
		t.Errorf("warnings: %v", cfg.Warnings)
	}
}

func exampleSettings() *config.Config {
	return &config.Config{
		Organization:      "Example Ltd",
		ReleaseProcessURL: "https://handbook.example.com/change-management",
		HTTP:              config.HTTP{Listen: "127.0.0.1:8080", MetricsListen: "127.0.0.1:9090"},
		Slack: config.Slack{
			Mode: config.SlackOverHTTP, TeamID: "T0EXAMPLE", APIURL: "https://slack.com/api/",
			Command: "/emergency", Channel: "C0EMERGENCY", AuditChannel: "C0AUDIT",
		},
		AWS: &config.AWS{
			Region: "eu-west-1", InstanceARN: "arn:aws:sso:::instance/ssoins-0000000000000000",
			IdentityStoreID: "d-0000000000", AccessPortalURL: "https://example.awsapps.com/start", MaxInFlight: 8, CallsPerSecond: 20, CensusEvery: 6 * time.Hour,
		},
		Jira: &config.Jira{
			BaseURL: "https://example.atlassian.net", Project: "OPS", LinkProjects: []string{"OPS", "PLATFORM"},
			IssueType: "Task", PreventionIssueType: "Task",
		},
		IncidentIO: &config.IncidentIO{BaseURL: "https://api.incident.io", MitigatedStatuses: []string{"Monitoring"}},
		GitHub:     &config.GitHub{StatusURL: "https://www.githubstatus.com", APIURL: "https://api.github.com"},
		GitLab:     &config.GitLab{BaseURL: "https://gitlab.com"},
		Secrets: config.Secrets{
			DatabaseURL: "postgres://breakglass@127.0.0.1/breakglass", SlackBotToken: "xoxb-test",
			SlackSigningSecret: "signing", JiraEmail: "bot@example.com", JiraAPIToken: "jira", IncidentIOAPIKey: "incident",
		},
	}
}

func exampleRules() change.Rules {
	const h = time.Hour
	const admin = "arn:aws:sso:::permissionSet/ssoins-0000000000000000/ps-0000000000000001"
	const read = "arn:aws:sso:::permissionSet/ssoins-0000000000000000/ps-0000000000000002"
	groups := func(ids ...change.GroupID) []change.GroupID { return ids }
	engineers := groups("engineers")
	return change.Rules{
		InstanceARN: "arn:aws:sso:::instance/ssoins-0000000000000000",
		People: map[change.PersonID]change.Identities{
			"U0CTO":        {Jira: "5b10ac8d82e05b22cc7d4ef5", GitLab: "the-cto", GitHub: "the-cto"},
			"U0DEPUTY":     {Jira: "5b10ac8d82e05b22cc7d4ef6"},
			"U0CONTRACTOR": {AWS: "93d4a8e2-1111-2222-3333-444455556666"},
		},
		Groups: map[change.GroupID]change.Group{
			"cto":              {Members: []change.PersonID{"U0CTO"}},
			"deputies":         {Members: []change.PersonID{"U0DEPUTY"}},
			"on-call":          {IncidentIOSchedule: "01HEXAMPLESCHEDULE"},
			"release-managers": {SlackUsergroup: "S0RELMGR"},
			"appsec":           {Members: []change.PersonID{"U0APPSEC"}},
			"maintainers":      {Members: []change.PersonID{"U0MAINT1", "U0MAINT2"}},
			"engineers":        {Everyone: true},
		},
		Roles: change.Roles{CTO: groups("cto")},
		Targets: []change.Target{
			{ID: "production", Name: "Production", AccountID: "111122223333", PermissionSets: []change.PermissionSet{
				{ID: "admin", Name: "BreakGlassAdmin", ARN: admin, MaxDuration: 4 * h},
				{ID: "read", Name: "BreakGlassReadOnly", ARN: read, MaxDuration: 8 * h},
			}},
			{ID: "security", Name: "Security (locked down)", AccountID: "444455556666", PermissionSets: []change.PermissionSet{
				{ID: "admin", Name: "BreakGlassAdmin", ARN: admin, MaxDuration: h},
			}},
		},
		Reasons: []change.Reason{
			{ID: "release-pipeline-down", Label: "GitHub is unavailable and this must ship before it recovers", Evidence: "github-status"},
			{ID: "platform-unrecoverable", Label: "The platform cannot recover without manual intervention"},
			{ID: "not-automated", Label: "The infrastructure is deliberately not automated"},
			{ID: "incident-mitigation", Label: "An active incident must be mitigated now"},
			{ID: "critical-vulnerability", Label: "A critical vulnerability must be closed now"},
			{ID: "none", Label: "None of these", StandardPath: true},
		},
		Kinds: []change.Kind{
			{
				ID: "production-access", Name: "Work on production directly", Requesters: engineers,
				Reasons: []change.ReasonID{"release-pipeline-down", "platform-unrecoverable", "not-automated"},
				Access:  change.NeedRequired, Incident: change.NeedOptional, MergeRequest: change.NeedNone,
				Approvals: []change.ApprovalRule{{From: groups("cto"), Fallback: groups("deputies")}},
			},
			{
				ID: "configuration-change", Name: "Configuration or environment change", Requesters: engineers,
				Reasons: []change.ReasonID{"incident-mitigation", "critical-vulnerability", "release-pipeline-down"},
				Access:  change.NeedNone, Incident: change.NeedOptional, MergeRequest: change.NeedWithRecord,
				Approvals:    []change.ApprovalRule{{From: groups("on-call", "cto"), Fallback: groups("deputies")}},
				SelfApproval: &change.SelfApproval{Who: groups("on-call"), NeedsIncident: true, Witnesses: 1, WitnessesFrom: engineers},
				Questions: []change.Question{
					{ID: "criticality", Label: "Criticality", Options: []string{"C1", "C2", "C3", "C4"}, Required: true},
					{ID: "rollback", Label: "How will it be rolled back?", Multiline: true, Required: true},
				},
			},
			{
				ID: "hot-patch", Name: "Post-deployment hot patch", Requesters: engineers,
				Access: change.NeedNone, Incident: change.NeedRequired, MergeRequest: change.NeedRequired, PermanentFix: true,
				Approvals: []change.ApprovalRule{{From: groups("on-call", "release-managers"), Fallback: groups("cto")}},
			},
			{
				ID: "fast-track-deployment", Name: "Fast-tracked deployment", Requesters: engineers,
				Access: change.NeedNone, Incident: change.NeedOptional, MergeRequest: change.NeedRequired,
				MergeRequestLabels: [][]string{{"Pick into auto-deploy"}, {"severity::1", "severity::2"}},
				Approvals:          []change.ApprovalRule{{From: groups("release-managers"), Fallback: groups("cto")}},
				CoordinateWith:     groups("on-call"),
				Questions: []change.Question{{
					ID: "why-not-patched", Multiline: true, Required: true,
					Label: "Why can neither a configuration change nor a hot patch resolve it?",
				}},
			},
			{
				ID: "security-release", Name: "Security release", Requesters: engineers, Confidential: true, RootCause: true,
				Access: change.NeedNone, Incident: change.NeedOptional, MergeRequest: change.NeedRequired,
				Approvals: []change.ApprovalRule{{From: groups("appsec")}, {From: groups("maintainers"), Not: groups("release-managers")}},
			},
		},
		Approval: change.ApprovalRules{EscalateAfter: 10 * time.Minute, LapseAfter: h},
		Record: change.RecordRules{
			Within: 24 * h, DuringIncident: change.RecordInIncident, Otherwise: change.RecordInJira,
			SignOff: change.SignOffRules{
				From: groups("cto"), Fallback: groups("deputies"), Within: 24 * h,
				Accept: []change.SignOffWay{change.SignOffByJiraComment, change.SignOffInSlack},
			},
			Remind: []time.Duration{h, 12 * h, 20 * h, 23 * h}, RemindOverdueEvery: 4 * h,
		},
		MergeRequests: change.MergeRequestRules{
			ReviewWithin: 72 * h, PermanentFixWithin: 336 * h,
			Remind: []time.Duration{24 * h, 48 * h, 71 * h}, RemindOverdueEvery: 24 * h,
		},
		Review: change.ReviewRules{
			Within: 120 * h, Remind: []time.Duration{24 * h, 72 * h, 96 * h},
			RemindOverdueEvery: 24 * h, NeedsAction: true,
		},
		Access: change.AccessRules{
			Durations: []time.Duration{h / 2, h, 2 * h, 4 * h, 8 * h}, GrantWithin: h / 2,
			NoneEndsAfter: 24 * h, WarnBeforeEnd: 10 * time.Minute, MaxTotal: 12 * h, BlockWhenOverdue: true,
		},
	}
}

// smallest is the least that a configuration can be: no AWS, Jira, incident.io
// or forge, and every default.
const smallest = `organization: Example Ltd
release_process_url: https://example.com
slack: {team_id: T0EXAMPLE, channel: C0EMERGENCY}
jira: {base_url: "https://example.atlassian.net/", project: OPS}
groups:
  cto: {members: [U0CTO, U0DEPUTY]}
  all: {everyone: true}
roles: {cto: [cto]}
reasons: [{id: broken, label: It is broken}]
kinds: [{id: fix, name: Fix it, requesters: [all], approvals: [{from: [cto]}]}]
record: {sign_off: {from: [cto]}}
`

func TestWhatIsLeftOutHasTheDocumentedDefault(t *testing.T) {
	t.Parallel()
	cfg := mustLoad(t, smallest)
	if cfg.AWS != nil || cfg.IncidentIO != nil || cfg.GitHub != nil || cfg.GitLab != nil {
		t.Errorf("a section that was left out is there: %+v", cfg)
	}
	settings := []any{cfg.HTTP, cfg.Slack, *cfg.Jira}
	if diff := cmp.Diff([]any{
		config.HTTP{Listen: "127.0.0.1:8080", MetricsListen: "127.0.0.1:9090"},
		config.Slack{Mode: "http", TeamID: "T0EXAMPLE", APIURL: "https://slack.com/api/", Command: "/emergency", Channel: "C0EMERGENCY"},
		config.Jira{BaseURL: "https://example.atlassian.net", Project: "OPS", LinkProjects: []string{"OPS"}, IssueType: "Task", PreventionIssueType: "Task"},
	}, settings); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	const h = time.Hour
	r := cfg.Rules
	if diff := cmp.Diff([]any{
		change.Kind{
			ID: "fix", Name: "Fix it", Requesters: []change.GroupID{"all"}, Access: "none", Incident: "optional", MergeRequest: "none",
			Approvals: []change.ApprovalRule{{From: []change.GroupID{"cto"}}},
		},
		change.ApprovalRules{EscalateAfter: 10 * time.Minute, LapseAfter: h},
		change.RecordRules{
			Within: 24 * h, DuringIncident: "jira", Otherwise: "jira", Remind: []time.Duration{h, 12 * h, 20 * h, 23 * h}, RemindOverdueEvery: 4 * h,
			SignOff: change.SignOffRules{From: []change.GroupID{"cto"}, Accept: []change.SignOffWay{"jira_comment", "slack"}, Within: 24 * h},
		},
		change.MergeRequestRules{ReviewWithin: 72 * h, PermanentFixWithin: 336 * h, Remind: []time.Duration{24 * h, 48 * h, 71 * h}, RemindOverdueEvery: 24 * h},
		change.ReviewRules{Within: 120 * h, Remind: []time.Duration{24 * h, 72 * h, 96 * h}, RemindOverdueEvery: 24 * h, NeedsAction: true},
		change.AccessRules{GrantWithin: h / 2, NoneEndsAfter: 24 * h, WarnBeforeEnd: 10 * time.Minute, MaxTotal: 12 * h, BlockWhenOverdue: true},
	}, []any{r.Kinds[0], r.Approval, r.Record, r.MergeRequests, r.Review, r.Access}); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
}

func TestDefaultRemindersEndBeforeAShorterDeadline(t *testing.T) {
	t.Parallel()
	cfg := mustLoad(t, strings.Replace(smallest, "record: {", "record: {within: 2h, ", 1))
	if diff := cmp.Diff([]time.Duration{time.Hour}, cfg.Rules.Record.Remind); diff != "" {
		t.Errorf("reminders (-want +got):\n%s", diff)
	}
}

func TestDurationsAreOfferedShortestFirst(t *testing.T) {
	t.Parallel()
	cfg := mustLoad(t, mistake{old: "[30m, 1h, 2h, 4h, 8h]", new: "[8h, 30m, 1h]"}.applied(example(t)))
	if diff := cmp.Diff([]time.Duration{30 * time.Minute, time.Hour, 8 * time.Hour}, cfg.Rules.Access.Durations); diff != "" {
		t.Errorf("durations (-want +got):\n%s", diff)
	}
}

func TestAFileThatCannotBeReadIsNoProblemOfTheConfiguration(t *testing.T) {
	t.Parallel()
	_, err := config.Check("absent.yaml", func(string) ([]byte, error) { return nil, fs.ErrNotExist })
	var problems config.Problems
	if !errors.Is(err, fs.ErrNotExist) || errors.As(err, &problems) {
		t.Errorf("got %v", err)
	}
}

func TestCheckAsksForNoSecret(t *testing.T) {
	t.Parallel()
	cfg, err := config.Check(examplePath, os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Secrets != (config.Secrets{}) {
		t.Error("Check gave secrets")
	}
}

func TestAPrintedConfigShowsNoSecret(t *testing.T) {
	t.Parallel()
	cfg := mustLoad(t, example(t))
	data, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), "xoxb-test") {
		t.Errorf("the JSON of a Config shows a secret: %s", data)
	}
}

func TestConfidentialProjectsAreReadByForge(t *testing.T) {
	t.Parallel()
	read := map[change.Forge][]string{
		change.GitLab: {"security/app", "security/patches/*"}, change.GitHub: {"example/security", "example-private/*"},
	}
	text := strings.Replace(example(t), "base_url: https://gitlab.com", "confidential_projects: [security/app, security/patches/*]", 1)
	text = strings.Replace(text, "api_url: https://api.github.com", "confidential_projects: [example/security, example-private/*]", 1)
	rules := mustLoad(t, text).Rules
	if diff := cmp.Diff(read, rules.ConfidentialProjects); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
	for ref, want := range map[change.MergeRequestRef]bool{
		{Forge: change.GitLab, Project: "Security/App"}:               true,
		{Forge: change.GitLab, Project: "security/app2"}:              false,
		{Forge: change.GitLab, Project: "security/patches/deep/down"}: true,
		{Forge: change.GitLab, Project: "security/patches"}:           false,
		{Forge: change.GitHub, Project: "example-private/any"}:        true,
		{Forge: change.GitHub, Project: "security/app"}:               false,
		{URL: "https://elsewhere.example.com/security/app"}:           false,
	} {
		if got := rules.ConfidentialProject(ref); got != want {
			t.Errorf("%+v: %t", ref, got)
		}
	}
}
