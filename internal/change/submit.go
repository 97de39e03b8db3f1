package change

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// TextLimit bounds what people type into one input, in characters. It is
// Slack's own limit for an input.
const TextLimit = 3000

// Request is what somebody asks for, or reports: the form, with what could be
// looked up about it at the submission. Nil look-ups had no answer in time.
type Request struct {
	Kind          KindID
	Reason        ReasonID
	What, Why     string
	Answers       map[QuestionID]string
	Incident      *Incident // nil: none
	Target        TargetID
	PermissionSet PermissionSetID
	Duration      time.Duration
	Choice        TicketChoice
	Ticket        *TicketRef // for TicketExisting
	TicketChecked bool       // the ticket was seen in Jira
	AWSUser       *AWSUser
	AlreadyThere  *bool // whether the person has this access already
	Again         Number
	MergeRequests []RequestedMergeRequest
	Opening       *IncidentOpening // an incident to be opened; nil: none
	SelfApprove   bool             // with the witnesses, where the kind allows it
	Witnesses     []PersonID       // named as being on the call
	Overdue       []Number         // changes whose record the requester owes, overdue; for the approvers

	Reported    bool // the change was made already
	MadeAt      time.Time
	Implementer PersonID // empty: the requester
	GivenBy     PersonID
}

// RequestedMergeRequest is a merge request that the form names, with what the
// forge showed of it; nil where it did not answer.
type RequestedMergeRequest struct {
	Ref  MergeRequestRef
	Seen *MergeRequest
}

// Submit turns a request into change number n, or refuses it with a *Refusal
// that says what is wrong at which input. It freezes what the kind requires.
func Submit(rules Rules, req Request, actor Actor, n Number, now time.Time) (Change, []Event, error) {
	if actor.Standing != Member {
		return Change{}, nil, refuse(NotAllowed, "Only full members of this workspace may ask for an emergency change.")
	}
	problems, kind := req.problems(rules, actor, now)
	if len(problems) > 0 {
		return Change{}, nil, &Refusal{Code: BadInput, Say: "Some of it cannot be taken as it is.", Fields: problems}
	}
	if has, known := actor.Groups.Has(actor.ID, kind.Requesters...); !has {
		if !known {
			return Change{}, nil, refuse(Unestablished, "Whether you may ask for this could not be looked up just now. Please press again in a moment.")
		}
		return Change{}, nil, &Refusal{Code: NotAllowed, Say: "You may not ask for this kind of change.", Fields: map[Field]string{FieldKind: "You may not ask for this kind of change. Choose another, or ask somebody who may."}}
	}
	d := &decision{rules: rules, actor: actor, now: now, c: req.change(rules, kind, actor.ID, n, now)}
	if req.Reported {
		d.report(req)
	} else {
		if err := d.request(req); err != nil {
			return Change{}, nil, err
		}
	}
	return d.c, d.events, nil
}

// change is the request as a change, before anything has happened to it.
func (req Request) change(rules Rules, kind Kind, by PersonID, n Number, now time.Time) Change {
	reason, _ := rules.Reason(req.Reason)
	c := Change{
		Number: n, Phase: Requested, Kind: kind.ID, KindName: kind.Name,
		Reason: reason.ID, ReasonLabel: reason.Label, Confidential: kind.Confidential,
		Requester: by, Implementer: by, Again: req.Again,
		What: strings.TrimSpace(req.What), Why: strings.TrimSpace(req.Why),
		RequestedAt: now, Plan: planFor(rules, kind, reason),
		Record: Record{In: rules.Record.Otherwise, Choice: req.Choice},
	}
	for _, q := range kind.Questions {
		if text := strings.TrimSpace(req.Answers[q.ID]); text != "" {
			c.Answers = append(c.Answers, Answer{Question: q.ID, Label: q.Label, Text: text})
		}
	}
	if req.Incident != nil {
		at := *req.Incident
		c.Incident = &IncidentLink{AtRequest: &at, Now: at, LinkedAt: now}
		c.Confidential = c.Confidential || at.Private
		c.Record.In = rules.Record.DuringIncident
	}
	if o := req.Opening; o != nil {
		opening := *o
		opening.Name = strings.TrimSpace(o.Name)
		c.Incident = &IncidentLink{Opening: &opening, Now: Incident{Name: opening.Name, Category: IncidentLive}, LinkedAt: now}
		c.Record.In = rules.Record.DuringIncident
	}
	if req.Choice == TicketExisting && req.Ticket != nil {
		c.Ticket = &TicketLink{TicketRef: *req.Ticket, LinkedAt: now, Checked: req.TicketChecked}
	}
	if req.Target != "" && kind.Access != NeedNone {
		c.Access = req.access(rules)
	}
	return c
}

