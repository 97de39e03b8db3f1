package config

import (
	"errors"
	"io/fs"
	"strings"
)

// Secrets is what comes from the environment: from NAME, or from the file that
// NAME_FILE points at. Those that may be left out are empty then.
type Secrets struct {
	DatabaseURL             Secret // DATABASE_URL
	DatabaseMigrateURL      Secret // DATABASE_MIGRATE_URL, optional: the owner's
	SlackBotToken           Secret // SLACK_BOT_TOKEN
	SlackSigningSecret      Secret // SLACK_SIGNING_SECRET, needed in mode http
	SlackAppToken           Secret // SLACK_APP_TOKEN, needed in mode socket
	JiraEmail               Secret // JIRA_EMAIL, needed with the section jira
	JiraAPIToken            Secret // JIRA_API_TOKEN, needed with the section jira
	JiraWebhookSecret       Secret // JIRA_WEBHOOK_SECRET, optional: without it the webhook does not exist
	IncidentIOAPIKey        Secret // INCIDENT_IO_API_KEY, needed with the section incident_io
	IncidentIOWebhookSecret Secret // INCIDENT_IO_WEBHOOK_SECRET, optional: without it the webhook does not exist
	GitLabToken             Secret // GITLAB_TOKEN, optional
	GitHubToken             Secret // GITHUB_TOKEN, optional
}

// wantedSecret is one variable: where it goes, and what needs it.
type wantedSecret struct {
	name   string
	into   *Secret
	needed string // why, in a sentence; empty: optional
	at     spot   // what needs it; nowhere: the program itself
	prefix string // what such a token begins with, where that is certain
}

func (b *builder) wantedSecrets() []wantedSecret {
	s, f := &b.out.Secrets, &b.file
	overHTTP, overSocket := "", ""
	mode := f.Slack.Mode.spot
	if mode.line == 0 {
		mode = f.Slack.spot
	}
	switch b.out.Slack.Mode {
	case SlackOverHTTP:
		overHTTP = "`slack.mode` is `http`"
	case SlackOverSocket:
		overSocket = "`slack.mode` is `socket`"
	}
	var jira, incidentIO string
	var jiraAt, incidentIOAt spot
	if f.Jira != nil {
		jira, jiraAt = "the file has the section `jira`", f.Jira.spot
	}
	if f.IncidentIO != nil {
		incidentIO, incidentIOAt = "the file has the section `incident_io`", f.IncidentIO.spot
	}
	return []wantedSecret{
		{name: "DATABASE_URL", into: &s.DatabaseURL, needed: "everything is kept in Postgres"},
		{name: "DATABASE_MIGRATE_URL", into: &s.DatabaseMigrateURL},
		{name: "SLACK_BOT_TOKEN", into: &s.SlackBotToken, needed: "breakglass works in Slack", at: f.Slack.spot, prefix: "xoxb-"},
		{name: "SLACK_SIGNING_SECRET", into: &s.SlackSigningSecret, needed: overHTTP, at: mode},
		{name: "SLACK_APP_TOKEN", into: &s.SlackAppToken, needed: overSocket, at: mode, prefix: "xapp-"},
		{name: "JIRA_EMAIL", into: &s.JiraEmail, needed: jira, at: jiraAt},
		{name: "JIRA_API_TOKEN", into: &s.JiraAPIToken, needed: jira, at: jiraAt},
		{name: "JIRA_WEBHOOK_SECRET", into: &s.JiraWebhookSecret},
		{name: "INCIDENT_IO_API_KEY", into: &s.IncidentIOAPIKey, needed: incidentIO, at: incidentIOAt},
		{name: "INCIDENT_IO_WEBHOOK_SECRET", into: &s.IncidentIOWebhookSecret},
		{name: "GITLAB_TOKEN", into: &s.GitLabToken},
		{name: "GITHUB_TOKEN", into: &s.GitHubToken},
	}
}

// isSecretName recognises a secret that somebody wrote into the file.
func isSecretName(key string) bool {
	name := strings.ToUpper(key)
	for _, ending := range []string{"TOKEN", "SECRET", "PASSWORD", "API_KEY", "DATABASE_URL", "DATABASE_MIGRATE_URL"} {
		if strings.HasSuffix(name, ending) {
			return true
		}
	}
	return false
}

