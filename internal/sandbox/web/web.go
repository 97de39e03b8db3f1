// Package web is the local workspace: a page that looks and behaves like a
// small Slack, played against the stand-ins, with what happens in AWS, Jira,
// incident.io, GitLab, GitHub and the ledger beside it. It serves the page, the calls by
// which the page acts, and a stream by which the page hears of everything.
//
// It may import internal/sandbox and its subpackages only. What it needs of the
// rest of the program (the clock, a restart, the ledger) is handed in.
package web

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
)

// Options says what the page shows and what it may do.
type Options struct {
	World *sandbox.World   // required
	Now   func() time.Time // required: the clock of everything

	// Forward moves the clock of everything. Nil: the page has no buttons for it.
	Forward func(by time.Duration) error
	// Restart kills breakglass and starts it again. Nil: no button.
	Restart func(ctx context.Context) error
	// Ledger reads what breakglass has written down. Nil: no panel.
	Ledger func(ctx context.Context) (LedgerView, error)
}

// Handler serves the page.
type Handler struct {
	opts    Options
	hub     hub
	time    sync.RWMutex // held for reading while somebody does something: what they do is judged by the time at which they did it
	trouble trouble
	ledger  ledgerCache
	handler http.Handler
}

// New makes the page. It is to be served on a loopback address: whoever reaches
// it can be anybody in the workspace.
func New(opts Options) (*Handler, error) {
	if opts.World == nil || opts.Now == nil {
		return nil, errors.New("web: World and Now are required")
	}
	files, policy, err := page()
	if err != nil {
		return nil, err
	}
	h := &Handler{opts: opts, hub: hub{changed: make(chan struct{})}}
	h.trouble.on = map[string]bool{}
	mux := http.NewServeMux()
	mux.Handle("GET /", files)
	mux.HandleFunc("GET /api/live", h.live)
	for pattern, deed := range h.deeds() {
		mux.HandleFunc("POST /api/"+pattern, h.do(deed))
	}
	h.handler = guard(policy, mux)
	return h, nil
}

// ServeHTTP serves the page and its calls.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.handler.ServeHTTP(w, r) }
