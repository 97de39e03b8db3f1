package ledger_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

func day(s string) change.Day {
	d, err := change.ParseDay(s)
	if err != nil {
		panic(err)
	}
	return d
}

// seal seals what is due at the stand's time.
func (s *stand) seal() {
	s.t.Helper()
	s.must(s.Seal(s.ctx, change.SealDay(s.now), s.now, true))
}

// sealed is a trail with three seals: of 2 March, of 3 March, and of 6 March,
// which covers the two days that were missed. The second change went on after
// the first seal, and a fourth came.
func sealed(t *testing.T) *stand {
	t.Helper()
	s := trail(t)
	s.now = start.AddDate(0, 0, 1)
	s.seal()
	s.do(2, change.AddNote{Text: "Half way"}, member(requester))
	s.now = start.AddDate(0, 0, 2)
	s.seal()
	s.now = s.now.Add(time.Hour)
	s.submit(false)
	s.now = start.AddDate(0, 0, 5)
	s.seal()
	return s
}

type sealRow struct {
	Number, Chains int64
	Day, After     string
}

func (s *stand) seals() (all []sealRow) {
	s.t.Helper()
	for n := int64(1); ; n++ {
		seal, err := s.SealNumbered(s.ctx, n)
		if errors.Is(err, ledger.ErrNotFound) {
			return all
		}
		s.must(err)
		all = append(all, sealRow{seal.Number, seal.Chains, seal.Day.String(), seal.After.String()})
	}
}

