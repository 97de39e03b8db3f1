package slackapp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/breakglass-bot/breakglass/internal/crashpoint"
)

// socketAtOnce bounds how many payloads are worked on at the same time.
const socketAtOnce = 64

// acksLeave is how long the connection outlives the last acknowledgement when it is
// to end: the client writes them in a goroutine of its own, and does not say when.
const acksLeave = 200 * time.Millisecond

// socketState is what is known of the Socket Mode connection.
type socketState struct {
	mu      sync.Mutex
	used    bool
	app     string // as Slack named it when we connected
	problem error  // nil: connected
}

func (s *socketState) appID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.app
}

func (s *socketState) set(problem error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used, s.problem = true, problem
}

// Ready tells whether payloads can reach us: nil over HTTP, and while a Socket
// Mode connection stands; else why not.
func (a *App) Ready() error {
	a.socket.mu.Lock()
	defer a.socket.mu.Unlock()
	if !a.socket.used {
		return nil
	}
	return a.socket.problem
}

// ExpectSocket says that payloads will come over Socket Mode: until RunSocket has
// connected, we are not ready.
func (a *App) ExpectSocket() { a.socket.set(errors.New("not connected to Slack yet")) }

// RunSocket takes payloads over Socket Mode until ctx ends. The client needs an
// app-level token. Each envelope is acknowledged after what it asks for has been
// committed. It returns once everything in hand is done.
func (a *App) RunSocket(ctx context.Context, api *slack.Client) error {
	a.ExpectSocket()
	client := socketmode.New(api)
	connected, disconnect := context.WithCancel(context.WithoutCancel(ctx)) // outlives ctx by what is in hand
	defer disconnect()
	running := make(chan error, 1)
	go func() { running <- client.RunContext(connected) }()
	var work sync.WaitGroup
	slots := make(chan struct{}, socketAtOnce)
	for {
		select {
		case <-ctx.Done():
			a.socket.set(errors.New("not connected to Slack any more"))
			work.Wait()
			if err := ended(running, disconnect); err != nil && !errors.Is(err, context.Canceled) {
				a.Log.WarnContext(ctx, "the connection to Slack ended badly, when it was to end", "error", err)
			}
			return nil
		case err := <-running:
			a.socket.set(errors.New("not connected to Slack any more"))
			work.Wait()
			return fmt.Errorf("socket mode: %w", err)
		case event := <-client.Events:
			a.note(ctx, event)
			d, ours := doorOf(event.Type)
			if !ours || event.Request == nil {
				continue
			}
			slots <- struct{}{}
			work.Go(func() {
				defer func() { <-slots }()
				a.envelope(ctx, client, d, *event.Request)
			})
		}
	}
}

// ended lets the last acknowledgements leave, ends the connection, and answers how it
// ended.
func ended(running <-chan error, disconnect func()) error {
	leave := time.NewTimer(acksLeave)
	defer leave.Stop()
	select {
	case err := <-running:
		return err
	case <-leave.C:
	}
	disconnect()
	return <-running
}

func doorOf(t socketmode.EventType) (door, bool) {
	switch t {
	case socketmode.EventTypeSlashCommand:
		return doorCommand, true
	case socketmode.EventTypeInteractive:
		return doorInteraction, true
	case socketmode.EventTypeEventsAPI:
		return doorEvent, true
	default:
		return "", false
	}
}

// note keeps what an event tells of the connection.
func (a *App) note(ctx context.Context, event socketmode.Event) {
	switch event.Type { //nolint:exhaustive // the others tell nothing of it
	case socketmode.EventTypeHello:
		a.socket.set(nil)
		if event.Request != nil && event.Request.ConnectionInfo.AppID != "" {
			a.socket.mu.Lock()
			a.socket.app = event.Request.ConnectionInfo.AppID
			a.socket.mu.Unlock()
		}
	case socketmode.EventTypeConnectionError, socketmode.EventTypeInvalidAuth:
		a.socket.set(fmt.Errorf("slack does not let us connect: %v", event.Data))
		a.Log.ErrorContext(ctx, "Slack does not let us connect", "why", fmt.Sprint(event.Data))
	case socketmode.EventTypeDisconnect:
		a.socket.set(errors.New("slack has closed the connection; connecting anew"))
	}
}

// envelope works on one payload and acknowledges it with the answer. Without an
// acknowledgement Slack tells the person that it failed.
func (a *App) envelope(ctx context.Context, client *socketmode.Client, d door, request socketmode.Request) {
	began, status := a.Now(), http.StatusInternalServerError // until there is an answer: it may panic
	defer func() {
		if a.Observe != nil {
			a.Observe(string(d), status, a.Now().Sub(began))
		}
	}()
	defer func() { a.recovered(ctx, "an envelope of "+string(d), recover()) }()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerWithin)
	defer cancel()
	ctx = crashpoint.Payload(ctx, string(d), request.Payload)
	r := a.dispatch(ctx, d, delivered{body: request.Payload, mark: request.EnvelopeID})
	status = r.status
	if status != http.StatusOK {
		a.Log.WarnContext(ctx, "a payload was not taken", "door", string(d), "status", r.status)
		return
	}
	r = a.fitting(ctx, d, request, r)
	send, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	crashpoint.Reach(ctx, "before reply")
	if err := client.AckCtx(send, request.EnvelopeID, r.body); err != nil {
		a.Log.WarnContext(ctx, "a payload could not be acknowledged", "door", string(d), "error", err)
	}
	crashpoint.Reach(ctx, "after reply")
}

// fitting is the answer as Socket Mode carries it. Slack drops a longer one, and
// tells whoever is answered that it failed: so it goes another way.
func (a *App) fitting(ctx context.Context, d door, request socketmode.Request, r reply) reply {
	if r.body == nil {
		return r
	}
	raw, err := json.Marshal(r.body)
	if err == nil && len(raw) <= maxAnswer {
		return r
	}
	switch d {
	case doorCommand:
		return a.fittingSpeech(ctx, request, r)
	case doorInteraction:
		return a.fittingForm(ctx, request, r)
	case doorEvent: // is acknowledged, and not answered
	}
	return r
}

// fittingSpeech sends an answer to the command's response address, behind an empty
// acknowledgement.
func (a *App) fittingSpeech(ctx context.Context, request socketmode.Request, r reply) reply {
	var c command
	said, is := r.body.(ephemeral)
	if err := json.Unmarshal(request.Payload, &c); err != nil || !is {
		return r // it was read before
	}
	to := listener{user: c.UserID, channel: c.ChannelID, response: c.ResponseURL}
	a.beside(ctx, "a long answer to a command", func(ctx context.Context) { a.reach(ctx, to, said) })
	return accepted()
}

// fittingForm puts a form into the place of the one that was submitted by a call. The
// acknowledgement says that something is missing, which keeps that one open.
func (a *App) fittingForm(ctx context.Context, request socketmode.Request, r reply) reply {
	i, err := interactionOf(request.Payload)
	form, is := r.body.(formInstead)
	if err != nil || !is || i.View == nil || firstInput(i.View) == "" {
		return r
	}
	a.beside(ctx, "a form that is too long for an acknowledgement", func(ctx context.Context) {
		if _, err := a.Slack.UpdateViewContext(ctx, form.View, "", "", i.View.ID); err != nil {
			a.Log.WarnContext(ctx, "a form could not be put into the place of another", "error", err)
		}
	})
	return reply{http.StatusOK, map[string]any{"response_action": "errors", "errors": map[string]string{firstInput(i.View): sayRestAsWell}}}
}
