package slack

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	angled = regexp.MustCompile(`<[^<>\n]+>`)
	styled = regexp.MustCompile(`(^|[\s(\[>])([*_~])([^\s*_~](?:[^*~\n]*?[^\s*_~])?)([*_~])($|[\s).,:;!?\]<])`)
	inDate = regexp.MustCompile(`\{[a-z_]+\}`)
)

// mrkdwn renders Slack's markup as plain text: mentions by name, dates in the
// reader's time zone, emphasis without its marks, escapes undone.
func (r *renderer) mrkdwn(s string) string {
	var out strings.Builder
	at := 0
	for _, hit := range angled.FindAllStringIndex(s, -1) {
		out.WriteString(unescape(unstyle(s[at:hit[0]])))
		out.WriteString(r.markup(s[hit[0]+1 : hit[1]-1]))
		at = hit[1]
	}
	out.WriteString(unescape(unstyle(s[at:])))
	return out.String()
}

// unstyle takes the marks of bold, italic and struck text away. It is applied
// twice since neighbours share the space between them.
func unstyle(s string) string {
	strip := func(hit string) string {
		m := styled.FindStringSubmatch(hit)
		if m[2] != m[4] {
			return hit
		}
		return m[1] + m[3] + m[5]
	}
	return styled.ReplaceAllStringFunc(styled.ReplaceAllStringFunc(s, strip), strip)
}

func unescape(s string) string {
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(s)
}

// markup renders what stands between angle brackets.
func (r *renderer) markup(s string) string {
	what, label, labelled := strings.Cut(s, "|")
	label = unescape(label)
	switch {
	case strings.HasPrefix(what, "@"):
		return "@" + r.w.userName(what[1:])
	case strings.HasPrefix(what, "#"):
		return "#" + r.w.channelLabel(what[1:])
	case strings.HasPrefix(what, "!subteam^"):
		return "@" + r.w.groupHandle(what[len("!subteam^"):])
	case strings.HasPrefix(what, "!date^"):
		parts := strings.SplitN(what, "^", 4)
		unix, err := strconv.ParseInt(parts[1], 10, 64)
		if err != nil || len(parts) < 3 {
			return label
		}
		shown := r.date(unix, parts[2])
		if len(parts) == 4 {
			return link(parts[3], shown)
		}
		return shown
	case strings.HasPrefix(what, "!"):
		return "@" + what[1:]
	case labelled:
		return link(unescape(what), label)
	}
	return unescape(what)
}

// date renders Slack's date tokens for the reader.
func (r *renderer) date(unix int64, format string) string {
	zone := r.w.location(r.reader)
	at, today := time.Unix(unix, 0).In(zone), r.w.opt.Now().In(zone)
	pretty := func(otherwise string) string {
		switch at.Format(time.DateOnly) {
		case today.Format(time.DateOnly):
			return "today"
		case today.AddDate(0, 0, -1).Format(time.DateOnly):
			return "yesterday"
		case today.AddDate(0, 0, 1).Format(time.DateOnly):
			return "tomorrow"
		}
		return at.Format(otherwise)
	}
	const short, long, full = "Jan 2, 2006", "January 2, 2006", "Monday, January 2, 2006"
	return inDate.ReplaceAllStringFunc(format, func(token string) string {
		switch token {
		case "{date_num}":
			return at.Format(time.DateOnly)
		case "{date_slash}":
			return at.Format("01/02/2006")
		case "{date}":
			return at.Format(long)
		case "{date_short}":
			return at.Format(short)
		case "{date_long}":
			return at.Format(full)
		case "{date_pretty}":
			return pretty(long)
		case "{date_short_pretty}":
			return pretty(short)
		case "{date_long_pretty}":
			return pretty(full)
		case "{time}":
			return at.Format("3:04 PM")
		case "{time_secs}":
			return at.Format("3:04:05 PM")
		case "{ago}":
			return today.Sub(at).Round(time.Minute).String() + " ago"
		}
		return token
	})
}

// groupHandle answers how a mention of a group is shown. Callers hold mu.
func (w *Workspace) groupHandle(id string) string {
	for _, g := range w.groups {
		if g.ID == id {
			return g.Handle
		}
	}
	return id
}

// channelLabel answers how a mention of a channel is shown. Callers hold mu.
func (w *Workspace) channelLabel(id string) string {
	if c := w.channels[id]; c != nil {
		return c.Name
	}
	return id
}
