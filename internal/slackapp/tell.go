package slackapp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/workflow"
)

// payload names what came in, so that what is sent twice happens once.
type payload struct{ source, id string }

func (p payload) option() workflow.Option {
	return workflow.From(workflow.Payload{Source: p.source, ID: p.id})
}

func byTrigger(id string) payload { return payload{"trigger", id} }

func byView(v *shownView) payload { return payload{"view", v.ID} }

// ephemeral is an answer that only the person who acted sees.
type ephemeral struct {
	ResponseType string        `json:"response_type"`
	Replace      bool          `json:"replace_original"`
	Text         string        `json:"text"`
	Blocks       []slack.Block `json:"blocks,omitempty"`
}

// privately is an answer of one paragraph of mrkdwn.
func privately(text string) ephemeral {
	return ephemeral{ResponseType: "ephemeral", Text: text}
}

// tell answers whoever acted, and nobody else: where they clicked on a message
// beside it, and where they clicked in a view in a small form of its own. It
// does not hold up the acknowledgement.
func (a *App) tell(ctx context.Context, i *interaction, text string) {
	if i.View != nil && i.ResponseURL == "" {
		a.tellInView(ctx, i, text)
		return
	}
	to := listener{user: i.User.ID, channel: i.Container.ChannelID, response: i.ResponseURL}
	if to.channel == "" {
		to.channel = i.Channel.ID
	}
	if i.Container.ThreadTS != i.Container.MessageTS { // a thread's first message names itself
		to.thread = i.Container.ThreadTS
	}
	a.beside(ctx, "an answer to a click", func(ctx context.Context) { a.reach(ctx, to, privately(text)) })
}

// listener is who is answered, and where they look.
type listener struct {
	user, channel string
	thread        string // empty outside threads
	response      string // the response address
}

// reach answers somebody in one of two ways, and in the other one if that fails.
// What is sent to a response address stands in the channel whatever was clicked on,
// so that whoever reads a thread would not see it.
func (a *App) reach(ctx context.Context, to listener, e ephemeral) {
	respond := func() error { return a.respond(ctx, to.response, e) }
	whisper := func() error { return a.whisper(ctx, to, e) }
	first, second := respond, whisper
	if to.thread != "" {
		first, second = whisper, respond
	}
	err := first()
	if err != nil && to.channel != "" {
		a.Log.WarnContext(ctx, "a reply could not be sent in the first of two ways", "error", err)
		err = second()
	}
	if err != nil {
		a.Log.WarnContext(ctx, "somebody could not be answered", "person", to.user, "error", err)
	}
}

// replyWithin bounds each way to answer somebody: the second is tried when the
// first has stalled.
const replyWithin = 5 * time.Second

// whisper posts a message that only one person sees.
func (a *App) whisper(ctx context.Context, to listener, e ephemeral) error {
	ctx, cancel := context.WithTimeout(ctx, replyWithin)
	defer cancel()
	options := []slack.MsgOption{slack.MsgOptionText(e.Text, false)}
	if len(e.Blocks) > 0 {
		options = append(options, slack.MsgOptionBlocks(e.Blocks...))
	}
	if to.thread != "" {
		options = append(options, slack.MsgOptionTS(to.thread))
	}
	_, err := a.Slack.PostEphemeralContext(ctx, to.channel, to.user, options...)
	return err
}

// tellInView opens a small form that says what there is to say. Where Slack does
// not open it, the home tab says it, if that is where they clicked.
func (a *App) tellInView(ctx context.Context, i *interaction, text string) (opened bool) {
	opened = a.open(ctx, i.TriggerID, i.View, modal("Emergency change", "", sectionOf(text)))
	if !opened {
		a.noticeAtHome(ctx, i, text)
	}
	return opened
}

// trusted tells whether an address is one of Slack's.
func (a *App) trusted(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	if api, err := url.Parse(a.Config.APIURL); err == nil && api.Host != "" && u.Host == api.Host && u.Scheme == api.Scheme {
		return true
	}
	return u.Scheme == "https" && (u.Host == "hooks.slack.com" || strings.HasSuffix(u.Host, ".slack.com"))
}

// respond posts to a response address.
func (a *App) respond(ctx context.Context, address string, e ephemeral) error {
	if !a.trusted(address) {
		return fmt.Errorf("reply: the response address is not Slack's")
	}
	ctx, cancel := context.WithTimeout(ctx, replyWithin)
	defer cancel()
	raw, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("reply: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(raw))
	if err != nil {
		return fmt.Errorf("reply: the response address cannot be used")
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	answer, err := a.http().Do(r)
	if u, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("reply: Slack did not answer: %w", u.Err) // u itself names the address, which is a secret
	}
	if err != nil {
		return errors.New("reply: Slack did not answer")
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	if err != nil {
		return fmt.Errorf("reply: Slack's answer broke off: %w", err)
	}
	if answer.StatusCode != http.StatusOK || !taken(body) {
		return fmt.Errorf("reply: Slack answered %d, and not that it took it", answer.StatusCode)
	}
	return nil
}

// taken tells whether a response address says that it took a reply: "ok", or JSON
// that says so. A page of somebody in between does not.
func taken(body []byte) bool {
	var said struct {
		OK bool `json:"ok"`
	}
	body = bytes.TrimSpace(body)
	return len(body) == 0 || string(body) == "ok" || (json.Unmarshal(body, &said) == nil && said.OK)
}

// modal is a form. Without submit it only shows something.
func modal(title, submit string, blocks ...slack.Block) slack.ModalViewRequest {
	v := slack.ModalViewRequest{
		Type: slack.VTModal, Title: plainObject(title, 24), Close: plainObject("Close", 24),
		Blocks: slack.Blocks{BlockSet: blocks},
	}
	if submit != "" {
		v.Submit, v.Close = plainObject(submit, 24), plainObject("Cancel", 24)
	}
	return v
}

// The sentences for whoever clicked and sees no form.
const (
	sayNotOpened    = "The form could not be opened just now. Please click again in a moment."
	sayFinishedOnly = "%s has ended. The form for its record could not be opened just now: *Write record* opens it."
)

// openForClick opens a form, and tells whoever clicked on a message or on the home
// tab when it did not open. Whoever clicked in a form could be told by another one
// only.
func (a *App) openForClick(ctx context.Context, i *interaction, v slack.ModalViewRequest, otherwise string) {
	switch {
	case a.open(ctx, i.TriggerID, i.View, v):
	case i.View == nil || i.ResponseURL != "":
		a.tell(ctx, i, otherwise)
	default:
		a.noticeAtHome(ctx, i, otherwise)
	}
}

// open puts a form on the screen of whoever clicked: on top of the one they
// clicked in, if that is a modal.
func (a *App) open(ctx context.Context, trigger string, on *shownView, v slack.ModalViewRequest) bool {
	var err error
	if on != nil && on.Type == "modal" {
		_, err = a.Slack.PushViewContext(ctx, trigger, v)
	} else {
		_, err = a.Slack.OpenViewContext(ctx, trigger, v)
	}
	if err != nil {
		a.Log.WarnContext(ctx, "a form could not be opened", "title", v.Title.Text, "error", err)
	}
	return err == nil
}
