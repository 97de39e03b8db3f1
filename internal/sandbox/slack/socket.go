package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// maxAck is the size at which Slack silently drops an acknowledgement, in bytes.
const maxAck = 20 << 10

// pingEvery is how often the server pings; clients give up after half a minute.
const pingEvery = 5 * time.Second

// socket is one Socket Mode connection of the application.
type socket struct {
	conn *websocket.Conn

	mu      sync.Mutex
	waiting map[string]chan json.RawMessage // by envelope_id
	closed  bool
}

// write sends one message; gorilla allows one writer at a time.
func (s *socket) write(v any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn.WriteJSON(v)
}

func (w *Workspace) connectionsOpen(args) answer {
	ticket := secretID() + secretID()
	w.tickets[ticket] = true
	return good(map[string]any{"url": "ws" + strings.TrimPrefix(w.url, "http") + "/socket?ticket=" + ticket + "&app_id=" + w.opt.AppID})
}

func (w *Workspace) serveSocket(rw http.ResponseWriter, r *http.Request) {
	ticket := r.URL.Query().Get("ticket")
	var known bool
	var number int
	w.change(func() {
		known = w.tickets[ticket]
		delete(w.tickets, ticket)
		number = len(w.sockets) + 1
	})
	if !known {
		http.Error(rw, "unknown or used ticket", http.StatusNotFound)
		return
	}
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := up.Upgrade(rw, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	s := &socket{conn: conn, waiting: map[string]chan json.RawMessage{}}
	debug := map[string]any{"host": "sandbox", "build_number": 1, "approximate_connection_time": 18060}
	err = s.write(map[string]any{
		"type": "hello", "num_connections": number, "debug_info": debug,
		"connection_info": map[string]any{"app_id": w.opt.AppID},
	})
	if err == nil {
		w.change(func() { w.sockets = append(w.sockets, s) })
		stop := make(chan struct{})
		go s.ping(stop)
		w.readAcks(s)
		close(stop)
	}
	w.change(func() { w.sockets = slices.DeleteFunc(w.sockets, func(o *socket) bool { return o == s }) })
	s.close()
}

func (s *socket) ping(stop <-chan struct{}) {
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		s.mu.Lock()
		err := s.conn.WriteMessage(websocket.PingMessage, []byte("ping"))
		s.mu.Unlock()
		if err != nil {
			return
		}
		select {
		case <-tick.C:
		case <-stop:
			return
		}
	}
}

// readAcks hands acknowledgements to those who wait for them, until the
// connection ends.
func (w *Workspace) readAcks(s *socket) {
	for {
		_, raw, err := s.conn.ReadMessage()
		if err != nil {
			return
		}
		var ack struct {
			EnvelopeID string          `json:"envelope_id"`
			Payload    json.RawMessage `json:"payload"`
		}
		if json.Unmarshal(raw, &ack) != nil || ack.EnvelopeID == "" {
			w.change(func() { w.violate("socket", "a message that acknowledges nothing") })
			continue
		}
		if len(raw) >= maxAck {
			w.change(func() {
				w.violate("socket", "an acknowledgement of %d bytes: Slack drops those of 20 KB and more", len(raw))
			})
			continue
		}
		s.mu.Lock()
		wait := s.waiting[ack.EnvelopeID]
		delete(s.waiting, ack.EnvelopeID)
		s.mu.Unlock()
		if wait != nil {
			wait <- ack.Payload // buffered
		}
	}
}

func (s *socket) close() {
	_ = s.conn.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for id, wait := range s.waiting {
		close(wait)
		delete(s.waiting, id)
	}
}

var errNoSocket = errors.New("no socket is open")

// sendSocket gives an envelope to one of the connections, in turn, and waits for
// its acknowledgement.
func (w *Workspace) sendSocket(ctx context.Context, d Delivery) (Reply, error) {
	kind := d.Kind
	if kind == KindSuggestion {
		kind = KindInteractive
	}
	id := secretID() + "-" + secretID()
	envelope := map[string]any{
		"envelope_id": id, "type": kind, "payload": d.Payload, "accepts_response_payload": kind != KindEvent,
	}
	if kind == KindEvent {
		n, _ := strconv.Atoi(d.Header.Get("X-Slack-Retry-Num")) // none: the first attempt
		envelope["retry_attempt"], envelope["retry_reason"] = n, d.Header.Get("X-Slack-Retry-Reason")
	}
	w.mu.Lock()
	if len(w.sockets) == 0 {
		w.mu.Unlock()
		return Reply{Sent: d}, unanswered(ctx, d.Kind, errNoSocket)
	}
	s := w.sockets[w.turn%len(w.sockets)]
	w.turn++
	w.mu.Unlock()

	wait := make(chan json.RawMessage, 1)
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return Reply{Sent: d}, unanswered(ctx, d.Kind, errNoSocket)
	}
	s.waiting[id] = wait
	s.mu.Unlock()
	if err := s.write(envelope); err != nil {
		return Reply{Sent: d}, unanswered(ctx, d.Kind, err)
	}
	select {
	case payload, open := <-wait:
		if !open {
			return Reply{Sent: d}, unanswered(ctx, d.Kind, errors.New("the socket closed before the acknowledgement"))
		}
		if string(payload) == "null" {
			payload = nil
		}
		return Reply{Status: http.StatusOK, Body: payload, Sent: d}, nil
	case <-ctx.Done():
		s.mu.Lock()
		delete(s.waiting, id)
		s.mu.Unlock()
		return Reply{Sent: d}, unanswered(ctx, d.Kind, context.Cause(ctx))
	}
}

// Sockets answers how many Socket Mode connections are open.
func (w *Workspace) Sockets() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.sockets)
}

// RefreshSockets tells every connection to leave and come back anew, as Slack
// does every few hours. From now on they get no envelopes.
func (w *Workspace) RefreshSockets() error {
	var open []*socket
	w.change(func() { open, w.sockets = w.sockets, nil })
	for _, s := range open {
		if err := s.write(map[string]any{"type": "disconnect", "reason": "refresh_requested", "debug_info": map[string]any{"host": "sandbox"}}); err != nil {
			return fmt.Errorf("asking a socket to reconnect: %w", err)
		}
	}
	return nil
}

// Close ends every socket; a server that is being shut down does not do that
// for hijacked connections.
func (w *Workspace) Close() {
	var open []*socket
	w.change(func() { open, w.sockets = w.sockets, nil })
	for _, s := range open {
		s.close()
	}
}
