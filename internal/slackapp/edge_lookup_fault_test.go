package slackapp_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
	"github.com/breakglass-bot/breakglass/internal/slackapp"
)

type spoiltEdge struct {
	*edge
	spoilt *spoilt
}

// spoiltSetup is an edge where work on production asks for all that there is to be
// looked up: a place, an incident, a ticket and a merge request.
func spoiltSetup(t *testing.T) *spoiltEdge {
	t.Helper()
	s := &spoilt{lab: &gitlabOutside{}}
	e := setup(t, withCall(), withRules(func(r *change.Rules) {
		r.Record.DuringIncident = change.RecordInJira
		r.Kinds[0].MergeRequest = change.NeedRequired
		r.MergeRequests = change.MergeRequestRules{ReviewWithin: 72 * time.Hour}
	}), func(_ *slack.Options, a *slackapp.App) {
		s.outside, _ = a.Lookups.Tickets.(*outside)
		a.Lookups = slackapp.Lookups{Person: s, Access: s, Tickets: s, Incidents: s, MergeRequests: s}
	})
	e.outside.set(func(o *outside) {
		i := liveIncident()
		i.SeenAt = e.clock.Now()
		o.incidents = []change.Incident{i}
	})
	return &spoiltEdge{edge: e, spoilt: s}
}

// fillAll fills the form in with one of everything.
func (e *spoiltEdge) fillAll() slack.Person {
	e.t.Helper()
	ctx, p := e.t.Context(), e.fill(ada)
	must(e.t, p.Select(ctx, "Active incident", liveLine))
	must(e.t, p.Type(ctx, "Merge request", mr(1)))
	must(e.t, p.Select(ctx, "Record", "Link an existing ticket"))
	must(e.t, p.Type(ctx, "Ticket", "OPS-1"))
	return p
}

// kept demands that the form stands open with all that was typed and chosen.
func (e *spoiltEdge) kept(wants ...string) {
	e.t.Helper()
	shown := e.view(ada)
	for _, want := range wants {
		if !strings.Contains(shown, want) {
			e.t.Errorf("the form has lost %q:\n%s", want, shown)
		}
	}
}

// Whatever becomes of a look-up, whoever submits is answered within Slack's 3 s, which
// the stand-in holds breakglass to. A definite no stands at its input, and nothing that
// was typed is lost; what gave no answer is kept as not known, and never as a yes.
func TestWhoeverSubmitsIsAnsweredWhateverBecomesOfTheLookUps(t *testing.T) {
	t.Parallel()
	labels := map[string]string{lookUser: "Where", lookTicket: "Ticket", lookIncident: "Active incident", lookMergeRequest: "Merge request"}
	noes := map[string][]string{ // what each way says of what it spoils
		"missing": {lookUser, lookTicket, lookIncident, lookMergeRequest},
		"refused": {lookUser, lookTicket}, // who asks there is not let in, which says nothing of an incident or a merge request
	}
	all := []string{lookUser, lookAccess, lookTicket, lookIncident, lookMergeRequest}
	for _, spoiled := range [][]string{{lookUser}, {lookAccess}, {lookTicket}, {lookIncident}, {lookMergeRequest}, all} {
		for name, way := range waysOut() {
			if len(spoiled) == 1 && way.outcome != change.Missing && way.outcome != change.NotNow {
				continue // one that answers so stands for the others: all of them at once are spoiled in each way
			}
			t.Run(strings.Join(spoiled, ", ")+"/"+name, func(t *testing.T) {
				t.Parallel()
				e := spoiltSetup(t)
				p := e.fillAll()
				e.spoilt.spoil(way, spoiled...)
				var want []string
				for _, call := range spoiled {
					if slices.Contains(noes[name], call) {
						want = append(want, labels[call])
					}
				}
				err := p.Submit(t.Context())
				if e.spoilt.failed() == 0 {
					t.Fatal("nothing was spoiled")
				}
				if len(want) == 0 {
					must(t, err)
					e.judge(spoiled)
					return
				}
				said := formError(t, err)
				for _, label := range want {
					if said[label] == "" {
						t.Errorf("nothing is said at %q: %v", label, said)
					}
				}
				if n := e.newest(); len(said) != len(want) || n != 0 {
					t.Errorf("the form says %v, and %s was stored", said, n)
				}
				e.kept("Restart <!channel> & the queue", "Orders are stuck", "BreakGlassAdmin", liveLine, mr(1), "OPS-1")
				e.spoilt.spoil(wayOut{})
				must(t, p.Submit(t.Context()))
				e.judge(nil)
			})
		}
	}
}

