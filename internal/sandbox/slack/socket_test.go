package slack_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

// raw opens a socket without slack-go, so that a test can misbehave on it.
func raw(t *testing.T, b *bench) *websocket.Conn {
	t.Helper()
	before := b.ws.Sockets()
	opened := call(t, b.ws.APIURL()+"apps.connections.open", "xapp-sandbox", "")
	url, _ := opened["url"].(string)
	conn, resp, err := websocket.DefaultDialer.DialContext(t.Context(), url, nil)
	must(t, err)
	_ = resp.Body.Close()
	t.Cleanup(func() { _ = conn.Close() })
	var hello map[string]any
	must(t, conn.ReadJSON(&hello))
	if hello["type"] != "hello" {
		t.Fatalf("the first message is %v", hello)
	}
	must(t, b.ws.WaitFor(t.Context(), func() bool { return b.ws.Sockets() == before+1 }))
	if _, again, err := websocket.DefaultDialer.DialContext(t.Context(), url, nil); err == nil {
		t.Error("a ticket was good twice")
	} else if again != nil {
		_ = again.Body.Close()
	}
	return conn
}

// quiet is a workspace in Socket Mode without an application.
func quiet(t *testing.T) *bench {
	t.Helper()
	b := setup(t, func(o *slack.Options) { o.AckTimeout = time.Second })
	ws := slack.New(slack.Options{
		Now: b.clock.Now, SocketMode: true, AckTimeout: time.Second,
		Users: []slack.User{{ID: "U0ADA"}}, Channels: []slack.Channel{{ID: "C0PROD"}},
	})
	return serve(t, b, ws)
}

func TestAnEnvelopeGoesToAnyOneConnection(t *testing.T) {
	t.Parallel()
	b := quiet(t)
	got := make(chan int, 4)
	for i := range 2 {
		conn := raw(t, b)
		go func() {
			for {
				var e map[string]any
				if conn.ReadJSON(&e) != nil {
					return
				}
				got <- i
				if conn.WriteJSON(map[string]any{"envelope_id": e["envelope_id"]}) != nil {
					return
				}
			}
		}()
	}
	for range 2 {
		_, err := b.ws.Person("U0ADA").Command(t.Context(), "C0PROD", "/x", "")
		must(t, err)
	}
	if a, b := <-got, <-got; a == b {
		t.Error("both envelopes went to the same connection")
	}
	slack.RequireNoViolations(t, b.ws)
}

func TestAnAcknowledgementOfTwentyKilobytesIsDropped(t *testing.T) {
	t.Parallel()
	b := quiet(t)
	conn := raw(t, b)
	go func() {
		var e map[string]any
		if conn.ReadJSON(&e) == nil {
			_ = conn.WriteJSON(map[string]any{"envelope_id": e["envelope_id"], "payload": strings.Repeat("x", 20<<10)})
			_ = conn.ReadJSON(&e) // keeps the connection open until the test ends
		}
	}()
	if _, err := b.ws.Person("U0ADA").Command(t.Context(), "C0PROD", "/x", ""); err == nil {
		t.Error("nothing was lost")
	}
	wantViolations(t, b.ws, "Slack drops those", "not acknowledged within")
}

func TestWithoutASocketNobodyAnswers(t *testing.T) {
	t.Parallel()
	b := quiet(t)
	if _, err := b.ws.Person("U0ADA").Command(t.Context(), "C0PROD", "/x", ""); err == nil {
		t.Error("somebody answered")
	}
	slack.RequireNoViolations(t, b.ws)
}

func TestEnvelopesSayWhatTheyCarry(t *testing.T) {
	t.Parallel()
	b := quiet(t)
	conn := raw(t, b)
	seen := make(chan map[string]any, 8)
	go func() {
		for {
			_, raw, err := conn.ReadMessage()
			var e map[string]any
			if err != nil || json.Unmarshal(raw, &e) != nil {
				return
			}
			seen <- e
			if e["type"] == "disconnect" || conn.WriteJSON(map[string]any{"envelope_id": e["envelope_id"]}) != nil {
				return
			}
		}
	}()
	_, err := b.ws.Person("U0ADA").Command(t.Context(), "C0PROD", "/x", "list")
	must(t, err)
	e := <-seen
	payload, _ := e["payload"].(map[string]any)
	if e["type"] != "slash_commands" || e["accepts_response_payload"] != true || payload["text"] != "list" {
		t.Errorf("envelope = %v", e)
	}
	must(t, b.ws.Person("U0ADA").OpenHome(t.Context()))
	if e := <-seen; e["type"] != "events_api" || e["accepts_response_payload"] != false || e["retry_attempt"] != 0.0 {
		t.Errorf("envelope = %v", e)
	}
	must(t, b.ws.RefreshSockets())
	if e := <-seen; e["type"] != "disconnect" || e["reason"] != "refresh_requested" {
		t.Errorf("envelope = %v", e)
	}
}

func TestTheClientComesBackAfterARefresh(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *slack.Options) { o.SocketMode = true })
	must(t, b.ws.RefreshSockets())
	must(t, b.ws.WaitFor(t.Context(), func() bool { return b.ws.Sockets() == 1 }))
	_, err := b.ws.Person("U0ADA").Command(t.Context(), "C0PROD", "/emergency", "help")
	must(t, err)
}
