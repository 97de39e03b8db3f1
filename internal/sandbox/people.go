package sandbox

import (
	"cmp"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox/aws"
	"github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
	"github.com/breakglass-bot/breakglass/internal/sandbox/jira"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

// Who and what there is, by the names of the example configuration.
const (
	Engineer       = "U0ENGINEER"
	Colleague      = "U0COLLEAGUE"
	CTO            = "U0CTO"
	Deputy         = "U0DEPUTY"
	OnCall         = "U0ONCALL"
	ReleaseManager = "U0RELMAN"
	AppSec         = "U0APPSEC"
	Maintainer     = "U0MAINT1"
	Guest          = "U0GUEST"

	Channel      = "C0EMERGENCY"
	AuditChannel = "C0AUDIT"
	OtherChannel = "C0GENERAL"

	CTOAccount    = "5b10ac8d82e05b22cc7d4ef5" // Jira
	DeputyAccount = "5b10ac8d82e05b22cc7d4ef6" // Jira

	Production    = "111122223333" // AWS account
	Security      = "444455556666" // AWS account
	AdminSet      = "arn:aws:sso:::permissionSet/ssoins-0000000000000000/ps-0000000000000001"
	ReadSet       = "arn:aws:sso:::permissionSet/ssoins-0000000000000000/ps-0000000000000002"
	instanceARN   = "arn:aws:sso:::instance/ssoins-0000000000000000"
	identityStore = "d-0000000000"
	schedule      = "01HEXAMPLESCHEDULE"
	JiraBot       = "5b10ac8d82e05b22cc7d4e00"
)

// None of these is a secret outside this world.
const (
	signingSecret = "sandbox-signing-secret"
	botToken      = "xoxb-sandbox" //nolint:gosec // opens nothing but the stand-in
	appToken      = "xapp-sandbox" //nolint:gosec // opens nothing but the stand-in
	jiraEmail     = "breakglass@example.com"
	jiraToken     = "sandbox-jira-token"
	incidentKey   = "sandbox-incident-key"
	gitlabToken   = "sandbox-gitlab-token" //nolint:gosec // opens nothing but the stand-in
	githubToken   = "sandbox-github-token" //nolint:gosec // opens nothing but the stand-in
)

// person is somebody of this world: their part is their name.
type person struct{ id, name, email, awsUser string }

var people = []person{
	{Engineer, "Engineer", "engineer@example.com", "93d4a8e2-0000-4000-8000-000000000001"},
	{Colleague, "Colleague", "colleague@example.com", "93d4a8e2-0000-4000-8000-000000000002"},
	{CTO, "CTO", "cto@example.com", "93d4a8e2-0000-4000-8000-000000000003"},
	{Deputy, "Deputy", "deputy@example.com", "93d4a8e2-0000-4000-8000-000000000004"},
	{OnCall, "On-call", "on-call@example.com", "93d4a8e2-0000-4000-8000-000000000005"},
	{ReleaseManager, "Release manager", "release-manager@example.com", ""},
	{AppSec, "AppSec", "appsec@example.com", ""},
	{Maintainer, "Maintainer 1", "maintainer-1@example.com", ""},
	{"U0MAINT2", "Maintainer 2", "maintainer-2@example.com", ""},
	{"U0CONTRACTOR", "Contractor", "", "93d4a8e2-1111-2222-3333-444455556666"},
}

// AWSUser is the Identity Center user id of somebody, or "".
func AWSUser(id string) string {
	for _, p := range people {
		if p.id == id {
			return p.awsUser
		}
	}
	return ""
}

// AdminOf is the access that the example's Production target gives somebody.
func AdminOf(id string) aws.Key {
	return aws.Key{InstanceARN: instanceARN, AccountID: Production, PermissionSetARN: AdminSet, UserID: AWSUser(id)}
}

func slackOptions(opts Options) slack.Options {
	o := slack.Options{
		Now: opts.Now, TeamID: "T0EXAMPLE", SigningSecret: signingSecret, BotToken: botToken, AppToken: appToken, SocketMode: opts.SocketMode,
		Usergroups: []slack.Usergroup{{ID: "S0RELMGR", Handle: "release-managers", Name: "Release managers", Members: []string{ReleaseManager}}},
		Channels: []slack.Channel{
			{ID: Channel, Name: "emergency"}, {ID: AuditChannel, Name: "audit", Private: true}, {ID: OtherChannel, Name: "general"},
		},
	}
	for _, p := range people {
		o.Users = append(o.Users, slack.User{ID: p.id, Name: p.name, Email: p.email, TZ: "Europe/Berlin"})
	}
	o.Users = append(o.Users, slack.User{ID: Guest, Name: "Guest", Email: "guest@example.com", Restricted: true})
	return o
}

func newAWS(opts Options) *aws.Server {
	o := opts.AWS
	o.Now, o.Region, o.InstanceARN, o.IdentityStoreID = opts.Now, "eu-west-1", cmp.Or(o.InstanceARN, instanceARN), identityStore
	s := aws.New(o)
	s.AddAccount(Production)
	s.AddAccount(Security)
	s.AddPermissionSet(aws.PermissionSet{ARN: AdminSet, Name: "BreakGlassAdmin", SessionDuration: "PT1H"})
	s.AddPermissionSet(aws.PermissionSet{ARN: ReadSet, Name: "BreakGlassReadOnly", SessionDuration: "PT1H"})
	for _, p := range people {
		if p.awsUser != "" {
			s.AddUser(aws.User{ID: p.awsUser, UserName: p.name, Email: p.email})
		}
	}
	return s
}

func jiraOptions(opts Options) jira.Options {
	return jira.Options{
		Now: opts.Now, Email: jiraEmail, Token: jiraToken, SearchLag: opts.SearchLag,
		Bot: jira.Account{ID: JiraBot, Name: "breakglass", Email: jiraEmail},
		Accounts: []jira.Account{
			{ID: CTOAccount, Name: "CTO", Email: "cto@example.com"},
			{ID: DeputyAccount, Name: "Deputy", Email: "deputy@example.com"},
		},
		Projects: []jira.Project{
			{Key: "OPS", Name: "Operations", IssueTypes: []jira.IssueType{{Name: "Task", Levels: []jira.Level{{ID: "10001", Name: "Security team"}}}}},
			{Key: "PLATFORM", Name: "Platform", IssueTypes: []jira.IssueType{{Name: "Task"}}},
		},
	}
}

// people puts everybody into incident.io, with somebody on call.
func (w *World) people() {
	for _, p := range people {
		u := w.IncidentIO.AddUser(incidentio.User{Name: p.name, Email: p.email, SlackID: p.id})
		if p.id == OnCall {
			start := w.now().Add(-24 * time.Hour)
			w.IncidentIO.Schedule(schedule, incidentio.Shift{UserID: u.ID, Start: start, End: start.Add(365 * 24 * time.Hour)})
		}
	}
}
