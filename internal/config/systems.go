package config

import (
	"strings"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

func (b *builder) slack() {
	raw := &b.file.Slack
	raw.Mode.oneOf(b.report, string(SlackOverHTTP), string(SlackOverSocket))
	raw.TeamID.matches(b.report, teamShape())
	raw.AppID.matches(b.report, appShape())
	raw.Command.matches(b.report, commandShape())
	raw.Channel.matches(b.report, channelShape())
	raw.AuditChannel.matches(b.report, channelShape())
	b.out.Slack = Slack{
		Mode:   SlackMode(raw.Mode.or(string(SlackOverHTTP))),
		TeamID: raw.TeamID.value,
		AppID:  raw.AppID.value,
		// The client joins paths without a slash of its own.
		APIURL:       b.base(raw.APIURL, "https://slack.com/api") + "/",
		Command:      raw.Command.or("/emergency"),
		Channel:      raw.Channel.value,
		AuditChannel: raw.AuditChannel.value,
	}
}

func (b *builder) aws() {
	raw := b.file.AWS
	if raw == nil {
		return
	}
	raw.Region.matches(b.report, regionShape())
	raw.InstanceARN.matches(b.report, instanceShape())
	raw.IdentityStoreID.matches(b.report, identityStoreShape())
	b.out.AWS = &AWS{
		Region:          raw.Region.value,
		InstanceARN:     raw.InstanceARN.value,
		IdentityStoreID: raw.IdentityStoreID.value,
		AccessPortalURL: b.link(raw.AccessPortalURL),
		MaxInFlight:     raw.MaxInFlight.between(b.report, 1, 10, 8),
		CallsPerSecond:  raw.CallsPerSecond.between(b.report, 0, 1000, 20),
		EndpointURL:     b.base(raw.EndpointURL, ""),
		CensusEvery:     b.censusEvery(raw.CensusEvery),
	}
	b.out.Rules.InstanceARN = raw.InstanceARN.value
}

// censusPerSecond is how many pairs of account and permission set the census looks
// at in a second at most.
const censusPerSecond = 4

// censusEvery reads how often everything is looked at. A round that takes longer
// than that is followed by the next without a pause, which is worth a warning.
func (b *builder) censusEvery(raw span) time.Duration {
	const shortest = 10 * time.Minute
	every := raw.or(6 * time.Hour)
	if every < shortest {
		b.problem(raw.spot, "%s is %s; it may be %s at the least, because every look is a call that AWS counts", raw.whole(), short(every), short(shortest))
	}
	pairs := 0
	for _, t := range b.file.Targets.items {
		pairs += len(t.PermissionSets.items)
	}
	if round := time.Duration(pairs) * time.Second / censusPerSecond; round > every && every >= shortest {
		b.warn(raw.spot, "`aws.census_every` is %s, but a round through %d permission sets of accounts takes %s or more; the next begins without a pause", short(every), pairs, short(round.Round(time.Minute)))
	}
	return every
}

func (b *builder) jira() {
	raw := b.file.Jira
	if raw == nil {
		return
	}
	raw.Project.matches(b.report, projectShape())
	for i := range raw.LinkProjects.items {
		raw.LinkProjects.items[i].matches(b.report, projectShape())
	}
	raw.LinkProjects.filled(b.report, "leave it out to have tickets of `jira.project` linked")
	links := b.texts(raw.LinkProjects)
	if !raw.LinkProjects.given {
		links = []string{raw.Project.value}
	}
	if raw.Project.given && len(links) > 0 && !contains(links, raw.Project.value) {
		b.problem(raw.LinkProjects.spot, "`jira.link_projects` lacks %s, the project that tickets are made in; add it, as no other project is ever read or written", quote(raw.Project.value))
	}
	issueType := raw.IssueType.or("Task")
	b.out.Jira = &Jira{
		BaseURL:             b.base(raw.BaseURL, ""),
		Project:             raw.Project.value,
		LinkProjects:        links,
		IssueType:           issueType,
		PreventionIssueType: raw.PreventionIssueType.or(issueType),
		SecurityLevel:       raw.SecurityLevel.value,
	}
}

func (b *builder) incidentIO() {
	raw := b.file.IncidentIO
	if raw == nil {
		return
	}
	b.out.IncidentIO = &IncidentIO{
		BaseURL:           b.base(raw.BaseURL, "https://api.incident.io"),
		MitigatedStatuses: b.texts(raw.MitigatedStatuses),
	}
}

func (b *builder) forges() {
	if raw := b.file.GitHub; raw != nil {
		b.out.GitHub = &GitHub{
			StatusURL: b.base(raw.StatusURL, "https://www.githubstatus.com"),
			APIURL:    b.base(raw.APIURL, "https://api.github.com"),
		}
		b.confidentialProjects(change.GitHub, raw.ConfidentialProjects, githubProjectShape())
	}
	if raw := b.file.GitLab; raw != nil {
		b.out.GitLab = &GitLab{BaseURL: b.base(raw.BaseURL, "https://gitlab.com")}
		b.confidentialProjects(change.GitLab, raw.ConfidentialProjects, gitlabProjectShape())
	}
}

// confidentialProjects reads whose merge requests go with confidential changes only.
func (b *builder) confidentialProjects(forge change.Forge, raw list[text], s shape) {
	for i := range raw.items {
		raw.items[i].matches(b.report, s)
	}
	raw.filled(b.report, "leave it out to have the merge requests of every project linked with any change")
	projects := b.texts(raw)
	if len(projects) == 0 {
		return
	}
	if b.out.Rules.ConfidentialProjects == nil {
		b.out.Rules.ConfidentialProjects = map[change.Forge][]string{}
	}
	b.out.Rules.ConfidentialProjects[forge] = projects
}

// ofInstance says whether a permission set belongs to an instance; both ARNs
// have the right shape.
func ofInstance(permissionSet, instance string) bool {
	prefix := strings.Replace(instance, ":::instance/", ":::permissionSet/", 1) + "/"
	return strings.HasPrefix(permissionSet, prefix)
}
