package change

import (
	"slices"
	"time"
)

// Moment is when an incident was looked at, as far as that matters as evidence.
type Moment string

// The moments.
const (
	AtRequest  Moment = "request"
	AtApproval Moment = "approval"
	AtEnd      Moment = "end"
	AtRecord   Moment = "record"
)

// StatusSeen keeps what GitHub's status page said at the request. It is evidence
// and never a gate.
type StatusSeen struct{ Snapshot StatusSnapshot }

// Coordinated names who coordinates the change with its approvers: whoever is in
// the kind's groups just now.
type Coordinated struct{ People []PersonID }

// ApproverAway says that somebody who was asked has notifications paused until a
// time.
type ApproverAway struct {
	Ask    int
	Person PersonID
	Until  time.Time
}

// incidentDoubt says why an incident is none that the kind demands; empty when
// nothing speaks against it, or nothing is known.
func (c *Change) incidentDoubt(i *Incident) string {
	if c.Plan.Incident != NeedRequired || i == nil || i.SeenAt.IsZero() {
		return ""
	}
	name := i.Reference
	if i.Private || name == "" {
		name = "The incident"
	}
	switch {
	case c.Report != nil && !i.LiveAt(c.Report.MadeAt):
		return name + " was not active when the change was made, and this kind of change needs an incident that was."
	case c.Report != nil && i.mitigatedAt(true, c.Report.MadeAt):
		return name + " was mitigated already when the change was made, and this kind of change needs an incident that was not."
	case c.Report != nil:
		return ""
	case i.Category != IncidentLive:
		return name + " is no longer active, and this kind of change needs an incident that is."
	case i.Mitigated:
		return name + " is mitigated already (" + i.Status + "), and this kind of change needs an incident that is not."
	}
	return ""
}

// approvable refuses an approval whose incident is known not to be what the kind
// demands at this moment, and keeps what it was. Where incident.io did not
// answer, nothing is refused: it is looked at as soon as possible.
func (d *decision) approvable(incident *Incident) error {
	c := &d.c
	if c.Incident == nil || c.Incident.Refused != "" {
		if c.Plan.Incident == NeedRequired {
			return refuse(TooLate, "%s needs an active incident, and the one that it was asked for with is none any more. Link another, and press again.", c.Number)
		}
		return nil
	}
	if incident != nil && incident.ID != c.Incident.Now.ID {
		incident = nil // another was linked meanwhile
	}
	if say := c.incidentDoubt(incident); say != "" {
		return refuse(TooLate, "%s So it cannot be approved; another incident may be linked first.", say)
	}
	c.Incident.AtApproval = copied(incident)
	return nil
}

// keepMoment keeps the state of the incident at a moment, the first time that it
// is known, and tells of one that is not what the kind demands.
func (d *decision) keepMoment(of Moment, seen Incident) {
	i := d.c.Incident
	var at **Incident
	switch of {
	case AtRequest:
		at = &i.AtRequest
	case AtApproval:
		at = &i.AtApproval
	case AtEnd:
		at = &i.AtEnd
	case AtRecord:
		at = &i.AtRecord
	default:
		return
	}
	if *at != nil && !(*at).SeenAt.IsZero() {
		return
	}
	*at = &seen
	d.emit(EventIncidentSeen, Facts{
		"incident": seen.ID, "status": seen.Status, "category": string(seen.Category), "mitigated": seen.Mitigated, "at": string(of), "seen_at": stamp(seen.SeenAt),
	}, nil)
	if say := d.c.incidentDoubt(&seen); say != "" && (of == AtRequest || of == AtApproval) {
		d.emit(EventIncidentDoubted, Facts{"incident": seen.ID, "status": seen.Status, "category": string(seen.Category), "mitigated": seen.Mitigated, "at": string(of)}, nil)
	}
}

func (x StatusSeen) decide(d *decision) error {
	c := &d.c
	if c.Status != nil {
		return nil
	}
	c.Status = &x.Snapshot
	components, incidents := []string{}, []string{}
	for _, s := range x.Snapshot.Components {
		components = append(components, s.ID+" "+s.Status)
	}
	for _, i := range x.Snapshot.Incidents {
		incidents = append(incidents, i.Impact+" "+i.Status)
	}
	d.emit(EventStatusSeen, Facts{
		"indicator": x.Snapshot.Indicator, "components": components, "incidents": incidents, "taken_at": stamp(x.Snapshot.TakenAt),
	}, nil)
	return nil
}

func (x Coordinated) decide(d *decision) error {
	c := &d.c
	if c.Phase.Final() || slices.Equal(c.Coordinators, x.People) || len(x.People) == 0 {
		return nil
	}
	c.Coordinators = slices.Clone(x.People)
	people := []string{}
	for _, p := range x.People {
		people = append(people, string(p))
	}
	d.emit(EventCoordinated, Facts{"people": people}, nil)
	return nil
}

func (x ApproverAway) decide(d *decision) error {
	a := d.c.OpenAsk()
	if a == nil || a.ID != x.Ask || slices.ContainsFunc(a.Away, func(w Away) bool { return w.Person == x.Person }) {
		return nil
	}
	a.Away = append(a.Away, Away{Person: x.Person, Until: x.Until})
	d.emit(EventApproverAway, Facts{"ask": a.ID, "person": string(x.Person), "until": stamp(x.Until)}, nil)
	return nil
}
