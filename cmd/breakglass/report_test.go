package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/migrations"
)

func TestAPeriodIsReadAsItIsTyped(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 20, 15, 4, 5, 0, time.UTC)
	date := func(month time.Month, day int) time.Time { return time.Date(2026, month, day, 0, 0, 0, 0, time.UTC) }
	for _, c := range []struct {
		flags        reportFlags
		since, until time.Time
		wrong        string
	}{
		{flags: reportFlags{since: "19d"}, since: date(5, 1), until: now},
		{flags: reportFlags{since: "2w"}, since: date(5, 6), until: now},
		{flags: reportFlags{since: "2026-01-01", until: "2026-04-01"}, since: date(1, 1), until: date(4, 1)},
		{flags: reportFlags{since: "2026-04-01", until: "2026-04-01"}, wrong: "before it ends"},
		{flags: reportFlags{since: "90"}, wrong: "--since"},
		{flags: reportFlags{since: "-5d"}, wrong: "--since"},
		{flags: reportFlags{since: ""}, wrong: "--since"},
		{flags: reportFlags{since: "90d", until: "tomorrow"}, wrong: "--until"},
		{flags: reportFlags{since: "1900-01-01"}, wrong: "ten years"},
		{flags: reportFlags{since: "90d", allChanges: -1}, wrong: "--all-changes"},
	} {
		opts, err := c.flags.options(now)
		if c.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("%+v: %v, want an error about %q", c.flags, err, c.wrong)
			}
			continue
		}
		if err != nil || !opts.Since.Equal(c.since) || !opts.Until.Equal(c.until) || !opts.AsOf.Equal(now) {
			t.Errorf("%+v: %+v, %v; want %s to %s", c.flags, opts, err, c.since, c.until)
		}
	}
}

func TestAReportAppearsWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "report.html")
	broken := errors.New("broken")
	err := into(t.Context(), name, nil, func(w io.Writer) error {
		if _, err := io.WriteString(w, strings.Repeat("half", 10_000)); err != nil {
			t.Fatal(err)
		}
		return broken
	})
	if left, _ := os.ReadDir(filepath.Dir(name)); !errors.Is(err, broken) || len(left) != 0 {
		t.Errorf("got %v, and left %v behind", err, left)
	}
	if err := into(t.Context(), name, nil, func(w io.Writer) error {
		_, err := io.WriteString(w, "whole")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(name); err != nil || string(content) != "whole" {
		t.Errorf("the file holds %q, %v", content, err)
	}
}

func TestReportRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	var out, problems bytes.Buffer
	code := run(t.Context(), []string{"report", "--format", "pdf"}, &out, &problems)
	if code != exitMistake || !strings.Contains(problems.String(), "html, csv, json") || out.Len() > 0 {
		t.Errorf("exit %d, %q, %q", code, out.String(), problems.String())
	}
}

func TestReportNeedsTheDatabaseOnly(t *testing.T) {
	url := databases.URL(t)
	if err := migrations.Up(context.WithoutCancel(t.Context()), url); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DATABASE_URL", url)
	for format, want := range map[string]string{"html": "No emergency change", "csv": "number,phase,outcome", "json": `"changes":0`} {
		var out, problems bytes.Buffer
		if code := run(t.Context(), []string{"report", "--format", format}, &out, &problems); code != exitFine || !strings.Contains(out.String(), want) {
			t.Errorf("%s: exit %d, %q, %q", format, code, out.String(), problems.String())
		}
	}
}