func (req Request) access(rules Rules) *Access {
	target, _ := rules.Target(req.Target)
	set, _ := target.PermissionSet(req.PermissionSet)
	a := &Access{
		Target: target.ID, TargetName: target.Name,
		PermissionSet: set.ID, PermissionSetName: set.Name,
		Key:   AssignmentKey{InstanceARN: rules.InstanceARN, AccountID: target.AccountID, PermissionSetARN: set.ARN},
		Asked: req.Duration, MaxPeriod: set.MaxDuration, AlreadyThere: req.AlreadyThere,
	}
	if req.AWSUser != nil {
		a.Key.UserID = req.AWSUser.ID
	}
	return a
}

// request puts a new change before its approvers.
func (d *decision) request(req Request) error {
	c := &d.c
	facts := Facts{"kind": string(c.Kind), "reason": string(c.Reason), "requester": string(c.Requester), "implementer": string(c.Implementer), "record_in": string(c.Record.In)}
	if c.Again != 0 {
		facts["again"] = c.Again.String()
	}
	var asked time.Duration
	if a := c.Access; a != nil {
		asked = a.Asked
		facts["account"], facts["permission_set"], facts["seconds"] = a.Key.AccountID, a.Key.PermissionSetARN, int64(a.Asked/time.Second)
		if a.Key.UserID != "" {
			facts["aws_user"] = a.Key.UserID
		}
		if a.AlreadyThere != nil {
			facts["already_there"] = *a.AlreadyThere
		}
	}
	d.incidentFacts(facts)
	d.emit(EventRequested, facts, d.texts())
	d.linkedAtRequest()
	for _, m := range req.MergeRequests {
		d.link(m.Ref, false, m.Seen)
	}
	self := d.selfApproval(req)
	d.putAsk(Ask{For: ForChange, Duration: asked, Quiet: self, Overdue: req.Overdue})
	if self && c.Plan.SelfApproval.Witnesses == 0 {
		return d.selfApproved(c.ask(), req.Incident)
	}
	return nil
}

// report starts a change at its end: it was made already, and owes everything.
func (d *decision) report(req Request) {
	c := &d.c
	if req.Implementer != "" {
		c.Implementer = req.Implementer
	}
	c.Report = &Report{MadeAt: req.MadeAt, GivenBy: req.GivenBy}
	c.Phase = Ended
	if c.Access != nil { // kept as where it was made; nothing is granted or removed
		c.Access.Asked, c.Access.Approved = 0, 0
	}
	facts := Facts{"kind": string(c.Kind), "reason": string(c.Reason), "requester": string(c.Requester), "implementer": string(c.Implementer), "made_at": stamp(req.MadeAt), "record_in": string(c.Record.In)}
	if req.GivenBy != "" {
		facts["given_by"] = string(req.GivenBy)
	}
	d.incidentFacts(facts)
	d.emit(EventReported, facts, d.texts())
	c.Window.Ended = req.MadeAt
	d.openWindow(req.MadeAt)
	d.linkedAtRequest()
	for _, m := range req.MergeRequests {
		d.link(m.Ref, false, m.Seen)
	}
	d.oweSignOff()
	d.oweReview(req.MadeAt)
}

