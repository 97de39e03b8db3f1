package jira

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// jqlToken is a quoted string, a word or a sign of the query language.
var jqlToken = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|[A-Za-z0-9_.-]+|!=|[()=~,]`)

var orderBy = regexp.MustCompile(`(?i)\s+order\s+by\s+.*$`)

// jql reads the part of the query language that is needed to find issues by
// label, text, project or key: field = value, field ~ value, field in (values),
// AND, OR and parentheses.
type jql struct {
	tokens []string
	err    error
}

type matcher func(*Issue) bool

func parseJQL(query string) (matcher, error) {
	query = orderBy.ReplaceAllString(" "+query, "")
	if strings.TrimSpace(query) == "" {
		return nil, fmt.Errorf("unbounded JQL queries are not allowed here; please add a search restriction")
	}
	if rest := strings.TrimSpace(jqlToken.ReplaceAllString(query, "")); rest != "" {
		return nil, fmt.Errorf("the character %q is a reserved JQL character", rest)
	}
	p := &jql{tokens: jqlToken.FindAllString(query, -1)}
	m := p.or()
	if p.err == nil && len(p.tokens) > 0 {
		p.fail("expecting either 'OR' or 'AND' but got %q", p.tokens[0])
	}
	return m, p.err
}

func (p *jql) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
}

func (p *jql) next() string {
	if len(p.tokens) == 0 {
		p.fail("the query ends too soon")
		return ""
	}
	t := p.tokens[0]
	p.tokens = p.tokens[1:]
	return t
}

func (p *jql) accept(word string) bool {
	if len(p.tokens) > 0 && strings.EqualFold(p.tokens[0], word) {
		p.tokens = p.tokens[1:]
		return true
	}
	return false
}

func (p *jql) or() matcher {
	left := p.and()
	for p.err == nil && p.accept("OR") {
		l, r := left, p.and()
		left = func(i *Issue) bool { return l(i) || r(i) }
	}
	return left
}

func (p *jql) and() matcher {
	left := p.clause()
	for p.err == nil && p.accept("AND") {
		l, r := left, p.clause()
		left = func(i *Issue) bool { return l(i) && r(i) }
	}
	return left
}

func (p *jql) clause() matcher {
	if p.accept("(") {
		m := p.or()
		if !p.accept(")") {
			p.fail("a parenthesis is not closed")
		}
		return m
	}
	field, op := strings.ToLower(p.next()), strings.ToLower(p.next())
	switch op {
	case "=":
		return p.is(field, []string{p.value()})
	case "in":
		return p.is(field, p.list())
	case "~":
		return p.says(field, p.value())
	}
	p.fail("the operator %q is not supported", op)
	return nil
}

func (p *jql) value() string {
	t := p.next()
	if len(t) >= 2 && t[0] == '"' {
		return strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(t[1 : len(t)-1])
	}
	return t
}

func (p *jql) list() []string {
	if !p.accept("(") {
		p.fail("a list is wanted after in")
	}
	values := []string{p.value()}
	for p.accept(",") {
		values = append(values, p.value())
	}
	if !p.accept(")") {
		p.fail("a list is not closed")
	}
	return values
}

func (p *jql) is(field string, values []string) matcher {
	switch field {
	case "labels":
		return func(i *Issue) bool {
			return slices.ContainsFunc(i.Labels, func(l string) bool { return slices.Contains(values, l) })
		}
	case "project":
		return func(i *Issue) bool { return slices.Contains(values, i.Project) }
	case "key", "id":
		return func(i *Issue) bool { return slices.Contains(values, i.Key) || slices.Contains(values, i.ID) }
	}
	p.fail("field '%s' does not exist or you do not have permission to view it", field)
	return nil
}

// says matches words in order, whatever stands between them but letters and
// digits, as a text index does.
func (p *jql) says(field, value string) matcher {
	want := words(value)
	switch field {
	case "summary":
		return func(i *Issue) bool { return strings.Contains(words(i.Summary), want) }
	case "description":
		return func(i *Issue) bool { return strings.Contains(words(i.Description), want) }
	case "text":
		return func(i *Issue) bool {
			return strings.Contains(words(i.Summary), want) || strings.Contains(words(i.Description), want)
		}
	}
	p.fail("the operator '~' is not supported by the '%s' field", field)
	return nil
}

var notWord = regexp.MustCompile(`[^a-z0-9]+`)

func words(s string) string { return notWord.ReplaceAllString(" "+strings.ToLower(s)+" ", " ") }