// secrets reads every variable, and reports the missing where they are needed.
func (b *builder) secrets(env func(string) (string, bool), readFile func(string) ([]byte, error)) {
	for _, want := range b.wantedSecrets() {
		value, ok := b.secret(want.name, env, readFile)
		if !ok {
			continue
		}
		*want.into = value
		switch {
		case value == "" && want.needed != "" && want.at.line > 0:
			b.problem(want.at, "%s: set the environment variable %s, or %s_FILE to the file that holds it", want.needed, want.name, want.name)
		case value == "" && want.needed != "":
			b.inEnvironment("%s is not set: %s; set it, or %s_FILE to the file that holds it", want.name, want.needed, want.name)
		case value != "" && !strings.HasPrefix(value.Reveal(), want.prefix):
			b.warn(want.at, "%s does not begin with %s, as such tokens of Slack do; it may be a token of another type", want.name, want.prefix)
		}
	}
	b.awsEndpoints(env)
}

// secret reads one variable; not ok when that was a mistake, now reported. A
// variable that is set to nothing counts as not set, as compose files do it.
func (b *builder) secret(name string, env func(string) (string, bool), readFile func(string) ([]byte, error)) (Secret, bool) {
	value, _ := env(name)
	file, _ := env(name + "_FILE")
	switch {
	case file == "":
		return Secret(value), true
	case value != "":
		b.inEnvironment("%s and %s_FILE are both set; keep one", name, name)
		return "", false
	}
	data, err := readFile(file)
	if err != nil {
		b.inEnvironment("%s_FILE is %s, which cannot be read: %s", name, quote(file), readFailure(err))
		return "", false
	}
	secret := strings.TrimRight(string(data), "\r\n")
	if secret == "" {
		b.inEnvironment("%s_FILE is %s, which is empty; put the secret there", name, quote(file))
		return "", false
	}
	return Secret(secret), true
}

// readFailure leaves out the path, which the sentence has already.
func readFailure(err error) string {
	if failure, ok := errors.AsType[*fs.PathError](err); ok {
		return failure.Err.Error()
	}
	return err.Error()
}

// awsEndpoints holds the SDK's own variables to the rule for URLs in the file.
func (b *builder) awsEndpoints(env func(string) (string, bool)) {
	if b.file.AWS == nil {
		return
	}
	for _, name := range []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SSO_ADMIN", "AWS_ENDPOINT_URL_IDENTITYSTORE"} {
		value, _ := env(name)
		if value == "" {
			continue
		}
		before := len(b.problems)
		b.checkURL(text{spot: spot{path: name}, value: value, given: true})
		for i := before; i < len(b.problems); i++ {
			b.problems[i].File, b.problems[i].Line, b.problems[i].Column = environment, 0, 0
		}
	}
}

// DatabaseOwner reads the address of the database for whoever migrates it:
// DATABASE_MIGRATE_URL, else DATABASE_URL. No configuration file is needed.
func DatabaseOwner(env func(string) (string, bool), readFile func(string) ([]byte, error)) (Secret, error) {
	return firstSecret(env, readFile, "DATABASE_MIGRATE_URL", "DATABASE_URL")
}

// Database reads the address of the database. No configuration file is needed.
func Database(env func(string) (string, bool), readFile func(string) ([]byte, error)) (Secret, error) {
	return firstSecret(env, readFile, "DATABASE_URL")
}

func firstSecret(env func(string) (string, bool), readFile func(string) ([]byte, error), names ...string) (Secret, error) {
	b := &builder{report: &report{}}
	for _, name := range names {
		url, ok := b.secret(name, env, readFile)
		if !ok { // what was meant is not to be guessed
			return "", Problems(b.problems)
		}
		if url != "" {
			return url, nil
		}
	}
	b.inEnvironment("%s is not set; set it, or its _FILE to the file that holds it", strings.Join(names, " or "))
	return "", Problems(b.problems)
}
