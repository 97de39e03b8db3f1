package change

import (
	"strings"
	"time"
)

// IncidentOpening is an incident that breakglass is to open for a change.
type IncidentOpening struct {
	Name       string `json:"name"` // as typed
	SeverityID string `json:"severity_id"`
	Severity   string `json:"severity,omitempty"` // its name, for people
}

// IncidentNameLimit bounds an incident's name, in characters.
const IncidentNameLimit = 200

// IncidentOpened says that the incident which was asked for exists.
type IncidentOpened struct{ Incident Incident }

// BeingOpened tells whether the incident does not exist yet.
func (i *IncidentLink) BeingOpened() bool {
	return i != nil && i.Opening != nil && i.Now.ID == "" && i.Refused == ""
}

func (req Request) openingProblems(p map[Field]string) {
	o := req.Opening
	if o == nil {
		return
	}
	switch name := strings.TrimSpace(o.Name); {
	case req.Incident != nil:
		p[FieldIncident] = "Choose an incident, or open one: not both."
	case req.Reported:
		p[FieldIncident] = "An incident cannot be opened for a change that has been made already. Choose the one that was active then, or none."
	case name == "":
		p[FieldIncidentName] = "Give the incident a name."
	case len([]rune(name)) > IncidentNameLimit || strings.ContainsAny(name, "\n\x00"):
		p[FieldIncidentName] = "Use one line of at most 200 characters."
	case o.SeverityID == "":
		p[FieldSeverity] = "Choose how severe it is."
	}
}

// Approved is when the change was approved; zero: it was not.
func (c *Change) Approved() time.Time {
	for _, a := range c.Asks {
		if a.For == ForChange && a.Result == AskApproved {
			return a.Settled
		}
	}
	return time.Time{}
}

func (x IncidentOpened) decide(d *decision) error {
	c := &d.c
	if !c.Incident.BeingOpened() {
		return nil
	}
	c.Incident.Now = x.Incident
	if c.Incident.AtRequest == nil {
		c.Incident.AtRequest = copied(&x.Incident)
	}
	d.emit(EventIncidentLinked, Facts{"incident": x.Incident.ID, "status": x.Incident.Status, "category": string(x.Incident.Category), "opened": true}, nil)
	d.confide(x.Incident.Private)
	return nil
}
