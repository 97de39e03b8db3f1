package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one mistake, or one warning.
type Problem struct {
	File   string // as it was given to Load, or "environment"
	Line   int    // from 1; 0 for what stands in no line
	Column int    // from 1; 0 for what stands in no line
	Text   string // one sentence: what is wrong and what to do; never a secret
}

// String gives file:line:column: sentence, as editors and people find it.
func (p Problem) String() string {
	if p.Line == 0 {
		return p.File + ": " + p.Text
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Text)
}

// Problems is every mistake of a configuration, sorted by position. Load
// answers it as its error whenever there is one at all.
type Problems []Problem

// Error gives each problem on a line of its own.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// environment stands for the file in problems that no line can show.
const environment = "environment"

// report collects what is found on the way.
type report struct {
	file     string
	problems []Problem
	warnings []Problem
}

func (r *report) problem(at spot, format string, args ...any) {
	r.problems = append(r.problems, r.at(at, format, args))
}

func (r *report) warn(at spot, format string, args ...any) {
	r.warnings = append(r.warnings, r.at(at, format, args))
}

// inEnvironment reports what stands in no file.
func (r *report) inEnvironment(format string, args ...any) {
	r.problems = append(r.problems, Problem{File: environment, Text: fmt.Sprintf(format, args...)})
}

// at places a sentence; what stands nowhere is a matter of the whole file.
func (r *report) at(at spot, format string, args []any) Problem {
	return Problem{File: r.file, Line: max(at.line, 1), Column: max(at.column, 1), Text: fmt.Sprintf(format, args...)}
}

// inOrder sorts by position, the environment's problems, which have no
// line, last, and drops repetitions.
func inOrder(problems []Problem) []Problem {
	place := func(p Problem) int {
		if p.Line == 0 {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column), cmp.Compare(a.Text, b.Text))
	})
	return slices.Compact(problems)
}
