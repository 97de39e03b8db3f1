package change

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// AddNote adds a line to the record.
type AddNote struct{ Text string }

// LinkTicket makes a Jira ticket the change's: linked by a person, or opened by
// breakglass (Ours).
type LinkTicket struct {
	Ticket  TicketRef
	Ours    bool
	Checked bool
	Secured bool // it was made under the configured security level
}

// TicketChecked says that a linked ticket was seen in Jira. Refused says why
// it was not taken; the ticket is then unlinked.
type TicketChecked struct {
	Asked   string // the key that was linked, where it is not Ticket.Key: a ticket that has moved has another now
	Ticket  TicketRef
	Refused string
}

// LinkIncident links an incident later, or brings what is known of it up to date.
type LinkIncident struct{ Incident Incident }

// IncidentSeen brings what is known of the linked incident up to date. Of says
// that it is kept as the evidence of a moment; empty: of none.
type IncidentSeen struct {
	Incident Incident
	Of       Moment
}

// IncidentMoved says that the linked incident was merged into another, which
// stands in its place from now on. What it was at the request stays known.
type IncidentMoved struct {
	From     string // id of the incident that was merged
	Incident Incident
}

// IncidentRefused says that the incident takes no notes. A record that was to
// stand there, and of which not everything does, moves to Jira, with sign-off.
// Private: the incident cannot be seen any more, so its text counts as private.
type IncidentRefused struct {
	Say     string
	Private bool
}

// LinkURL keeps an address with the change.
type LinkURL struct{ URL string }

// WriteRecord says what was done and why.
type WriteRecord struct {
	Done, Why      string
	NothingChanged bool
}

// RecordMirrored says that the incident or ticket holds a revision of the record.
type RecordMirrored struct {
	Revision int
	In       RecordPlace
	Ref      string // of the timeline item or comment
}

// partner refuses everybody but those who may add to the record.
func (d *decision) partner() error {
	c := &d.c
	if d.actor.System || c.Own(d.actor.ID) || slices.Contains(c.Witnesses, d.actor.ID) {
		return nil
	}
	is, known := c.IsApprover(d.actor.Groups, d.actor.ID)
	if is {
		return nil
	}
	if !known {
		return unestablishable()
	}
	return refuse(NotAllowed, "Only the people of this change may do this: whoever asked for it or makes it, its witnesses and its approvers.")
}

// open refuses what comes after a final phase.
func (d *decision) open() error {
	if d.c.Phase.Final() {
		return refuse(TooLate, "%s is %s; nothing can be added any more.", d.c.Number, d.c.Phase)
	}
	return nil
}

func (x AddNote) decide(d *decision) error {
	if err := d.partner(); err != nil {
		return err
	}
	if err := d.open(); err != nil {
		return err
	}
	p := map[Field]string{}
	checkText(p, FieldText, x.Text, true)
	if len(p) > 0 {
		return &Refusal{Code: BadInput, Say: "The note cannot be taken: " + p[FieldText], Fields: p}
	}
	text := strings.TrimSpace(x.Text)
	d.c.Notes = append(d.c.Notes, Note{By: d.actor.ID, At: d.now, Text: text})
	d.emit(EventNoted, Facts{"note": len(d.c.Notes)}, map[string]string{"text": text})
	return nil
}

func (x LinkTicket) decide(d *decision) error {
	if err := d.partner(); err != nil {
		return err
	}
	c := &d.c
	if c.Ticket != nil && c.Ticket.ID == x.Ticket.ID && c.Ticket.Key == x.Ticket.Key {
		return nil
	}
	if c.Phase.Final() && !x.Ours {
		return d.open()
	}
	if c.Ticket != nil && !x.Ours && c.Record.Mirrored > 0 && c.Record.In == RecordInJira {
		return refuse(TooLate, "The record of %s stands in %s already; add a link there instead.", c.Number, c.Ticket.Key)
	}
	if c.Ticket != nil && x.Ours {
		return nil // somebody linked one while ours was being made; the sweep joins them
	}
	before := c.Ticket
	if before != nil && !before.Checked {
		before = before.Before
	}
	c.Ticket = &TicketLink{TicketRef: x.Ticket, Ours: x.Ours, LinkedAt: d.now, Checked: x.Checked || x.Ours, Secured: x.Secured && x.Ours}
	if !c.Ticket.Checked {
		c.Ticket.Before = before
	}
	d.emit(EventTicketLinked, Facts{"ticket": x.Ticket.Key, "ticket_id": x.Ticket.ID, "ours": x.Ours}, nil)
	if !c.Phase.Final() {
		d.oweSignOffOfTicket()
	}
	return nil
}