// judge demands that the change is as it was asked for, and that it knows of nothing
// that was spoiled, but of all else.
func (e *spoiltEdge) judge(spoiled []string) {
	e.t.Helper()
	c := e.change(1)
	if c.Phase != change.Requested || c.What != "Restart <!channel> & the queue" || c.Why != "Orders are stuck" || c.Access == nil || c.Ticket == nil || c.Incident == nil || len(c.MergeRequests) != 1 || e.newest() != 1 {
		e.t.Fatalf("stored: %+v", c)
	}
	if c.Ticket.Key != "OPS-1" || c.Incident.AtRequest.ID != "inc7" || c.Incident.AtRequest.Name != "Orders are stuck" || c.MergeRequests[0].Ref.String() != "group/app!1" {
		e.t.Errorf("stored: ticket %+v, incident %+v, merge request %+v", c.Ticket, c.Incident, c.MergeRequests[0])
	}
	unknown := func(call string) bool { return slices.Contains(spoiled, call) }
	for call, known := range map[string]bool{
		lookUser: c.Access.Key.UserID != "", lookTicket: c.Ticket.Checked, lookIncident: !c.Incident.AtRequest.SeenAt.IsZero(),
		lookMergeRequest: c.MergeRequests[0].Seen != nil,
	} {
		if known == unknown(call) {
			e.t.Errorf("%s: it is known: %t", call, known)
		}
	}
	if there := c.Access.AlreadyThere; (there == nil) != (unknown(lookUser) || unknown(lookAccess)) || (there != nil && *there) {
		e.t.Errorf("the access is there: %v", there)
	}
}

// The list of incidents offers what is known. Where nothing is known of the severities,
// the form says so and keeps what was typed.
func TestTheListsOfTheFormAreAnsweredWhateverBecomesOfTheLookUps(t *testing.T) {
	t.Parallel()
	for name, way := range waysOut() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := spoiltSetup(t)
			ctx, p := t.Context(), e.call(ada, "Configuration change", "")
			search := func(label, want string) {
				t.Helper()
				offered, err := p.Search(ctx, label, "")
				must(t, err)
				if got := strings.Join(offered, "|"); got != want {
					t.Errorf("%s: offered %q, want %q", label, got, want)
				}
			}
			e.spoilt.spoil(way, lookIncidents, lookSeverities)
			search("Active incident", "No incident|Open an incident")
			must(t, p.Select(ctx, "Active incident", "Open an incident"))
			must(t, p.Type(ctx, "Name of the incident", "Orders stand still"))
			search("Severity", "")
			if said := formError(t, p.Submit(ctx)); !strings.Contains(said["Severity"], "severities are not known") || e.newest() != 0 {
				t.Errorf("the form says %v", said)
			}
			e.kept("Turn the flag off", "Orders are stuck", "Orders stand still")
			e.spoilt.spoil(wayOut{})
			search("Severity", "Minor|Major")
			must(t, p.Select(ctx, "Severity", "Major"))
			search("Active incident", "No incident|"+liveLine+"|Open an incident")
			e.clock.forward(time.Hour) // what was listed before is no news any more
			way.stalls = false         // which was waited for above
			e.spoilt.spoil(way, lookIncidents, lookSeverities)
			search("Active incident", "No incident|"+liveLine+"|Open an incident")
			search("Severity", "Minor|Major")
			must(t, p.Submit(ctx))
			if c := e.change(1); !c.Incident.BeingOpened() || c.Incident.Opening.SeverityID != "sev-major" {
				t.Errorf("stored: %+v", c.Incident)
			}
		})
	}
}

