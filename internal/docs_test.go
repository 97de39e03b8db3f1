package internal_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// file reads a file of the module, by its name from the root.
func file(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// documents are the files that people read, by name from the root.
func documents(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		names, err := fs.Glob(os.DirFS(".."), pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			all[name] = file(t, name)
		}
	}
	if len(all) < 6 {
		t.Fatalf("found %d documents", len(all))
	}
	return all
}

// program is all of the program's own source in one text.
func program(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, s := range sources(t) {
		if !s.isTest() {
			all.WriteString(file(t, s.name))
		}
	}
	return all.String()
}

// section is what stands under a heading of a document, up to the next.
func section(t *testing.T, text, heading string) string {
	t.Helper()
	_, under, found := strings.Cut(text, "\n## "+heading+"\n")
	if !found {
		t.Fatalf("there is no heading %q", heading)
	}
	under, _, _ = strings.Cut(under, "\n## ")
	return under
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	unslug  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// anchors are the headings of a document as GitHub links to them.
func anchors(text string) []string {
	var all []string
	for _, h := range heading.FindAllStringSubmatch(text, -1) {
		all = append(all, strings.ReplaceAll(unslug.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-"))
	}
	return all
}

func TestEveryLinkOfTheDocumentsLeadsSomewhere(t *testing.T) {
	t.Parallel()
	all := documents(t)
	for name, text := range all {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			target, anchor, _ := strings.Cut(m[1], "#")
			at := name
			if target != "" {
				at = path.Join(path.Dir(name), target)
			}
			if _, err := os.Stat(filepath.Join("..", filepath.FromSlash(at))); err != nil {
				t.Errorf("%s links to %s, which is not there", name, m[1])
			}
			if anchor != "" && !slices.Contains(anchors(all[at]), anchor) {
				t.Errorf("%s links to %s, which has no such heading", name, m[1])
			}
		}
	}
}

// picturesWithin bounds the README's pictures together, in bytes: they are
// cloned by everybody.
const picturesWithin = 1_500_000

func TestEveryPictureOfTheReadmeIsThereDescribedAndTaken(t *testing.T) {
	t.Parallel()
	readme, makefile := file(t, "README.md"), file(t, "Makefile")
	var named []string
	for _, m := range regexp.MustCompile(`!\[([^\]]*)\]\(([^)\s]+)\)|<img alt="([^"]*)" src="([^"]+)"`).FindAllStringSubmatch(readme, -1) {
		about, name := m[1]+m[3], m[2]+m[4]
		named = append(named, name)
		if len(about) < 30 {
			t.Errorf("%s is described as %q only", name, about)
		}
	}
	if tags := strings.Count(readme, "<img") + strings.Count(readme, "!["); len(named) != tags || tags == 0 {
		t.Errorf("the README has %d pictures, of which %d could be read", tags, len(named))
	}
	_, taken, _ := strings.Cut(makefile, "for picture in ")
	taken, _, _ = strings.Cut(taken, ";")
	for _, word := range strings.Fields(taken) {
		if !slices.Contains(named, "docs/images/"+word+".png") {
			t.Errorf("make screenshots takes %s, which the README does not show", word)
		}
	}
	size := 0
	for _, name := range named {
		size += len(file(t, name))
		word := strings.TrimSuffix(path.Base(name), ".png")
		if !slices.Contains(strings.Fields(taken), word) {
			t.Errorf("make screenshots does not take %s", name)
		}
	}
	if size > picturesWithin {
		t.Errorf("the pictures have %d bytes, more than %d", size, picturesWithin)
	}
}

func TestEveryFileThatTheReadmeNamesIsThere(t *testing.T) {
	t.Parallel()
	names := regexp.MustCompile("`([a-z]+/[^` ]+)`").FindAllStringSubmatch(section(t, file(t, "README.md"), "Where is …?"), -1)
	if len(names) < 30 {
		t.Errorf("the table of features names %d files only", len(names))
	}
	for _, name := range names {
		if _, err := os.Stat(filepath.Join("..", filepath.FromSlash(name[1]))); err != nil {
			t.Errorf("the README names %s, which is not there", name[1])
		}
	}
}

func TestEveryCommandOfTheDocumentsExists(t *testing.T) {
	t.Parallel()
	var uses []string
	for _, m := range regexp.MustCompile(`Use:\s+"(\S+)"`).FindAllStringSubmatch(program(t), -1) {
		uses = append(uses, m[1])
	}
	makefile := file(t, "Makefile")
	for name, text := range documents(t) {
		for _, m := range regexp.MustCompile("(?m)(?:`|^    )breakglass ([a-z]+)(?: (check|verify))?").FindAllStringSubmatch(text, -1) {
			for _, word := range m[1:] {
				if word != "" && !slices.Contains(uses, word) {
					t.Errorf("%s names the command %q, which does not exist", name, strings.TrimSpace(m[0]))
				}
			}
		}
		for _, m := range regexp.MustCompile("(?m)(?:`|^    )make ([a-z]+)").FindAllStringSubmatch(text, -1) {
			if !strings.Contains(makefile, "\n"+m[1]+":") {
				t.Errorf("%s names the target %q, which the Makefile does not have", name, m[1])
			}
		}
	}
	for _, use := range uses {
		if readme := section(t, file(t, "README.md"), "Commands of the program"); use != "breakglass" && !strings.Contains(readme, use) {
			t.Errorf("the README does not tell of the command %s", use)
		}
	}
}

func TestThePhasesAreDrawnAsTheSchemaHasThem(t *testing.T) {
	t.Parallel()
	var drawn, legal []string
	for _, m := range regexp.MustCompile(`(?m)^    (\w+) --> (\w+)`).FindAllStringSubmatch(file(t, "README.md"), -1) {
		drawn = append(drawn, m[1]+" to "+m[2])
	}
	_, moves, _ := strings.Cut(file(t, "migrations/00001_ledger.sql"), "INSERT INTO phase_moves")
	moves, _, _ = strings.Cut(moves, ";")
	for _, m := range regexp.MustCompile(`\('(\w+)', '(\w+)'\)`).FindAllStringSubmatch(moves, -1) {
		legal = append(legal, m[1]+" to "+m[2])
	}
	slices.Sort(drawn)
	slices.Sort(legal)
	if !slices.Equal(drawn, legal) || len(legal) == 0 {
		t.Errorf("the README draws %q, the schema allows %q", drawn, legal)
	}
}

func TestEveryMessageOfTheTroubleshootingTableIsTheProgramsOwn(t *testing.T) {
	t.Parallel()
	running, source := file(t, "docs/running.md"), program(t)
	messages := 0
	for line := range strings.Lines(section(t, running, "Troubleshooting")) {
		first, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " |")
		for _, m := range regexp.MustCompile(`“([^”]+)”`).FindAllStringSubmatch(first, -1) {
			messages++
			if !strings.Contains(source, m[1]) {
				t.Errorf("nothing in the program says %q", m[1])
			}
		}
	}
	if messages < 20 {
		t.Errorf("the table has %d messages only", messages)
	}
	metrics := regexp.MustCompile("`(breakglass_[a-z_]+)`").FindAllStringSubmatch(section(t, running, "Operation"), -1)
	if len(metrics) == 0 {
		t.Error("no metric is told of")
	}
	for _, m := range metrics {
		if !strings.Contains(source, `"`+m[1]+`"`) {
			t.Errorf("there is no metric %s", m[1])
		}
	}
}

// TestEveryDirectDependencyIsExplained looks for each module that go.mod requires
// by itself in a row of a table.
func TestEveryDirectDependencyIsExplained(t *testing.T) {
	t.Parallel()
	var rows []string
	page := strings.Split(file(t, "docs/dependencies.md"), "\n")
	for i, line := range page {
		if !strings.HasPrefix(line, "| ") {
			continue
		}
		if !strings.HasPrefix(page[i-1], "|") && !strings.HasPrefix(page[i+1], "|---") {
			t.Errorf("this row stands outside of its table: %s", line)
		}
		rows = append(rows, line)
	}
	direct := regexp.MustCompile(`(?m)^(?:require |\t)(\S+) v\S+$`).FindAllStringSubmatch(file(t, "go.mod"), -1)
	if len(direct) < 20 {
		t.Fatalf("go.mod requires %d modules only", len(direct))
	}
	for _, m := range direct {
		if !slices.ContainsFunc(rows, func(row string) bool {
			first, _, _ := strings.Cut(strings.TrimPrefix(row, "| "), " | ")
			for _, name := range regexp.MustCompile("`(…/)?([^`]+)`").FindAllStringSubmatch(first, -1) {
				if m[1] == name[2] || name[1] != "" && strings.HasSuffix(m[1], "/"+name[2]) { // one beside another is named by its end
					return true
				}
			}
			return false
		}) {
			t.Errorf("docs/dependencies.md does not explain %s", m[1])
		}
	}
}

// TestTheMetricOfDeliveriesIsToldWithTheNamesOfTheSystems compares what people
// write alerts with.
func TestTheMetricOfDeliveriesIsToldWithTheNamesOfTheSystems(t *testing.T) {
	t.Parallel()
	row := regexp.MustCompile("(?m)^\\| `breakglass_deliveries_failing` .* by `system` \\(([^)]*)\\)").FindStringSubmatch(file(t, "docs/running.md"))
	if row == nil {
		t.Fatal("docs/running.md has no row of breakglass_deliveries_failing")
	}
	var told, names []string
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[1], -1) {
		told = append(told, m[1])
	}
	for _, m := range regexp.MustCompile(`System\w+\s+System = "([^"]+)"`).FindAllStringSubmatch(file(t, "internal/change/outside.go"), -1) {
		names = append(names, m[1])
	}
	if !slices.Equal(sorted(told), sorted(names)) || len(names) == 0 {
		t.Errorf("docs/running.md tells of the systems %q, which are called %q", told, names)
	}
}

func TestEveryObligationStandsInTheTableOfTheDesign(t *testing.T) {
	t.Parallel()
	var told, names []string
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\|").FindAllStringSubmatch(section(t, file(t, "docs/design.md"), "Obligations and reminders"), -1) {
		told = append(told, m[1])
	}
	for _, m := range regexp.MustCompile(`Owe\w+\s+ObligationName = "(\w+)"`).FindAllStringSubmatch(file(t, "internal/change/obligation.go"), -1) {
		names = append(names, m[1])
	}
	if !slices.Equal(sorted(told), sorted(names)) || len(names) == 0 {
		t.Errorf("docs/design.md tells of the obligations %q, a change owes %q", told, names)
	}
}
