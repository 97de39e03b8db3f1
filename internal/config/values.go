package config

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
)

// The values of a file. Each knows where it stands, and whether a good one was
// given: a wrong one has been reported and counts as not given, so that one
// mistake is not told twice.

// text is one line of text.
type text struct {
	spot
	value string
	given bool
}

func (t *text) read(w *walker, n ast.Node, at spot) {
	t.spot = at
	switch n.(type) {
	case *ast.StringNode, *ast.LiteralNode:
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		w.wrongType(n, at, "a text, so put it in quotes")
		return
	default:
		w.wrongType(n, at, "a text")
		return
	}
	t.spot = at.on(n)
	value := scalarSource(n)
	switch {
	case strings.TrimSpace(value) == "":
		w.problem(t.spot, "%s is empty; give it a value, or leave the key out", t.whole())
	case strings.ContainsFunc(value, unicode.IsControl):
		w.problem(t.spot, "%s must be one line of text without control characters", t.whole())
	default:
		t.value, t.given = value, true
	}
}

func (t text) or(fallback string) string {
	if t.given {
		return t.value
	}
	return fallback
}

// atMost reports a text that Slack would refuse for its length.
func (t text) atMost(r *report, limit int) {
	if n := utf8.RuneCountInString(t.value); n > limit {
		r.problem(t.spot, "%s has %d characters; it may have %d, because Slack shows no more", t.whole(), n, limit)
	}
}

// oneOf reports a text that is none of the allowed ones, and forgets it.
func (t *text) oneOf(r *report, allowed ...string) {
	if !t.given {
		return
	}
	for _, a := range allowed {
		if t.value == a {
			return
		}
	}
	r.problem(t.spot, "%s is %s; it may be %s%s", t.whole(), quote(t.value), quoteAll(allowed), DidYouMean(t.value, allowed))
	t.given = false
}

// span is a length of time above zero, in Go's notation.
type span struct {
	spot
	value time.Duration
	given bool
}

func (s *span) read(w *walker, n ast.Node, at spot) {
	s.spot = at
	const want = "a duration with its unit, such as 30s, 10m or 24h"
	written, ok := n.(*ast.StringNode)
	if !ok {
		w.wrongType(n, at, want)
		return
	}
	s.spot = at.on(n)
	value, err := time.ParseDuration(written.Value)
	switch {
	case err != nil:
		w.wrongType(n, at, want)
	case value <= 0:
		w.problem(s.spot, "%s is %s; a duration must be longer than zero", s.whole(), quote(written.Value))
	default:
		s.value, s.given = value, true
	}
}

func (s span) or(fallback time.Duration) time.Duration {
	if s.given {
		return s.value
	}
	return fallback
}

// flag is true or false.
type flag struct {
	spot
	value bool
	given bool
}

func (f *flag) read(w *walker, n ast.Node, at spot) {
	f.spot = at
	written, ok := n.(*ast.BoolNode)
	if !ok {
		w.wrongType(n, at, "true or false")
		return
	}
	f.spot = at.on(n)
	f.value, f.given = written.Value, true
}

func (f flag) or(fallback bool) bool {
	if f.given {
		return f.value
	}
	return fallback
}

// count is a whole number.
type count struct {
	spot
	value int
	given bool
}

func (c *count) read(w *walker, n ast.Node, at spot) {
	c.spot = at
	written, ok := n.(*ast.IntegerNode)
	if !ok {
		w.wrongType(n, at, "a whole number")
		return
	}
	c.spot = at.on(n)
	value, err := strconv.Atoi(scalarSource(written))
	if err != nil {
		w.wrongType(n, at, "a whole number")
		return
	}
	c.value, c.given = value, true
}

// between reports a number out of bounds, and gives the fallback where there is none.
func (c count) between(r *report, low, high, fallback int) int {
	if !c.given {
		return fallback
	}
	if c.value < low || c.value > high {
		r.problem(c.spot, "%s is %d; it may be %d to %d", c.whole(), c.value, low, high)
	}
	return c.value
}

// list is a list of values; its members keep the order of the file.
type list[T any] struct {
	spot
	items []T
	given bool
}

func (l *list[T]) read(w *walker, n ast.Node, at spot) {
	l.spot = at
	nodes, ok := w.items(n, at)
	if !ok {
		return
	}
	l.given = true
	l.items = make([]T, len(nodes))
	for i, node := range nodes {
		item := spot{line: at.line, column: at.column, path: at.path + index(i)}
		w.into(&l.items[i], node, item.on(node))
	}
}

// filled reports a list without members, where one is needed.
func (l list[T]) filled(r *report, why string) {
	if l.given && len(l.items) == 0 {
		r.problem(l.spot, "%s is empty; %s", l.whole(), why)
	}
}

// table is a mapping whose keys are names, in the order of the file.
type table[T any] struct {
	spot
	entries []entry[T]
}

type entry[T any] struct {
	spot
	name  string
	value T
}

func (t *table[T]) read(w *walker, n ast.Node, at spot) {
	t.spot = at
	pairs, ok := w.pairs(n, at)
	if !ok {
		return
	}
	t.entries = make([]entry[T], len(pairs))
	for i, pair := range pairs {
		t.entries[i].spot, t.entries[i].name = pair.at, pair.key
		w.into(&t.entries[i].value, pair.value, pair.at)
	}
}