// Where an incident is required, there would be no way to ask: the list offers what was
// seen before, and none of it could be taken.
func TestAKeyThatIncidentIODoesNotLetInHindersNoRequest(t *testing.T) {
	t.Parallel()
	e := spoiltSetup(t)
	p := e.call(ada, "Urgent patch", liveLine)
	e.spoilt.spoil(wayOut{outcome: change.Refused}, lookIncident, lookIncidents, lookSeverities)
	must(t, p.Submit(t.Context()))
	if c := e.change(1); c.Phase != change.Requested || c.Incident == nil || c.Incident.AtRequest.ID != "inc7" || !c.Incident.AtRequest.SeenAt.IsZero() {
		t.Errorf("%s: %+v", c.Phase, c.Incident)
	}
}

func TestNobodyApprovesByThemselvesWhileIncidentIOIsDown(t *testing.T) {
	t.Parallel()
	e := spoiltSetup(t)
	for name, way := range waysOut() {
		if way.outcome == change.Missing {
			continue // an error at the input
		}
		e.spoilt.spoil(wayOut{})
		p := e.call(ada, "Configuration change", liveLine)
		must(t, p.Select(t.Context(), "Who is on the call with you?", ben))
		e.spoilt.spoil(way, lookIncident)
		must(t, p.Submit(t.Context()))
		if c := e.change(e.newest()); c.Phase != change.Requested || c.Self == nil || !strings.Contains(c.Self.Refused, "could not be looked up") || c.OpenAsk().Quiet {
			t.Errorf("%s: %s: %+v, %+v", name, c.Phase, c.Self, c.OpenAsk())
		}
	}
	if n := e.newest(); int(n) != len(waysOut())-1 {
		t.Errorf("the newest is %s", n)
	}
}

// An incident is linked as it is, and so once it is known; a ticket and a merge
// request can be looked at later.
func TestWhoeverLinksIsAnsweredWhateverBecomesOfTheLookUp(t *testing.T) {
	t.Parallel()
	for typed, call := range map[string]string{"INC-7": lookIncident, "OPS-5": lookTicket, mr(2): lookMergeRequest} {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			e := spoiltSetup(t)
			for name, way := range waysOut() {
				no := call == lookIncident || way.outcome == change.Missing || (call == lookTicket && way.outcome == change.Refused)
				before := e.spoilt.failed()
				if err := e.link(typed, way, call, no); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				if e.spoilt.failed() == before {
					t.Errorf("%s: nothing was spoiled", name)
				}
			}
		})
	}
}

// link links something to a new change by the form, while its look-up fails. no says
// that this is refused: then it is linked with the same form once it can be looked up.
func (e *spoiltEdge) link(typed string, way wayOut, call string, no bool) error {
	e.t.Helper()
	e.spoilt.spoil(wayOut{})
	ctx, p := e.t.Context(), e.call(ada, "Trusted change", "")
	must(e.t, p.Submit(ctx))
	n := e.newest()
	card := e.posted(n, change.DeliverCard, "card", "", `{}`, "link_record "+value(n, 0))
	must(e.t, p.Click(ctx, card, "link_record"))
	must(e.t, p.Type(ctx, "Link", typed))
	e.spoilt.spoil(way, call)
	err := p.Submit(ctx)
	if no {
		if said := formError(e.t, err); said["Link"] == "" {
			return fmt.Errorf("the form says %v", said)
		}
		if c := e.change(n); c.Incident != nil || c.Ticket != nil || len(c.MergeRequests) != 0 {
			return fmt.Errorf("linked: %+v", c)
		}
		e.kept(typed)
		e.spoilt.spoil(wayOut{})
		err = p.Submit(ctx)
	}
	must(e.t, err)
	switch c := e.change(n); {
	case call == lookIncident && (c.Incident == nil || c.Incident.Now.ID != "inc7"):
		return fmt.Errorf("linked: %+v", c.Incident)
	case call == lookTicket && (c.Ticket == nil || c.Ticket.Key != "OPS-5" || c.Ticket.Checked != no):
		return fmt.Errorf("linked: %+v", c.Ticket)
	case call == lookMergeRequest && (len(c.MergeRequests) != 1 || (c.MergeRequests[0].Seen != nil) != no):
		return fmt.Errorf("linked: %+v", c.MergeRequests)
	}
	return nil
}
