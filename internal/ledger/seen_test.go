package ledger_test

import (
	"testing"
	"time"
)

// More than one statement forgets are forgotten all the same, and nothing younger.
func TestHoweverMuchCameItIsForgotten(t *testing.T) {
	s := open(t)
	s.exec(`INSERT INTO seen (source, id, number, at) SELECT 'trigger', i::text, i, $1 FROM generate_series(1, 20500) i`, start)
	s.exec(`INSERT INTO seen (source, id, number, at) VALUES ('trigger', 'young', 1, $1)`, start.Add(time.Second))
	s.must(s.ForgetSeen(s.ctx, start.Add(time.Second)))
	if left := one[string](s, `SELECT string_agg(id, ' ') FROM seen`); left != "young" {
		t.Errorf("left: %.100s", left)
	}
}
