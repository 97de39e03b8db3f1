package config

import (
	"strings"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// people reads who people are elsewhere. One identity belongs to one person:
// otherwise a comment or an approval could be taken for somebody else's.
func (b *builder) people() {
	b.out.Rules.People = map[change.PersonID]change.Identities{}
	ids := unique{}
	taken := map[string]unique{}
	for i := range b.file.People.items {
		raw := &b.file.People.items[i]
		raw.Slack.matches(b.report, userShape())
		ids.check(b.report, raw.Slack, "the person")
		for _, identity := range []struct {
			text  *text
			shape shape
		}{
			{&raw.AWS, awsUserShape()},
			{&raw.Jira, jiraUserShape()},
			{&raw.GitLab, gitlabUserShape()},
			{&raw.GitHub, githubUserShape()},
		} {
			identity.text.matches(b.report, identity.shape)
			if taken[identity.shape.what] == nil {
				taken[identity.shape.what] = unique{}
			}
			b.belongsToOne(taken[identity.shape.what], *identity.text)
		}
		if raw.Slack.given {
			b.out.Rules.People[change.PersonID(raw.Slack.value)] = change.Identities{
				AWS: raw.AWS.value, Jira: raw.Jira.value, GitLab: raw.GitLab.value, GitHub: raw.GitHub.value,
			}
		}
	}
}

// belongsToOne compares without case, as the forges do.
func (b *builder) belongsToOne(taken unique, identity text) {
	if !identity.given {
		return
	}
	key := strings.ToLower(identity.value)
	if line, twice := taken[key]; twice {
		b.problem(identity.spot, "%s is %s, which is somebody else's on line %d; an identity belongs to one person", identity.whole(), quote(identity.value), line)
		return
	}
	taken[key] = identity.line
}

// groups reads the groups; each has exactly one source.
func (b *builder) groups() {
	b.groupByName = map[string]*fileGroup{}
	b.out.Rules.Groups = map[change.GroupID]change.Group{}
	for i := range b.file.Groups.entries {
		e := &b.file.Groups.entries[i]
		name := text{spot: e.spot, value: e.name, given: true}
		name.matches(b.report, nameShape())
		b.groupNames = append(b.groupNames, e.name)
		b.groupByName[e.name] = &e.value
	}
	if b.file.Groups.line > 0 && len(b.groupNames) == 0 {
		b.problem(b.file.Groups.spot, "`groups` declares no group; nobody could ask for a change or approve one")
	}
	for i := range b.file.Groups.entries {
		e := &b.file.Groups.entries[i]
		b.out.Rules.Groups[change.GroupID(e.name)] = b.group(e.spot, &e.value)
	}
	b.unionCycles()
}

func (b *builder) group(at spot, raw *fileGroup) change.Group {
	var group change.Group
	var sources []string
	if raw.Members != nil {
		sources = append(sources, "members")
		for i := range raw.Members.items {
			raw.Members.items[i].matches(b.report, userShape())
		}
		for _, id := range b.texts(*raw.Members) {
			group.Members = append(group.Members, change.PersonID(id))
		}
	}
	if raw.SlackUsergroup != nil {
		sources = append(sources, "slack_usergroup")
		raw.SlackUsergroup.matches(b.report, usergroupShape())
		group.SlackUsergroup = raw.SlackUsergroup.value
	}
	if raw.IncidentIOSchedule != nil {
		sources = append(sources, "incident_io_schedule")
		raw.IncidentIOSchedule.matches(b.report, scheduleShape())
		group.IncidentIOSchedule = raw.IncidentIOSchedule.value
		if b.file.IncidentIO == nil {
			b.problem(raw.IncidentIOSchedule.spot, "%s needs %s", raw.IncidentIOSchedule.whole(), need("incident_io"))
		}
	}
	if raw.Everyone != nil {
		sources = append(sources, "everyone")
		group.Everyone = raw.Everyone.value
		if raw.Everyone.given && !raw.Everyone.value {
			b.problem(raw.Everyone.spot, "%s is false, which is nobody; it may be true, or give the group another source", raw.Everyone.whole())
		}
	}
	if raw.Groups != nil {
		sources = append(sources, "groups")
		raw.Groups.filled(b.report, "name the groups that this one is made of")
		group.Groups = b.groupRefs(*raw.Groups)
	}
	if raw.line > 0 && len(sources) != 1 {
		got := "has no source"
		if len(sources) > 1 {
			got = "has the sources " + quoteAll(sources)
		}
		b.problem(at, "%s %s; give it exactly one of `members`, `slack_usergroup`, `incident_io_schedule`, `everyone` and `groups`", at.whole(), got)
	}
	return group
}

// unionCycles reports each ring of groups that are made of one another, once.
func (b *builder) unionCycles() {
	const onPath, done = 1, 2
	state := map[string]int{}
	var path []string
	var visit func(name string)
	visit = func(name string) {
		raw := b.groupByName[name]
		if raw == nil || raw.Groups == nil || state[name] == done {
			return
		}
		state[name] = onPath
		path = append(path, name)
		for _, next := range raw.Groups.items {
			if next.given && state[next.value] == onPath {
				b.problem(next.spot, "%s closes a circle: %s; a group cannot be made of itself, so take one out", next.whole(), ring(path, next.value))
				continue
			}
			visit(next.value)
		}
		path = path[:len(path)-1]
		state[name] = done
	}
	for _, name := range b.groupNames {
		visit(name)
	}
}

// ring writes the part of the path that begins with name, and name again.
func ring(path []string, name string) string {
	for i, step := range path {
		if step == name {
			path = path[i:]
			break
		}
	}
	return strings.ReplaceAll(quoteAll(path), ", ", " → ") + " → " + quote(name)
}

func (b *builder) roles() {
	raw := b.file.Roles
	raw.CTO.filled(b.report, "name a group: it is told of breaches")
	b.out.Rules.Roles = change.Roles{CTO: b.groupRefs(raw.CTO), Auditors: b.groupRefs(raw.Auditors)}
	if raw.CTO.given && b.reachOf(raw.CTO).empty() && len(raw.CTO.items) > 0 {
		b.problem(raw.CTO.spot, "`roles.cto` is nobody: its groups have no members; give them some")
	}
}
