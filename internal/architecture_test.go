// Package internal_test holds the shape of the code: which package may import
// which, where the clock may be read, and how long a file may be.
package internal_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
)

const module = "github.com/breakglass-bot/breakglass"

// arrows are all the imports of ours that a package may have. A package that
// does not stand here may not exist; cmd imports all of them, and deploy has
// tests of its own files only.
var arrows = map[string][]string{
	"internal/crashpoint":     {},
	"internal/change":         {},
	"internal/config":         {"internal/change"},
	"internal/ledger":         {"internal/change"},
	"internal/workflow":       {"internal/change", "internal/ledger", "internal/crashpoint"},
	"internal/directory":      {"internal/change"},
	"internal/reconcile":      {"internal/change", "internal/ledger", "internal/workflow", "internal/crashpoint"},
	"internal/report":         {"internal/change", "internal/ledger"},
	"internal/audit":          {"internal/change", "internal/ledger", "internal/report"},
	"internal/wake":           {"internal/reconcile", "internal/ledger"},
	"internal/slackapp":       {"internal/change", "internal/ledger", "internal/workflow", "internal/directory", "internal/crashpoint"},
	"internal/identitycenter": {"internal/change"},
	"internal/jira":           {"internal/change"},
	"internal/incidentio":     {"internal/change"},
	"internal/forge":          {"internal/change"},
	"internal/httpserver":     {},
	"internal/sandbox":        {"internal/change", "internal/sandbox"},
	"internal/embeddedpg":     {"internal/embeddedpg"},
	"migrations":              {},
}

// forTests may be imported by the tests of every package that imports
// anything of ours in tests at all.
var forTests = []string{"internal/embeddedpg", "internal/sandbox", "migrations"}

// testArrows are what only the tests of a package may import besides: the
// reconcilers are proved over the wire, with the real adapters against the
// stand-ins.
var testArrows = map[string][]string{
	"internal/reconcile": {"internal/identitycenter", "internal/jira", "internal/incidentio", "internal/forge"},
}

// maxLines is the length of a file that is no test. A longer one has more
// than one idea.
const maxLines = 400

// source is one Go file of the module, parsed.
type source struct {
	name   string // relative to the module's root, with slashes
	parsed *ast.File
	lines  int
}

func (s source) folder() string { return path.Dir(s.name) }
func (s source) isTest() bool   { return strings.HasSuffix(s.name, "_test.go") }

// sources parses every Go file of the module.
func sources(t *testing.T) []source {
	t.Helper()
	root := os.DirFS("..")
	files := token.NewFileSet()
	var all []source
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && name != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata") {
			return fs.SkipDir
		}
		if entry.IsDir() || path.Ext(name) != ".go" {
			return nil
		}
		content, err := fs.ReadFile(root, name)
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		parsed, err := parser.ParseFile(files, name, content, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return fmt.Errorf("parse %s: %w", name, err)
		}
		all = append(all, source{name: name, parsed: parsed, lines: bytes.Count(content, []byte("\n"))})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 5 {
		t.Fatalf("found %d Go files; is this the module?", len(all))
	}
	return all
}

// owner is the entry of arrows that a folder belongs to, empty for a package
// that is not foreseen. Stand-ins and the test helper of embeddedpg are
// packages of their own under their parent's arrows; nothing else nests.
func owner(folder string) string {
	if folder == "internal/embeddedpg/pgtest" || strings.HasPrefix(folder, "internal/sandbox/") {
		return path.Join("internal", strings.Split(folder, "/")[1])
	}
	if _, known := arrows[folder]; known {
		return folder
	}
	return ""
}

// mayImport tells whether a file may import a package of ours.
func mayImport(file source, imported string) bool {
	own := owner(file.folder())
	target := owner(imported)
	switch {
	case strings.HasPrefix(file.name, "cmd/"):
		return true
	case own == "" || target == "":
		return false
	case slices.Contains(arrows[own], target):
		return true
	case file.isTest():
		return imported == file.folder() || slices.Contains(forTests, target) || slices.Contains(testArrows[own], target)
	default:
		return false
	}
}

func TestPackagesImportOnlyWhatTheyMay(t *testing.T) {
	t.Parallel()
	for _, file := range sources(t) {
		for _, spec := range file.parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatalf("%s: import %s: %v", file.name, spec.Path.Value, err)
			}
			if ours, found := strings.CutPrefix(imported, module+"/"); found && !mayImport(file, ours) {
				t.Errorf("%s imports %s, which is none of its arrows", file.name, ours)
			}
			if file.folder() == "internal/change" && !file.isTest() && strings.Contains(strings.Split(imported, "/")[0], ".") {
				t.Errorf("%s imports %s; the domain has the standard library only", file.name, imported)
			}
		}
	}
}

