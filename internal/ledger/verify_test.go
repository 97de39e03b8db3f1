package ledger_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// trail is three changes, the second of them in the middle of its life, and
// three events of the system chain.
func trail(t *testing.T) *stand {
	t.Helper()
	s := open(t)
	s.whole()
	second := s.submit(true)
	s.do(second, change.LinkTicket{Ticket: ticket}, itself) // so that it owes the sign-off first
	s.activate(second)
	s.whole()
	for _, who := range []change.PersonID{"U1", "U2", "U3"} {
		_, err := s.SystemEvent(s.ctx, change.Event{Type: change.EventTurnedAway, At: s.now, Actor: who, Texts: map[string]string{"name": "Mallory"}}, start, 9)
		s.must(err)
	}
	return s
}

func (s *stand) verify() ([]ledger.Finding, ledger.Summary) {
	s.t.Helper()
	var found []ledger.Finding
	sum, err := s.Verify(s.ctx, func(f ledger.Finding) { found = append(found, f) })
	s.must(err)
	if sum.Findings != int64(len(found)) {
		s.t.Errorf("%d findings were counted, and %d told", sum.Findings, len(found))
	}
	return found, sum
}

func TestATrailThatNobodyTouchedHolds(t *testing.T) {
	s := trail(t)
	found, sum := s.verify()
	if len(found) > 0 {
		t.Errorf("findings: %v", found)
	}
	want := ledger.Summary{
		Changes: 3, Events: one[int64](s, `SELECT count(*) FROM events`), Texts: one[int64](s, `SELECT count(*) FROM event_texts`),
	}
	if diff := cmp.Diff(want, sum); diff != "" {
		t.Error(diff)
	}
}

func TestAnEmptyTrailHolds(t *testing.T) {
	found, sum := open(t).verify()
	if len(found) > 0 || sum != (ledger.Summary{}) {
		t.Errorf("findings %v, summary %+v", found, sum)
	}
}

func TestATrailLongerThanAPageHolds(t *testing.T) {
	s := open(t)
	for range 203 {
		s.submit(false)
	}
	if found, sum := s.verify(); len(found) > 0 || sum.Changes != 203 {
		t.Errorf("findings %v of %d changes", found, sum.Changes)
	}
}

func TestErasedTextsAreCountedAndNoFinding(t *testing.T) {
	s := trail(t)
	s.exec(`DELETE FROM event_texts WHERE chain = 1 AND field = 'what'`)
	s.exec(`UPDATE changes SET document = jsonb_set(document, '{what}', '""') WHERE number = 1`)
	if found, sum := s.verify(); len(found) > 0 || sum.Erased != 1 {
		t.Errorf("findings %v, %d erased", found, sum.Erased)
	}
}

func TestARefusalLeavesTheRowAsItsEventsDid(t *testing.T) {
	s := trail(t)
	s.must(s.InTx(s.ctx, func(tx ledger.Tx) error {
		head, err := tx.Lock(s.ctx, 1)
		if err != nil {
			return err
		}
		return tx.Append(s.ctx, head, change.Event{Type: change.EventRefused, At: s.now, Actor: "U9"})
	}))
	if found, _ := s.verify(); len(found) > 0 {
		t.Errorf("findings: %v", found)
	}
}

// rewrite makes chain 1 follow again from body to body, as somebody would who
// wants to hide what they altered.
const rewrite = `DO $$ DECLARE e RECORD; previous TEXT := ''; BEGIN
	FOR e IN SELECT seq, body FROM events WHERE chain = 1 ORDER BY seq LOOP
		previous := encode(sha256(convert_to(previous || E'\n' || e.body, 'UTF8')), 'hex');
		UPDATE events SET hash = previous WHERE chain = 1 AND seq = e.seq;
	END LOOP;
	UPDATE changes SET last_hash = previous WHERE number = 1;
END $$`

