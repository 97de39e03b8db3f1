package config_test

import "testing"

func TestSystemsAndAddressesAreChecked(t *testing.T) {
	t.Parallel()
	runAll(t, example(t), []mistake{
		{
			name: "http to the world", old: "base_url: https://gitlab.com", new: "base_url: http://gitlab.com", at: "http://gitlab.com",
			want: "`gitlab.base_url` goes to `gitlab.com` over http; use https, as http is for loopback addresses only",
		},
		{
			name: "http to Slack", old: "https://slack.com/api/", new: "http://slack.com/api/", at: "http://slack.com",
			want: "`slack.api_url` goes to `slack.com` over http; use https, as http is for loopback addresses only",
		},
		{
			name: "http to a name that begins like loopback", old: "https://api.incident.io", new: "http://localhost.example.com", at: "http://localhost",
			want: "`incident_io.base_url` goes to `localhost.example.com` over http; use https, as http is for loopback addresses only",
		},
		{
			name: "http in a link", old: "release_process_url: https:", new: "release_process_url: http:", at: "http://handbook",
			want: "`release_process_url` goes to `handbook.example.com` over http; use https, as http is for loopback addresses only",
		},
		{
			name: "http to the portal", old: "https://example.awsapps.com/start", new: "http://10.0.0.1/start", at: "http://10.0.0.1",
			want: "`aws.access_portal_url` goes to `10.0.0.1` over http; use https, as http is for loopback addresses only",
		},
		{
			name: "http to an AWS endpoint", old: "  # endpoint_url: http://127.0.0.1:5600 ", new: "  endpoint_url: http://0.0.0.0:5600 ", at: "http://0.0.0.0",
			want: "`aws.endpoint_url` goes to `0.0.0.0:5600` over http; use https, as http is for loopback addresses only",
		},
		{
			name: "another scheme", old: "https://api.github.com", new: "ftp://api.github.com", at: "ftp:",
			want: "`github.api_url` begins with `ftp:`; it must begin with https://",
		},
		{
			name: "no scheme", old: "https://example.atlassian.net", new: "example.atlassian.net", at: "example.atlassian.net",
			want: "`jira.base_url` is not a URL; it must look like https://host/path",
		},
		{
			name: "a password in a URL", old: "https://www.githubstatus.com", new: "https://user:hunter2@www.githubstatus.com", at: "https://user",
			want: "`github.status_url` must not hold a user or a password; secrets come from the environment",
		},
		{
			name: "a query in a base", old: "https://api.github.com", new: "https://api.github.com?x=1", at: "https://api.github.com?x",
			want: "`github.api_url` must end with its path: take `?` and `#` and what follows them away",
		},
		{
			name: "a port that is none", old: "https://api.github.com", new: "https://api.github.com:70000", at: "https://api.github.com:7",
			want: "`github.api_url` has a port that is none; ports are 1 to 65535",
		},
		{
			name: "listen without a port", old: "  listen: 127.0.0.1:8080", new: "  listen: localhost", at: "localhost",
			want: "`http.listen` is `localhost`; it must be host:port, such as 127.0.0.1:8080 or :8080",
		},
		{
			name: "listen on no port", old: "metrics_listen: 127.0.0.1:9090", new: "metrics_listen: 127.0.0.1:99999", at: "127.0.0.1:99999",
			want: "`http.metrics_listen` has the port `99999`; ports are 0 to 65535",
		},
		{
			name: "metrics on the public listener", old: "127.0.0.1:9090", new: "127.0.0.1:8080", at: "127.0.0.1:8080  # /metrics",
			want: "`http.metrics_listen` is the address of `http.listen`, `127.0.0.1:8080`; give metrics one of their own, off the public listener",
		},
		{
			name: "Slack mode", old: "mode: http ", new: "mode: sockets ", at: "sockets",
			want: "`slack.mode` is `sockets`; it may be `http`, `socket`; did you mean `socket`?",
		},
		{
			name: "team id", old: "team_id: T0EXAMPLE", new: "team_id: example", at: "example ",
			want: "`slack.team_id` is `example`; it must be a Slack workspace id, such as T012ABCDEF",
		},
		{
			name: "application id", old: "# app_id: A0EXAMPLE", new: "app_id: B0EXAMPLE", at: "B0EXAMPLE",
			want: "`slack.app_id` is `B0EXAMPLE`; it must be a Slack application id, such as A012ABCDEF",
		},
		{
			name: "channel name", old: "channel: C0EMERGENCY", new: `channel: "#emergency"`, at: `"#emergency"`,
			want: "`slack.channel` is `#emergency`; it must be a Slack channel id (the name of the channel is no id), such as C012ABCDEF",
		},
		{
			name: "audit channel", old: "C0AUDIT", new: "U0AUDIT", at: "U0AUDIT",
			want: "`slack.audit_channel` is `U0AUDIT`; it must be a Slack channel id (the name of the channel is no id), such as C012ABCDEF",
		},
		{
			name: "command", old: "command: /emergency", new: "command: emergency", at: "emergency",
			want: "`slack.command` is `emergency`; it must be a slash command, such as /emergency",
		},
		{
			name: "instance", old: "instance_arn: arn:aws:sso:::instance/ssoins-0000000000000000", new: "instance_arn: ssoins-0000000000000000", at: "ssoins-0",
			want: "`aws.instance_arn` is `ssoins-0000000000000000`; it must be the ARN of an Identity Center instance, such as arn:aws:sso:::instance/ssoins-0123456789abcdef",
		},
		{
			name: "region", old: "eu-west-1", new: "Ireland", at: "Ireland",
			want: "`aws.region` is `Ireland`; it must be an AWS region, such as eu-west-1",
		},
		{
			name: "identity store", old: "d-0000000000", new: "d-1", at: "d-1",
			want: "`aws.identity_store_id` is `d-1`; it must be an identity store id, such as d-0123456789",
		},
		{
			name: "Jira project", old: "project: OPS", new: "project: ops", at: "ops",
			want: "`jira.project` is `ops`; it must be the key of a Jira project, such as OPS",
		},
		{
			name: "own project not linkable", old: "[OPS, PLATFORM]", new: "[PLATFORM]", at: "link_projects",
			want: "`jira.link_projects` lacks `OPS`, the project that tickets are made in; add it, as no other project is ever read or written",
		},
		{
			name: "GitLab project", old: "base_url: https://gitlab.com", new: "base_url: https://gitlab.com\n  confidential_projects: [security/app, app]", at: "app]",
			want: "`gitlab.confidential_projects[1]` is `app`; it must be the path of a project, or that of a group and /*, such as security/app or security/*",
		},
		{
			name: "GitHub project", old: "api_url: https://api.github.com", new: "api_url: https://api.github.com\n  confidential_projects: [\"*\"]", at: "\"*\"]",
			want: "`github.confidential_projects[0]` is `*`; it must be the path of a repository, or an owner and /*, such as example/app or example/*",
		},
		{
			name: "no project", old: "api_url: https://api.github.com", new: "api_url: https://api.github.com\n  confidential_projects: []", at: "confidential_projects",
			want: "`github.confidential_projects` is empty; leave it out to have the merge requests of every project linked with any change",
		},
		{
			name: "status twice", old: "[Monitoring]", new: "[Monitoring, Monitoring]", at: "Monitoring]",
			want: "`incident_io.mitigated_statuses[1]` says `Monitoring` a second time; keep one",
		},
	})
}

