package slackapp

import (
	"context"
	"errors"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"unicode"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/directory"
)

// MergeRequests reads merge and pull requests. Its errors are *change.OutsideError.
type MergeRequests interface {
	// Parse reads an address. One of a place that is not configured is answered
	// with the address alone; it is never fetched.
	Parse(address string) (change.MergeRequestRef, error)
	Look(ctx context.Context, ref change.MergeRequestRef) (change.MergeRequest, error)
}

// The buttons for merge requests, as in actions.go.
const (
	actionLinkMergeRequest = "link_merge_request"
	actionConfirmReview    = "confirm_review"
)

const (
	callbackMergeRequest = "merge_request_form"
	inputMergeRequest    = string(change.FieldMergeRequest)
	inputFix             = "fix" // whether a merge request is the permanent fix
	fieldFix             = change.Field(inputFix)

	optionItself = "itself"
	optionFix    = "fix"

	mergeRequestLooksLike = "An address looks like https://gitlab.com/group/project/-/merge_requests/12 or https://github.com/owner/repository/pull/12."
)

// mergeRequestInput is the request form's input, for a kind that takes them.
func mergeRequestInput(f form, kind change.Kind) []slack.Block {
	if kind.MergeRequest == "" || kind.MergeRequest == change.NeedNone {
		return nil
	}
	input := textInput(inputMergeRequest, inputMergeRequest, "Merge request", f.MergeRequests, true, kind.MergeRequest != change.NeedRequired)
	hint := "One address on each line; pull requests too."
	if kind.MergeRequest == change.NeedWithRecord {
		hint += " It may also be linked later: it is due with the record."
	}
	for _, line := range kind.MergeRequestLabels {
		hint += " It needs the label “" + strings.Join(line, "” or “") + "”."
	}
	input.Hint = plainObject(hint, 2000)
	return []slack.Block{input}
}

// lookMergeRequests reads the addresses of the form, and looks at each, side by
// side. Only a forge that definitely shows none is a no. It is not asked about what
// goes with confidential changes only where this may be none.
func (a *App) lookMergeRequests(ctx context.Context, kind change.Kind, typed string, no func(change.Field, string)) []change.RequestedMergeRequest {
	lines := strings.Fields(typed)
	if len(lines) == 0 {
		return nil // the domain says so
	}
	if len(lines) > change.MergeRequestLimit {
		no(change.FieldMergeRequest, "At most 20 merge requests fit.")
		return nil
	}
	var all []change.RequestedMergeRequest
	for _, line := range lines {
		ref, err := a.parseMergeRequest(line)
		if err != nil {
			no(change.FieldMergeRequest, "“"+clip(line, 100)+"”: "+err.Say)
			return nil
		}
		all = append(all, change.RequestedMergeRequest{Ref: ref})
	}
	var mu sync.Mutex
	var wrong []string
	var looks directory.Looks
	for i := range all {
		if !kind.Confidential && a.Rules.ConfidentialProject(all[i].Ref) {
			continue
		}
		looks.Go(func() {
			seen, say := a.lookMergeRequest(ctx, all[i].Ref)
			mu.Lock()
			defer mu.Unlock()
			if all[i].Seen = seen; say != "" {
				wrong = append(wrong, say)
			}
		})
	}
	looks.Wait()
	if len(wrong) > 0 {
		no(change.FieldMergeRequest, strings.Join(wrong, " "))
	}
	return all
}

// parseMergeRequest reads one address, or says what addresses look like.
func (a *App) parseMergeRequest(address string) (change.MergeRequestRef, *change.Refusal) {
	if a.Lookups.MergeRequests == nil {
		return change.MergeRequestRef{}, turnDown(change.BadInput, "Merge requests cannot be linked here.")
	}
	if strings.ContainsFunc(address, unicode.IsSpace) {
		return change.MergeRequestRef{}, turnDown(change.BadInput, "%s", sayOneAddress)
	}
	ref, err := a.Lookups.MergeRequests.Parse(address)
	if err != nil {
		return ref, turnDown(change.BadInput, "%s %s", change.SayOf(err, "That is not the address of a merge request."), mergeRequestLooksLike)
	}
	return ref, nil
}