func (d *decision) texts() map[string]string {
	texts := map[string]string{"what": d.c.What, "why": d.c.Why}
	for _, a := range d.c.Answers {
		texts["answer_"+string(a.Question)] = a.Text
	}
	if i := d.c.Incident; i != nil && i.Opening != nil {
		texts["incident_name"] = i.Opening.Name
	}
	return texts
}

func (d *decision) incidentFacts(facts Facts) {
	if i := d.c.Incident; i != nil && i.AtRequest != nil {
		facts["incident"], facts["incident_status"], facts["incident_category"] = i.AtRequest.ID, i.AtRequest.Status, string(i.AtRequest.Category)
		facts["incident_mitigated"] = i.AtRequest.Mitigated
		if !i.AtRequest.SeenAt.IsZero() {
			facts["incident_seen_at"] = stamp(i.AtRequest.SeenAt)
		}
	} else if i != nil && i.Opening != nil {
		facts["incident"], facts["severity"] = "opening", i.Opening.SeverityID
	}
}

func (d *decision) linkedAtRequest() {
	if t := d.c.Ticket; t != nil {
		d.emit(EventTicketLinked, Facts{"ticket": t.Key, "ticket_id": t.ID, "ours": false}, nil)
		d.oweSignOffOfTicket()
	}
}

// problems says what is wrong with each input, judged against the rules.
func (req Request) problems(rules Rules, actor Actor, now time.Time) (map[Field]string, Kind) {
	p := map[Field]string{}
	reason, ok := rules.Reason(req.Reason)
	if !ok || reason.StandardPath {
		p[FieldReason] = "Choose why the release process cannot be used."
	}
	kind, ok := rules.Kind(req.Kind)
	if !ok || !kind.Allows(req.Reason) {
		p[FieldKind] = "Choose a kind of change that this reason allows."
		return p, kind
	}
	checkText(p, FieldWhat, req.What, true)
	checkText(p, FieldWhy, req.Why, true)
	for _, q := range kind.Questions {
		answer := req.Answers[q.ID]
		checkText(p, QuestionField(q.ID), answer, q.Required)
		if len(q.Options) > 0 && answer != "" && !slices.Contains(q.Options, answer) {
			p[QuestionField(q.ID)] = "Choose one of the offered answers."
		}
	}
	req.openingProblems(p)
	if kind.Incident == NeedRequired && req.Incident == nil && req.Opening == nil {
		p[FieldIncident] = "This kind of change needs an active incident."
	}
	if i := req.Incident; i != nil && !req.Reported && i.Category != IncidentLive {
		p[FieldIncident] = i.Reference + " is no longer active. Choose another, or none."
	}
	if i := req.Incident; i != nil && req.Reported && !i.LiveAt(req.MadeAt) {
		p[FieldIncident] = i.Reference + " was not active at the stated time. Choose another, or none."
	}
	if i := req.Incident; i != nil && kind.Incident == NeedRequired && p[FieldIncident] == "" && i.mitigatedAt(req.Reported, req.MadeAt) {
		p[FieldIncident] = i.Reference + " is mitigated (" + i.Status + "), and this kind of change needs an incident that is not. Choose another, or another kind of change."
		if req.Reported {
			p[FieldIncident] = i.Reference + " was mitigated at the stated time, and this kind of change needs an incident that is not."
		}
	}
	req.mergeRequestProblems(p, rules, kind)
	req.selfApprovalProblems(p, kind, actor)
	req.accessProblems(p, rules, kind)
	if req.Choice == TicketExisting && req.Ticket == nil {
		p[FieldTicket] = "Give the key of the ticket, such as OPS-123."
	}
	if req.Reported {
		req.reportProblems(p, now)
	}
	return p, kind
}

func checkText(p map[Field]string, f Field, text string, required bool) {
	if problem := textProblem(text, required); problem != "" {
		p[f] = problem
	}
}

