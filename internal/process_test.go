package internal_test

import (
	"path"
	"regexp"
	"strings"
	"testing"
)

// TestEveryRuleOfTheProcessNamesCodeThatIsThere holds docs/process.md to the
// code: whatever a row names beside a file stands in it.
func TestEveryRuleOfTheProcessNamesCodeThatIsThere(t *testing.T) {
	t.Parallel()
	rows, names := 0, 0
	for line := range strings.Lines(file(t, "docs/process.md")) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if !strings.HasPrefix(line, "| ") || len(cells) != 3 || cells[0] == " rule" {
			continue
		}
		rows++
		for place := range strings.SplitSeq(cells[2], ";") {
			at := link.FindStringSubmatch(place)
			if at == nil || !strings.HasSuffix(at[1], ".go") {
				continue
			}
			source := file(t, path.Join("docs", at[1]))
			_, after, _ := strings.Cut(place, ")")
			for _, m := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(after, -1) {
				names++
				if !strings.Contains(source, m[1]) {
					t.Errorf("docs/process.md says that %s stands in %s", m[1], at[1])
				}
			}
		}
	}
	if rows < 35 || names < 20 {
		t.Errorf("found %d rules and %d names only", rows, names)
	}
}
