package change_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/breakglass-bot/breakglass/internal/change"
)

func TestARefusedFormSaysWhatIsWrongAtWhichInput(t *testing.T) {
	t.Parallel()
	closed := incident("I1")
	closed.Category, closed.Closed = change.IncidentClosed, start.Add(-time.Hour)
	for name, c := range map[string]struct {
		alter func(r *change.Request)
		want  []change.Field
	}{
		"nothing chosen":                  {func(r *change.Request) { *r = change.Request{} }, []change.Field{change.FieldKind, change.FieldReason}},
		"the standard path":               {func(r *change.Request) { r.Reason = "none" }, []change.Field{change.FieldReason}},
		"blank texts":                     {func(r *change.Request) { r.What, r.Why = " ", "\n" }, []change.Field{change.FieldWhat, change.FieldWhy}},
		"a text too long":                 {func(r *change.Request) { r.What = strings.Repeat("x", 3001) }, []change.Field{change.FieldWhat}},
		"a text that cannot be stored":    {func(r *change.Request) { r.What = "a\x00" }, []change.Field{change.FieldWhat}},
		"nowhere":                         {func(r *change.Request) { r.Target = "" }, []change.Field{change.FieldTarget}},
		"an unknown permission set":       {func(r *change.Request) { r.PermissionSet = "root" }, []change.Field{change.FieldPermissionSet}},
		"a duration that is not offered":  {func(r *change.Request) { r.Duration = 45 * time.Minute }, []change.Field{change.FieldDuration}},
		"an incident that is over":        {func(r *change.Request) { r.Incident = &closed }, []change.Field{change.FieldIncident}},
		"an existing ticket, but no key":  {func(r *change.Request) { r.Choice = change.TicketExisting }, []change.Field{change.FieldTicket}},
		"a report without a time":         {func(r *change.Request) { r.Reported = true }, []change.Field{change.FieldMadeAt}},
		"a report of the future":          {func(r *change.Request) { r.Reported, r.MadeAt = true, start.Add(1) }, []change.Field{change.FieldMadeAt}},
		"a report of another age":         {func(r *change.Request) { r.Reported, r.MadeAt = true, time.Unix(-1<<50, 0) }, []change.Field{change.FieldMadeAt}},
		"a report after the incident":     {func(r *change.Request) { r.Reported, r.MadeAt, r.Incident = true, start.Add(-time.Minute), &closed }, []change.Field{change.FieldIncident}},
		"a report of during the incident": {func(r *change.Request) { r.Reported, r.MadeAt, r.Incident = true, start.Add(-2*time.Hour), &closed }, nil},
		"a good one":                      {func(*change.Request) {}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := request(withAccess)
			c.alter(&req)
			_, _, err := change.Submit(rules(), req, member(requester), 1, start)
			var got []change.Field
			if r, ok := err.(*change.Refusal); ok { //nolint:errorlint // Submit answers the bare type
				for f, say := range r.Fields {
					if say == "" {
						t.Errorf("%s is wrong, and nothing is said", f)
					}
					got = append(got, f)
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

// TestWhatAKindRequiredIsFrozen: later edits of the configuration touch no
// change that was asked for before.
func TestWhatAKindRequiredIsFrozen(t *testing.T) {
	t.Parallel()
	l := begin(t, request(withAccess))
	l.rules = change.Rules{}
	l.end().close()
	if o := l.owes(change.OweReview); !o.Due.Equal(start.Add(120 * time.Hour)) {
		t.Errorf("the review is due %s", o.Due)
	}
}

func TestAPrivateIncidentMakesTheChangeConfidential(t *testing.T) {
	t.Parallel()
	req := duringIncident()
	req.Incident.Private = true
	if l := begin(t, req); !l.c.Confidential {
		t.Error("it is told to everybody")
	}
}

func TestTheMovesAreThoseOfTheDesign(t *testing.T) {
	t.Parallel()
	for from, next := range map[change.Phase][]change.Phase{
		change.Requested: {change.Approved, change.Denied, change.Withdrawn, change.Lapsed},
		change.Approved:  {change.Active, change.Failed, change.Withdrawn, change.Ended},
		change.Active:    {change.Ended}, change.Ended: {change.Closed},
		change.Closed: nil, change.Denied: nil, change.Withdrawn: nil, change.Lapsed: nil, change.Failed: nil,
	} {
		for _, to := range change.Phases() {
			if from.May(to) != slices.Contains(next, to) {
				t.Errorf("from %s to %s: %t", from, to, from.May(to))
			}
		}
		if from.Final() != (next == nil) {
			t.Errorf("%s is final: %t", from, from.Final())
		}
	}
}
