package change

import (
	"slices"
	"strconv"
)

// Outbox says what has to be delivered because of events, which have their
// sequence numbers already. c is the change after them.
func Outbox(c Change, events []Event) []Delivery {
	o := &outbox{c: c}
	if len(events) == 0 {
		return nil
	}
	o.converge(DeliverCard, "card", Ref{})
	o.directCards()
	for _, e := range events {
		o.event(e)
	}
	return o.out
}

type outbox struct {
	c   Change
	out []Delivery
}

func (o *outbox) add(d Delivery) {
	if slices.ContainsFunc(o.out, func(x Delivery) bool { return x.Kind == d.Kind && x.Key == d.Key }) {
		return
	}
	d.Number = o.c.Number
	o.out = append(o.out, d)
}

func (o *outbox) once(kind DeliveryKind, key string, to PersonID, ref Ref) {
	o.add(Delivery{Kind: kind, Key: key, Mode: Once, To: to, Ref: ref})
}

func (o *outbox) converge(kind DeliveryKind, key string, ref Ref) {
	o.add(Delivery{Kind: kind, Key: key, Mode: Converge, Ref: ref})
}

// toRecord asks for something to be written where the record stands.
func (o *outbox) toRecord(kind DeliveryKind, key string, ref Ref) {
	d := Delivery{Kind: kind, Key: key, Mode: Once, Ref: ref}
	if o.c.Record.In == RecordInIncident && o.c.Incident != nil && o.c.Incident.Refused == "" {
		d.Via = SystemIncident
	}
	o.add(d)
}

func seqKey(e Event) string { return strconv.FormatInt(e.Seq, 10) }

// tell sends one of the direct messages about an event.
func (o *outbox) tell(e Event, m Message, to ...PersonID) {
	for i, p := range to {
		if p != "" && !slices.Contains(to[:i], p) {
			o.once(DeliverDirect, string(m)+"/"+seqKey(e)+"/"+string(p), p, Ref{Seq: e.Seq, Message: m})
		}
	}
}

// event maps an event to what follows from it.
func (o *outbox) event(e Event) {
	if inThread(e.Type) || newsOfMergeRequest(e) {
		o.once(DeliverThread, seqKey(e), "", Ref{Seq: e.Seq})
	}
	if inAudit(e) {
		o.once(DeliverAudit, seqKey(e), "", Ref{Seq: e.Seq})
	}
	if o.c.Incident != nil && o.c.Incident.Refused == "" && (onTimeline(e.Type) || (o.c.Record.In == RecordInJira && onBoth(e.Type))) {
		o.once(DeliverTimeline, seqKey(e), "", Ref{Seq: e.Seq})
	}
	o.asks(e)
	o.people(e)
	o.records(e)
	o.secrecy(e)
	o.owed(e)
}

func (o *outbox) asks(e Event) {
	switch e.Type { //nolint:exhaustive // the other events ask nobody
	case EventAsked:
		if e.Fact("witnesses_only") == "true" {
			for _, w := range o.c.Witnesses {
				o.add(Delivery{
					Kind: DeliverAsk, Key: e.Fact("ask") + "/witness/" + string(w), Mode: Converge, To: w,
					Ref: Ref{Seq: e.Seq, Ask: e.int("ask"), Message: MessageWitness},
				})
			}
			return
		}
		o.once(DeliverAskOut, e.Fact("ask"), "", Ref{Seq: e.Seq, Ask: e.int("ask")})
	case EventEscalated:
		o.once(DeliverAskOut, e.Fact("ask")+"/fallback", "", Ref{Seq: e.Seq, Ask: e.int("ask"), Fallback: true})
	}
}

