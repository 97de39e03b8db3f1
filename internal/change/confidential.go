package change

import "errors"

// Cleared refuses whoever may not see a confidential change, in the one sentence
// that tells nothing of it. A person who cannot be found among those who may,
// because a source does not answer, may press again.
func (c *Change) Cleared(rules Rules, v GroupView, p PersonID) error {
	switch may, known := c.MayRead(rules, v, p); {
	case may:
		return nil
	case !known:
		return unestablishable()
	}
	return refuse(NotAllowed, "%s is confidential; only its own people see it.", c.Number)
}

// cleared keeps everybody from giving a command on a change that they may not
// see: its refusal would tell of it. What only takes access away goes on where a
// source does not answer.
func (d *decision) cleared(cmd Command) error {
	if d.actor.System {
		return nil
	}
	err := d.c.Cleared(d.rules, d.actor.Groups, d.actor.ID)
	if lessAccess(cmd) && unestablished(err) {
		return nil
	}
	return err
}

// untelling keeps the refusal of a command from telling of a change that the
// person is not known to be cleared for.
func (d *decision) untelling(err error) error {
	if d.actor.System {
		return err
	}
	if not := d.c.Cleared(d.rules, d.actor.Groups, d.actor.ID); not != nil {
		return not
	}
	return err
}

func lessAccess(cmd Command) bool {
	switch cmd.(type) {
	case Finish, Withdraw, EndNow:
		return true
	}
	return false
}

func unestablished(err error) bool {
	r, ok := errors.AsType[*Refusal](err)
	return ok && r.Code == Unestablished
}

// confide makes the change confidential, once and for good.
func (d *decision) confide(secret bool) {
	if !secret || d.c.Confidential {
		return
	}
	d.c.Confidential = true
	d.emit(EventMadeConfidential, nil, nil)
}

// TicketSecured says that the change's ticket is under the configured security
// level, so that it may hold its text.
type TicketSecured struct{ ID string }

func (x TicketSecured) decide(d *decision) error {
	t := d.c.Ticket
	if t == nil || t.ID != x.ID || t.Secured {
		return nil
	}
	t.Secured = true
	d.emit(EventTicketSecured, Facts{"ticket": t.Key, "ticket_id": t.ID}, nil)
	return nil
}

// InTicket tells whether the ticket may hold the change's text.
func (c *Change) InTicket() bool {
	return !c.Confidential || (c.Ticket != nil && c.Ticket.Secured)
}

// directCards shows a confidential change to whoever asked for it and makes it,
// in their direct messages: the card in the channel says its number and no more.
func (o *outbox) directCards() {
	if !o.c.Confidential {
		return
	}
	for _, p := range []PersonID{o.c.Requester, o.c.Implementer} {
		o.add(Delivery{Kind: DeliverCard, Key: "card/" + string(p), Mode: Converge, To: p})
	}
}

// secureTicket sees to it that a confidential change's ticket holds no more than
// it may: one that was made before, or whose reply was lost, may hold its text.
func (o *outbox) secureTicket(key string, ref Ref) {
	if o.c.Confidential && !o.c.InTicket() {
		o.once(DeliverRedactTicket, key, "", ref)
	}
}

// secrecy takes back what was shown of a change before it became confidential,
// and asks its approvers anew where a group had been asked in the thread.
func (o *outbox) secrecy(e Event) {
	if e.Type != EventMadeConfidential {
		return
	}
	o.once(DeliverRedact, seqKey(e), "", Ref{Seq: e.Seq})
	if o.c.Ticket != nil {
		o.secureTicket(seqKey(e), Ref{Seq: e.Seq})
		o.converge(DeliverRemoteLink, "link/"+o.c.Ticket.Key, Ref{})
	}
	if a := o.c.OpenAsk(); a != nil && !a.Quiet {
		o.once(DeliverAskOut, "confidential/"+seqKey(e), "", Ref{Seq: e.Seq, Ask: a.ID})
		if a.Fallback {
			o.once(DeliverAskOut, "confidential/fallback/"+seqKey(e), "", Ref{Seq: e.Seq, Ask: a.ID, Fallback: true})
		}
	}
}
