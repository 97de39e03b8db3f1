package web

import (
	"context"
	"sync"
	"time"
)

// LedgerView is what breakglass has written down, as the page shows it.
type LedgerView struct {
	Changes []LedgerChange `json:"changes"` // newest first
	Whole   bool           `json:"whole"`   // every chain of events was checked and is unbroken
	Said    string         `json:"said"`    // the result of that check in one sentence
}

// LedgerChange is one emergency change.
type LedgerChange struct {
	Number      string             `json:"number"` // such as EC-12
	Kind        string             `json:"kind"`
	Phase       string             `json:"phase"`
	Requester   string             `json:"requester"` // Slack user id
	Obligations []LedgerObligation `json:"obligations"`
	Events      []LedgerEvent      `json:"events"` // oldest first
}

// LedgerObligation is something a change owes, or owed.
type LedgerObligation struct {
	Name  string    `json:"name"`
	State string    `json:"state"` // owed, done or waived
	Owner string    `json:"owner"` // Slack user id; empty where groups owe it
	Due   time.Time `json:"due,omitzero"`
	Done  time.Time `json:"done,omitzero"`
}

// LedgerEvent is an entry of a change's chain.
type LedgerEvent struct {
	Seq   int64     `json:"seq"`
	At    time.Time `json:"at"`
	Type  string    `json:"type"`
	Actor string    `json:"actor"` // Slack user id; empty: breakglass itself
}

const (
	ledgerAge    = time.Second     // of the page's clock: so old, the ledger is read again
	ledgerWithin = 5 * time.Second // a reading may take
)

// ledgerCache reads the ledger for all streams together, and beside them: a
// database that hangs must not keep Slack from being shown.
type ledgerCache struct {
	mu      sync.Mutex
	reading bool
	readAt  time.Time
	view    LedgerView
	trouble string
}

type ledgerSection struct {
	Shown   bool       `json:"shown"`
	Trouble string     `json:"trouble"` // why what is shown is old; empty if it is not
	View    LedgerView `json:"view"`
}

func (h *Handler) ledgerView() any {
	if h.opts.Ledger == nil {
		return ledgerSection{}
	}
	c := &h.ledger
	now := h.opts.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.reading && now.Sub(c.readAt) >= ledgerAge {
		c.reading = true
		go h.readLedger()
	}
	return ledgerSection{Shown: true, Trouble: c.trouble, View: c.view}
}

func (h *Handler) readLedger() {
	ctx, cancel := context.WithTimeout(context.Background(), ledgerWithin)
	defer cancel()
	view, err := h.opts.Ledger(ctx)
	c := &h.ledger
	c.mu.Lock()
	c.reading, c.readAt = false, h.opts.Now()
	if err != nil {
		c.trouble = "The ledger cannot be read at the moment."
	} else {
		c.view, c.trouble = view, ""
	}
	c.mu.Unlock()
	h.hub.bump()
}
