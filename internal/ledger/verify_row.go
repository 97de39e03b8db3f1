package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// storedChange is the row of a change: its columns, the document that they were
// taken from, and its obligations.
type storedChange struct {
	number                 int64
	version                int64
	phase, kind            string
	requester, implementer string
	confidential           bool
	requested              time.Time
	started, ended, next   *time.Time
	ticket, incident       *string
	document, owed         []byte
	head                   chainHead
}

// rows reads the next changes, by number, at most limit.
func (v *verifier) rows(ctx context.Context, after int64, limit int) ([]storedChange, error) {
	rows, err := v.tx.Query(ctx, `SELECT c.number, c.version, c.phase, c.kind, c.requester, c.implementer, c.confidential, c.requested_at,
			c.started_at, c.ended_at, c.next_at, c.ticket_id, c.incident_id, c.document, c.last_seq, c.last_hash, c.last_at,
			(SELECT json_agg(json_build_object('name', o.name, 'item', o.item, 'state', o.state, 'owner', o.owner, 'due', o.due_at) ORDER BY o.name, o.item)
				FROM obligations o WHERE o.number = c.number)
		FROM changes c WHERE c.number > $1 ORDER BY c.number LIMIT $2`, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read changes: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (storedChange, error) {
		var s storedChange
		err := row.Scan(&s.number, &s.version, &s.phase, &s.kind, &s.requester, &s.implementer, &s.confidential, &s.requested,
			&s.started, &s.ended, &s.next, &s.ticket, &s.incident, &s.document, &s.head.seq, &s.head.hash, &s.head.at,
			&s.owed)
		return s, err
	})
}

// row checks that a change is what its last event left, and that its columns
// say the same. It tells of the first that does not hold.
func (v *verifier) row(s *storedChange, end chainEnd) {
	var c change.Change
	if err := json.Unmarshal(s.document, &c); err != nil {
		v.find(FindingRow, s.number, 0, "its document cannot be read")
		return
	}
	if column := s.disagrees(&c); column != "" {
		v.find(FindingColumn, s.number, 0, "its column %s disagrees with its document", column)
		return
	}
	if say := s.obligationProblem(&c); say != "" {
		v.find(FindingObligation, s.number, 0, "%s", say)
		return
	}
	if end.bad {
		return
	}
	if end.row != RowDigest(c) {
		v.find(FindingRow, s.number, 0, "it is not what event %d left: somebody has altered the row", end.seq)
		return
	}
	for _, x := range []struct{ name, text string }{
		{"what", c.What}, {"why", c.Why}, {"done", c.Record.Done}, {"record's why", c.Record.Why},
	} {
		if typed, there := end.typed[x.name]; there && x.text != "" && x.text != typed.text {
			v.find(FindingText, s.number, 0, "its text %q is not the one of event %d", x.name, typed.seq)
			return
		}
	}
}

// disagrees names the first column that says something else than the document.
func (s *storedChange) disagrees(c *change.Change) string {
	for _, x := range []struct {
		column string
		agrees bool
	}{
		{"number", s.number == int64(c.Number)},
		{"version", s.version == c.Version},
		{"phase", s.phase == string(c.Phase)},
		{"kind", s.kind == string(c.Kind)},
		{"requester", s.requester == string(c.Requester)},
		{"implementer", s.implementer == string(c.Implementer)},
		{"confidential", s.confidential == c.Confidential},
		{"requested_at", s.requested.Equal(Micro(c.RequestedAt))},
		{"started_at", zero(s.started).Equal(Micro(c.Window.Start))},
		{"ended_at", zero(s.ended).Equal(Micro(c.Window.Ended))},
		{"next_at", zero(s.next).Equal(Micro(c.NextAt()))},
		{"ticket_id", same(s.ticket, ticketID(c))},
		{"incident_id", same(s.incident, incidentID(c))},
	} {
		if !x.agrees {
			return x.column
		}
	}
	return ""
}

// obligationProblem says which obligation's columns say something else than its
// document; empty when none does.
func (s *storedChange) obligationProblem(c *change.Change) string {
	var columns []struct {
		Name  change.ObligationName
		Item  int
		State change.ObligationState
		Owner change.PersonID
		Due   *time.Time
	}
	if s.owed != nil {
		if err := json.Unmarshal(s.owed, &columns); err != nil {
			return "its obligations cannot be read"
		}
	}
	if len(columns) != len(c.Obligations) {
		return fmt.Sprintf("its document holds %d obligations, and the table %d", len(c.Obligations), len(columns))
	}
	for _, x := range columns {
		o := c.Owes(x.Name, x.Item)
		if o == nil {
			return fmt.Sprintf("the obligation %s of the table is not in its document", x.Name)
		}
		if x.Name != o.Name || x.Item != o.Item || x.State != o.State || x.Owner != o.Owner || !zero(x.Due).Equal(Micro(o.Due)) {
			return fmt.Sprintf("the columns of its obligation %s disagree with what is owed", x.Name)
		}
	}
	return ""
}

func same(a, b *string) bool {
	return (a == nil) == (b == nil) && (a == nil || *a == *b)
}
