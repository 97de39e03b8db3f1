package wake_test

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// path is the way to a database. What goes over it can be swallowed without a word.
type path struct {
	t        *testing.T
	listener net.Listener
	to       *pgxpool.Config
	ended    chan struct{} // closed: nobody is left waiting

	mu        sync.Mutex
	swallowed chan struct{} // closed: connections that were made before hear nothing more
}

func newPath(t *testing.T, to *pgxpool.Config) *path {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	p := &path{t: t, listener: l, to: to, ended: make(chan struct{}), swallowed: make(chan struct{})}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { p.carry(conn) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		p.vanish()
		all.Wait()
	})
	return p
}

// vanish lets everybody who is connected wait for ever.
func (p *path) vanish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.swallowed)
	p.swallowed = make(chan struct{})
}

func (p *path) carry(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	p.mu.Lock()
	swallowed := p.swallowed
	p.mu.Unlock()
	var d net.Dialer
	network, address := pgconn.NetworkAddress(p.to.ConnConfig.Host, p.to.ConnConfig.Port)
	database, err := d.DialContext(context.WithoutCancel(p.t.Context()), network, address)
	if err != nil {
		return
	}
	var both sync.WaitGroup
	both.Go(func() {
		_, _ = io.Copy(database, conn)
		_ = database.Close()
	})
	both.Go(func() {
		_, _ = io.Copy(conn, database)
		select {
		case <-swallowed: // whoever is at the other end is not told
		default:
			_ = conn.Close()
		}
	})
	gone := make(chan struct{})
	go func() {
		both.Wait()
		close(gone)
	}()
	select {
	case <-gone:
	case <-swallowed:
		_ = database.Close()
		<-gone
		go func() {
			<-p.ended
			_ = conn.Close()
		}()
		_, _ = io.Copy(io.Discard, conn) // acknowledged, and answered by nobody
	}
}

// over is a pool of the same database whose connections take the path.
func (p *path) over(within time.Duration) *pgxpool.Pool {
	p.t.Helper()
	c := p.to.Copy()
	at, ok := p.listener.Addr().(*net.TCPAddr)
	if !ok {
		p.t.Fatal("no TCP")
	}
	c.ConnConfig.Host, c.ConnConfig.Port, c.ConnConfig.Fallbacks = at.IP.String(), uint16(at.Port), nil
	c.MaxConns = 32 // what is given up keeps its place for a moment
	ledger.Patience(c, within)
	pool, err := pgxpool.NewWithConfig(p.t.Context(), c)
	must(p.t, err)
	p.t.Cleanup(func() {
		close(p.ended)
		pool.Close()
	})
	return pool
}

// A failover often leaves connections behind on which nothing is ever heard again, not
// even that they are closed.
func TestEverythingGoesOnWhenTheDatabaseVanishesWithoutAWord(t *testing.T) {
	t.Parallel()
	direct := databases.Pool(t)
	p := newPath(t, direct.Config())
	pool, r := p.over(time.Second), newReconcilers()
	l := ledger.New(pool)
	vanish := make(chan struct{}, 1)
	failed, worked := make(chan error, 100), make(chan struct{}, 100)
	r.assign = func(ctx context.Context, id int64) error { // as a claim, with a transaction in hand
		err := l.InTx(ctx, func(tx ledger.Tx) error {
			if _, err := tx.Exec(ctx, `UPDATE assignments SET polls = polls + 1 WHERE id = $1`, id); err != nil {
				return err
			}
			select {
			case <-vanish:
				p.vanish()
			default:
			}
			_, err := tx.Exec(ctx, `UPDATE assignments SET next_try = NULL WHERE id = $1`, id)
			return err
		})
		if err != nil {
			failed <- err
		} else {
			worked <- struct{}{}
		}
		return err
	}
	ticked := make(chan struct{}, 1000)
	ticker := newTicker(pool, r.jobs())
	ticker.Clock = func(ctx context.Context) (int, error) {
		due, err := l.DueChanges(ctx, start, 10)
		if err == nil {
			select {
			case ticked <- struct{}{}:
			default:
			}
		}
		return len(due), err
	}
	running(t, ticker)
	next(t, ticked)
	vanish <- struct{}{}
	dueAssignment(t, direct, "ada", start, 0)
	next(t, r.assigned)
	if err := next(t, failed); !ledger.Unavailable(err) {
		t.Errorf("it failed as %v", err)
	}
	for len(ticked) > 0 {
		<-ticked
	}
	next(t, ticked)
	due(t, direct, 1, "Slack")
	next(t, r.delivered)
	next(t, worked)
}
