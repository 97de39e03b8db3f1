package config

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// The bounds of a file. They are far above any real one and keep the parser,
// which recurses, from running out of stack.
const (
	maxFileBytes = 16 << 20
	maxOpen      = 1000 // brackets open at once, and columns of indentation
)

// parse reads the one document of a file; nil where a problem was reported.
func parse(data []byte, r *report) ast.Node {
	top := spot{line: 1, column: 1}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))             // some editors begin a file with it
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")) // the parser miscounts lines that end like this
	switch {
	case len(data) > maxFileBytes:
		r.problem(top, "the file has %d bytes; at most %d are read", len(data), maxFileBytes)
		return nil
	case !utf8.Valid(data):
		r.problem(spot{line: lineOfBadByte(data), column: 1}, "this line is not UTF-8; save the file as UTF-8")
		return nil
	case tooDeep(data):
		r.problem(top, "the file is nested more than %d deep", maxOpen)
		return nil
	}
	file, err := parseSafely(data)
	if err != nil {
		r.problem(spotOfSyntaxError(err), "this is not YAML: %s", syntaxMessage(err))
		return nil
	}
	var bodies []ast.Node
	for _, document := range file.Docs {
		if document != nil && !isNothing(document.Body) {
			bodies = append(bodies, document.Body)
		}
	}
	switch len(bodies) {
	case 0:
		r.problem(top, "the file is empty; begin with a copy of deploy/breakglass.example.yaml")
		return nil
	case 1:
		return bodies[0]
	default:
		line, column := start(bodies[1])
		r.problem(spot{line: line, column: column}, "a second YAML document begins here; keep everything in one, without `---`")
		return bodies[0]
	}
}

// isNothing says whether a document holds comments only.
func isNothing(n ast.Node) bool {
	switch n.(type) {
	case nil, *ast.CommentGroupNode, *ast.NullNode, *ast.DirectiveNode:
		return true
	}
	return false
}

// parseSafely parses, and reports a parser that gives up badly as an error:
// the operator then learns the file's name rather than a stack. Keys given
// twice are reported by the walker, with everything else.
func parseSafely(data []byte) (file *ast.File, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			file, err = nil, fmt.Errorf("the parser gave up: %v", cause)
		}
	}()
	return parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
}

func spotOfSyntaxError(err error) spot {
	if syntax, ok := errors.AsType[*yaml.SyntaxError](err); ok && syntax.Token != nil && syntax.Token.Position != nil {
		return spot{line: max(syntax.Token.Position.Line, 1), column: max(syntax.Token.Position.Column, 1)}
	}
	return spot{line: 1, column: 1}
}

// syntaxMessage gives the parser's reason without its drawing of the source.
func syntaxMessage(err error) string {
	if syntax, ok := errors.AsType[*yaml.SyntaxError](err); ok {
		return strings.TrimSpace(syntax.Message)
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return first
}

func lineOfBadByte(data []byte) int {
	line := 1
	for text := range bytes.Lines(data) {
		if !utf8.Valid(text) {
			return line
		}
		line++
	}
	return line
}

// tooDeep is a cheap bound on nesting that never refuses a sane file: brackets
// in comments and texts count as well.
func tooDeep(data []byte) bool {
	open, most := 0, 0
	for line := range bytes.Lines(data) {
		if len(line)-len(bytes.TrimLeft(line, " -?\t")) > maxOpen {
			return true
		}
		for _, c := range line {
			switch c {
			case '[', '{':
				open++
			case ']', '}':
				open = max(open-1, 0)
			}
			most = max(most, open)
		}
	}
	return most > maxOpen
}