// lookMergeRequest gives a merge request as it is now, nil where that is not known.
// say is not empty where the forge definitely shows none: a token that is not let
// in, say, is no such answer.
func (a *App) lookMergeRequest(ctx context.Context, ref change.MergeRequestRef) (seen *change.MergeRequest, say string) {
	if !ref.Readable() {
		return nil, ""
	}
	found, err := a.Lookups.MergeRequests.Look(ctx, ref)
	switch {
	case err == nil:
		return &found, ""
	case change.OutcomeOf(err) == change.Missing:
		return nil, ref.String() + ": " + change.SayOf(err, "There is no such merge request.")
	}
	a.Log.WarnContext(ctx, "a merge request could not be looked at", "forge", string(ref.Forge), "outcome", string(change.OutcomeOf(err)))
	return nil, ""
}

// looksLinked is how addresses of merge requests look on forges that are not
// configured as well.
var looksLinked = regexp.MustCompile(`/(?:-/)?(?:merge_requests|pull|pulls|pull-requests|pullrequest)/[0-9]+(?:/|$)`)

// mergeRequestGiven tells whether an address that was given to be linked is that of
// a merge request, and reads it.
func (a *App) mergeRequestGiven(address string) (change.MergeRequestRef, bool) {
	if a.Lookups.MergeRequests == nil {
		return change.MergeRequestRef{}, false
	}
	ref, err := a.Lookups.MergeRequests.Parse(address)
	if err != nil {
		return ref, false
	}
	if ref.Readable() {
		return ref, true
	}
	u, err := url.Parse(ref.URL)
	return ref, err == nil && looksLinked.MatchString(u.Path)
}

// linkMergeRequest looks at a merge request that is to be linked, once it is known
// that it may be: the forge shows breakglass what it may not show to whoever links.
// What may not be is handed on unseen, and refused where refusals are written down.
func (a *App) linkMergeRequest(ctx context.Context, c *change.Change, actor change.Actor, ref change.MergeRequestRef, fix bool) (change.Command, error) {
	unseen := change.LinkMergeRequest{Ref: ref, Fix: fix}
	if may, err := a.mayLink(c, actor, unseen); err != nil || !may {
		return unseen, err
	}
	seen, say := a.lookMergeRequest(ctx, ref)
	if say != "" {
		return nil, inText(turnDown(change.BadInput, "%s", say))
	}
	return change.LinkMergeRequest{Ref: ref, Fix: fix, Seen: seen}, nil
}

// mergeRequestForm asks for a merge request and, where the kind asks for a
// permanent fix, which of the two it is.
func mergeRequestForm(c *change.Change, key buttonKey, address string) slack.ModalViewRequest {
	input := textInput(inputText, inputText, "Merge request", address, false, false)
	input.Hint = plainObject(mergeRequestLooksLike, 2000)
	blocks := []slack.Block{input}
	if c.Plan.PermanentFix {
		blocks = append(blocks, fixInput(false))
	}
	return about(c, key, callbackMergeRequest, "Link merge request", "Link", blocks...)
}

// fixInput asks which of the two a merge request is.
func fixInput(optional bool) *slack.InputBlock {
	radios := slack.NewRadioButtonsBlockElement(inputFix, optionOf(optionItself, "The change itself"), optionOf(optionFix, "The permanent fix"))
	return slack.NewInputBlock(inputFix, plainObject("What does this merge request hold?", 2000), nil, radios).WithOptional(optional)
}

