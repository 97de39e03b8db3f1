package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/breakglass-bot/breakglass/internal/config"
)

// without gives the environment less some names, with others set.
func without(names []string, set map[string]string) map[string]string {
	env := environment()
	for _, name := range names {
		delete(env, name)
	}
	for name, value := range set {
		env[name] = value
	}
	return env
}

func TestSecretsAreAskedForWhereTheyAreNeeded(t *testing.T) {
	t.Parallel()
	files := map[string]string{"/run/token": "xoxb-file\r\n", "/run/empty": "\n"}
	socket := mistake{old: "mode: http ", new: "mode: socket "}.applied(example(t))
	for _, c := range []struct {
		name, text string
		env        map[string]string
		want       string
	}{
		{
			"no database", example(t), without([]string{"DATABASE_URL"}, nil),
			"environment: DATABASE_URL is not set: everything is kept in Postgres; set it, or DATABASE_URL_FILE to the file that holds it",
		},
		{
			"set to nothing", example(t), without(nil, map[string]string{"DATABASE_URL": ""}),
			"environment: DATABASE_URL is not set: everything is kept in Postgres; set it, or DATABASE_URL_FILE to the file that holds it",
		},
		{
			"no bot token", example(t), without([]string{"SLACK_BOT_TOKEN"}, nil),
			"breakglass.yaml:«slack:»:1: breakglass works in Slack: set the environment variable SLACK_BOT_TOKEN, or SLACK_BOT_TOKEN_FILE to the file that holds it",
		},
		{
			"no signing secret", example(t), without([]string{"SLACK_SIGNING_SECRET"}, nil),
			"breakglass.yaml:«  mode: »:9: `slack.mode` is `http`: set the environment variable SLACK_SIGNING_SECRET, or SLACK_SIGNING_SECRET_FILE to the file that holds it",
		},
		{
			"no app token", socket, without([]string{"SLACK_SIGNING_SECRET"}, nil),
			"breakglass.yaml:«  mode: »:9: `slack.mode` is `socket`: set the environment variable SLACK_APP_TOKEN, or SLACK_APP_TOKEN_FILE to the file that holds it",
		},
		{
			"no Jira token", example(t), without([]string{"JIRA_API_TOKEN"}, nil),
			"breakglass.yaml:«jira:»:1: the file has the section `jira`: set the environment variable JIRA_API_TOKEN, or JIRA_API_TOKEN_FILE to the file that holds it",
		},
		{
			"no Jira e-mail", example(t), without([]string{"JIRA_EMAIL"}, nil),
			"breakglass.yaml:«jira:»:1: the file has the section `jira`: set the environment variable JIRA_EMAIL, or JIRA_EMAIL_FILE to the file that holds it",
		},
		{
			"no incident.io key", example(t), without([]string{"INCIDENT_IO_API_KEY"}, nil),
			"breakglass.yaml:«incident_io:»:1: the file has the section `incident_io`: set the environment variable INCIDENT_IO_API_KEY, or INCIDENT_IO_API_KEY_FILE to the file that holds it",
		},
		{
			"both ways", example(t), without(nil, map[string]string{"SLACK_BOT_TOKEN_FILE": "/run/token"}),
			"environment: SLACK_BOT_TOKEN and SLACK_BOT_TOKEN_FILE are both set; keep one",
		},
		{
			"absent file", example(t), without(nil, map[string]string{"GITLAB_TOKEN_FILE": "/run/absent"}),
			"environment: GITLAB_TOKEN_FILE is `/run/absent`, which cannot be read: file does not exist",
		},
		{
			"empty file", example(t), without(nil, map[string]string{"GITHUB_TOKEN_FILE": "/run/empty"}),
			"environment: GITHUB_TOKEN_FILE is `/run/empty`, which is empty; put the secret there",
		},
		{
			"AWS endpoint", example(t), without(nil, map[string]string{"AWS_ENDPOINT_URL": "http://10.0.0.1"}),
			"environment: `AWS_ENDPOINT_URL` goes to `10.0.0.1` over http; use https, as http is for loopback addresses only",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			want := placed(t, c.text, c.want)
			if _, err := load(c.text, c.env, files); err == nil || err.Error() != want {
				t.Errorf("got\n  %v\nwant\n  %s", err, want)
			}
		})
	}
}

func TestEverySecretLandsFromItsVariableAndFromItsFile(t *testing.T) {
	t.Parallel()
	names := []string{
		"DATABASE_URL", "DATABASE_MIGRATE_URL", "SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN",
		"JIRA_EMAIL", "JIRA_API_TOKEN", "JIRA_WEBHOOK_SECRET", "INCIDENT_IO_API_KEY", "INCIDENT_IO_WEBHOOK_SECRET", "GITLAB_TOKEN", "GITHUB_TOKEN",
	}
	direct, byFile, files := map[string]string{}, map[string]string{}, map[string]string{}
	for _, name := range names {
		direct[name] = "s-" + name
		byFile[name+"_FILE"] = "/run/" + name
		files["/run/"+name] = "s-" + name + "\n"
	}
	for how, env := range map[string]map[string]string{"variable": direct, "file": byFile} {
		cfg, err := load(example(t), env, files)
		if err != nil {
			t.Fatalf("%s: %v", how, err)
		}
		s := cfg.Secrets
		for i, got := range []config.Secret{
			s.DatabaseURL, s.DatabaseMigrateURL, s.SlackBotToken, s.SlackSigningSecret, s.SlackAppToken,
			s.JiraEmail, s.JiraAPIToken, s.JiraWebhookSecret, s.IncidentIOAPIKey, s.IncidentIOWebhookSecret, s.GitLabToken, s.GitHubToken,
		} {
			if got.Reveal() != "s-"+names[i] {
				t.Errorf("%s: %s is %q", how, names[i], got.Reveal())
			}
		}
	}
}

func TestASecretNeverShowsItself(t *testing.T) {
	t.Parallel()
	const text = "hunter2"
	secret := config.Secret(text)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", secret, "all", config.Secrets{DatabaseURL: secret})
	encoded, err := json.Marshal(map[string]any{"list": []config.Secret{secret}, "all": config.Secrets{DatabaseURL: secret}})
	if err != nil {
		t.Fatal(err)
	}
	shown := []string{
		log.String(), string(encoded), secret.String(), secret.GoString(), fmt.Sprint(&secret),
		fmt.Sprint(config.Secrets{DatabaseURL: secret}), fmt.Errorf("x: %w", fmt.Errorf("%v", secret)).Error(),
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10s"} {
		shown = append(shown, fmt.Sprintf(verb, secret))
	}
	for _, s := range shown {
		if strings.Contains(s, text) || strings.Contains(s, fmt.Sprintf("%x", text)) || !strings.Contains(s, "[hidden]") {
			t.Errorf("shown as %s", s)
		}
	}
	if secret.Reveal() != text {
		t.Error("Reveal does not reveal")
	}
}