// people maps events to direct messages.
func (o *outbox) people(e Event) {
	c := &o.c
	both := []PersonID{c.Requester, c.Implementer}
	messages := map[EventType]Message{
		EventApproved: MessageApproved, EventActivated: MessageActive, EventEndWarned: MessageEndWarned,
		EventEnded: MessageEnded, EventDenied: MessageDenied, EventLapsed: MessageLapsed, EventFailed: MessageFailed,
		EventExtensionApproved: MessageExtended, EventExtensionDenied: MessageExtensionDenied,
		EventExtensionLapsed: MessageExtensionLapsed, EventTicketRefused: MessageTicketRefused, EventReported: MessageEnded,
		EventSelfApprovalRefused: MessageSelfRefused, EventWaived: MessageWaived, EventMergeRequestRefused: MessageMergeRequestRefused,
		EventIndependentReviewUndone: MessageIndependentReviewUndone, EventIncidentDoubted: MessageIncidentDoubted,
		EventWithdrawn: MessageWithdrawn, // also to whoever took it back: it is where they ask again
	}
	if m, ok := messages[e.Type]; ok {
		o.tell(e, m, both...)
	}
	switch e.Type { //nolint:exhaustive // the other events tell nobody in particular
	case EventFailed:
		o.tell(e, MessageFailed, c.Approver())
	case EventAccessVerified:
		if c.Access.Standing {
			o.tell(e, MessageStanding, c.Approver())
		}
	case EventSelfApproved:
		o.once(DeliverCTO, "self_approved/"+seqKey(e), "", Ref{Seq: e.Seq, Message: MessageSelfApproved})
	case EventApproverAway:
		o.tell(e, MessageApproverAway, c.Requester)
	case EventIncidentDoubted:
		o.tell(e, MessageIncidentDoubted, c.Approver())
	case EventCoordinated:
		o.tell(e, MessageCoordinate, c.Coordinators...)
	case EventIncidentRefused:
		if c.Incident != nil && c.Incident.Opening != nil && c.Incident.Now.ID == "" {
			o.tell(e, MessageIncidentNotOpened, both...)
		}
	case EventAccessLate:
		o.once(DeliverCTO, "access_late/"+seqKey(e), "", Ref{Seq: e.Seq, Message: MessageAccessLate})
	case EventSignOffDoubted:
		o.tell(e, MessageSignOffDoubted, PersonID(e.Fact("signer")))
	case EventSignOffUndone:
		o.tell(e, MessageSignOffUndone, append(both, PersonID(e.Fact("by")))...)
	case EventClosed:
		o.tell(e, MessageClosed, both...)
	}
}