// chosenFix reads the answer. It refuses where the change asks for it and nothing
// was chosen.
func chosenFix(c *change.Change, v *shownView) (fix bool, err error) {
	chosen := v.at(inputFix).option()
	if c.Plan.PermanentFix && chosen == "" {
		const say = "Say which it is: the change itself, or the permanent fix."
		return false, &change.Refusal{Code: change.BadInput, Say: say, Fields: map[change.Field]string{fieldFix: say}}
	}
	return chosen == optionFix, nil
}

// mergeRequestSubmitted gives the command of that form.
func (a *App) mergeRequestSubmitted(ctx context.Context, i *interaction, key buttonKey) (change.Command, error) {
	c, actor, err := a.readable(ctx, key.Number, i.person(), i.User.TeamID)
	if err != nil {
		return nil, err
	}
	fix, err := chosenFix(&c, i.View)
	if err != nil {
		return nil, err
	}
	ref, refusal := a.parseMergeRequest(unwrapped(strings.TrimSpace(i.View.text(inputText))))
	if refusal != nil {
		return nil, inText(refusal)
	}
	within, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	return a.linkMergeRequest(within, &c, actor, ref, fix)
}

// linkFormSubmitted gives the command of the form that links anything.
func (a *App) linkFormSubmitted(ctx context.Context, i *interaction, key buttonKey) (change.Command, error) {
	given := unwrapped(strings.TrimSpace(i.View.text(inputText)))
	cmd, err := a.linkCommand(ctx, key.Number, i.person(), i.User.TeamID, given)
	link, is := cmd.(change.LinkMergeRequest)
	if err != nil || !is {
		return cmd, err
	}
	c, _, err := a.readable(ctx, key.Number, i.person(), i.User.TeamID)
	if err != nil {
		return nil, err
	}
	link.Fix, err = chosenFix(&c, i.View)
	return link, err
}

// askWhichItIs opens the form for a merge request that was given to the command,
// where the change asks for a permanent fix and nobody said which it is. It answers
// nothing where there is nothing to ask.
func (a *App) askWhichItIs(ctx context.Context, c command, n change.Number, link change.LinkMergeRequest) (say string, err error) {
	about, _, err := a.readable(ctx, n, change.PersonID(c.UserID), "")
	if err != nil || !about.Plan.PermanentFix || about.Phase.Final() {
		return "", err
	}
	if a.open(ctx, c.TriggerID, nil, mergeRequestForm(&about, buttonKey{Number: n}, link.Ref.URL)) {
		return "Say in the form what this merge request holds: the change itself, or the permanent fix.", nil
	}
	return "Nothing was linked yet: " + n.String() + " asks for a permanent fix. Please type it again, with `itself` after the address for the change itself, or `fix` for the permanent fix.", nil
}

// linkedWords answers whoever has linked something with the command.
func linkedWords(n change.Number, cmd change.Command) string {
	s := "Linked to " + n.String() + "."
	if link, is := cmd.(change.LinkMergeRequest); is && link.Seen == nil {
		if link.Ref.Readable() {
			return s + " It could not be looked at just now, so it is not checked yet."
		}
		return s + " breakglass does not read this place, so the address is kept as text."
	}
	return s
}

// lookAgain has merge requests looked at soon after an approval was refused that
// they may hold up: whoever mends them presses again.
func (a *App) lookAgain(ctx context.Context, n change.Number, cmd change.Command, err error) {
	refusal, refused := errors.AsType[*change.Refusal](err)
	if _, approves := cmd.(change.Approve); !approves || !refused || refusal.Code != change.TooEarly {
		return
	}
	if err := a.Ledger.Hasten(ctx, n, change.DeliverMergeRequest, a.Now()); err != nil {
		a.Log.WarnContext(ctx, "merge requests are not looked at sooner", "change", n.String(), "error", err)
	}
}

// workingAddresses are the addresses of what a change was to be made by.
func workingAddresses(c *change.Change) string {
	var all []string
	for _, m := range c.Working() {
		all = append(all, m.Ref.URL)
	}
	return strings.Join(all, "\n")
}
