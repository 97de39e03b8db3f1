package change

import "time"

// FindingKind says how AWS and the ledger disagree about an access.
type FindingKind string

// The kinds of findings of the census.
const (
	FindingUnasked  FindingKind = "unasked"  // AWS lists it; no change wants it, and nobody marked it as standing
	FindingLeft     FindingKind = "left"     // AWS lists it; a change had it, and it should have gone
	FindingVanished FindingKind = "vanished" // an active change has it, and AWS does not list it
)

// FindingKinds lists them all.
func FindingKinds() []FindingKind {
	return []FindingKind{FindingUnasked, FindingLeft, FindingVanished}
}

// FindingState is where a finding stands.
type FindingState string

// The states of findings.
const (
	FindingSuspected FindingState = "suspected" // one look saw it; nobody is told before a second agrees
	FindingOpen      FindingState = "open"      // told
	FindingStanding  FindingState = "standing"  // somebody marked the access as standing; it is left alone and never told again
	FindingEnding    FindingState = "ending"    // somebody had the access ended; it is being removed
	FindingClosed    FindingState = "closed"    // it is no more
	FindingDismissed FindingState = "dismissed" // the second look did not agree; nobody was told
)

// FindingOutcome is how a finding was closed.
type FindingOutcome string

// The outcomes.
const (
	OutcomeGone         FindingOutcome = "gone"         // AWS lists the access no more
	OutcomeEnded        FindingOutcome = "ended"        // the same, after somebody had it ended
	OutcomeSettled      FindingOutcome = "settled"      // AWS lists it, and by now that is right
	OutcomeBack         FindingOutcome = "back"         // what had vanished is listed again
	OutcomeOver         FindingOutcome = "over"         // what had vanished is not wanted any more
	OutcomeUnconfigured FindingOutcome = "unconfigured" // the configuration no longer names the account with the permission set
)

// CensusFinding is an access about which AWS and the ledger disagree.
type CensusFinding struct {
	ID        int64
	Kind      FindingKind
	Key       AssignmentKey
	UserName  string // what AWS calls the user; empty when it did not say
	Number    Number // the change that has, or last had, to do with it; 0: none
	Removing  bool   // it is ours, and is being removed without anybody's word
	State     FindingState
	Outcome   FindingOutcome // empty until it is closed
	Version   int64          // counts what people are shown of it
	FirstSeen time.Time
	LastSeen  time.Time
	ToldAt    time.Time
	DecidedBy PersonID
	DecidedAt time.Time
	LateAt    time.Time
	ClosedAt  time.Time
}

// Live tells whether the census still has to do with it.
func (f CensusFinding) Live() bool {
	return f.State != FindingClosed && f.State != FindingDismissed
}

// Facts are what the events about a finding state.
func (f CensusFinding) Facts() Facts {
	facts := Facts{
		"finding": f.ID, "kind": string(f.Kind), "account": f.Key.AccountID,
		"permission_set": f.Key.PermissionSetARN, "aws_user": f.Key.UserID,
	}
	if f.Number != 0 {
		facts["change"] = f.Number.String()
	}
	if f.Outcome != "" {
		facts["outcome"] = string(f.Outcome)
	}
	return facts
}

// CensusNotice is a finding as the audit channel is to hear of it.
type CensusNotice struct {
	CensusFinding
	TargetName        string // as configured; empty when it is not any more
	PermissionSetName string
	Confidential      bool       // its change is confidential: only its number may be told
	News              CensusNews // empty: the message about the finding itself
}

// CensusNews is what is told of a finding after it was told.
type CensusNews string

// The news.
const (
	CensusOver CensusNews = "over" // the finding was closed
	CensusLate CensusNews = "late" // its access should have been gone for LateAfter
)

// The deliveries of the census, both to the audit channel. They belong to no change.
const (
	DeliverFinding     DeliveryKind = "finding"      // a finding, kept current
	DeliverFindingNews DeliveryKind = "finding_news" // what became of it
)

// The events of the census. They belong to no change.
const (
	EventCensusFound    EventType = "census_found"    // two looks agreed, and it was told
	EventCensusEnded    EventType = "census_ended"    // somebody had the access ended
	EventCensusStanding EventType = "census_standing" // somebody marked the access as standing
	EventCensusLate     EventType = "census_late"     // the removal of the access is late
	EventCensusClosed   EventType = "census_closed"   // the finding is no more
	EventCensusRefused  EventType = "census_refused"  // somebody pressed a button of a finding and was refused
)

// MayDecide tells whether an actor may have the access of a finding ended, or
// (not end) mark it as standing: nil, or the refusal. own says that the access is
// the actor's own, which they may only end.
func (f CensusFinding) MayDecide(rules Rules, actor Actor, end, own bool) error {
	if actor.Standing != Member {
		return refuse(NotAllowed, "Only full members of this workspace take part.")
	}
	is, known := actor.Groups.Has(actor.ID, rules.Roles.CTO...)
	switch {
	case !is && !known:
		return unestablishable()
	case !is:
		return refuse(NotAllowed, "Only the members of `roles.cto` decide about what the census finds.")
	case f.Kind == FindingVanished || f.State == FindingSuspected || f.State == FindingDismissed:
		return refuse(BadInput, "There is nothing to decide about this.")
	case f.State == FindingClosed:
		return refuse(TooLate, "This is no more, so there is nothing to decide any more.")
	case f.State != FindingOpen:
		word := "marked as standing"
		if f.State == FindingEnding {
			word = "ended"
		}
		return &Refusal{Code: Decided, Say: "Somebody has decided about this already: " + word + ".", By: f.DecidedBy, At: f.DecidedAt}
	case f.Removing && !end:
		return refuse(TooLate, "This access belongs to a change and is being removed, so it cannot be marked as standing.")
	case own && !end:
		return refuse(NotAllowed, "This is your own access. Somebody else of `roles.cto` may mark it as standing; you may end it.")
	}
	return nil
}