// records maps events to what the incident, the ticket and AWS have to hold.
func (o *outbox) records(e Event) {
	c := &o.c
	switch e.Type { //nolint:exhaustive // the other events touch no record
	case EventRequested, EventReported:
		if c.Access != nil && c.Access.Key.UserID == "" && c.Report == nil {
			o.once(DeliverPerson, "person", "", Ref{})
		}
		if c.Record.Choice == TicketNow && c.Record.In == RecordInJira {
			o.once(DeliverTicket, "ticket", "", Ref{})
		}
		switch {
		case c.Incident.BeingOpened():
			o.once(DeliverOpenIncident, "open", "", Ref{Seq: e.Seq})
		case c.Incident != nil:
			o.once(DeliverIncident, "request", "", Ref{Seq: e.Seq, Moment: AtRequest})
		}
		if c.Plan.Evidence != "" {
			o.once(DeliverStatus, "status", "", Ref{Seq: e.Seq})
		}
		if len(c.Plan.CoordinateWith) > 0 {
			o.once(DeliverCoordinateOut, "coordinate", "", Ref{Seq: e.Seq})
		}
	case EventMergeRequestLinked:
		o.lookAt(e.int("item"))
		o.referTo(e.int("item"))
	case EventIncidentLinked:
		of := Moment("")
		if e.Fact("opened") == "true" && !c.Approved().IsZero() && c.Incident.AtApproval == nil {
			of = AtApproval // it was not there yet when the change was approved
		}
		o.lookAtIncident(e, of)
		o.referToAll()
	case EventApproved:
		o.lookAtIncident(e, AtApproval)
		o.lookAtAll()
	case EventActivated:
		o.lookAtAll()
	case EventEnded:
		o.lookAtIncident(e, AtEnd)
		o.lookAtAll()
	case EventTicketLinked:
		if c.Ticket != nil {
			if !c.Ticket.Checked {
				o.once(DeliverTicketLook, c.Ticket.Key+"/"+seqKey(e), "", Ref{Seq: e.Seq})
			}
			o.converge(DeliverRemoteLink, "link/"+c.Ticket.Key, Ref{})
			o.secureTicket("ticket/"+c.Ticket.Key+"/"+seqKey(e), Ref{Seq: e.Seq})
			o.watchComments()
			o.referToAll()
		}
	case EventTicketRefused:
		if c.Ticket != nil { // the one before stands there again
			o.converge(DeliverRemoteLink, "link/"+c.Ticket.Key, Ref{})
			o.watchComments()
		}
	case EventRecordWritten:
		o.toRecord(DeliverRecord, e.Fact("revision"), Ref{Seq: e.Seq, Revision: e.int("revision")})
		o.ticketForRecord()
		if e.int("revision") == 1 {
			o.lookAtIncident(e, AtRecord)
		}
	case EventIncidentRefused:
		o.watchComments()
		if e.Fact("moved") == "true" && c.Record.Revision > 0 {
			o.toRecord(DeliverRecord, "moved/"+strconv.Itoa(c.Record.Revision), Ref{Seq: e.Seq, Revision: c.Record.Revision})
			o.ticketForRecord()
		}
	case EventDenied, EventWithdrawn, EventLapsed, EventFailed:
		if c.Record.In == RecordInJira && (c.Ticket != nil || c.Record.Choice == TicketNow) {
			o.toRecord(DeliverNote, "outcome", Ref{Seq: e.Seq})
		}
	case EventNoted:
		o.toRecord(DeliverNote, e.Fact("note"), Ref{Seq: e.Seq, Item: e.int("note")})
	case EventWaived:
		o.toRecord(DeliverNote, "waived/"+seqKey(e), Ref{Seq: e.Seq})
	case EventReviewSubmitted:
		o.toRecord(DeliverReview, "review", Ref{Seq: e.Seq})
		for i := range c.Review.Text.Actions {
			o.once(DeliverAction, strconv.Itoa(i+1), "", Ref{Seq: e.Seq, Item: i + 1})
		}
	}
}

// lookAtIncident looks at the incident, as evidence of a moment.
func (o *outbox) lookAtIncident(e Event, of Moment) {
	if o.c.Incident != nil && !o.c.Incident.BeingOpened() {
		o.once(DeliverIncident, seqKey(e), "", Ref{Seq: e.Seq, Moment: of})
	}
}

// lookAt looks at a merge request now, and then until nothing more is owed for it.
func (o *outbox) lookAt(item int) {
	if m := o.c.MergeRequest(item); m != nil && m.Ref.Readable() && m.Refused == "" {
		o.converge(DeliverMergeRequest, strconv.Itoa(item), Ref{Item: item})
	}
}

func (o *outbox) lookAtAll() {
	for _, m := range o.c.MergeRequests {
		o.lookAt(m.Item)
	}
}

// referTo makes the record refer to a merge request: the incident has it
// attached, the ticket links to it.
func (o *outbox) referTo(item int) {
	c, key := &o.c, strconv.Itoa(item)
	if m := c.MergeRequest(item); m == nil || m.Refused != "" {
		return
	}
	if i := c.Incident; i != nil && i.Now.ID != "" && i.Refused == "" {
		o.add(Delivery{Kind: DeliverMergeRequestLink, Key: "incident/" + i.Now.ID + "/" + key, Mode: Once, Ref: Ref{Item: item}, Via: SystemIncident})
	}
	if c.Ticket != nil {
		o.add(Delivery{Kind: DeliverMergeRequestLink, Key: "ticket/" + c.Ticket.Key + "/" + key, Mode: Once, Ref: Ref{Item: item}})
	}
}

func (o *outbox) referToAll() {
	for _, m := range o.c.MergeRequests {
		o.referTo(m.Item)
	}
}