func (x TicketChecked) decide(d *decision) error {
	c := &d.c
	asked := cmp.Or(x.Asked, x.Ticket.Key)
	if c.Ticket == nil || c.Ticket.Checked || c.Ticket.Key != asked {
		return nil
	}
	if x.Refused == "" {
		c.Ticket.TicketRef, c.Ticket.Checked, c.Ticket.Before = x.Ticket, true, nil
		d.emit(EventTicketLinked, Facts{"ticket": x.Ticket.Key, "ticket_id": x.Ticket.ID, "ours": false, "checked": true}, nil)
		return nil
	}
	facts := Facts{"ticket": asked, "say": x.Refused}
	if c.Ticket = c.Ticket.Before; c.Ticket != nil {
		facts["kept"] = c.Ticket.Key
	} else if c.Report == nil {
		c.Obligations = slices.DeleteFunc(c.Obligations, func(o Obligation) bool { return o.Name == OweSignOff && o.State == Owed })
	}
	d.emit(EventTicketRefused, facts, nil)
	return nil
}

func (x LinkIncident) decide(d *decision) error {
	if err := d.partner(); err != nil {
		return err
	}
	if err := d.open(); err != nil {
		return err
	}
	c := &d.c
	if c.Incident != nil && x.Incident.ID != "" && c.Incident.Now.ID == x.Incident.ID {
		return nil
	}
	if c.Incident.BeingOpened() {
		return refuse(TooEarly, "breakglass is opening an incident for %s. Once it is there, another may be linked.", c.Number)
	}
	if c.Incident != nil && c.Record.Mirrored > 0 && c.Record.In == RecordInIncident {
		return refuse(TooLate, "The record of %s stands in %s already.", c.Number, c.Incident.Now.Reference)
	}
	if x.Incident.ID == "" { // nobody looked at it, since it was not to be taken a moment ago
		return refuse(Unestablished, "The incident was not looked up, so nothing was changed. Please try again in a moment.")
	}
	c.Incident = &IncidentLink{Now: x.Incident, LinkedAt: d.now}
	d.emit(EventIncidentLinked, Facts{"incident": x.Incident.ID, "status": x.Incident.Status, "category": string(x.Incident.Category)}, nil)
	d.confide(x.Incident.Private)
	return nil
}

func (x IncidentSeen) decide(d *decision) error {
	c := &d.c
	i := c.Incident
	if i == nil || i.Now.ID != x.Incident.ID || c.Phase.Final() { // it may be another by now
		return nil
	}
	if x.Of != "" {
		d.keepMoment(x.Of, x.Incident)
	}
	was, is := i.Now, x.Incident
	was.SeenAt, was.Created, is.Created, is.SeenAt = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	was.Closed, is.Closed = was.Closed.UTC(), is.Closed.UTC()
	was.MitigatedSince, is.MitigatedSince = was.MitigatedSince.UTC(), is.MitigatedSince.UTC()
	if was == is {
		return nil // that it was looked at again is no news
	}
	i.Now = x.Incident
	d.emit(EventIncidentSeen, Facts{"incident": x.Incident.ID, "status": x.Incident.Status, "category": string(x.Incident.Category)}, nil)
	d.confide(x.Incident.Private)
	return nil
}

