package audit

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// ordinary are the event types that are no exceptions by themselves.
const ordinary = `requested aws_person_found aws_person_refused asked escalated duration_changed approved denied lapsed withdrawn
	access_intended access_trouble access_given_up activated failed end_warned extension_asked extension_approved extension_denied
	extension_lapsed ended noted linked incident_linked incident_seen ticket_linked ticket_refused record_mirrored signed_off
	review_drafted review_submitted review_mirrored action_recorded owed reminded snoozed closed refused turned_away standard_path
	digest_posted seal_posted call_confirmed approver_away coordinated merge_request_linked merge_request_seen merge_request_refused
	merge_request_confirmed status_seen census_closed census_refused made_confidential ticket_secured`

func TestEveryEventTypeIsAnExceptionOrKnownToBeNone(t *testing.T) {
	t.Parallel()
	known := strings.Fields(ordinary)
	for _, x := range exceptions() {
		known = append(known, string(x.on))
	}
	types := 0
	eventTypes(t, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Event") || len(spec.Values) == 0 {
			return true
		}
		literal, ok := spec.Values[0].(*ast.BasicLit)
		if !ok {
			return true
		}
		types++
		if name, err := strconv.Unquote(literal.Value); err != nil || !slices.Contains(known, name) {
			t.Errorf("%s is neither in the table of exceptions nor among the ordinary events: decide which, and put it there", literal.Value)
		}
		return true
	})
	if types < 50 {
		t.Errorf("found %d event types only", types)
	}
}

// eventTypes visits every node of the domain's source.
func eventTypes(t *testing.T, visit func(ast.Node) bool) {
	t.Helper()
	names, err := filepath.Glob("../change/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, visit)
	}
}

func TestTheFormatNamesEveryException(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/audit-format.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range exceptions() {
		if !strings.Contains(string(text), "| "+x.name+" | `"+string(x.on)+"`") {
			t.Errorf("docs/audit-format.md does not say that %q comes of %q", x.name, x.on)
		}
	}
}

func TestWhatIsExceptionalAboutAnEvent(t *testing.T) {
	t.Parallel()
	due := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	c := &change.Change{Requester: "U1", Implementer: "U2", Obligations: []change.Obligation{
		{Name: change.OweRecord, Due: due, Part: due.Add(-time.Minute)},
		{Name: change.OweReview, Due: due, Part: due.Add(time.Minute)},
	}}
	for name, x := range map[string]struct {
		e    change.Event
		c    *change.Change
		want []string
	}{
		"approved by another":           {change.Event{Type: change.EventApprovalGiven, Actor: "U9"}, c, nil},
		"approved by the requester":     {change.Event{Type: change.EventApprovalGiven, Actor: "U1"}, c, []string{"self-approved"}},
		"approved by the implementer":   {change.Event{Type: change.EventApprovalGiven, Actor: "U2"}, c, []string{"self-approved"}},
		"an overdue record overlooked":  {change.Event{Type: "approved_overdue"}, c, []string{"approved in spite of an overdue record"}},
		"waived":                        {change.Event{Type: "waived"}, c, []string{"waived"}},
		"done in time":                  {change.Event{Type: change.EventDone, Facts: change.Facts{"late": false}}, c, nil},
		"done late":                     {change.Event{Type: change.EventDone, Facts: change.Facts{"late": true, "obligation": "review", "item": 0}}, c, []string{"done late"}},
		"done late, part in time":       {change.Event{Type: change.EventDone, Facts: change.Facts{"late": true, "obligation": "record", "item": float64(0)}}, c, []string{"copy late"}},
		"a deadline missed":             {change.Event{Type: change.EventBreached, Facts: change.Facts{"delivery": false}}, c, []string{"deadline missed"}},
		"a copy that missed it":         {change.Event{Type: change.EventBreached, Facts: change.Facts{"delivery": true}}, c, []string{"copy late"}},
		"access gone in time":           {change.Event{Type: change.EventAccessGone, Facts: change.Facts{"late_seconds": int64(300)}}, c, nil},
		"access gone late":              {change.Event{Type: change.EventAccessGone, Facts: change.Facts{"late_seconds": float64(301)}}, c, []string{"access gone late"}},
		"standing access left":          {change.Event{Type: change.EventAccessGone, Facts: change.Facts{"late_seconds": 301, "standing": true}}, c, nil},
		"access of ours":                {change.Event{Type: change.EventAccessVerified, Facts: change.Facts{"standing": false}}, c, nil},
		"access that was there":         {change.Event{Type: change.EventAccessVerified, Facts: change.Facts{"standing": true}}, c, []string{"access was there before"}},
		"a sign-off undone":             {change.Event{Type: change.EventSignOffUndone, Phase: change.Ended}, c, []string{"sign-off undone"}},
		"a sign-off undone, closed":     {change.Event{Type: change.EventSignOffUndone, Phase: change.Closed}, c, []string{"sign-off undone after the close"}},
		"a merge request's, closed":     {change.Event{Type: "independent_review_undone", Phase: change.Closed}, c, []string{"independent review undone after the close"}},
		"nothing was changed":           {change.Event{Type: change.EventRecordWritten, Facts: change.Facts{"nothing_changed": true}}, c, []string{"nothing was changed"}},
		"a record, signed off before":   {change.Event{Type: change.EventRecordWritten, Facts: change.Facts{"after_sign_off": true}}, c, []string{"record changed after its sign-off"}},
		"a record":                      {change.Event{Type: change.EventRecordWritten, Facts: change.Facts{"nothing_changed": false}}, c, nil},
		"a forged click, of no change":  {change.Event{Type: change.EventForged}, nil, []string{"forged click"}},
		"an approval without its chain": {change.Event{Type: change.EventApprovalGiven}, nil, nil},
	} {
		if diff := cmp.Diff(x.want, exceptionsOf(&x.e, x.c)); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", name, diff)
		}
	}
}
