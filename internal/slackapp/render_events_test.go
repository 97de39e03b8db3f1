package slackapp

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// constants reads the values of a string type's constants from the domain's
// source, by group, so that none can be added unseen.
func constants(t *testing.T, file, typeName string) [][]string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var groups [][]string
	for _, decl := range parsed.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		var all []string
		for _, spec := range group.Specs {
			v, ok := spec.(*ast.ValueSpec)
			if !ok || len(v.Values) != 1 {
				continue
			}
			typed, isType := v.Type.(*ast.Ident)
			literal, isText := v.Values[0].(*ast.BasicLit)
			// A constant without a type would be missed here.
			if isType && isText && typed.Name == typeName {
				s, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, s)
			}
		}
		if len(all) > 0 {
			groups = append(groups, all)
		}
	}
	if len(groups) == 0 || len(groups[0]) < 5 {
		t.Fatalf("too few constants of %s found in %s: %q", typeName, file, groups)
	}
	return groups
}

func TestEveryEventThatGoesIntoTheThreadHasALine(t *testing.T) {
	t.Parallel()
	c := begin(t, storyRequest()).c
	// The second group are the events that belong to no change.
	for _, name := range constants(t, "../change/event.go", "EventType")[0] {
		e := change.Event{Seq: 1, Type: change.EventType(name), Actor: ada, At: morning, Facts: change.Facts{}}
		threaded := slices.ContainsFunc(change.Outbox(c, []change.Event{e}), func(d change.Delivery) bool { return d.Kind == change.DeliverThread })
		if got := threadReply(&c, e); (got != nil) != threaded {
			t.Errorf("%s: told in the thread: %v, want %v", name, got != nil, threaded)
		}
	}
}

func TestEveryDirectMessageHasAText(t *testing.T) {
	t.Parallel()
	c := begin(t, storyRequest()).active().c
	for _, name := range constants(t, "../change/delivery.go", "Message")[0] {
		p := change.Posting{
			Change: c, Delivery: change.Delivery{Kind: change.DeliverDirect, To: ada, Ref: change.Ref{Message: change.Message(name), Obligation: change.OweRecord}},
			Event: change.Event{Type: change.EventBreached, Facts: change.Facts{"obligation": "record"}},
		}
		if change.Message(name) == change.MessageWitness {
			p.Delivery.Kind = change.DeliverAsk
		}
		if m := storyWords().render(p); m == nil || m.text == "" || len(m.blocks) < 2 {
			t.Errorf("%s: %+v, want a text and more than a heading", name, m)
		}
	}
}
