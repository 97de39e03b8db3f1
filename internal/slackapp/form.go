package slackapp

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// callbackRequest names the request form.
const callbackRequest = "request"

// The inputs of the request form. A block's id is its input's name, followed by
// what its options depend on, so that a list whose options have changed starts
// anew while everything else keeps what was typed.
const (
	inputReason        = "reason"
	inputKind          = "kind"
	inputWhat          = "what"
	inputWhy           = "why"
	inputIncident      = "incident"
	inputTarget        = "target"
	inputPermissionSet = "permission_set"
	inputDuration      = "duration"
	inputRecord        = "record"
	inputTicket        = "ticket"
	inputQuestion      = "question"
	inputMadeAt        = "made_at"
	inputImplementer   = "implementer"
	inputGivenBy       = "given_by"
)

// noIncident is the value of the option that says so.
const noIncident = "none"

// formMeta is what the request form carries along. It is treated as untrusted:
// a place to look at, and nothing more.
type formMeta struct {
	Channel string        `json:"c,omitempty"` // where it was opened
	Again   change.Number `json:"a,omitempty"` // the change that is asked for once more
	Report  bool          `json:"r,omitempty"` // the change has been made already
}

func (m formMeta) String() string {
	raw, err := json.Marshal(m)
	if err != nil {
		return "" // three plain fields: cannot happen
	}
	return string(raw)
}

func metaOf(s string) formMeta {
	var m formMeta
	if json.Unmarshal([]byte(s), &m) != nil {
		return formMeta{}
	}
	return m
}

// form is the request form as far as it is filled in.
type form struct {
	formMeta
	Reason       change.ReasonID
	Kind         change.KindID
	What, Why    string
	Incident     string // its id; noIncident; empty: nothing chosen
	IncidentText string // as it was offered
	IncidentSeen bool   // the input was on the screen, so that what stands there was meant
	Target       change.TargetID
	Set          change.PermissionSetID
	Duration     time.Duration
	Choice       change.TicketChoice
	Ticket       string
	Answers      map[change.QuestionID]string
	onCall
	MadeAt      time.Time
	Implementer change.PersonID
	GivenBy     change.PersonID

	MergeRequests string // as typed: addresses, one on each line
}

// blockName is the part of a block's id that names the input.
func blockName(blockID string) string {
	name, _, _ := strings.Cut(blockID, ":")
	return name
}

func kindBlock(r change.ReasonID) string { return inputKind + ":" + string(r) }
func setBlock(t change.TargetID) string  { return inputPermissionSet + ":" + string(t) }
func targetOfBlock(id string) (t string) { _, t, _ = strings.Cut(id, ":"); return t }
func questionBlock(k change.KindID, q change.QuestionID) string {
	return inputQuestion + ":" + string(k) + "/" + string(q)
}

func durationBlock(t change.TargetID, s change.PermissionSetID) string {
	return inputDuration + ":" + string(t) + "/" + string(s)
}

