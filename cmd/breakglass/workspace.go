package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/config"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/sandbox/web"
)

// serveWorkspace serves the local workspace of a stage on a loopback address,
// until close.
func serveWorkspace(ctx context.Context, s *stage) (url string, closePage func() error, err error) {
	pool, err := openPool(ctx, config.Secret(s.dbURL))
	if err != nil {
		return "", nil, err
	}
	panel := ledgerPanel{ledger: ledger.New(pool)}
	page, err := web.New(web.Options{World: s.world, Now: s.now, Forward: s.forward, Restart: s.restart, Ledger: panel.read})
	if err != nil {
		pool.Close()
		return "", nil, err
	}
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		pool.Close()
		return "", nil, fmt.Errorf("serve the local workspace: %w", err)
	}
	server := &http.Server{Handler: page, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	return "http://" + l.Addr().String() + "/", func() error {
		defer pool.Close()
		err := server.Close() // pages that are open hang on a stream that never ends
		if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
		return err
	}, nil
}

const (
	panelChanges = 20               // newest changes that the panel shows
	panelEvents  = 200              // of each
	verifyEvery  = 10 * time.Second // the whole trail is read for it
)

// ledgerPanel reads what the page shows of the ledger.
type ledgerPanel struct {
	ledger *ledger.Ledger

	mu       sync.Mutex
	verified time.Time
	whole    bool
	said     string
}

func (p *ledgerPanel) read(ctx context.Context) (web.LedgerView, error) {
	if err := p.verify(ctx); err != nil {
		return web.LedgerView{}, err
	}
	p.mu.Lock()
	view := web.LedgerView{Changes: []web.LedgerChange{}, Whole: p.whole, Said: p.said}
	p.mu.Unlock()
	changes, err := p.ledger.NewestChanges(ctx, 0, panelChanges)
	if err != nil {
		return view, err
	}
	for _, c := range changes {
		events, err := p.ledger.Events(ctx, c.Number, 0, panelEvents)
		if err != nil {
			return view, err
		}
		view.Changes = append(view.Changes, shownChange(c, events))
	}
	return view, nil
}

// verify checks every chain, now and then.
func (p *ledgerPanel) verify(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.verified) < verifyEvery {
		return nil
	}
	summary, err := p.ledger.Verify(ctx, func(ledger.Finding) {}) // `audit verify` names them
	if err != nil {
		return err
	}
	p.verified, p.whole, p.said = time.Now(), summary.Findings == 0, summary.String()
	return nil
}

func shownChange(c change.Change, events []change.Event) web.LedgerChange {
	out := web.LedgerChange{
		Number: c.Number.String(), Kind: c.KindName, Phase: string(c.Phase), Requester: string(c.Requester),
		Obligations: []web.LedgerObligation{}, Events: []web.LedgerEvent{},
	}
	for _, o := range c.Obligations {
		out.Obligations = append(out.Obligations, web.LedgerObligation{Name: string(o.Name), State: string(o.State), Owner: string(o.Owner), Due: o.Due, Done: o.Done})
	}
	for _, e := range events {
		out.Events = append(out.Events, web.LedgerEvent{Seq: e.Seq, At: e.At, Type: string(e.Type), Actor: string(e.Actor)})
	}
	return out
}