func TestEveryKindOfTamperingIsFoundAndNamed(t *testing.T) {
	t.Parallel()
	approved := `body = replace(body, '"seconds":3600', '"seconds":7200')`
	for name, c := range map[string]struct {
		tamper []string
		kind   ledger.FindingKind
		chain  int64
		seq    int64
		says   string
	}{
		"a field of a body":                {[]string{`UPDATE events SET ` + approved + ` WHERE chain = 1 AND seq = 1`}, ledger.FindingLink, 1, 1, "EC-1, event 1: its hash"},
		"a body and its hash":              {[]string{`UPDATE events SET body = replace(body, 'slack', 'jira'), hash = encode(sha256(convert_to(E'\n' || replace(body, 'slack', 'jira'), 'UTF8')), 'hex') WHERE chain = 1 AND seq = 1`}, ledger.FindingLink, 1, 2, "EC-1, event 2: its hash"},
		"a chain rewritten, not the row":   {[]string{`UPDATE events SET body = regexp_replace(body, '"row":"[0-9a-f]{4}', '"row":"0000') WHERE chain = 1`, rewrite}, ledger.FindingRow, 1, 0, "EC-1: it is not what event"},
		"a chain rewritten, not canonical": {[]string{`UPDATE events SET body = replace(body, '"seq":2,', '"seq": 2,') WHERE chain = 1 AND seq = 2`, rewrite}, ledger.FindingBody, 1, 2, "EC-1, event 2: its body is not in the form"},
		"a field that nobody writes":       {[]string{`UPDATE events SET body = replace(body, '"seq":2,', '"seq":2,"x":1,') WHERE chain = 1 AND seq = 2`, rewrite}, ledger.FindingBody, 1, 2, "EC-1, event 2: its body is not in the form"},
		"a body that is no JSON":           {[]string{`UPDATE events SET body = 'x' WHERE chain = 1 AND seq = 2`, rewrite}, ledger.FindingBody, 1, 2, "EC-1, event 2: its body is not JSON"},
		"two events swapped": {[]string{
			`UPDATE events SET seq = CASE seq WHEN 3 THEN 1004 ELSE 1003 END WHERE chain = 1 AND seq IN (3, 4)`,
			`UPDATE events SET seq = seq - 1000 WHERE chain = 1 AND seq > 1000`,
		}, ledger.FindingLink, 1, 3, "EC-1, event 3: its hash"},
		"two events swapped and rewritten": {[]string{
			`UPDATE events SET seq = CASE seq WHEN 3 THEN 1004 ELSE 1003 END WHERE chain = 1 AND seq IN (3, 4)`,
			`UPDATE events SET seq = seq - 1000 WHERE chain = 1 AND seq > 1000`, rewrite,
		}, ledger.FindingColumn, 1, 3, "EC-1, event 3: its column seq"},
		"the last event deleted":            {[]string{`DELETE FROM event_texts WHERE chain = 1`, `DELETE FROM events WHERE chain = 1 AND seq = (SELECT max(seq) FROM events WHERE chain = 1)`}, ledger.FindingHead, 1, 0, "EC-1: the last event is"},
		"an event deleted in the middle":    {[]string{`DELETE FROM events WHERE chain = 1 AND seq = 3`}, ledger.FindingGap, 1, 4, "EC-1, event 4: follows event 2"},
		"the first event deleted":           {[]string{`DELETE FROM events WHERE chain = 1 AND seq = 1`}, ledger.FindingGap, 1, 2, "EC-1, event 2: follows event 0"},
		"a whole chain deleted":             {[]string{`DELETE FROM events WHERE chain = 1`}, ledger.FindingHead, 1, 0, "EC-1: the last event is 0"},
		"a whole change deleted":            {[]string{`DELETE FROM event_texts WHERE chain = 2`, `DELETE FROM events WHERE chain = 2`, `DELETE FROM obligations WHERE number = 2`, `DELETE FROM changes WHERE number = 2`}, ledger.FindingGap, 2, 0, "EC-2: this change is missing"},
		"the newest change deleted":         {[]string{`DELETE FROM events WHERE chain = 3`, `DELETE FROM obligations WHERE number = 3`, `DELETE FROM changes WHERE number = 3`}, ledger.FindingGap, 3, 0, "EC-3: this change is missing"},
		"only the row of a change deleted":  {[]string{`DELETE FROM changes WHERE number = 3`, `UPDATE numbers SET last = 2`}, ledger.FindingHead, 3, 1, "EC-3, event 1: there are events"},
		"the counter turned back":           {[]string{`UPDATE numbers SET last = 2`}, ledger.FindingHead, 3, 0, "EC-3: this change exists"},
		"the counter deleted":               {[]string{`DELETE FROM numbers`}, ledger.FindingHead, 3, 0, "EC-3: this change exists"},
		"the column of an event's time":     {[]string{`UPDATE events SET at = at + interval '1 second' WHERE chain = 1 AND seq = 2`}, ledger.FindingColumn, 1, 2, "EC-1, event 2: its column at"},
		"the column of an event's actor":    {[]string{`UPDATE events SET actor = 'U0OTHER' WHERE chain = 1 AND seq = 3`}, ledger.FindingColumn, 1, 3, "EC-1, event 3: its column actor"},
		"the column of an event's type":     {[]string{`UPDATE events SET type = 'denied' WHERE chain = 1 AND seq = 3`}, ledger.FindingColumn, 1, 3, "EC-1, event 3: its column type"},
		"an event moved to another chain":   {[]string{`UPDATE events SET chain = 4 WHERE chain = 3`, `UPDATE changes SET number = 4 WHERE number = 3`}, ledger.FindingGap, 3, 0, "EC-3: this change is missing"},
		"an event before the one before it": {[]string{`UPDATE events SET at = '2026-03-02T08:00:00Z', body = replace(body, '2026-03-02T09:00:00Z', '2026-03-02T08:00:00Z') WHERE chain = 1 AND seq = 3`, rewrite}, ledger.FindingTime, 1, 3, "EC-1, event 3: lies at 2026-03-02T08:00:00Z"},
		"a text":                            {[]string{`UPDATE event_texts SET text = 'Nothing' WHERE chain = 1 AND field = 'what'`}, ledger.FindingText, 1, 1, `EC-1, event 1: its text "what"`},
		"a salt":                            {[]string{`UPDATE event_texts SET salt = 'x' WHERE chain = 1 AND field = 'what'`}, ledger.FindingText, 1, 1, `EC-1, event 1: its text "what"`},
		"a text added":                      {[]string{`INSERT INTO event_texts (chain, seq, field, salt, text) VALUES (1, 2, 'excuse', 's', 't')`}, ledger.FindingText, 1, 2, `EC-1, event 2: a text "excuse"`},
		"a text of the row":                 {[]string{`UPDATE changes SET document = jsonb_set(document, '{what}', '"Nothing"') WHERE number = 2`}, ledger.FindingText, 2, 0, `EC-2: its text "what" is not the one of event 1`},
		"what was done, in the row":         {[]string{`UPDATE changes SET document = jsonb_set(document, '{record,done}', '"Nothing"') WHERE number = 1`}, ledger.FindingText, 1, 0, `EC-1: its text "done" is not the one of event`},
		"the column of a phase":             {[]string{`UPDATE changes SET phase = 'closed' WHERE number = 2`}, ledger.FindingColumn, 2, 0, "EC-2: its column phase"},
		"a phase, column and document":      {[]string{`UPDATE changes SET phase = 'closed', next_at = NULL, document = jsonb_set(document, '{phase}', '"closed"') WHERE number = 2`}, ledger.FindingRow, 2, 0, "EC-2: it is not what event"},
		"a duration in a document":          {[]string{`UPDATE changes SET document = jsonb_set(document, '{access,approved}', '7200000000000') WHERE number = 2`}, ledger.FindingRow, 2, 0, "EC-2: it is not what event"},
		"a requester, column":               {[]string{`UPDATE changes SET requester = 'U0OTHER' WHERE number = 2`}, ledger.FindingColumn, 2, 0, "EC-2: its column requester"},
		"a requester, column and document":  {[]string{`UPDATE changes SET requester = 'U0OTHER', document = jsonb_set(document, '{requester}', '"U0OTHER"') WHERE number = 2`}, ledger.FindingRow, 2, 0, "EC-2: it is not what event"},
		"the clock stopped":                 {[]string{`UPDATE changes SET next_at = NULL WHERE number = 2`}, ledger.FindingColumn, 2, 0, "EC-2: its column next_at"},
		"a document that is none":           {[]string{`UPDATE changes SET document = '[]' WHERE number = 2`}, ledger.FindingRow, 2, 0, "EC-2: its document cannot be read"},
		"an obligation's column":            {[]string{`UPDATE obligations SET state = 'waived' WHERE number = 2`}, ledger.FindingObligation, 2, 0, "EC-2: the columns of its obligation record"},
		"an obligation's deadline":          {[]string{`UPDATE obligations SET due_at = due_at + interval '1 day' WHERE number = 2`}, ledger.FindingObligation, 2, 0, "EC-2: the columns of its obligation record"},
		"an obligation, both":               {[]string{`UPDATE obligations SET state = 'done' WHERE number = 1 AND name = 'review'`, `UPDATE changes SET document = jsonb_set(document, (SELECT ARRAY['obligations', (i - 1)::TEXT, 'state'] FROM jsonb_array_elements(document -> 'obligations') WITH ORDINALITY AS x(o, i) WHERE o ->> 'name' = 'review'), '"done"') WHERE number = 1`}, ledger.FindingRow, 1, 0, "EC-1: it is not what event"},
		"an obligation deleted":             {[]string{`DELETE FROM obligations WHERE number = 1 AND name = 'sign_off'`}, ledger.FindingObligation, 1, 0, "EC-1: its document holds"},
		"a head's sequence":                 {[]string{`UPDATE changes SET last_seq = last_seq + 1 WHERE number = 2`}, ledger.FindingHead, 2, 0, "EC-2: the last event is"},
		"a head turned back":                {[]string{`UPDATE changes SET last_seq = last_seq - 1 WHERE number = 2`}, ledger.FindingHead, 2, 0, "EC-2: the last event is"},
		"a head's hash":                     {[]string{`UPDATE changes SET last_hash = '00' WHERE number = 2`}, ledger.FindingHead, 2, 0, "EC-2: the head's hash"},
		"a head's time":                     {[]string{`UPDATE changes SET last_at = last_at + interval '1 hour' WHERE number = 2`}, ledger.FindingHead, 2, 0, "EC-2: the head's time"},
		"the system chain cut":              {[]string{`DELETE FROM events WHERE chain = 0 AND seq = 3`}, ledger.FindingHead, 0, 0, "the system chain: the last event is 2, and was 3"},
		"an event of the system chain":      {[]string{`UPDATE events SET body = replace(body, 'U2', 'U8') WHERE chain = 0 AND seq = 2`}, ledger.FindingLink, 0, 2, "the system chain, event 2: its hash"},
		"the system chain's head":           {[]string{`DELETE FROM chains`}, ledger.FindingHead, 0, 0, "the system chain: its head is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			s := trail(t)
			s.tamper(c.tamper...)
			found, _ := s.verify()
			if len(found) == 0 {
				t.Fatal("it was not found")
			}
			want := ledger.Finding{Kind: c.kind, Chain: c.chain, Seq: c.seq}
			if diff := cmp.Diff(want, found[0], cmpopts.IgnoreFields(ledger.Finding{}, "Say")); diff != "" {
				t.Errorf("%s\n%s", found[0].Say, diff)
			}
			if !strings.HasPrefix(found[0].Say, c.says) {
				t.Errorf("it says %q; want %q …", found[0].Say, c.says)
			}
		})
	}
}

