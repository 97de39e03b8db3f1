package audit_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/breakglass-bot/breakglass/internal/audit"
)

func read(t *testing.T, folder, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func records(t *testing.T, folder, name string) [][]string {
	t.Helper()
	all, err := csv.NewReader(strings.NewReader(read(t, folder, name))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAnExportHoldsTheWholePopulationAndVerifiesAlone(t *testing.T) {
	t.Parallel()
	s := story(t)
	folder, result := s.export(options())
	found, sum := verified(t, folder)
	if len(found) > 0 || sum.Changes != 7 || sum.Seals != 6 || sum.Newest.Number != 6 || sum.Withheld == 0 || sum.Texts == 0 {
		t.Errorf("findings %q, %+v", found, sum)
	}
	if result.Changes != 7 || result.Withheld != 1 || len(result.Sums) != 64 {
		t.Errorf("%+v", result)
	}
	table := records(t, folder, "changes.csv")
	phase := slices.Index(table[0], "phase")
	var got []string
	for _, r := range table[1:] {
		got = append(got, r[0]+" "+r[phase])
	}
	want := []string{"EC-2 lapsed", "EC-3 ended", "EC-4 denied", "EC-5 ended", "EC-6 withdrawn", "EC-7 failed", "EC-8 active"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTheExceptionsPointToTheirEvents(t *testing.T) {
	t.Parallel()
	folder, _ := story(t).export(options())
	var got []string
	for _, r := range records(t, folder, "exceptions.csv")[1:] {
		got = append(got, strings.TrimSpace(r[0]+" "+r[3]+" "+r[4]))
	}
	want := []string{
		"system forged click", "EC-3 access gone late", "EC-3 deadline missed record", "EC-3 done late record",
		"EC-5 reported afterwards", "EC-8 access was there before",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTextsOfConfidentialChangesLeaveOnlyForThoseCleared(t *testing.T) {
	t.Parallel()
	s := story(t)
	for cleared, want := range map[bool]bool{false: false, true: true} {
		opts := options()
		opts.Cleared = cleared
		folder, _ := s.export(opts)
		leaked := false
		for _, name := range []string{"README.md", "changes.csv", "changes.jsonl", "events.jsonl", "exceptions.csv", "export.json", "neighbours.jsonl", "seals.jsonl"} {
			leaked = leaked || strings.Contains(read(t, folder, name), "walrus")
		}
		if leaked != want {
			t.Errorf("cleared %t: the texts are there: %t", cleared, leaked)
		}
		if found, _ := verified(t, folder); len(found) > 0 {
			t.Errorf("cleared %t: findings %q", cleared, found)
		}
	}
}

func TestAnErasedTextIsNoFinding(t *testing.T) {
	t.Parallel()
	s := story(t)
	_, err := s.pool.Exec(s.ctx, `DELETE FROM event_texts WHERE chain = 3 AND field = 'what'`)
	s.must(err)
	_, err = s.pool.Exec(s.ctx, `UPDATE changes SET document = jsonb_set(document, '{what}', '""') WHERE number = 3`)
	s.must(err)
	folder, _ := s.export(options())
	if found, sum := verified(t, folder); len(found) > 0 || sum.Erased != 1 {
		t.Errorf("findings %q, %+v", found, sum)
	}
}

func TestNoCellOfAnExportIsAFormula(t *testing.T) {
	t.Parallel()
	folder, _ := story(t).export(options())
	for _, name := range []string{"changes.csv", "exceptions.csv"} {
		for _, r := range records(t, folder, name) {
			for _, cell := range r {
				if cell != "" && strings.ContainsRune("=+-@\t\r\n", rune(cell[0])) {
					t.Errorf("%s: %q", name, cell)
				}
			}
		}
	}
	if what := records(t, folder, "changes.csv")[1]; !slices.ContainsFunc(what, func(c string) bool { return strings.HasPrefix(c, "'=Restart") }) {
		t.Errorf("the text is not in %q", what)
	}
}

func TestAPeriodWithoutChangesVerifies(t *testing.T) {
	t.Parallel()
	s := story(t)
	for _, from := range []int{-300, 7, 50} {
		opts := options()
		opts.Since, opts.Until = start.AddDate(0, 0, from), start.AddDate(0, 0, from+1)
		folder, _ := s.export(opts)
		if found, sum := verified(t, folder); len(found) > 0 || sum.Changes != 0 {
			t.Errorf("%d: findings %q, %+v", from, found, sum)
		}
	}
	folder, _ := open(t).export(options())
	if found, sum := verified(t, folder); len(found) > 0 || sum.Seals != 0 || sum.Sealed() != "" {
		t.Errorf("findings %q, %+v", found, sum)
	}
}

func TestAnExportLongerThanAPageVerifies(t *testing.T) {
	t.Parallel()
	s := open(t)
	for range 203 {
		s.submit(nil)
	}
	s.next(1, 0)
	folder, _ := s.export(options())
	if found, sum := verified(t, folder); len(found) > 0 || sum.Changes != 203 {
		t.Errorf("findings %q, %+v", found, sum)
	}
}

// The clock of the machine that exports may be behind the others'.
func TestAnExportIsNeverOlderThanWhatItHolds(t *testing.T) {
	t.Parallel()
	s := story(t)
	opts := options()
	opts.At = start.AddDate(0, 0, 4)
	folder, _ := s.export(opts)
	if found, _ := verified(t, folder); len(found) > 0 {
		t.Errorf("findings %q", found)
	}
	if about := read(t, folder, "export.json"); !strings.Contains(about, `"at": "2026-03-13T01:00:00Z"`) {
		t.Errorf("the export is of another moment:\n%s", about)
	}
}

func TestOnlyItsOwnerReadsAnExport(t *testing.T) {
	t.Parallel()
	folder, _ := story(t).export(options())
	var names []string
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if entry.IsDir() {
			want = 0o700 | fs.ModeDir
		} else {
			names = append(names, entry.Name())
		}
		if info.Mode() != want {
			t.Errorf("%s has the mode %s", path, info.Mode())
		}
		return nil
	})
	want := []string{"README.md", "SHA256SUMS", "changes.csv", "changes.jsonl", "events.jsonl", "exceptions.csv", "export.json", "neighbours.jsonl", "seals.jsonl"}
	if diff := cmp.Diff(want, names); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if left, err := os.ReadDir(filepath.Dir(folder)); err != nil || len(left) != 1 {
		t.Errorf("beside it stand %v, %v", left, err)
	}
}

func TestAnExportReplacesNothing(t *testing.T) {
	t.Parallel()
	s := story(t)
	folder := t.TempDir()
	if _, err := audit.Export(s.ctx, s.Ledger, folder, options()); err != nil {
		t.Fatalf("into an empty folder: %v", err)
	}
	before := read(t, folder, "SHA256SUMS")
	_, err := audit.Export(s.ctx, s.Ledger, folder, options())
	if !errors.Is(err, audit.ErrOccupied) || !strings.Contains(err.Error(), "name a folder that is empty") || read(t, folder, "SHA256SUMS") != before {
		t.Errorf("into one that is not empty: %v", err)
	}
	if _, err := audit.Export(s.ctx, s.Ledger, filepath.Join(folder, "README.md"), options()); !errors.Is(err, audit.ErrOccupied) {
		t.Errorf("over a file: %v", err)
	}
}

func TestAnExportThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	s := story(t)
	s.pool.Close()
	parent := t.TempDir()
	if _, err := audit.Export(s.ctx, s.Ledger, filepath.Join(parent, "export"), options()); err == nil {
		t.Fatal("it did not fail")
	}
	if left, err := os.ReadDir(parent); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestAFolderThatIsNoExportIsNotVerified(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for _, about := range []string{"", `{"format":2}`, `[]`} {
		if about != "" {
			if err := os.WriteFile(filepath.Join(folder, "export.json"), []byte(about), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := audit.Verify(t.Context(), folder, func(audit.Finding) {}); !errors.Is(err, audit.ErrNoExport) {
			t.Errorf("%q: %v", about, err)
		}
	}
}

func TestTheReadmeNamesTheNewestSealAndEveryFile(t *testing.T) {
	t.Parallel()
	s := story(t)
	folder, _ := s.export(options())
	readme := read(t, folder, "README.md")
	newest, err := s.SealNumbered(s.ctx, 6)
	s.must(err)
	for _, want := range []string{
		newest.Hash, fmt.Sprintf("number 6 of %s", newest.Day), "SHA256SUMS", "exceptions.csv", "events.jsonl", "verify_export.py",
		"7 changes", "The texts of 1 confidential change were withheld",
	} {
		if !strings.Contains(readme, want) {
			t.Errorf("without %q:\n%s", want, readme)
		}
	}
}