func TestEveryPackageIsForeseen(t *testing.T) {
	t.Parallel()
	for _, file := range sources(t) {
		folder := file.folder()
		known := owner(folder) != "" || strings.HasPrefix(folder, "cmd/") || folder == "deploy" ||
			folder == "internal" && file.isTest()
		if !known {
			t.Errorf("%s is in a package that the design does not have", file.name)
		}
	}
}

func TestOnlyCmdReadsTheClock(t *testing.T) {
	t.Parallel()
	for _, file := range sources(t) {
		if file.isTest() || strings.HasPrefix(file.name, "cmd/") {
			continue
		}
		clock := importedAs(file.parsed, "time")
		ast.Inspect(file.parsed, func(node ast.Node) bool {
			selector, ok := node.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			name, ok := selector.X.(*ast.Ident)
			if ok && clock != "" && name.Name == clock && slices.Contains([]string{"Now", "Since", "Until"}, selector.Sel.Name) {
				t.Errorf("%s reads the clock with time.%s", file.name, selector.Sel.Name)
			}
			return true
		})
	}
}

// importedAs is the name under which a file knows a package, empty if it does
// not import it.
func importedAs(file *ast.File, wanted string) string {
	for _, spec := range file.Imports {
		if imported, err := strconv.Unquote(spec.Path.Value); err != nil || imported != wanted {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(wanted)
	}
	return ""
}

func TestFilesAreShortEnoughToHoldOneIdea(t *testing.T) {
	t.Parallel()
	for _, file := range sources(t) {
		if !file.isTest() && file.lines > maxLines {
			t.Errorf("%s has %d lines, %d are allowed", file.name, file.lines, maxLines)
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	t.Parallel()
	said := map[string]bool{}
	for _, file := range sources(t) {
		if file.isTest() {
			continue
		}
		doc := file.parsed.Doc.Text()
		starts := "Package " + file.parsed.Name.Name + " "
		if file.parsed.Name.Name == "main" {
			starts = "Command "
		}
		said[file.folder()] = said[file.folder()] || strings.HasPrefix(doc, starts)
	}
	for folder, ok := range said {
		if !ok {
			t.Errorf("%s has no package comment", folder)
		}
	}
}

// TestEveryPackageSaysWhatItMayImport looks in its comment for each of its arrows.
func TestEveryPackageSaysWhatItMayImport(t *testing.T) {
	t.Parallel()
	comments := map[string]string{}
	for _, file := range sources(t) {
		if !file.isTest() {
			comments[file.folder()] += file.parsed.Doc.Text()
		}
	}
	for folder, to := range arrows {
		for _, target := range to {
			if folder == "internal/sandbox" || folder == "internal/embeddedpg" {
				continue // each of their packages says what it imports itself
			}
			if !regexp.MustCompile(`\b` + path.Base(target) + `\b`).MatchString(comments[folder]) {
				t.Errorf("the package comment of %s does not say that it may import %s", folder, target)
			}
		}
	}
}

func TestTheLinterHasTheSameArrows(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(filepath.Join("..", ".golangci.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var settings struct {
		Linters struct {
			Settings struct {
				Depguard struct {
					Rules map[string]struct {
						Files []string
						Allow []string
					}
				}
			}
		}
	}
	if err := yaml.Unmarshal(content, &settings); err != nil {
		t.Fatal(err)
	}
	got, want := map[string][]string{}, map[string][]string{}
	for folder, to := range arrows {
		allowed := append([]string{folder}, to...)
		switch folder {
		case "internal/sandbox", "internal/embeddedpg":
		case "migrations":
			allowed = append(allowed, "internal/embeddedpg")
		default:
			allowed = append(allowed, forTests...)
		}
		files := "**/" + folder + "/**"
		if more := testArrows[folder]; len(more) > 0 {
			want[files+"_test.go"] = sorted(append(more, allowed...))
			files += " !$test"
		}
		want[files] = sorted(allowed)
	}
	for name, rule := range settings.Linters.Settings.Depguard.Rules {
		if name == "production" || name == "change-std" {
			continue
		}
		var allowed []string
		for _, imported := range rule.Allow {
			allowed = append(allowed, strings.TrimPrefix(imported, module+"/"))
		}
		got[strings.Join(rule.Files, " ")] = sorted(allowed)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the arrows here (-) and those of .golangci.yml (+) differ:\n%s", diff)
	}
}

// sorted gives the names in order, each once.
func sorted(names []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(names)))
}
