package slackapp

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// submitRequest takes the request form: what needs the outside is looked at,
// and the change is committed before the form closes. A refusal keeps what was
// typed, and stands at the input that it is about.
func (a *App) submitRequest(ctx context.Context, i *interaction) reply {
	f := formOf(i.View, a.Rules)
	f.settle(a.Rules)
	if reply, open := a.unready(i, f); open {
		return reply
	}
	l := a.look(ctx, &f, i.person(), i.User.TeamID)
	switch {
	case errors.Is(l.err, errNoAnswer):
		return a.refused(ctx, i.View, turnDown(change.Unestablished, "Who you are could not be looked up just now, so nothing was requested. Please press “Request” again in a moment."))
	case l.err != nil:
		return a.refused(ctx, i.View, l.err)
	case len(l.no) > 0:
		return a.refused(ctx, i.View, &change.Refusal{Code: change.BadInput, Say: "Some of it cannot be taken as it is.", Fields: l.no})
	}
	actor := change.Actor{ID: i.person(), Standing: change.Member, Groups: l.groups, Via: via}
	_, err := a.Workflow.Submit(ctx, f.request(a.Rules, l), actor, byView(i.View).option())
	if err != nil {
		return a.refused(ctx, i.View, err)
	}
	a.refreshHome(ctx, i.person(), nil, "") // the form may have been opened there
	return accepted()
}

// sayRestAsWell is said where a form was submitted that did not show all of its inputs.
const sayRestAsWell = "Please fill in the rest as well."

// formInstead answers a form with another in its place.
type formInstead struct {
	Action string                 `json:"response_action"`
	View   slack.ModalViewRequest `json:"view"`
}

func instead(v slack.ModalViewRequest) formInstead { return formInstead{"update", v} }

// unready keeps a form open that cannot be taken yet: it does not show all inputs
// that it needs, because it was submitted faster than it could be rebuilt.
func (a *App) unready(i *interaction, f form) (reply, bool) {
	if reason, ok := a.Rules.Reason(f.Reason); ok && reason.StandardPath {
		return reply{200, instead(a.releaseView())}, true
	}
	whole := a.requestForm(f, i.person(), sayRestAsWell)
	for _, b := range whole.Blocks.BlockSet {
		input, ok := b.(*slack.InputBlock)
		if ok && !shows(i.View, input.BlockID) {
			return reply{200, instead(whole)}, true
		}
	}
	return reply{}, false
}

func shows(v *shownView, blockID string) bool {
	for _, b := range v.Blocks {
		if b.BlockID == blockID && b.Type == "input" {
			return true
		}
	}
	return false
}

// request is the form as the domain takes it.
func (f *form) request(rules change.Rules, l looked) change.Request {
	req := change.Request{
		Kind: f.Kind, Reason: f.Reason, What: f.What, Why: f.Why, Answers: f.Answers,
		Incident: l.incident, Target: f.Target, PermissionSet: f.Set, Duration: f.Duration,
		Ticket: l.ticket, TicketChecked: l.checked, AWSUser: l.user, AlreadyThere: l.there, Again: f.Again,
		Reported: f.Report, MadeAt: f.MadeAt, Implementer: f.Implementer, GivenBy: f.GivenBy,
		MergeRequests: l.mergeRequests,
	}
	f.addOnCall(&req, rules)
	if f.recordAsked(rules) {
		req.Choice = f.Choice
	}
	return req
}

// refused keeps a form open and says why, at the inputs that it is about: all
// else at the first one. Slack shows nothing at all for an error that is not at
// an input.
func (a *App) refused(ctx context.Context, v *shownView, err error) reply {
	said := map[string]string{}
	put := func(block, say string) {
		if said[block] != "" {
			say = said[block] + " " + say
		}
		said[block] = say
	}
	first := firstInput(v)
	if refusal, ok := errors.AsType[*change.Refusal](err); ok && len(refusal.Fields) > 0 {
		for _, field := range slices.Sorted(maps.Keys(refusal.Fields)) {
			block := inputOf(v, field)
			if block == "" {
				block = first
			}
			put(block, refusal.Fields[field])
		}
	} else {
		say := a.explainPlain(ctx, err)
		if refusal, ok := errors.AsType[*change.Refusal](err); ok && refusal.By != "" {
			say += " " + a.whoDecided(ctx, refusal)
		}
		put(first, say)
	}
	if first == "" { // nowhere to say it
		return accepted()
	}
	return reply{200, map[string]any{"response_action": "errors", "errors": said}}
}

// whoDecided names whoever decided before in plain text, which takes no mention.
func (a *App) whoDecided(ctx context.Context, r *change.Refusal) string {
	name := "somebody else"
	if p, err := a.People.Person(ctx, r.By); err == nil && p.Name != "" {
		name = p.Name
	}
	if r.At.IsZero() {
		return "That was " + name + "."
	}
	return "That was " + name + ", " + r.At.UTC().Format("2006-01-02 15:04") + " UTC."
}

func firstInput(v *shownView) string {
	for _, b := range v.Blocks {
		if b.Type == "input" {
			return b.BlockID
		}
	}
	return ""
}

// inputOf finds the input that a field stands for; empty when the form does not
// show it.
func inputOf(v *shownView, field change.Field) string {
	question, isQuestion := strings.CutPrefix(string(field), "question_")
	for _, b := range v.Blocks {
		if b.Type != "input" {
			continue
		}
		if blockName(b.BlockID) == string(field) {
			return b.BlockID
		}
		if isQuestion && blockName(b.BlockID) == inputQuestion && strings.HasSuffix(b.BlockID, "/"+question) {
			return b.BlockID
		}
	}
	return ""
}
