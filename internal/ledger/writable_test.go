package ledger_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// A database whose disk is full answers every question, so that a ping says
// nothing; a write that failed does, until one succeeds.
func TestALedgerWithoutRoomSaysSoUntilItIsWritableAgain(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]bool{"53100": true, "40001": false} {
		t.Run(code, func(t *testing.T) {
			s := open(t)
			s.must(s.Writable(s.ctx))
			failed := s.InTx(s.ctx, func(ledger.Tx) error { return &pgconn.PgError{Code: code} })
			if refused, ok := errors.AsType[*pgconn.PgError](failed); !ok || refused.Code != code {
				t.Fatalf("it failed with %v", failed)
			}
			s.exec(`CREATE FUNCTION no_room() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN RAISE 'no room' USING ERRCODE = '53100'; END $$`)
			s.exec(`CREATE TRIGGER no_room BEFORE UPDATE ON numbers FOR EACH ROW EXECUTE FUNCTION no_room()`)
			if err := s.Writable(s.ctx); (err != nil) != want {
				t.Errorf("writable answers %v", err)
			}
			s.exec(`DROP TRIGGER no_room ON numbers`)
			s.must(s.Writable(s.ctx))
		})
	}
}
