package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/breakglass-bot/breakglass/deploy"
)

// called runs the program within the test.
func called(t *testing.T, args ...string) (code int, out, problems string) {
	t.Helper()
	var o, p bytes.Buffer
	code = run(t.Context(), args, &o, &p)
	return code, o.String(), p.String()
}

// commands lists every command that people may give, as they type it.
func commands(c *cobra.Command, path []string) (all [][]string) {
	all = append(all, path)
	for _, sub := range c.Commands() {
		all = append(all, commands(sub, append(append([]string{}, path...), sub.Name()))...)
	}
	return all
}

func TestHelpSaysWhatEachCommandDoes(t *testing.T) {
	t.Parallel()
	all := commands(rootCommand(), nil)
	if len(all) < 10 {
		t.Fatalf("found %v only", all)
	}
	for _, path := range all {
		code, out, problems := called(t, append(append([]string{}, path...), "--help")...)
		does, _, _ := strings.Cut(out, "\n")
		if code != exitFine || problems != "" || len(strings.Fields(does)) < 3 || !strings.Contains(out, "Usage:") {
			t.Errorf("%v: exit %d, %q, %q", path, code, out, problems)
		}
		for _, hidden := range []string{"clock-offset-file", "stop-with-stdin"} {
			if strings.Contains(out, hidden) {
				t.Errorf("%v shows --%s, which is for the demo", path, hidden)
			}
		}
	}
}

func TestAMistypedCommandLineIsAMistakeWithASentence(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"--nonsense"},
		{"nonsense"},
		{"serve", "--nonsense"},
		{"serve", "nonsense"},
		{"config", "nonsense"},
		{"config", "check", "nonsense"},
		{"audit", "nonsense"},
		{"audit", "verify", "nonsense"},
		{"audit", "export", "nonsense"},
		{"migrate", "nonsense"},
		{"version", "nonsense"},
		{"demo", "nonsense"},
		{"report", "nonsense"},
		{"serve", "--log-level", "nonsense"},
		{"serve", "--log-format", "nonsense"},
	} {
		code, out, problems := called(t, args...)
		if code != exitMistake || out != "" || !strings.HasPrefix(problems, "breakglass: ") || !strings.Contains(problems, "nonsense") {
			t.Errorf("%v: exit %d, %q, %q", args, code, out, problems)
		}
	}
}

func TestVersionIsPrinted(t *testing.T) {
	t.Parallel()
	if code, out, problems := called(t, "version"); code != exitFine || !regexp.MustCompile(`^breakglass \S+\n$`).MatchString(out) || problems != "" {
		t.Errorf("exit %d, %q, %q", code, out, problems)
	}
}

// configured writes a configuration and clears the environment but for secrets.
func configured(t *testing.T, yaml string) string {
	t.Helper()
	for _, name := range append([]string{configVariable, "DATABASE_URL", "DATABASE_MIGRATE_URL", "SLACK_APP_TOKEN"}, secretNames()...) {
		t.Setenv(name, "")
		t.Setenv(name+"_FILE", "")
	}
	file := filepath.Join(t.TempDir(), "breakglass.yaml")
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func secretNames() []string {
	return []string{
		"SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "JIRA_EMAIL", "JIRA_API_TOKEN", "JIRA_WEBHOOK_SECRET",
		"INCIDENT_IO_API_KEY", "INCIDENT_IO_WEBHOOK_SECRET", "GITLAB_TOKEN", "GITHUB_TOKEN",
	}
}

// secret is what a test sets a variable to.
func secret(name string) string {
	prefix := ""
	if name == "SLACK_BOT_TOKEN" {
		prefix = "xoxb-"
	}
	return prefix + "very-secret-" + strings.ToLower(name)
}

func TestTheExampleHoldsNoMistakes(t *testing.T) {
	file := configured(t, string(deploy.Example))
	t.Setenv("DATABASE_URL", "postgres://me:very-secret-password@127.0.0.1/breakglass")
	for _, name := range secretNames() {
		t.Setenv(name, secret(name))
	}
	for _, args := range [][]string{{"config", "check", "--config", file}, {"config", "check", "--file-only", "--config", file}} {
		code, out, problems := called(t, args...)
		if code != exitFine || problems != "" || !strings.Contains(out, "warning: ") || !strings.Contains(out, "holds no mistakes") {
			t.Errorf("exit %d, %q, %q", code, out, problems)
		}
		if strings.Contains(out, "very-secret") {
			t.Errorf("it shows a secret: %s", out)
		}
	}
	t.Setenv(configVariable, file)
	if code, _, problems := called(t, "config", "check"); code != exitFine {
		t.Errorf("named by %s: exit %d, %s", configVariable, code, problems)
	}
}

func TestSecretsMayStandInFiles(t *testing.T) {
	file := configured(t, string(deploy.Example))
	for _, name := range append(secretNames(), "DATABASE_URL") {
		path := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(path, []byte(secret(name)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv(name+"_FILE", path)
	}
	if code, _, problems := called(t, "config", "check", "--config", file); code != exitFine {
		t.Errorf("exit %d, %s", code, problems)
	}
	t.Setenv("JIRA_API_TOKEN", secret("JIRA_API_TOKEN"))
	t.Setenv("GITHUB_TOKEN_FILE", filepath.Join(t.TempDir(), "missing"))
	code, _, problems := called(t, "config", "check", "--config", file)
	if code != exitMistake || !strings.Contains(problems, "JIRA_API_TOKEN and JIRA_API_TOKEN_FILE are both set") || !strings.Contains(problems, "GITHUB_TOKEN_FILE") || strings.Contains(problems, "very-secret") {
		t.Errorf("exit %d, %s", code, problems)
	}
}

func TestABrokenConfigurationIsAMistakeWithItsPlace(t *testing.T) {
	broken := strings.Replace(string(deploy.Example), "mode: http ", "mode: pigeon ", 1)
	file := configured(t, broken)
	for _, args := range [][]string{{"config", "check", "--file-only"}, {"config", "check"}, {"serve"}} {
		code, out, problems := called(t, append(args, "--config", file)...)
		at := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(file) + `:\d+:\d+: .*pigeon`)
		if code != exitMistake || out != "" || !at.MatchString(problems) {
			t.Errorf("%v: exit %d, %q, %q", args, code, out, problems)
		}
	}
	for name, args := range map[string][]string{"no file": {"--config", file + ".missing"}, "none given": nil} {
		code, out, problems := called(t, append([]string{"config", "check"}, args...)...)
		if code != exitMistake || out != "" || problems == "" {
			t.Errorf("%s: exit %d, %q, %q", name, code, out, problems)
		}
	}
}
