package audit

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// readme is the export's README.md.
func (w *writer) readme() string {
	a := &w.about
	var b strings.Builder
	fmt.Fprintf(&b, `# Emergency changes from %s to %s

Written by breakglass %s at %s. The end of the period is not part of it.

%s that breakglass heard of in the period, whatever became of them: the denied, refused, lapsed, withdrawn, failed and
reported ones too. %s of them and of the system chain. %s. %s
`, a.Since.Format(time.RFC3339), a.Until.Format(time.RFC3339), a.Breakglass, a.At.Format(time.RFC3339),
		count(a.Changes, "change", "changes"), count(a.Events, "event", "events"), count(a.Exceptions, "exception", "exceptions"), w.withheldWords())
	b.WriteString(`
| file | what |
|---|---|
| changes.csv | every change, one row each |
| exceptions.csv | what to ask about first: each points to its event |
| changes.jsonl | every change as its last event left it, without free texts, and the row of changes.csv |
| events.jsonl | every event: the exact text that was hashed, its hash, the hash before it, and its texts with their salts |
| neighbours.jsonl | the events just outside the period: nothing is missing at its edges |
| seals.jsonl | the daily seals, with the heads of the chains that each holds |
| export.json | what this export is of |
| SHA256SUMS | the sums of all these files |

## Verify it

    sha256sum -c SHA256SUMS
    python3 verify_export.py .
    breakglass audit verify --export .

The second needs nothing but Python 3: take docs/verify_export.py from breakglass's repository, not from whoever gave you
this folder. The third is the program itself; neither asks the database for anything. docs/audit-format.md there says what
each of them checks, precisely enough to write another.

## What to compare

Whoever made this export saw the SHA-256 of SHA256SUMS when it was written. If they tell it to you on another way, you
know that nothing here was altered since.

`)
	fmt.Fprintf(&b, "Digest of the heads of all changes (lines of number, place and hash): `%s`\n", w.heads.digest())
	w.sealWords(&b)
	return b.String()
}

func (w *writer) withheldWords() string {
	switch {
	case w.opts.Cleared:
		return "The texts of confidential changes are in it: keep it accordingly."
	case w.result.Withheld == 0:
		return "No texts were withheld."
	case w.result.Withheld == 1:
		return "The texts of 1 confidential change were withheld; their hashes are there."
	}
	return fmt.Sprintf("The texts of %d confidential changes were withheld; their hashes are there.", w.result.Withheld)
}

func (w *writer) sealWords(b *strings.Builder) {
	if w.newest == nil {
		b.WriteString("\nNothing has been sealed yet.\n")
		return
	}
	var seal struct{ Day string }
	if err := json.Unmarshal([]byte(w.newest.Body), &seal); err != nil {
		seal.Day = "a day that cannot be read"
	}
	fmt.Fprintf(b, "\nThe newest seal is number %d of %s: `%s`\n\nThe audit channel in Slack has to say the same, and for any older seal what stands in seals.jsonl.\n",
		w.newest.Number, seal.Day, w.newest.Hash)
}
