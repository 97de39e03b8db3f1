package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

// command is the slash command that breakglass has.
const command = "/emergency"

// deed is one thing that the page does: it reads its own request and answers
// what the page is to know of it, or nil.
type deed func(r *http.Request) (any, error)

// deeds lists everything that the page does, by its path below /api/.
func (h *Handler) deeds() map[string]deed {
	return map[string]deed{
		"as/{person}/say":     h.say,
		"as/{person}/press":   h.press,
		"as/{person}/put":     h.put,
		"as/{person}/suggest": h.suggest,
		"as/{person}/submit":  h.submit,
		"as/{person}/close":   h.closeModal,
		"as/{person}/home":    h.openHome,

		"clock":            h.forward,
		"restart":          h.restart,
		"trouble":          h.switchTrouble,
		"aws/standing":     h.plant,
		"jira/comments":    h.comment,
		"incidents":        h.openIncident,
		"incidents/status": h.setStatus,
		"github":           h.breakGitHub,
		"forges":           h.actOnForge,
	}
}

// refusal is an error that the person at the page is told as it is.
type refusal string

func (r refusal) Error() string { return string(r) }

// do serves a deed. What went wrong is told in words that the page shows.
func (h *Handler) do(d deed) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		said, err := h.now(d, r)
		h.hub.bump()
		status := http.StatusOK
		if err != nil {
			status, said = http.StatusConflict, map[string]string{"error": words(err)}
		} else if said == nil {
			said = struct{}{}
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(said) // the page may have been closed
	}
}

// now carries a deed out. While it lasts, the clock is not moved: a click that is on
// its way would arrive too late to be believed, and its form too late to be opened.
func (h *Handler) now(d deed, r *http.Request) (any, error) {
	if r.PathValue("person") != "" {
		h.time.RLock()
		defer h.time.RUnlock()
	}
	return d(r)
}

// words says an error to people.
func words(err error) string {
	var said refusal
	var form *slack.FormError
	switch {
	case errors.As(err, &said):
		return said.Error()
	case errors.As(err, &form):
		return "" // it stands at the inputs
	case errors.Is(err, slack.ErrNoAnswer):
		return "breakglass did not answer. Slack would show the same while it is down or too slow; try again in a moment."
	}
	return strings.TrimPrefix(err.Error(), "slack: ")
}

// read decodes a request.
func read[T any](r *http.Request) (in T, err error) {
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return in, refusal("The page sent something that cannot be read.")
	}
	return in, nil
}

// hands are those of the person whom the page plays.
func (h *Handler) hands(r *http.Request) slack.Person {
	return h.opts.World.Slack.Person(r.PathValue("person"))
}

// say writes in a channel or a thread: a message, a mention, or a command. An
// empty channel is the direct messages with breakglass.
func (h *Handler) say(r *http.Request) (any, error) {
	in, err := read[struct{ Channel, Thread, Text string }](r)
	if err != nil {
		return nil, err
	}
	p, text := h.hands(r), strings.TrimSpace(in.Text)
	if in.Channel == "" {
		if in.Channel, err = p.OpenDM(); err != nil {
			return nil, err
		}
	}
	word, rest, _ := strings.Cut(text, " ")
	mention, mentioned := strings.CutPrefix(text, "@breakglass")
	switch {
	case text == "":
		return nil, nil
	case word == command && in.Thread != "":
		return nil, refusal(command + " is not supported in threads. Sorry! Type it in the channel.")
	case word == command:
		_, err = p.Command(r.Context(), in.Channel, word, strings.TrimSpace(rest))
	case strings.HasPrefix(text, "/"):
		return nil, refusal(word + " is not a valid command. Here there is " + command + " only; " + command + " help explains it.")
	case mentioned && in.Thread == "":
		err = p.Mention(r.Context(), in.Channel, strings.TrimSpace(mention))
	default:
		err = p.SayIn(in.Channel, in.Thread, escape(text))
	}
	return nil, err
}

// escape writes what was typed as Slack stores it.
func escape(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}

// element says where something that was touched stands.
type element struct {
	Channel string
	TS      string
	Home    bool
	Block   string
	Action  string
}

func (e element) at() slack.Element { return slack.Element(e) }

func (h *Handler) press(r *http.Request) (any, error) {
	in, err := read[struct{ At element }](r)
	if err != nil {
		return nil, err
	}
	return nil, h.hands(r).Press(r.Context(), in.At.at())
}

func (h *Handler) put(r *http.Request) (any, error) {
	in, err := read[struct {
		At    element
		Value map[string]any
	}](r)
	if err != nil {
		return nil, err
	}
	return nil, h.hands(r).Put(r.Context(), in.At.at(), in.Value)
}

func (h *Handler) suggest(r *http.Request) (any, error) {
	in, err := read[struct {
		At    element
		Query string
	}](r)
	if err != nil {
		return nil, err
	}
	options, err := h.hands(r).Suggest(r.Context(), in.At.at(), in.Query)
	if err != nil {
		return nil, err
	}
	return map[string]any{"options": append([]map[string]any{}, options...)}, nil
}

func (h *Handler) submit(r *http.Request) (any, error) {
	err := h.hands(r).Submit(r.Context())
	if form := (*slack.FormError)(nil); errors.As(err, &form) {
		return map[string]bool{"refused": true}, nil
	}
	return nil, err
}

func (h *Handler) closeModal(r *http.Request) (any, error) {
	return nil, h.hands(r).CloseView(r.Context())
}

func (h *Handler) openHome(r *http.Request) (any, error) {
	return nil, h.hands(r).OpenHome(r.Context())
}

// restartWithin bounds a restart of breakglass.
const restartWithin = time.Minute

// The clock moves forward only: what has happened cannot be undone.
const (
	leastForward = time.Minute
	mostForward  = 48 * time.Hour
)

func (h *Handler) forward(r *http.Request) (any, error) {
	in, err := read[struct{ Minutes int }](r)
	if err != nil {
		return nil, err
	}
	by := time.Duration(in.Minutes) * time.Minute
	if h.opts.Forward == nil || by < leastForward || by > mostForward {
		return nil, refusal("The clock cannot be moved like that.")
	}
	h.time.Lock()
	defer h.time.Unlock()
	if err := h.opts.Forward(by); err != nil {
		return nil, fmt.Errorf("move the clock: %w", err)
	}
	return nil, nil
}

func (h *Handler) restart(r *http.Request) (any, error) {
	if h.opts.Restart == nil {
		return nil, refusal("breakglass cannot be restarted from here.")
	}
	// A page that is closed halfway must not leave the world without breakglass.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), restartWithin)
	defer cancel()
	if err := h.opts.Restart(ctx); err != nil {
		return nil, fmt.Errorf("restart breakglass: %w", err)
	}
	return nil, nil
}