// watchComments looks at the ticket's comments while a sign-off is owed or could
// be undone.
func (o *outbox) watchComments() {
	if o.c.Ticket != nil && o.c.Owes(OweSignOff, 0) != nil {
		o.converge(DeliverComments, "comments", Ref{})
	}
}

// ticketForRecord opens the ticket that a written record needs, if there is none.
func (o *outbox) ticketForRecord() {
	if o.c.Record.In == RecordInJira && o.c.Ticket == nil {
		o.once(DeliverTicket, "ticket", "", Ref{})
	}
}

// owed maps what happens to obligations to reminders and breaches.
func (o *outbox) owed(e Event) {
	ob, item, seq := ObligationName(e.Fact("obligation")), e.int("item"), e.Seq
	name := string(ob) + "-" + strconv.Itoa(item)
	switch e.Type { //nolint:exhaustive // the other events are about no obligation
	case EventOwed:
		if ob == OweSignOff {
			o.watchComments()
		}
	case EventReminded: // the sequence number: what is owed anew is reminded of anew
		rung := e.Fact("rung")
		o.once(DeliverRemindOut, name+"/"+rung+"/"+seqKey(e), "", Ref{Seq: seq, Obligation: ob, Item: item, Rung: rung})
	case EventBreached:
		o.once(DeliverCTO, "breach/"+seqKey(e), "", Ref{Seq: seq, Message: MessageBreach, Obligation: ob, Item: item})
		if e.Fact("delivery") != "true" {
			o.once(DeliverRemindOut, name+"/breach-"+seqKey(e), "", Ref{Seq: seq, Obligation: ob, Item: item, Rung: "breach"})
		}
	case EventRecordMirrored:
		if s := o.c.Owes(OweSignOff, 0); s != nil && s.State == Owed {
			o.once(DeliverSignOffOut, "sign_off/"+seqKey(e), "", Ref{Seq: seq})
		}
	case EventSignOffUndone:
		o.once(DeliverSignOffOut, "sign_off/"+seqKey(e), "", Ref{Seq: seq})
	case EventSignedOff:
		o.toRecord(DeliverNote, "sign_off/"+seqKey(e), Ref{Seq: seq})
		o.tell(e, MessageSignedOff, o.c.Requester)
	}
}

// int gives a fact as a number; 0 when it is absent.
func (e Event) int(name string) int {
	n, err := strconv.Atoi(e.Fact(name))
	if err != nil {
		return 0
	}
	return n
}

// inThread tells whether an event is part of the timeline that people read.
func inThread(t EventType) bool {
	switch t {
	case EventOwed, EventAccessIntended, EventIncidentSeen, EventReviewDrafted, EventSnoozed, EventRefused,
		EventPersonFound, EventSignOffDoubted, EventRecordMirrored, EventReviewMirrored, EventDone, EventAsked,
		EventMergeRequestSeen, EventStatusSeen, EventMadeConfidential, EventTicketSecured:
		return false
	default:
		return true
	}
}

// inAudit tells whether the audit channel hears of an event.
func inAudit(e Event) bool {
	switch e.Type {
	case EventBreached, EventSignOffUndone, EventStandingKept, EventStandingEnded, EventAccessLate, EventAccessBack, EventUndelivered, EventIncidentRefused,
		EventSelfApproved, EventApprovedOverdue, EventWaived, EventIncidentDoubted, EventIndependentReviewUndone:
		return true
	case EventAccessVerified:
		return e.Fact("standing") == "true"
	default: // all others are read in the thread
		return false
	}
}

// onTimeline tells whether the incident's timeline hears of an event. What was
// done and the notes have deliveries of their own.
func onTimeline(t EventType) bool {
	switch t {
	case EventRequested, EventReported, EventApproved, EventActivated, EventEnded, EventAccessGone, EventExtensionApproved,
		EventIncidentLinked, EventDenied, EventWithdrawn, EventLapsed, EventFailed:
		return true
	default: // the incident is not told of paperwork
		return false
	}
}

// onBoth tells whether an incident hears of an event although the record stands
// in Jira: what was done, and the notes.
func onBoth(t EventType) bool { return t == EventNoted || t == EventRecordWritten }