func TestLoopbackMayBeHTTP(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"localhost:80", "127.0.0.1:5600", "127.8.9.1", "[::1]:8080"} {
		m := mistake{old: "https://gitlab.com", new: `"http://` + host + `/"`}
		cfg := mustLoad(t, m.applied(example(t)))
		if cfg.GitLab.BaseURL != "http://"+host {
			t.Errorf("base URL %q of host %s", cfg.GitLab.BaseURL, host)
		}
	}
}

func TestPeopleAndGroupsAreChecked(t *testing.T) {
	t.Parallel()
	runAll(t, example(t), []mistake{
		{
			name: "person by e-mail", old: "{slack: U0DEPUTY,", new: "{slack: deputy@example.com,", at: "deputy@",
			want: "`people[1].slack` is `deputy@example.com`; it must be a Slack user id (a name or an e-mail address identifies nobody), such as U012ABCDEF",
		},
		{
			name: "person twice", old: "{slack: U0DEPUTY,", new: "{slack: U0CTO,", at: "U0CTO, jira: 5b10ac8d82e05b22cc7d4ef6",
			want: "`people[1].slack`: the person `U0CTO` is declared already, on line «  - {slack: U0CTO,»; give each its own id",
		},
		{
			name: "identity of two people", old: "5b10ac8d82e05b22cc7d4ef6", new: "5b10ac8d82e05b22cc7d4ef5", at: "5b10ac8d82e05b22cc7d4ef5}",
			want: "`people[1].jira` is `5b10ac8d82e05b22cc7d4ef5`, which is somebody else's on line «  - {slack: U0CTO,»; an identity belongs to one person",
		},
		{
			name: "identity of two people in other case", old: "7d4ef6}", new: "7d4ef6, github: The-CTO}", at: "The-CTO",
			want: "`people[1].github` is `The-CTO`, which is somebody else's on line «  - {slack: U0CTO,»; an identity belongs to one person",
		},
		{
			name: "AWS user", old: "93d4a8e2-1111-2222-3333-444455556666", new: "contractor", at: "contractor",
			want: "`people[2].aws` is `contractor`; it must be an Identity Center user id, such as 93d4a8e2-1111-2222-3333-444455556666",
		},
		{
			name: "group without a source", old: "deputies: {members: [U0DEPUTY]}", new: "deputies: {}", at: "deputies: {}",
			want: "`groups.deputies` has no source; give it exactly one of `members`, `slack_usergroup`, `incident_io_schedule`, `everyone` and `groups`",
		},
		{
			name: "group with two sources", old: "{slack_usergroup: S0RELMGR}", new: "{slack_usergroup: S0RELMGR, members: [U0X]}", at: "release-managers:",
			want: "`groups.release-managers` has the sources `members`, `slack_usergroup`; give it exactly one of `members`, `slack_usergroup`, `incident_io_schedule`, `everyone` and `groups`",
		},
		{
			name: "everyone false", old: "{everyone: true}", new: "{everyone: false}", at: "false}",
			want: "`groups.engineers.everyone` is false, which is nobody; it may be true, or give the group another source",
		},
		{
			name: "usergroup", old: "S0RELMGR", new: "relmgr", at: "relmgr",
			want: "`groups.release-managers.slack_usergroup` is `relmgr`; it must be a Slack user group id, such as S012ABCDEF",
		},
		{
			name: "member", old: "[U0APPSEC]", new: "[appsec]", at: "appsec]}",
			want: "`groups.appsec.members[0]` is `appsec`; it must be a Slack user id (a name or an e-mail address identifies nobody), such as U012ABCDEF",
		},
		{
			name: "member twice", old: "[U0MAINT1, U0MAINT2]", new: "[U0MAINT1, U0MAINT1]", at: "U0MAINT1]",
			want: "`groups.maintainers.members[1]` says `U0MAINT1` a second time; keep one",
		},
		{
			name: "group name", old: "roles:", new: "  Board Members: {everyone: true}\n\nroles:", at: "Board",
			want: "`groups.Board Members` is `Board Members`; it must be an id: letters, digits, dots, dashes and underscores, at most 64, such as hot-patch",
		},
		{
			name: "union of an unknown group", old: "# any-manager: {groups: [cto, release-managers]}", new: "any-manager: {groups: [cto, release-manager]}", at: "release-manager]",
			want: "`groups.any-manager.groups[1]` names the group `release-manager`, which does not exist; did you mean `release-managers`?",
		},
		{
			name: "union of itself", old: "# any-manager: {groups: [cto, release-managers]}", new: "any-manager: {groups: [any-manager]}", at: "any-manager]",
			want: "`groups.any-manager.groups[0]` closes a circle: `any-manager` → `any-manager`; a group cannot be made of itself, so take one out",
		},
		{
			name: "circle of unions", old: "# any-manager: {groups: [cto, release-managers]}", new: "one: {groups: [two]}\n  two: {groups: [cto, one]}", at: "one]",
			want: "`groups.two.groups[1]` closes a circle: `one` → `two` → `one`; a group cannot be made of itself, so take one out",
		},
		{
			name: "empty union", old: "# any-manager: {groups: [cto, release-managers]}", new: "any-manager: {groups: []}", at: "groups: []",
			want: "`groups.any-manager.groups` is empty; name the groups that this one is made of",
		},
		{
			name: "unknown group of a role", old: "  cto: [cto] ", new: "  cto: [ctos] ", at: "ctos",
			want: "`roles.cto[0]` names the group `ctos`, which does not exist; did you mean `cto`?",
		},
		{
			name: "group named twice", old: "auditors: []", new: "auditors: [appsec, appsec]", at: "appsec]   ",
			want: "`roles.auditors[1]` names the group `appsec` a second time; keep one",
		},
		{
			name: "nobody is CTO", old: "  cto: [cto] ", new: "  cto: [] ", at: "cto: []",
			want: "`roles.cto` is empty; name a group: it is told of breaches",
		},
	})
}
