package jira

import (
	"net/url"
	"slices"
	"strings"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// Jira's limits, counted in UTF-16 as Jira does.
const (
	maxSummary = 255
	maxText    = 32767
	maxHeading = 200
	maxURL     = 2000
)

const cutMark = " … (shortened)"

// units counts as Jira does.
func units(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

// summary makes one line of at most 255 of plain text; a summary is no markup.
func summary(text string) string {
	line := strings.Join(strings.Fields(clean(text)), " ")
	if units(line) <= maxSummary {
		return line
	}
	n := 0
	for at, r := range line {
		if n += units(string(r)); n > maxSummary-1 {
			return line[:at] + "…"
		}
	}
	return line
}

// cut joins atoms up to a limit, and says so where something is missing.
func cut(pieces []string, limit int) string {
	whole := strings.Join(pieces, "")
	if units(whole) <= limit {
		return whole
	}
	var b strings.Builder
	room := limit - units(cutMark)
	for _, p := range pieces {
		if room -= units(p); room < 0 {
			break
		}
		b.WriteString(p)
	}
	if limit < units(cutMark) {
		return ""
	}
	return b.String() + cutMark
}

// markup writes sections and a last line in wiki markup, within Jira's limit.
// Where they are too long, the longest texts are shortened first.
func markup(sections []change.TicketSection, tail string) string {
	room := maxText - units(tail) - 2
	frames := make([]int, 0, len(sections))
	for i, s := range sections { // sections whose frames alone have no room are left out
		n := units(head(s)) + units(foot(s)) + 2
		if room < n {
			sections = sections[:i]
			break
		}
		room -= n
		frames = append(frames, n)
	}
	texts := make([][]string, len(frames))
	sizes := make([]int, len(frames))
	for i := range frames {
		texts[i] = atoms(strings.TrimSpace(sections[i].Text))
		sizes[i] = units(strings.Join(texts[i], ""))
	}
	most := fair(sizes, room)
	var parts []string
	for i, s := range sections {
		parts = append(parts, head(s)+cut(texts[i], most)+foot(s))
	}
	if tail != "" {
		parts = append(parts, Escape(tail))
	}
	return strings.Join(parts, "\n\n")
}

// fair answers the greatest size that each may have so that all fit into room.
func fair(sizes []int, room int) int {
	sorted := slices.Sorted(slices.Values(sizes))
	for i, size := range sorted {
		if share := room / (len(sorted) - i); size > share {
			return share
		}
		room -= size
	}
	return maxText
}

func head(s change.TicketSection) string {
	line := strings.Join(strings.Fields(clean(s.Heading)), " ")
	if line == "" {
		return ""
	}
	return "*" + cut(atoms(line), maxHeading) + "*\n"
}

// foot is the section's own link, in the form that has no text of its own.
func foot(s change.TicketSection) string {
	u, err := url.Parse(s.URL)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return ""
	}
	link := percent.Replace(u.String())
	if units(link) > maxURL {
		return ""
	}
	if strings.TrimSpace(s.Text) == "" {
		return "[" + link + "]"
	}
	return "\n[" + link + "]"
}