func (x IncidentMoved) decide(d *decision) error {
	c := &d.c
	if c.Incident == nil || c.Incident.Now.ID != x.From || c.Incident.Now.ID == x.Incident.ID || c.Phase.Final() {
		return nil
	}
	c.Incident.Now = x.Incident
	d.emit(EventIncidentLinked, Facts{"incident": x.Incident.ID, "status": x.Incident.Status, "category": string(x.Incident.Category), "merged_from": x.From}, nil)
	d.confide(x.Incident.Private)
	return nil
}

func (x IncidentRefused) decide(d *decision) error {
	c := &d.c
	if c.Incident == nil || c.Phase.Final() {
		return nil
	}
	r := &c.Record
	moves := r.In == RecordInIncident && (r.Revision == 0 || r.Mirrored < r.Revision)
	if c.Incident.Refused != "" && !moves {
		return nil
	}
	c.Incident.Refused = x.Say
	if moves {
		r.In, r.Moved, r.Mirrored = RecordInJira, x.Say, 0
	}
	d.emit(EventIncidentRefused, Facts{"say": x.Say, "record_in": string(r.In), "moved": moves}, nil)
	d.confide(x.Private)
	if o := c.Owes(OweRecord, 0); moves && o != nil && o.State == Done {
		d.oweAgain(o) // or the change could close before the record stands in Jira
		d.retimeSignOff()
	}
	if moves && c.Ticket != nil {
		d.oweSignOffOfTicket()
	}
	return nil
}

func (x LinkURL) decide(d *decision) error {
	if err := d.partner(); err != nil {
		return err
	}
	if err := d.open(); err != nil {
		return err
	}
	if slices.Contains(d.c.Links, x.URL) {
		return refuse(Decided, "This is linked to %s already.", d.c.Number)
	}
	d.c.Links = append(d.c.Links, x.URL)
	d.emit(EventLinked, Facts{"link": len(d.c.Links)}, map[string]string{"url": x.URL})
	return nil
}

func (x WriteRecord) decide(d *decision) error {
	if err := d.mineOrInherited(OweRecord); err != nil {
		return err
	}
	c := &d.c
	if err := d.open(); err != nil {
		return err
	}
	if c.Window.Start.IsZero() {
		return refuse(TooEarly, "%s has not begun, so there is nothing to record yet.", c.Number)
	}
	p := map[Field]string{}
	checkText(p, FieldDone, x.Done, !x.NothingChanged)
	checkText(p, FieldWhy, x.Why, !x.NothingChanged)
	if len(p) > 0 {
		return &Refusal{Code: BadInput, Say: "The record is not complete yet.", Fields: p}
	}
	r := &c.Record
	r.Done, r.Why, r.NothingChanged = strings.TrimSpace(x.Done), strings.TrimSpace(x.Why), x.NothingChanged
	r.Revision++
	r.By, r.At = d.actor.ID, d.now
	if o := c.Owes(OweRecord, 0); o != nil && o.Part.IsZero() {
		o.Part = d.now
	}
	facts := Facts{"revision": r.Revision, "nothing_changed": r.NothingChanged, "in": string(r.In)}
	if o := c.Owes(OweSignOff, 0); r.Revision > 1 && o != nil && o.State == Done {
		facts["after_sign_off"], facts["signed_by"] = true, string(o.Proof.By)
	}
	d.emit(EventRecordWritten, facts, map[string]string{"done": r.Done, "why": r.Why})
	return nil
}

func (x RecordMirrored) decide(d *decision) error {
	c := &d.c
	if x.Revision <= c.Record.Mirrored || x.Revision > c.Record.Revision || x.In != c.Record.In {
		return nil
	}
	c.Record.Mirrored = x.Revision
	d.emit(EventRecordMirrored, Facts{"revision": x.Revision, "in": string(c.Record.In), "ref": x.Ref}, nil)
	if o := c.Owes(OweRecord, 0); o != nil && o.State == Owed {
		d.fulfil(o, Proof{Way: string(c.Record.In), By: c.Record.By, Ref: x.Ref})
	}
	d.retimeSignOff()
	return nil
}
