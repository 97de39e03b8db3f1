package change_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

func openingRequest(kind change.KindID) change.Request {
	req := onCallRequest(kind)
	req.Incident, req.Opening = nil, &change.IncidentOpening{Name: " Orders are stuck ", SeverityID: "sev-1", Severity: "Major"}
	return req
}

func TestAnIncidentThatCannotBeOpenedIsSaidAtItsInput(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		alter func(r *change.Request)
		want  change.Field
	}{
		"both":             {func(r *change.Request) { i := incident("I1"); r.Incident = &i }, change.FieldIncident},
		"for a report":     {func(r *change.Request) { r.Reported, r.MadeAt = true, start }, change.FieldIncident},
		"no name":          {func(r *change.Request) { r.Opening.Name = "  " }, change.FieldIncidentName},
		"two lines":        {func(r *change.Request) { r.Opening.Name = "a\nb" }, change.FieldIncidentName},
		"a name too long":  {func(r *change.Request) { r.Opening.Name = strings.Repeat("ß", 201) }, change.FieldIncidentName},
		"without severity": {func(r *change.Request) { r.Opening.SeverityID = "" }, change.FieldSeverity},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := openingRequest(unsettled)
			c.alter(&req)
			_, _, err := change.Submit(rules(), req, member(requester), 1, start)
			r, ok := errors.AsType[*change.Refusal](err)
			if !ok || r.Fields[c.want] == "" {
				t.Errorf("%v; want something said at %s", err, c.want)
			}
		})
	}
}

func TestAnIncidentIsOpenedOnceAndThenStandsForTheChange(t *testing.T) {
	t.Parallel()
	l := begin(t, openingRequest(unsettled))
	if !l.c.Incident.BeingOpened() || l.c.Incident.Opening.Name != "Orders are stuck" || l.c.Record.In != change.RecordInIncident {
		t.Errorf("%+v, recorded in %s", l.c.Incident, l.c.Record.In)
	}
	if !l.wants(change.DeliverOpenIncident, "", "") || l.wants(change.DeliverIncident, "", "") {
		t.Error("the incident is to be opened, and not looked at")
	}
	l.refused(change.LinkIncident{Incident: incident("I2")}, member(requester), change.TooEarly)
	l.refused(change.LinkIncident{}, member(requester), change.TooEarly)
	l.refused(change.IncidentOpened{Incident: incident("I1")}, member(requester), change.NotAllowed)
	l.do(change.IncidentOpened{Incident: incident("I1")}, itself)
	if l.c.Incident.BeingOpened() || l.c.Incident.Now.ID != "I1" || l.c.Incident.AtRequest == nil {
		t.Errorf("%+v", l.c.Incident)
	}
	if events, err := l.try(change.IncidentOpened{Incident: incident("I1")}, itself); err != nil || len(events) != 0 {
		t.Errorf("opened twice: %v, %v", types(events), err)
	}
	l.do(change.LinkIncident{Incident: incident("I2")}, member(requester))
}

// Where the approval came first, what the incident was then is looked at as soon
// as there is one.
func TestAnIncidentOpenedAfterTheApprovalIsLookedAtAsOfIt(t *testing.T) {
	t.Parallel()
	moments := func(l *life) (all []change.Moment) {
		for _, d := range change.Outbox(l.c, l.events) {
			if d.Kind == change.DeliverIncident {
				all = append(all, d.Ref.Moment)
			}
		}
		return all
	}
	l := begin(t, openingRequest(unsettled))
	l.do(change.Approve{Ask: 1}, member(cto))
	l.phase(change.Active)
	opened := l.do(change.IncidentOpened{Incident: incident("I1")}, itself)
	late := &life{t: t, c: l.c, events: opened}
	if got := moments(late); !slices.Equal(got, []change.Moment{change.AtApproval}) {
		t.Errorf("looked at as of %q", got)
	}
	l = begin(t, openingRequest(unsettled))
	opened = l.do(change.IncidentOpened{Incident: incident("I1")}, itself)
	early := &life{t: t, c: l.c, events: opened}
	if got := moments(early); !slices.Equal(got, []change.Moment{""}) {
		t.Errorf("looked at as of %q", got)
	}
}

func TestARefusedOpeningMovesTheRecordToJiraAndIsTold(t *testing.T) {
	t.Parallel()
	l := begin(t, openingRequest(unsettled))
	l.do(change.IncidentRefused{Say: "The incident could not be opened."}, itself)
	if l.c.Record.In != change.RecordInJira || l.c.Record.Moved == "" || l.c.Incident.BeingOpened() {
		t.Errorf("%+v, %+v", l.c.Record, l.c.Incident)
	}
	if !l.wants(change.DeliverDirect, requester, change.MessageIncidentNotOpened) {
		t.Error("the requester is not told")
	}
	l.refused(change.Approve{Ask: 1}, member(cto), change.TooLate)
	l.after(time.Minute)
	l.do(change.LinkIncident{Incident: incident("I2")}, member(requester))
	l.do(change.Approve{Ask: 1}, member(cto))
	l.phase(change.Active)
}
