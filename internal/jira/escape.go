package jira

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

var (
	address   = regexp.MustCompile(`^https?://[^\s<>"]+`)
	entity    = regexp.MustCompile(`^&(?:#?[0-9A-Za-z]+);`)
	blockMark = regexp.MustCompile(`^(?:h[1-6]|bq)\.`)
	emoticon  = regexp.MustCompile(`^\((?:[xiyn/?+-]|on|off|flag|flagoff)\)`)
)

// always are the signs that a backslash makes harmless wherever they stand. A
// backslash itself becomes an entity: two of them would be a line break, and
// would set free what follows.
const always = `[]{}!|*_^~+`

// percent encodes in an address what is markup elsewhere, so that the address
// still leads where it says.
var percent = strings.NewReplacer("{", "%7B", "}", "%7D", "[", "%5B", "]", "%5D", "|", "%7C", `\`, "%5C",
	"^", "%5E", "*", "%2A", "!", "%21", "~", "%7E", "`", "%60")

// Escape writes plain text in Jira's wiki markup so that it reads as it was
// typed: nobody is mentioned, no image is loaded, no link has a text of its own,
// no macro swallows the rest, nothing is formatted. A bare web address stays one.
func Escape(text string) string { return strings.Join(atoms(text), "") }

// atoms cuts escaped text into pieces that must not be cut any further.
func atoms(text string) []string {
	text = clean(text)
	var out []string
	prev, lineStart := rune(0), true
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		piece := text[:size]
		esc := piece
		switch {
		case !wordy(prev) && address.MatchString(text):
			piece = strings.TrimRight(address.FindString(text), `.,;:!?'")]}*_~|\`)
			esc = percent.Replace(piece)
		case r == '\\':
			esc = "&#92;"
		case r == '&' && entity.MatchString(text):
			esc = "&amp;"
		case lineStart && blockMark.MatchString(text):
			piece = blockMark.FindString(text)
			esc = strings.TrimSuffix(piece, ".") + "&#46;"
		case strings.ContainsRune(always, r),
			r == '-' && !wordy(prev), r == '#' && lineStart,
			r == '?' && (prev == '?' || strings.HasPrefix(text[size:], "?")),
			r == '(' && emoticon.MatchString(text):
			esc = `\` + piece
		}
		out = append(out, esc)
		lineStart = r == '\n' || (lineStart && unicode.IsSpace(r))
		prev, _ = utf8.DecodeLastRuneInString(piece)
		text = text[len(piece):]
	}
	return out
}

func wordy(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// clean takes out what cannot be seen and would change how the rest reads.
func clean(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n").Replace(text)
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && hidden(r) {
			return -1
		}
		return r
	}, text)
}

// hidden reports control characters and those that turn the direction of text.
func hidden(r rune) bool {
	return unicode.IsControl(r) || (r >= '\u202A' && r <= '\u202E') || (r >= '\u2066' && r <= '\u2069')
}