func TestASealHoldsWhatHasChangedSinceTheLast(t *testing.T) {
	s := sealed(t)
	want := []sealRow{
		{1, 4, "2026-03-02", ""}, // three changes and the system chain
		{2, 1, "2026-03-03", "2026-03-02"},
		{3, 1, "2026-03-06", "2026-03-03"},
	}
	if diff := cmp.Diff(want, s.seals()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if found, sum := s.verify(); len(found) > 0 || sum.Seals != 3 || sum.Newest.Number != 3 || sum.Newest.Day != day("2026-03-06") {
		t.Errorf("findings %v, %+v", found, sum)
	}
	if posts := one[int64](s, `SELECT count(*) FROM deliveries WHERE kind = 'seal'`); posts != 3 {
		t.Errorf("%d posts were asked for", posts)
	}
}

func TestADayIsSealedOnce(t *testing.T) {
	s := sealed(t)
	for range 3 {
		s.seal()
	}
	s.must(s.Seal(s.ctx, day("2026-03-04"), s.now, true)) // a replica whose clock is late
	if n := len(s.seals()); n != 3 {
		t.Errorf("%d seals", n)
	}
}

func TestReplicasThatRaceSealADayOnce(t *testing.T) {
	s := trail(t)
	s.now = start.AddDate(0, 0, 1)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := s.Seal(s.ctx, change.SealDay(s.now), s.now, true); err != nil && !errors.Is(err, ledger.ErrSealing) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if seals := s.seals(); len(seals) != 1 || seals[0].Chains != 4 {
		t.Errorf("sealed %v", seals)
	}
	if posts := one[int64](s, `SELECT count(*) FROM deliveries WHERE kind = 'seal'`); posts != 1 {
		t.Errorf("%d posts were asked for", posts)
	}
}

func TestWhileOneSealsNobodyElseWaits(t *testing.T) {
	s := trail(t)
	s.now = start.AddDate(0, 0, 1)
	s.must(s.InTx(s.ctx, func(tx ledger.Tx) error {
		if _, err := tx.Exec(s.ctx, `SELECT 1 FROM chains WHERE chain = -1 FOR UPDATE`); err != nil {
			return err
		}
		if err := s.Seal(s.ctx, change.SealDay(s.now), s.now, true); !errors.Is(err, ledger.ErrSealing) {
			t.Errorf("got %v", err)
		}
		return nil
	}))
}

func TestNothingIsSealedBeforeSomethingHappened(t *testing.T) {
	s := open(t)
	s.seal()
	s.submit(false)
	s.seal() // yesterday, on which nothing had happened
	if seals := s.seals(); len(seals) != 0 {
		t.Errorf("sealed %v", seals)
	}
	s.now = s.now.AddDate(0, 0, 1)
	s.seal()
	if diff := cmp.Diff([]sealRow{{1, 1, "2026-03-02", ""}}, s.seals()); diff != "" {
		t.Error(diff)
	}
}

func TestADayWithoutEventsHasItsSealToo(t *testing.T) {
	s := sealed(t)
	s.now = s.now.AddDate(0, 0, 1)
	s.seal()
	if all := s.seals(); len(all) != 4 || all[3] != (sealRow{4, 0, "2026-03-07", "2026-03-06"}) {
		t.Errorf("sealed %v", all)
	}
	if found, _ := s.verify(); len(found) > 0 {
		t.Errorf("findings %v", found)
	}
}

func TestWhatWasBeingWrittenDuringASealIsInTheNext(t *testing.T) {
	s := trail(t)
	s.now = start.AddDate(0, 0, 1)
	late := s.now.Add(-time.Minute) // stamped before the seal, and committed after it
	s.seal()
	at := s.now
	s.now = late
	n := s.submit(false)
	s.now = at.AddDate(0, 0, 1)
	s.seal()
	if sealed := one[int64](s, `SELECT seal FROM seal_heads WHERE chain = $1`, n); sealed != 2 {
		t.Errorf("EC-%d was sealed by seal %d", n, sealed)
	}
}

func TestWithoutAnAuditChannelSealsAreMadeAndNotPosted(t *testing.T) {
	s := trail(t)
	s.now = start.AddDate(0, 0, 1)
	s.must(s.Seal(s.ctx, change.SealDay(s.now), s.now, false))
	if n := one[int64](s, `SELECT count(*) FROM deliveries WHERE kind = 'seal'`); n != 0 || len(s.seals()) != 1 {
		t.Errorf("%d posts of %v", n, s.seals())
	}
}

func TestTheSchemaRefusesToAlterASeal(t *testing.T) {
	s := sealed(t)
	for _, sql := range []string{
		`UPDATE seals SET hash = ''`, `DELETE FROM seals`, `TRUNCATE seals`,
		`UPDATE seal_heads SET hash = ''`, `DELETE FROM seal_heads`, `TRUNCATE seal_heads`,
	} {
		s.refusedAs(restrictViolation, "append-only", sql)
	}
}

func TestASealReadsWhatHasChangedOnly(t *testing.T) {
	s := open(t)
	s.tamper(`INSERT INTO changes SELECT n, 1, 'closed', 'k', 'r', 'r', FALSE, '2026-03-02', NULL, NULL, NULL, NULL, NULL, '{}', 1, 'h', '2026-03-02'
			FROM generate_series(1, 20000) n`,
		`INSERT INTO events SELECT n, 1, '2026-03-02', 'x', '', '', 'h' FROM generate_series(1, 20000) n`)
	s.now = start.AddDate(0, 0, 1)
	s.seal()
	s.tamper(`UPDATE changes SET last_seq = 2, last_at = '2026-03-05' WHERE number = 777`)
	s.exec(`ANALYZE changes, seal_heads`)
	s.now = start.AddDate(0, 0, 4)
	before := s.scans("changes_last_at_idx")
	s.seal()
	if s.scans("changes_last_at_idx") == before {
		t.Error("changes_last_at_idx was not used")
	}
	if all := s.seals(); len(all) != 2 || all[0].Chains != 20000 || all[1].Chains != 1 {
		t.Errorf("sealed %v", all)
	}
}

// rewriteSeals makes the seals follow again from body to body.
const rewriteSeals = `DO $$ DECLARE e RECORD; previous TEXT := ''; BEGIN
	FOR e IN SELECT number, body FROM seals ORDER BY number LOOP
		previous := encode(sha256(convert_to(previous || E'\n' || e.body, 'UTF8')), 'hex');
		UPDATE seals SET hash = previous WHERE number = e.number;
	END LOOP;
	UPDATE chains SET last_hash = previous WHERE chain = -1;
END $$`

// cutOff takes the newest event of EC-1 away without a trace in its head and row.
const cutOff = `DELETE FROM events WHERE chain = 1 AND seq = (SELECT max(seq) FROM events WHERE chain = 1)`

func TestWhatWasSealedCannotBeAlteredUnseen(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		tamper []string
		kind   ledger.FindingKind
		chain  int64
		seq    int64
		says   string
	}{
		"a chain rewritten, all hashes recomputed": {[]string{`UPDATE events SET body = replace(body, '"kind":"access"', '"kind":"other"') WHERE chain = 1 AND seq = 1`, rewrite}, ledger.FindingSeal, 1, 0, "seal 1 holds another hash for it: something after event 0 was rewritten"},
		"a deletion at the end, and the head with it": {[]string{
			`DELETE FROM event_texts WHERE chain = 1`, cutOff,
			`UPDATE changes c SET last_seq = e.seq, last_hash = e.hash, last_at = e.at FROM events e WHERE c.number = 1 AND e.chain = 1 AND e.seq = (SELECT max(seq) FROM events WHERE chain = 1)`,
			`UPDATE changes SET document = document`,
		}, ledger.FindingSeal, 1, 0, "it was sealed by seal 1, and is gone"},
		"the newest change removed, and its number": {[]string{
			`DELETE FROM event_texts WHERE chain = 4`, `DELETE FROM events WHERE chain = 4`, `DELETE FROM obligations WHERE number = 4`,
			`DELETE FROM changes WHERE number = 4`, `UPDATE numbers SET last = 3`,
		}, ledger.FindingSeal, 4, 2, "EC-4, event 2: it was sealed by seal 3, and is gone"},
		"the system chain emptied": {[]string{
			`DELETE FROM event_texts WHERE chain = 0`, `DELETE FROM events WHERE chain = 0`, `UPDATE chains SET last_seq = 0, last_hash = '', last_at = '-infinity' WHERE chain = 0`,
		}, ledger.FindingSeal, 0, 3, "the system chain, event 3: it was sealed by seal 1, and is gone"},
		"a sealed head":                 {[]string{`UPDATE seal_heads SET hash = 'x' WHERE seal = 2`}, ledger.FindingSeal, -1, 2, "seal 2: its heads are not those"},
		"a sealed head removed":         {[]string{`DELETE FROM seal_heads WHERE seal = 1 AND chain = 2`}, ledger.FindingSeal, -1, 1, "seal 1: it was made of 4 heads, and 3 are there"},
		"a head added":                  {[]string{`INSERT INTO seal_heads VALUES (2, 1, 1, 'x')`}, ledger.FindingSeal, -1, 2, "seal 2: it was made of 1 heads, and 2 are there"},
		"a head of a seal that is none": {[]string{`INSERT INTO seal_heads SELECT 9, 1, 1, hash FROM events WHERE chain = 1 AND seq = 1`}, ledger.FindingSeal, -1, 9, "seal 9: 1 heads of it are there"},
		"a seal's body":                 {[]string{`UPDATE seals SET body = replace(body, '"chains":1', '"chains":2') WHERE number = 2`}, ledger.FindingLink, -1, 2, "seal 2: its hash does not follow"},
		"a seal's body, rewritten":      {[]string{`UPDATE seals SET body = replace(body, '"chains":1', '"chains":2') WHERE number = 2`, rewriteSeals}, ledger.FindingSeal, -1, 2, "seal 2: it was made of 2 heads"},
		"a seal that is no JSON":        {[]string{`UPDATE seals SET body = 'x' WHERE number = 3`, rewriteSeals}, ledger.FindingBody, -1, 3, "seal 3: its body is not JSON"},
		"a seal that is not canonical":  {[]string{`UPDATE seals SET body = replace(body, ',', ', ') WHERE number = 3`, rewriteSeals}, ledger.FindingBody, -1, 3, "seal 3: its body is not in the form"},
		"a seal's day, in the column":   {[]string{`UPDATE seals SET day = '2026-03-05' WHERE number = 3`}, ledger.FindingColumn, -1, 3, "seal 3: its column day"},
		"a seal's day, rewritten":       {[]string{`UPDATE seals SET day = '2026-03-01', body = replace(body, '"day":"2026-03-06"', '"day":"2026-03-01"') WHERE number = 3`, rewriteSeals}, ledger.FindingTime, -1, 3, "seal 3: its day 2026-03-01 does not follow"},
		"a seal's time, in the column":  {[]string{`UPDATE seals SET at = at + interval '1 second' WHERE number = 3`}, ledger.FindingColumn, -1, 3, "seal 3: its column at"},
		"a seal in the middle removed":  {[]string{`DELETE FROM seal_heads WHERE seal = 2`, `DELETE FROM seals WHERE number = 2`}, ledger.FindingGap, -1, 3, "seal 3: follows seal 1"},
		"the newest seal removed":       {[]string{`DELETE FROM seal_heads WHERE seal = 3`, `DELETE FROM seals WHERE number = 3`}, ledger.FindingHead, -1, 0, "the seals: the last is number 2, and was 3"},
		"all seals removed, not their heads": {[]string{
			`DELETE FROM seals`, `UPDATE chains SET last_seq = 0, last_hash = '', last_at = '-infinity' WHERE chain = -1`,
		}, ledger.FindingSeal, -1, 1, "seal 1: 4 heads of it are there, though the seal is gone"},
		"the seals' head":         {[]string{`UPDATE chains SET last_hash = 'x' WHERE chain = -1`}, ledger.FindingHead, -1, 0, "the seals: the head's hash is not that of seal 3"},
		"the seals' head removed": {[]string{`DELETE FROM chains WHERE chain = -1`}, ledger.FindingHead, -1, 0, "the seals: their head is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			s := sealed(t)
			s.tamper(c.tamper...)
			found, _ := s.verify()
			for _, f := range found {
				if strings.Contains(f.Say, c.says) {
					want := ledger.Finding{Kind: c.kind, Chain: c.chain, Seq: c.seq}
					ignored := []string{"Say"}
					if c.seq == 0 {
						ignored = append(ignored, "Seq")
					}
					if diff := cmp.Diff(want, f, cmpopts.IgnoreFields(ledger.Finding{}, ignored...)); diff != "" {
						t.Errorf("%s\n%s", f.Say, diff)
					}
					return
				}
			}
			t.Errorf("found %v; want %q", found, c.says)
		})
	}
}