func TestOneBrokenChainHidesNoOther(t *testing.T) {
	s := trail(t)
	s.tamper(`UPDATE events SET actor = 'X' WHERE seq = 2`, `UPDATE changes SET requester = 'U0OTHER' WHERE number = 2`)
	found, _ := s.verify()
	var names []string
	for _, f := range found {
		name, _, _ := strings.Cut(f.Say, ":")
		names = append(names, name)
	}
	want := []string{"the system chain, event 2", "EC-1, event 2", "EC-2, event 2", "EC-2", "EC-3, event 2"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
}

// Of a large ledger, what is asked about all of it takes longer than any other
// statement may.
func TestAVerificationHasTheTimeItNeeds(t *testing.T) {
	s := open(t)
	s.submit(false)
	s.exec(`ALTER TABLE seal_heads RENAME TO slow_heads`)
	s.exec(`CREATE VIEW seal_heads AS SELECT h.* FROM slow_heads h RIGHT JOIN (SELECT pg_sleep(0.4)) slow ON TRUE WHERE h.seal IS NOT NULL`)
	c := s.pool.Config()
	c.ConnConfig.RuntimeParams["statement_timeout"] = "300"
	pool, err := pgxpool.NewWithConfig(s.ctx, c)
	s.must(err)
	t.Cleanup(pool.Close)
	if _, err := pool.Exec(s.ctx, `SELECT count(*) FROM seal_heads`); err == nil {
		t.Fatal("nothing is slow")
	}
	sum, err := ledger.New(pool).Verify(s.ctx, func(f ledger.Finding) { t.Error(f) })
	s.must(err)
	if sum.Changes != 1 {
		t.Errorf("it checked %s", sum)
	}
}
