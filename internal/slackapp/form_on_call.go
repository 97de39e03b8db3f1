package slackapp

import (
	"context"
	"strconv"
	"strings"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// The inputs about the people on the call, and of an incident to be opened.
const (
	inputWitnesses    = string(change.FieldWitnesses)
	inputApproveSelf  = "approve_self"
	inputIncidentName = string(change.FieldIncidentName)
	inputSeverity     = string(change.FieldSeverity)
)

// openIncident is the value of the option that says so.
const (
	openIncident      = "open"
	openIncidentWords = "Open an incident"
)

// witnessLimit is how many people may be named as being on the call.
const witnessLimit = 10

// onCall is the part of the request form about the people on the call, and about
// an incident to be opened.
type onCall struct {
	Witnesses    []change.PersonID
	ApproveSelf  bool   // chosen where nobody else has to be named
	Name         string // of the incident
	Severity     string // its id
	SeverityText string
}

// witnessBlock differs by kind: what was said for one is not meant for another.
func witnessBlock(k change.KindID) string { return inputWitnesses + ":" + string(k) }

func onCallOf(v *shownView, kind change.KindID) onCall {
	var o onCall
	said := v.State.Values[witnessBlock(kind)]
	for _, p := range said[inputWitnesses].SelectedUsers {
		o.Witnesses = append(o.Witnesses, change.PersonID(p))
	}
	o.ApproveSelf = len(said[inputApproveSelf].SelectedOptions) > 0
	o.Name = strings.TrimSpace(v.text(inputIncidentName))
	if s := v.at(inputSeverity).SelectedOption; s != nil {
		o.Severity, o.SeverityText = s.Value, s.Text.Text
	}
	return o
}

// selfApproves tells whether the form asks for a self-approval.
func (f *form) selfApproves(kind change.Kind) bool {
	if kind.SelfApproval == nil || f.Report {
		return false
	}
	return len(f.Witnesses) > 0 || (kind.SelfApproval.Witnesses == 0 && f.ApproveSelf)
}

// addOnCall adds this part of the form to a request.
func (f *form) addOnCall(req *change.Request, rules change.Rules) {
	kind, _ := rules.Kind(f.Kind)
	if f.selfApproves(kind) {
		req.SelfApprove, req.Witnesses = true, f.Witnesses
	}
	if f.Incident == openIncident && !f.Report {
		req.Opening = &change.IncidentOpening{Name: f.Name, SeverityID: f.Severity, Severity: f.SeverityText}
	}
}

// selfApprovalInput asks who is on the call, where the kind lets people approve
// their own change with them. Where it wants no witnesses, it asks for a tick.
func (a *App) selfApprovalInput(f form, kind change.Kind) []slack.Block {
	rule := kind.SelfApproval
	if rule == nil || f.Report {
		return nil
	}
	block := witnessBlock(kind.ID)
	needs := "Only for " + groupNames(rule.Who)
	if rule.NeedsIncident {
		needs += ", and during an active incident"
	}
	if rule.Witnesses == 0 {
		tick := slack.NewCheckboxGroupsBlockElement(inputApproveSelf, optionOf(inputApproveSelf, "I approve this myself"))
		if f.ApproveSelf {
			tick.InitialOptions = tick.Options
		}
		input := slack.NewInputBlock(block, plainObject("Self-approval", 2000), plainObject(needs+". Otherwise the approvers are asked.", 2000), tick)
		return []slack.Block{input.WithOptional(true)}
	}
	who := slack.NewOptionsMultiSelectBlockElement(slack.MultiOptTypeUser, plainObject("Nobody: the approvers are asked", 150), inputWitnesses)
	most := witnessLimit
	who.MaxSelectedItems = &most
	for _, p := range f.Witnesses {
		who.InitialUsers = append(who.InitialUsers, string(p))
	}
	hint := "To approve this yourself. " + needs + ": at least " + strconv.Itoa(rule.Witnesses) + " of those named must say in Slack that they were on the call. Leave it empty to ask the approvers."
	return []slack.Block{slack.NewInputBlock(block, plainObject("Who is on the call with you?", 2000), plainObject(hint, 2000), who).WithOptional(true)}
}

func groupNames(groups []change.GroupID) string {
	all := make([]string, len(groups))
	for i, g := range groups {
		all[i] = string(g)
	}
	return strings.Join(all, ", ")
}

// openingInputs ask for what an incident is opened with.
func (a *App) openingInputs(f form, kind change.Kind) []slack.Block {
	if f.Incident != openIncident {
		return nil
	}
	name := textInput(inputIncidentName, inputIncidentName, "Name of the incident", f.Name, false, false)
	if e, ok := name.Element.(*slack.PlainTextInputBlockElement); ok {
		e.MaxLength = change.IncidentNameLimit
		e.InitialValue = clip(f.Name, change.IncidentNameLimit)
	}
	name.Hint = plainObject("It is opened as a public incident.", 2000)
	if kind.Confidential {
		name.Hint = plainObject("It is opened as a private incident.", 2000)
	}
	severity := externalSelect(inputSeverity, "Choose a severity")
	if f.Severity != "" {
		severity.InitialOption = optionOf(f.Severity, f.SeverityText)
	}
	block := slack.NewInputBlock(inputSeverity, plainObject("Severity", 2000), nil, severity)
	if _, known := a.severities.known(); !known { // it can then be submitted, and the form says why not
		block.Optional, block.Hint = true, plainObject(severitiesSilent, 2000)
	}
	return []slack.Block{name, block}
}

// severitiesSilent is said where incident.io does not tell its severities.
const severitiesSilent = "incident.io did not answer, so its severities are not known. Try again in a moment, or choose another answer above and link an incident later."

// lookOnCall checks who was named as being on the call, and the severity that
// an incident is to be opened with.
func (a *App) lookOnCall(ctx context.Context, f *form, kind change.Kind, also func(func()), no func(change.Field, string)) {
	if f.selfApproves(kind) {
		for _, p := range f.Witnesses {
			also(func() { a.lookColleague(ctx, p, change.FieldWitnesses, no) })
		}
	}
	if f.Incident != openIncident || a.Lookups.Incidents == nil {
		return
	}
	also(func() {
		all, known := a.learnSeverities(ctx)
		switch {
		case f.Severity == "" && !known:
			no(change.FieldSeverity, severitiesSilent)
		case f.Severity != "" && known && !hasSeverity(all, f.Severity):
			no(change.FieldSeverity, "incident.io has no such severity any more. Choose another.")
		}
	})
}

func hasSeverity(all []change.IncidentSeverity, id string) bool {
	for _, s := range all {
		if s.ID == id {
			return true
		}
	}
	return false
}