// formOf reads the form as it stands on somebody's screen. What belongs to a
// choice that was changed meanwhile is dropped.
func formOf(v *shownView, rules change.Rules) form {
	f := form{formMeta: metaOf(v.PrivateMetadata), Answers: map[change.QuestionID]string{}}
	at := func(block, input string) typed { return v.State.Values[block][input] }
	f.Reason = change.ReasonID(at(inputReason, inputReason).option())
	f.Kind = change.KindID(at(kindBlock(f.Reason), inputKind).option())
	if f.Kind == "" {
		f.Kind = f.carriedKind(v, rules)
	}
	f.What, f.Why = at(inputWhat, inputWhat).Value, at(inputWhy, inputWhy).Value
	_, f.IncidentSeen = v.State.Values[inputIncident]
	if o := at(inputIncident, inputIncident).SelectedOption; o != nil {
		f.Incident, f.IncidentText = o.Value, o.Text.Text
	}
	f.Target = change.TargetID(at(inputTarget, inputTarget).option())
	f.Set = change.PermissionSetID(at(setBlock(f.Target), inputPermissionSet).option())
	f.Duration = durationOf(at(durationBlock(f.Target, f.Set), inputDuration).option())
	f.Choice = change.TicketChoice(at(inputRecord, inputRecord).option())
	f.Ticket = strings.TrimSpace(at(inputTicket, inputTicket).Value)
	f.MergeRequests = at(inputMergeRequest, inputMergeRequest).Value
	if kind, ok := rules.Kind(f.Kind); ok {
		for _, q := range kind.Questions {
			f.Answers[q.ID] = answerOf(q, at(questionBlock(kind.ID, q.ID), inputQuestion))
		}
	}
	f.onCall = onCallOf(v, f.Kind)
	if s := at(inputMadeAt, inputMadeAt).SelectedDateTime; s != 0 {
		f.MadeAt = time.Unix(s, 0).UTC()
	}
	f.Implementer = change.PersonID(at(inputImplementer, inputImplementer).SelectedUser)
	f.GivenBy = change.PersonID(at(inputGivenBy, inputGivenBy).SelectedUser)
	return f
}

// carriedKind is the kind that was chosen for another reason, if this one allows
// it too.
func (f *form) carriedKind(v *shownView, rules change.Rules) change.KindID {
	for block, inputs := range v.State.Values {
		id := change.KindID(inputs[inputKind].option())
		if blockName(block) != inputKind || id == "" {
			continue
		}
		if kind, ok := rules.Kind(id); ok && f.Reason != "" && kind.Allows(f.Reason) {
			return id
		}
	}
	return ""
}

// answerOf reads the answer to a kind's own question. Options are known by their
// place, since their texts may be longer than a value may be.
func answerOf(q change.Question, t typed) string {
	if len(q.Options) == 0 {
		return t.Value
	}
	i, err := strconv.Atoi(t.option())
	if err != nil || i < 0 || i >= len(q.Options) {
		return ""
	}
	return q.Options[i]
}

// durationOf reads the value of a duration's option; zero for anything else.
func durationOf(s string) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0
	}
	return d
}

// settle fills in what is chosen without being asked: the only target and the
// only permission set, the shortest duration, the ticket opened now. What does
// not belong to what was chosen before it is taken back.
func (f *form) settle(rules change.Rules) {
	kind, ok := rules.Kind(f.Kind)
	if !ok || !kind.Allows(f.Reason) {
		f.Kind = ""
		return
	}
	if f.Incident == noIncident && kind.Incident == change.NeedRequired {
		f.Incident, f.IncidentText = "", ""
	}
	if f.Incident == openIncident && f.Report {
		f.Incident, f.IncidentText = "", ""
	}
	if f.Choice == "" {
		f.Choice = change.TicketNow
	}
	if kind.Access == change.NeedNone {
		f.Target, f.Set, f.Duration = "", "", 0
		return
	}
	if f.Target == "" && kind.Access == change.NeedRequired && len(rules.Targets) == 1 {
		f.Target = rules.Targets[0].ID
	}
	target, ok := rules.Target(f.Target)
	if !ok || f.Report {
		f.Set, f.Duration = "", 0
		return
	}
	if _, ok := target.PermissionSet(f.Set); !ok {
		f.Set = ""
	}
	if f.Set == "" && len(target.PermissionSets) == 1 {
		f.Set = target.PermissionSets[0].ID
	}
	set, ok := target.PermissionSet(f.Set)
	if !ok {
		f.Duration = 0
		return
	}
	if durations := rules.Durations(set); len(durations) > 0 && !slices.Contains(durations, f.Duration) {
		f.Duration = durations[0]
	}
}

// recordAsked tells whether the form asks where the record goes: not where the
// incident's own record is the record.
func (f *form) recordAsked(rules change.Rules) bool {
	place := rules.Record.Otherwise
	if f.Incident != "" && f.Incident != noIncident {
		place = rules.Record.DuringIncident
	}
	return place == change.RecordInJira
}
