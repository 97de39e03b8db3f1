package slackapp

import (
	"strconv"
	"time"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// maxOptions is how many options a list takes; maxRadios how many radio buttons.
const (
	maxOptions = 100
	maxRadios  = 10
)

// requestForm renders the request form as far as it is filled in: only the
// inputs that the chosen reason and kind need. notice is said at its top.
func (a *App) requestForm(f form, me change.PersonID, notice string) slack.ModalViewRequest {
	f.settle(a.Rules)
	if i, ok := a.incidentOfChannel(f.Channel); ok && !f.IncidentSeen && f.Incident == "" && !f.Report && a.Lookups.Incidents != nil {
		f.Incident, f.IncidentText = i.ID, incidentLine(i)
	}
	blocks := a.formIntro(f, notice)
	blocks = append(blocks, a.reasonInput(f))
	if f.Reason != "" {
		blocks = append(blocks, a.kindInput(f))
	}
	blocks = append(blocks,
		textInput(inputWhat, inputWhat, "What will you change?", f.What, true, false),
		textInput(inputWhy, inputWhy, "Why is it needed now?", f.Why, true, false))
	if kind, ok := a.Rules.Kind(f.Kind); ok {
		blocks = append(blocks, a.kindInputs(f, kind, me)...)
	}
	v := modal("Emergency change", "Request", blocks...)
	v.CallbackID, v.PrivateMetadata = callbackRequest, f.String()
	return v
}

func (a *App) formIntro(f form, notice string) []slack.Block {
	intro := "The default is to wait it out: " + linkTo(a.Config.ReleaseURL, "use the release process") + " whenever that is possible."
	blocks := []slack.Block{sectionOf(intro)}
	switch {
	case f.Report:
		blocks = append(blocks, contextOf("You are reporting a change that has been made already. It needs no approval; all deadlines count from when it was made."))
	case f.Again != 0:
		blocks = append(blocks, contextOf("Asking again for "+f.Again.String()+"."))
	}
	if notice != "" {
		blocks = append(blocks, sectionOf("*"+escaped(notice)+"*"))
	}
	return blocks
}

// kindInputs are the inputs that a kind needs.
func (a *App) kindInputs(f form, kind change.Kind, me change.PersonID) []slack.Block {
	var blocks []slack.Block
	if a.Lookups.Incidents != nil {
		blocks = append(blocks, a.incidentInput(f, kind))
		blocks = append(blocks, a.openingInputs(f, kind)...)
	}
	if kind.Access == change.NeedRequired || kind.Access == change.NeedOptional {
		blocks = append(blocks, a.accessInputs(f, kind)...)
	}
	blocks = append(blocks, mergeRequestInput(f, kind)...)
	if f.recordAsked(a.Rules) {
		blocks = append(blocks, a.recordInputs(f)...)
	}
	for _, q := range kind.Questions {
		blocks = append(blocks, questionInput(f, kind, q))
	}
	blocks = append(blocks, a.selfApprovalInput(f, kind)...)
	if f.Report {
		blocks = append(blocks, reportInputs(f, me)...)
	}
	return blocks
}

func (a *App) reasonInput(f form) slack.Block {
	var options []*slack.OptionBlockObject
	var chosen *slack.OptionBlockObject
	for _, r := range a.Rules.Reasons {
		o := optionOf(string(r.ID), r.Label)
		options = append(options, o)
		if r.ID == f.Reason {
			chosen = o
		}
	}
	const label = "Why can't the release process be used?"
	if len(options) > maxRadios {
		return heard(selectInput(inputReason, inputReason, label, options, chosen, false))
	}
	radios := slack.NewRadioButtonsBlockElement(inputReason, options...)
	radios.InitialOption = chosen
	return heard(slack.NewInputBlock(inputReason, plainObject(label, 2000), nil, radios))
}

func (a *App) kindInput(f form) slack.Block {
	var options []*slack.OptionBlockObject
	var chosen *slack.OptionBlockObject
	for _, k := range a.Rules.KindsFor(f.Reason) {
		o := optionOf(string(k.ID), k.Name)
		options = append(options, o)
		if k.ID == f.Kind {
			chosen = o
		}
	}
	if len(options) == 0 {
		return sectionOf("No kind of emergency change allows this reason.")
	}
	return heard(selectInput(kindBlock(f.Reason), inputKind, "Kind of change", options, chosen, false))
}

func (a *App) incidentInput(f form, kind change.Kind) slack.Block {
	e := externalSelect(inputIncident, "Search by number or name")
	e.InitialOption = incidentChosen(f, kind)
	block := heard(slack.NewInputBlock(inputIncident, plainObject("Active incident", 2000), nil, e))
	block.Optional = kind.Incident != change.NeedRequired
	return block
}

// incidentChosen is what is chosen already.
func incidentChosen(f form, kind change.Kind) *slack.OptionBlockObject {
	switch {
	case f.Incident == noIncident && kind.Incident != change.NeedRequired:
		return optionOf(noIncident, "No incident")
	case f.Incident == openIncident:
		return optionOf(openIncident, openIncidentWords)
	case f.Incident != "" && f.IncidentText != "":
		return optionOf(f.Incident, f.IncidentText)
	}
	return nil
}

func (a *App) accessInputs(f form, kind change.Kind) []slack.Block {
	where := externalSelect(inputTarget, "Search for a place")
	target, placed := a.Rules.Target(f.Target)
	if placed {
		where.InitialOption = optionOf(string(target.ID), target.Name)
	}
	block := heard(slack.NewInputBlock(inputTarget, plainObject("Where", 2000), nil, where))
	block.Optional = kind.Access == change.NeedOptional
	blocks := []slack.Block{block}
	if !placed || f.Report {
		return blocks
	}
	sets := externalSelect(inputPermissionSet, "Search for a permission set")
	set, ok := target.PermissionSet(f.Set)
	if ok {
		sets.InitialOption = optionOf(string(set.ID), set.Name)
	}
	blocks = append(blocks, heard(slack.NewInputBlock(setBlock(f.Target), plainObject("Permission set", 2000), nil, sets)))
	if !ok {
		return blocks
	}
	return append(blocks, a.durationInput(f, set))
}

func (a *App) durationInput(f form, set change.PermissionSet) slack.Block {
	var options []*slack.OptionBlockObject
	var chosen *slack.OptionBlockObject
	for _, d := range a.Rules.Durations(set) {
		o := optionOf(d.String(), change.ShortDuration(d))
		options = append(options, o)
		if d == f.Duration {
			chosen = o
		}
	}
	if len(options) == 0 {
		return sectionOf("None of the configured durations fits this permission set, which is given for at most " + change.ShortDuration(set.MaxDuration) + ".")
	}
	return selectInput(durationBlock(f.Target, f.Set), inputDuration, "For how long", options, chosen, false)
}

func (a *App) recordInputs(f form) []slack.Block {
	options := []*slack.OptionBlockObject{
		optionOf(string(change.TicketNow), "Open it now"),
		optionOf(string(change.TicketExisting), "Link an existing ticket"),
		optionOf(string(change.TicketLater), "I will do it later"),
	}
	options[2].Description = plainObject("due "+change.ShortDuration(a.Rules.Record.Within)+" after the change", 75)
	radios := slack.NewRadioButtonsBlockElement(inputRecord, options...)
	for _, o := range options {
		if o.Value == string(f.Choice) {
			radios.InitialOption = o
		}
	}
	blocks := []slack.Block{heard(slack.NewInputBlock(inputRecord, plainObject("Record", 2000), nil, radios))}
	if f.Choice == change.TicketExisting {
		ticket := textInput(inputTicket, inputTicket, "Ticket", f.Ticket, false, false)
		ticket.Hint = plainObject("A Jira key such as OPS-123", 2000)
		blocks = append(blocks, ticket)
	}
	return blocks
}

func questionInput(f form, kind change.Kind, q change.Question) slack.Block {
	id, answer := questionBlock(kind.ID, q.ID), f.Answers[q.ID]
	if len(q.Options) == 0 {
		return textInput(id, inputQuestion, q.Label, answer, q.Multiline, !q.Required)
	}
	var options []*slack.OptionBlockObject
	var chosen *slack.OptionBlockObject
	for i, text := range q.Options {
		o := optionOf(strconv.Itoa(i), text)
		options = append(options, o)
		if text == answer {
			chosen = o
		}
	}
	return selectInput(id, inputQuestion, q.Label, options, chosen, !q.Required)
}

func reportInputs(f form, me change.PersonID) []slack.Block {
	when := slack.NewDateTimePickerBlockElement(inputMadeAt)
	if !f.MadeAt.IsZero() {
		when.InitialDateTime = f.MadeAt.Unix()
	}
	who := slack.NewOptionsSelectBlockElement(slack.OptTypeUser, nil, inputImplementer)
	who.InitialUser = string(me)
	if f.Implementer != "" {
		who.InitialUser = string(f.Implementer)
	}
	giver := slack.NewOptionsSelectBlockElement(slack.OptTypeUser, nil, inputGivenBy)
	giver.InitialUser = string(f.GivenBy)
	return []slack.Block{
		slack.NewInputBlock(inputMadeAt, plainObject("When was the change made?", 2000), nil, when),
		slack.NewInputBlock(inputImplementer, plainObject("Who made the change?", 2000), nil, who),
		slack.NewInputBlock(inputGivenBy, plainObject("Who gave the access?", 2000), nil, giver).WithOptional(true),
	}
}

// releaseView is what None of these shows instead of the form.
func (a *App) releaseView() slack.ModalViewRequest {
	of := ""
	if a.Config.Organization != "" {
		of = " of " + escaped(a.Config.Organization)
	}
	return modal("Emergency change", "",
		sectionOf("*Then this is no emergency change – and that is good news.*"),
		sectionOf("Please use the release process"+of+": "+linkTo(a.Config.ReleaseURL, "how it works")+". If it turns out that it cannot be used after all, "+
			"type `"+escaped(a.Config.Command)+"` again."))
}

// textInput is an input of free text, as long as Slack allows.
func textInput(block, input, label, value string, multiline, optional bool) *slack.InputBlock {
	e := slack.NewPlainTextInputBlockElement(nil, input)
	e.Multiline, e.MaxLength, e.InitialValue = multiline, change.TextLimit, clip(value, change.TextLimit)
	return slack.NewInputBlock(block, plainObject(label, 2000), nil, e).WithOptional(optional)
}

func selectInput(block, input, label string, options []*slack.OptionBlockObject, chosen *slack.OptionBlockObject, optional bool) *slack.InputBlock {
	if len(options) > maxOptions {
		options = options[:maxOptions]
	}
	e := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, nil, input, options...)
	e.InitialOption = chosen
	return slack.NewInputBlock(block, plainObject(label, 2000), nil, e).WithOptional(optional)
}

// externalSelect is a list whose options we are asked for, from the first letter on.
func externalSelect(input, placeholder string) *slack.SelectBlockElement {
	e := slack.NewOptionsSelectBlockElement(slack.OptTypeExternal, plainObject(placeholder, 150), input)
	none := 0
	e.MinQueryLength = &none
	return e
}

func optionOf(value, text string) *slack.OptionBlockObject {
	return slack.NewOptionBlockObject(value, plainObject(text, 75), nil)
}

// heard asks Slack to tell us when an input changes.
func heard(b *slack.InputBlock) *slack.InputBlock {
	b.DispatchAction = true
	return b
}

// durationOptions lists durations to choose from.
func durationOptions(durations []time.Duration) []*slack.OptionBlockObject {
	var options []*slack.OptionBlockObject
	for _, d := range durations {
		options = append(options, optionOf(d.String(), change.ShortDuration(d)))
	}
	return options
}
