package ledger

import (
	"slices"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// PopulationRow is one change as reports show it: plain data, computed from the
// change and its events. Times are zero where the thing has not happened.
type PopulationRow struct {
	Number       change.Number
	Phase        change.Phase
	Kind         change.KindID
	KindName     string
	Reason       change.ReasonID
	ReasonLabel  string
	Confidential bool
	Withheld     bool // the texts were left out, because the change is confidential
	Reported     bool // it had been made before breakglass heard of it
	SelfApproved bool // whoever asked for it or makes it gave an approval
	Again        change.Number

	Requester   change.PersonID
	Implementer change.PersonID
	Approvers   []change.PersonID // whoever approved the change itself, the first first
	DeniedBy    change.PersonID
	EndedBy     change.PersonID // empty: it ended by itself, or has not ended

	RequestedAt time.Time
	MadeAt      time.Time // of a reported change, as stated
	DecidedAt   time.Time // approved, denied, lapsed or withdrawn
	StartedAt   time.Time // of the window
	EndedAt     time.Time // of the window

	Access  *PopulationAccess // nil: no access through breakglass
	Asks    []PopulationAsk   // the questions put to approvers, extensions too
	Record  PopulationDuty
	SignOff PopulationDuty
	Review  PopulationDuty
	// Breached are the deadlines that passed before the proof was there, even
	// where it came later. A late copy, not the owner's fault, is among them.
	Breached []change.ObligationName
	Actions  []PopulationAction
	Waivers  []PopulationWaiver // what was waived, in the order in which it was owed

	RecordIn       change.RecordPlace
	NothingChanged bool
	RecordChanged  bool // after its sign-off, which stands
	Ticket         *change.TicketRef
	Incident       *PopulationIncident

	Refusals, Reminders, Escalations        int
	SignOffsUndone, AccessBack, Undelivered int

	What, Why, Reply string   // as typed; Reply is why it was denied, or why it failed
	Links            []string // as typed

	MergeRequest, IndependentReview, PermanentFix PopulationDuty
	MergeRequests                                 []PopulationMergeRequest
}

// PopulationAccess is the access of a change. Asked and Approved include
// extensions.
type PopulationAccess struct {
	Target, TargetName               string
	PermissionSet, PermissionSetName string
	AccountID                        string
	Asked, Approved                  time.Duration
	VerifiedAt, GoneAt               time.Time
	EndedAt                          time.Time // when it was to go: before the end of the window, if that came late
	Standing                         bool      // it was there before, and was not ours to remove
}

// Used is how long the access was seen in AWS on the change's account, up to
// a time at most; zero for access that was there before.
func (a *PopulationAccess) Used(asOf time.Time) time.Duration {
	if a == nil || a.Standing || a.VerifiedAt.IsZero() {
		return 0
	}
	end := a.GoneAt
	if end.IsZero() || end.After(asOf) {
		end = asOf
	}
	return max(0, end.Sub(a.VerifiedAt))
}

// PopulationAsk is a question to the approvers, and who answered it when.
type PopulationAsk struct {
	For     change.AskFor
	By      change.PersonID
	At      time.Time
	Result  change.AskResult
	Settled time.Time
	Answers []PopulationAnswer
}

// PopulationAnswer is one person's answer.
type PopulationAnswer struct {
	By       change.PersonID
	At       time.Time
	Approved bool
}

// PopulationDuty is something that a change owes: the record, the sign-off or
// the review. Its State is empty where the change owes none.
type PopulationDuty struct {
	State change.ObligationState
	Owner change.PersonID // empty: groups owe it
	From  time.Time       // the wait counts from it
	Due   time.Time       // zero: no deadline yet
	Part  time.Time       // when the owner had done theirs
	Done  time.Time       // when the proof was there
	By    change.PersonID
	Way   string // how it was proven: "jira_comment", "slack", …
	Ref   string
}

// PopulationAction is a preventive action that a review named. Whether the work
// on its ticket is finished stands in Jira only.
type PopulationAction struct {
	What   string
	Owner  change.PersonID
	Due    time.Time
	Agreed time.Time         // when the review was submitted
	Ticket *change.TicketRef // nil: it has none yet
}

// PopulationWaiver is something owed that an approver spared the change.
type PopulationWaiver struct {
	Name   change.ObligationName
	Item   int // of preventive actions, from 1; else 0
	By     change.PersonID
	At     time.Time
	Reason string // as typed
}

// PopulationIncident is the incident that a change belongs to.
type PopulationIncident struct {
	Reference, Name, URL string
	StatusAtRequest      string // empty where it was linked later
	Status               string // when it was last looked at
}

// PopulationRowOf computes the row of a change. times says how often the events
// happened that the change itself does not tell of.
func PopulationRowOf(c change.Change, times map[change.EventType]int) PopulationRow {
	row := PopulationRow{
		Number: c.Number, Phase: c.Phase, Kind: c.Kind, KindName: c.KindName,
		Reason: c.Reason, ReasonLabel: c.ReasonLabel, Confidential: c.Confidential, Again: c.Again,
		Requester: c.Requester, Implementer: c.Implementer, EndedBy: c.Window.EndedBy,
		RequestedAt: c.RequestedAt, StartedAt: c.Window.Start, EndedAt: c.Window.Ended,
		Record: dutyOf(&c, change.OweRecord), SignOff: dutyOf(&c, change.OweSignOff), Review: dutyOf(&c, change.OweReview),
		RecordIn: c.Record.In, NothingChanged: c.Record.NothingChanged, RecordChanged: c.SignOffOvertaken() != nil,
		Refusals: times[change.EventRefused], Reminders: times[change.EventReminded], Escalations: times[change.EventEscalated],
		SignOffsUndone: times[change.EventSignOffUndone], AccessBack: times[change.EventAccessBack], Undelivered: times[change.EventUndelivered],
		What: c.What, Why: c.Why, Reply: c.Reply, Links: slices.Clone(c.Links),
	}
	if c.Report != nil {
		row.Reported, row.MadeAt = true, c.Report.MadeAt
	}
	if c.Ticket != nil {
		ref := c.Ticket.TicketRef
		row.Ticket = &ref
	}
	if i := c.Incident; i != nil {
		row.Incident = &PopulationIncident{Reference: i.Now.Reference, Name: i.Now.Name, URL: i.Now.URL, Status: i.Now.Status}
		if i.AtRequest != nil {
			row.Incident.StatusAtRequest = i.AtRequest.Status
		}
	}
	for _, o := range c.Obligations {
		if !o.Breached.IsZero() {
			row.Breached = append(row.Breached, o.Name)
		}
		if o.State == change.Waived {
			row.Waivers = append(row.Waivers, PopulationWaiver{Name: o.Name, Item: o.Item, By: o.Proof.By, At: o.Done, Reason: o.Waiver})
		}
	}
	for _, a := range c.Review.Text.Actions {
		row.Actions = append(row.Actions, PopulationAction{What: a.What, Owner: a.Owner, Due: a.Due, Agreed: c.Review.Submitted, Ticket: a.Ticket})
	}
	row.MergeRequest, row.IndependentReview, row.PermanentFix = dutyOf(&c, change.OweMergeRequest), dutyOf(&c, change.OweIndependentReview), dutyOf(&c, change.OwePermanentFix)
	row.addMergeRequests(&c)
	row.addAsks(&c)
	row.addAccess(&c)
	return row
}

func (row *PopulationRow) addAsks(c *change.Change) {
	for _, a := range c.Asks {
		ask := PopulationAsk{For: a.For, By: a.By, At: a.At, Result: a.Result, Settled: a.Settled}
		for _, d := range a.Decisions {
			ask.Answers = append(ask.Answers, PopulationAnswer{By: d.By, At: d.At, Approved: d.Approved})
			row.SelfApproved = row.SelfApproved || d.Approved && c.Own(d.By)
			switch {
			case a.For != change.ForChange:
			case d.Approved:
				row.Approvers = append(row.Approvers, d.By)
			default:
				row.DeniedBy = d.By
			}
		}
		if a.For == change.ForChange {
			row.DecidedAt = a.Settled
		}
		row.Asks = append(row.Asks, ask)
	}
}

func (row *PopulationRow) addAccess(c *change.Change) {
	a := c.Access
	if a == nil {
		return
	}
	row.Access = &PopulationAccess{
		Target: string(a.Target), TargetName: a.TargetName,
		PermissionSet: string(a.PermissionSet), PermissionSetName: a.PermissionSetName,
		AccountID: a.Key.AccountID, Asked: a.Asked, Approved: a.Approved,
		VerifiedAt: a.VerifiedAt, GoneAt: a.GoneAt, EndedAt: c.AccessEnd(), Standing: a.Standing,
	}
	for _, ask := range c.Asks {
		if ask.For == change.ForExtension {
			row.Access.Asked += ask.Duration
		}
	}
}

func dutyOf(c *change.Change, name change.ObligationName) PopulationDuty {
	o := c.Owes(name, 0)
	if o == nil {
		return PopulationDuty{}
	}
	return PopulationDuty{
		State: o.State, Owner: o.Owner, From: o.From, Due: o.Due, Part: o.Part, Done: o.Done,
		By: o.Proof.By, Way: o.Proof.Way, Ref: o.Proof.Ref,
	}
}

// Concealed is what stands where something about a confidential change is left
// out: its kind, its reason, and whoever asked for it or makes it.
const Concealed = "confidential"

// withhold leaves of a confidential change its number, what came of it and when,
// and what it owes: enough to count it and to ask about it. Who took part, what
// it was about, and where more stands, are left out.
func (row *PopulationRow) withhold() {
	open := *row
	*row = PopulationRow{
		Number: open.Number, Phase: open.Phase, Kind: Concealed, KindName: Concealed, Reason: Concealed, ReasonLabel: Concealed,
		Confidential: true, Withheld: true, Requester: Concealed, Implementer: Concealed, Reported: open.Reported, SelfApproved: open.SelfApproved,
		RequestedAt: open.RequestedAt, MadeAt: open.MadeAt, DecidedAt: open.DecidedAt, StartedAt: open.StartedAt, EndedAt: open.EndedAt,
		Record: open.Record.withheld(), SignOff: open.SignOff.withheld(), Review: open.Review.withheld(), Breached: open.Breached,
		NothingChanged: open.NothingChanged, RecordChanged: open.RecordChanged,
		Refusals: open.Refusals, Reminders: open.Reminders, Escalations: open.Escalations,
		SignOffsUndone: open.SignOffsUndone, AccessBack: open.AccessBack, Undelivered: open.Undelivered,
	}
	for _, ask := range open.Asks {
		row.Asks = append(row.Asks, PopulationAsk{For: ask.For, By: Concealed, At: ask.At, Result: ask.Result, Settled: ask.Settled})
	}
	if a := open.Access; a != nil {
		row.Access = &PopulationAccess{
			Target: Concealed, TargetName: Concealed, Asked: a.Asked, Approved: a.Approved,
			VerifiedAt: a.VerifiedAt, GoneAt: a.GoneAt, EndedAt: a.EndedAt, Standing: a.Standing,
		}
	}
	for _, w := range open.Waivers {
		row.Waivers = append(row.Waivers, PopulationWaiver{Name: w.Name, Item: w.Item, At: w.At})
	}
}

// withholdTexts takes out what people typed, and what an incident is called. The
// rest stays, as an export has it: it follows from the facts of the chained
// events, and is checked against them.
func (row *PopulationRow) withholdTexts() {
	row.Withheld = true
	row.What, row.Why, row.Reply, row.Links = "", "", "", nil
	for i := range row.Actions {
		row.Actions[i].What = ""
	}
	for i := range row.Waivers {
		row.Waivers[i].Reason = ""
	}
	if row.Incident != nil {
		row.Incident.Name = ""
	}
}

func (d PopulationDuty) withheld() PopulationDuty {
	return PopulationDuty{State: d.State, From: d.From, Due: d.Due, Part: d.Part, Done: d.Done}
}
