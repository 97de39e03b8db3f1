package incidentio

import (
	"regexp"
	"strings"
	"unicode"
)

// gap is a space that nobody sees: it stops a mention or a link without
// changing what is read.
const gap = "\u200b"

// numbered is the start of a line that would become a numbered list.
var numbered = regexp.MustCompile(`^([0-9]{1,9})([.)])`)

// EscapeMarkdown makes people's own words safe inside markdown: they are shown
// as typed, and mention nobody, load nothing and link nowhere.
func EscapeMarkdown(text string) string {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for n, line := range lines {
		lines[n] = escapeLine(line)
	}
	var b strings.Builder
	for n, line := range lines {
		b.WriteString(line)
		if n == len(lines)-1 {
			break
		}
		if line != "" && lines[n+1] != "" {
			b.WriteString("  ") // a line break that markdown keeps
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func escapeLine(line string) string {
	line = visible(line)
	bare := strings.TrimLeft(line, " ")
	indent := strings.Repeat("\u00a0", len(line)-len(bare)) // spaces would make a code block
	lead := ""
	if m := numbered.FindStringSubmatch(bare); m != nil {
		lead, bare = m[1]+`\`+m[2], bare[len(m[0]):]
	} else if bare != "" && strings.ContainsRune("-+=", rune(bare[0])) {
		lead, bare = `\`+bare[:1], bare[1:]
	}
	return indent + lead + inert.Replace(strings.TrimRight(bare, " "))
}

var inert = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "!", `\!`, "#", `\#`, "|", `\|`, "~", `\~`,
	"&", "&amp;", "<", "&lt;", ">", "&gt;", "@", "@"+gap, "://", ":"+gap+"//", "www.", "www"+gap+".", "WWW.", "WWW"+gap+".", "mailto:", "mailto"+gap+":",
)

// plainLine makes text fit for a title, which may or may not be read as
// markdown: one line, at most so many characters, mentioning nobody.
func plainLine(text string, most int) string {
	line := strings.Join(strings.Fields(visible(strings.ReplaceAll(text, "\n", " "))), " ")
	return tame.Replace(shorten(line, most))
}

var tame = strings.NewReplacer("@", "@"+gap, "<", "<"+gap, "![", "!"+gap+"[", "](", "]"+gap+"(", "://", ":"+gap+"//")

// visible drops control characters and the marks that turn the direction of
// writing, with which text can be made to look like other text.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, s)
}