// textProblem says why a text cannot be taken; empty when it can.
func textProblem(text string, required bool) string {
	switch n := utf8.RuneCountInString(text); {
	case required && strings.TrimSpace(text) == "":
		return "Please fill this in."
	case n > TextLimit:
		return "This is too long: at most 3,000 characters fit."
	case strings.ContainsRune(text, 0): // Postgres keeps none
		return "This holds a character that cannot be stored (NUL). Please remove it."
	}
	return ""
}

func (req Request) accessProblems(p map[Field]string, rules Rules, kind Kind) {
	if kind.Access == NeedNone || (kind.Access == NeedOptional && req.Target == "") {
		return
	}
	target, ok := rules.Target(req.Target)
	if !ok {
		p[FieldTarget] = "Choose where the change is made."
		return
	}
	if req.Reported {
		return
	}
	set, ok := target.PermissionSet(req.PermissionSet)
	if !ok {
		p[FieldPermissionSet] = "Choose one of the permission sets of " + target.Name + "."
		return
	}
	if !slices.Contains(rules.Durations(set), req.Duration) {
		p[FieldDuration] = "Choose one of the offered durations; " + set.Name + " is given for at most " + ShortDuration(set.MaxDuration) + "."
	}
}

func (req Request) reportProblems(p map[Field]string, now time.Time) {
	switch {
	case req.MadeAt.IsZero():
		p[FieldMadeAt] = "Say when the change was made."
	case req.MadeAt.After(now):
		p[FieldMadeAt] = "This lies in the future. To ask for a change that is still to be made, use the request form."
	case req.MadeAt.Before(now.Add(-reportedWithin)):
		p[FieldMadeAt] = "This lies more than a year back. Give the time at which the change was made."
	}
}

// reportedWithin is how far back a change may be reported. What a form carries
// may be any number, and a time without bounds can be written down by nothing.
const reportedWithin = 366 * 24 * time.Hour

// LiveAt tells whether the incident was live at a time, as far as is known.
func (i *Incident) LiveAt(at time.Time) bool {
	if at.Before(i.Created) {
		return false
	}
	return i.Category == IncidentLive || i.Category == IncidentTriage || i.Closed.IsZero() || !at.After(i.Closed)
}

// mitigatedAt tells whether the incident was mitigated: now, or for a reported
// change at the stated time, as far as is known.
func (i *Incident) mitigatedAt(reported bool, at time.Time) bool {
	if reported {
		return !i.MitigatedSince.IsZero() && !at.Before(i.MitigatedSince)
	}
	return i.Mitigated
}

func (req Request) mergeRequestProblems(p map[Field]string, rules Rules, kind Kind) {
	all := req.MergeRequests
	switch {
	case kind.MergeRequest == NeedNone && len(all) > 0:
		p[FieldMergeRequest] = "This kind of change takes no merge request."
	case kind.MergeRequest == NeedRequired && len(all) == 0:
		p[FieldMergeRequest] = "This kind of change needs a merge request: give its address."
	case len(all) > MergeRequestLimit:
		p[FieldMergeRequest] = "At most " + counted(MergeRequestLimit, "merge request", "merge requests") + " fit."
	}
	for i, m := range all {
		for _, other := range all[:i] {
			if m.Ref.Same(other.Ref) {
				p[FieldMergeRequest] = m.Ref.String() + " stands there twice."
			}
		}
		if !kind.Confidential && (req.Incident == nil || !req.Incident.Private) && rules.ConfidentialProject(m.Ref) {
			p[FieldMergeRequest] = onlyConfidential(m.Ref)
			return
		}
		if m.Seen == nil {
			continue
		}
		if lacking := m.Seen.LacksLabels(kind.MergeRequestLabels); len(lacking) > 0 {
			p[FieldMergeRequest] = labelsMissing(m.Ref, lacking)
		}
	}
}

// counted writes a number with its noun.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