func TestASealThatIsGoneWithAllItsHeadsIsMissedByWhatWasPosted(t *testing.T) {
	s := sealed(t)
	third, err := s.SealNumbered(s.ctx, 3)
	s.must(err)
	_, err = s.SystemEvent(s.ctx, change.Event{Type: change.EventSealPosted, At: s.now, Via: "clock", Facts: change.Facts{"seal": third.Number, "hash": third.Hash}}, s.now, 9)
	s.must(err)
	if found, _ := s.verify(); len(found) > 0 {
		t.Fatalf("findings %v", found)
	}
	s.tamper(`DELETE FROM seal_heads WHERE seal = 3`, `DELETE FROM seals WHERE number = 3`,
		`UPDATE chains SET last_seq = 2, last_hash = (SELECT hash FROM seals WHERE number = 2), last_at = (SELECT at FROM seals WHERE number = 2) WHERE chain = -1`)
	found, _ := s.verify()
	if len(found) != 1 || !strings.HasPrefix(found[0].Say, "seal 3: it is gone, though event 4 of the system chain") {
		t.Errorf("found %v", found)
	}
	s.tamper(`INSERT INTO seals SELECT 3, '2026-03-06', '2026-03-07', '{}', 'x'`, `UPDATE chains SET last_seq = 3, last_hash = 'x' WHERE chain = -1`)
	found, _ = s.verify()
	if len(found) != 2 || !strings.HasPrefix(found[1].Say, "seal 3: its hash is not the one that was posted") {
		t.Errorf("found %v", found)
	}
}
