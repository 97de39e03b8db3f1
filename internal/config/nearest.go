package config

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// quote shows a value of the file in a sentence: on one line, not too long,
// and unable to pass for anything else.
func quote(value string) string {
	const most = 60
	clean := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == '`' {
			return '?'
		}
		return r
	}, value)
	if runes := []rune(clean); len(runes) > most {
		clean = string(runes[:most]) + "…"
	}
	return "`" + clean + "`"
}

// quoteAll lists values in the order given.
func quoteAll(values []string) string {
	quoted := make([]string, len(values))
	for i, value := range values {
		quoted[i] = quote(value)
	}
	return strings.Join(quoted, ", ")
}

// DidYouMean ends a sentence about an unknown name with the nearest valid one,
// or with nothing where none is near.
func DidYouMean(got string, valid []string) string {
	if best, ok := nearest(got, valid); ok {
		return fmt.Sprintf("; did you mean %s?", quote(best))
	}
	return ""
}

// nearest finds the valid name with the fewest edits from got, at most a third
// of its letters and always one; the first of equals.
func nearest(got string, valid []string) (string, bool) {
	from := []rune(strings.ToLower(got))
	best, name := max(len(from)/3, 1)+1, ""
	for _, candidate := range valid {
		gap := utf8.RuneCountInString(candidate) - len(from)
		if gap >= best || -gap >= best {
			continue
		}
		if d := edits(from, []rune(strings.ToLower(candidate))); d < best {
			best, name = d, candidate
		}
	}
	return name, name != ""
}

// edits counts the insertions, deletions, replacements and swaps of neighbours
// that turn a into b.
func edits(a, b []rune) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
