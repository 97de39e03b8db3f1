package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/breakglass-bot/breakglass/migrations"
)

func TestAnExportIsWrittenAndVerifiedWithoutTheDatabase(t *testing.T) {
	url := databases.URL(t)
	if err := migrations.Up(context.WithoutCancel(t.Context()), url); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DATABASE_URL", url)
	folder := filepath.Join(t.TempDir(), "export")
	if code, out, problems := called(t, "audit", "export", "--since", "30d", "--out", folder); code != exitFine || !strings.Contains(out, "0 changes") || !strings.Contains(out, "SHA-256 of SHA256SUMS") {
		t.Fatalf("exit %d, %q, %q", code, out, problems)
	}
	if code, out, problems := called(t, "audit", "export", "--out", folder); code != exitMistake || out != "" || !strings.Contains(problems, "there is something already") {
		t.Errorf("again: exit %d, %q, %q", code, out, problems)
	}
	if code, out, problems := called(t, "audit", "verify"); code != exitFine || !strings.Contains(out, "0 seals: nothing is wrong") {
		t.Errorf("the database: exit %d, %q, %q", code, out, problems)
	}
	t.Setenv("DATABASE_URL", "")
	if code, out, problems := called(t, "audit", "verify", "--export", folder); code != exitFine || !strings.Contains(out, "nothing is wrong") {
		t.Errorf("exit %d, %q, %q", code, out, problems)
	}
	if err := os.WriteFile(filepath.Join(folder, "README.md"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, problems := called(t, "audit", "verify", "--export", folder); code != exitFailed || !strings.Contains(out, "README.md: it is not the file") || !strings.Contains(problems, "the export is not whole") {
		t.Errorf("altered: exit %d, %q, %q", code, out, problems)
	}
	if code, _, problems := called(t, "audit", "verify", "--export", t.TempDir()); code != exitMistake || !strings.Contains(problems, "no export") {
		t.Errorf("no export: exit %d, %q", code, problems)
	}
}

func TestExportSaysWhatIsMissingOrWrong(t *testing.T) {
	configured(t, "")
	for args, says := range map[string]string{
		"audit export":                                 "--out says which folder",
		"audit export --out x --since tomorrow":        "--since",
		"audit export --out x --since 3d --until 2w":   "before it ends",
		"audit export --out x":                         "DATABASE_URL is not set",
		"audit verify --export=":                       "no export",
		"audit export --out x --since 30d --nonsense":  "nonsense",
		"audit export --out x --since 1900-01-01":      "ten years",
		"audit verify --export /nonexistent/somewhere": "no export",
	} {
		code, out, problems := called(t, strings.Fields(args)...)
		if code != exitMistake || out != "" || !strings.Contains(problems, says) {
			t.Errorf("%s: exit %d, %q, %q", args, code, out, problems)
		}
	}
}
