package config

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// spot is where something stands in the file, and its path there.
type spot struct {
	line, column int
	path         string // such as kinds[0].approvals; empty for the whole file
}

func (s *spot) place(at spot) { *s = at }

func (s spot) child(key string) string {
	if s.path == "" {
		return key
	}
	return s.path + "." + key
}

// on gives the same path at the place where a node begins.
func (s spot) on(n ast.Node) spot {
	if line, column := start(n); line > 0 {
		s.line, s.column = line, column
	}
	return s
}

// whole names the thing in a sentence.
func (s spot) whole() string {
	if s.path == "" {
		return "the file"
	}
	return quote(s.path)
}

// A wanted value reads itself from a node. `at` is where its key stands, or,
// for a member of a list, where it begins itself.
type wanted interface {
	read(w *walker, n ast.Node, at spot)
}

// walker fills structs from the syntax tree. It is the only thing that looks
// at nodes; all meaning is checked afterwards on what it filled.
type walker struct{ *report }

// into reads a node into a wanted value or, key by key, into a struct whose
// fields carry `key:"name"` or `key:"name,required"`.
func (w *walker) into(target any, n ast.Node, at spot) {
	if target, ok := target.(wanted); ok {
		target.read(w, n, at)
		return
	}
	if target, ok := target.(interface{ place(spot) }); ok {
		target.place(at)
	}
	pairs, ok := w.pairs(n, at)
	if !ok {
		return
	}
	value := reflect.ValueOf(target).Elem()
	fields, names, required := keysOf(value.Type())
	for _, pair := range pairs {
		index, ok := fields[pair.key]
		if !ok {
			w.problem(pair.at, "%s has no key %s%s", at.whole(), quote(pair.key), unknownKeyHint(pair.key, names))
			continue
		}
		field := value.Field(index)
		if field.Kind() == reflect.Pointer {
			field.Set(reflect.New(field.Type().Elem()))
			w.into(field.Interface(), pair.value, pair.at)
			continue
		}
		w.into(field.Addr().Interface(), pair.value, pair.at)
	}
	for _, key := range required {
		if !hasKey(pairs, key) {
			w.problem(at, "%s needs the key %s", at.whole(), quote(key))
		}
	}
}

// keysOf reads a struct's tags: field by key, the keys in order, and those required.
func keysOf(t reflect.Type) (fields map[string]int, names, required []string) {
	fields = map[string]int{}
	for i := range t.NumField() {
		tag, ok := t.Field(i).Tag.Lookup("key")
		if !ok {
			continue
		}
		key, option, _ := strings.Cut(tag, ",")
		fields[key] = i
		names = append(names, key)
		if option == "required" {
			required = append(required, key)
		}
	}
	return fields, names, required
}

// unknownKeyHint names the nearest key, else all of them where they are few.
func unknownKeyHint(key string, names []string) string {
	if isSecretName(key) {
		return "; secrets come from the environment only"
	}
	if hint := DidYouMean(key, names); hint != "" {
		return hint
	}
	return "; its keys are " + quoteAll(names)
}

// pair is a key with its value; at is where the key stands.
type pair struct {
	key   string
	at    spot
	value ast.Node
}

func hasKey(pairs []pair, key string) bool {
	for _, p := range pairs {
		if p.key == key {
			return true
		}
	}
	return false
}

// pairs reads a mapping, each key once, in the order of the file.
func (w *walker) pairs(n ast.Node, at spot) ([]pair, bool) {
	var values []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		w.wrongType(n, at, "a mapping of keys")
		return nil, false
	}
	pairs := make([]pair, 0, len(values))
	first := map[string]int{}
	for _, v := range values {
		key, ok := keyText(v.Key)
		keyAt := spot{line: at.line, column: at.column, path: at.child(key)}.on(v.Key)
		if !ok {
			keyAt.path = at.path
			w.problem(keyAt, "%s has a key that is no plain text; anchors, aliases and merge keys are not read, so write it out", at.whole())
			continue
		}
		if line, twice := first[key]; twice {
			w.problem(keyAt, "%s is given twice, first on line %d; keep one", quote(keyAt.path), line)
			continue
		}
		first[key] = keyAt.line
		pairs = append(pairs, pair{key: key, at: keyAt, value: v.Value})
	}
	return pairs, true
}

// keyText gives a key as it was written, so that a group may be called 24x7 or
// on without quotes.
func keyText(n ast.MapKeyNode) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// items reads a list.
func (w *walker) items(n ast.Node, at spot) ([]ast.Node, bool) {
	sequence, ok := n.(*ast.SequenceNode)
	if !ok {
		w.wrongType(n, at, "a list, such as [a, b]")
		return nil, false
	}
	return sequence.Values, true
}

// wrongType says what stands in a place that wants something else.
func (w *walker) wrongType(n ast.Node, at spot, want string) {
	if n != nil && at.path != "" {
		if _, null := n.(*ast.NullNode); !null {
			at = at.on(n)
		}
	}
	switch n := n.(type) {
	case nil, *ast.NullNode:
		w.problem(at, "%s has no value: it wants %s; give it one, or leave the key out", at.whole(), want)
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode, *ast.MergeKeyNode:
		w.problem(at, "%s uses a YAML anchor, alias or tag, which are not read; write the value out", at.whole())
	case *ast.MappingNode, *ast.MappingValueNode:
		w.problem(at, "%s is a mapping of keys: it wants %s", at.whole(), want)
	case *ast.SequenceNode:
		w.problem(at, "%s is a list: it wants %s", at.whole(), want)
	default:
		w.problem(at, "%s is %s: it wants %s", at.whole(), quote(scalarSource(n)), want)
	}
}

// scalarSource gives a scalar as it was written.
func scalarSource(n ast.Node) string {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value
	case *ast.LiteralNode:
		if n.Value != nil {
			return n.Value.Value
		}
	}
	if token := n.GetToken(); token != nil {
		return token.Value
	}
	return fmt.Sprint(n.Type())
}

// start is where a node begins: a block mapping at its first key.
func start(n ast.Node) (line, column int) {
	switch node := n.(type) {
	case nil:
		return 0, 0
	case *ast.MappingNode:
		if !node.IsFlowStyle && len(node.Values) > 0 {
			return start(node.Values[0])
		}
	case *ast.MappingValueNode:
		if node.Key != nil {
			return start(node.Key)
		}
	}
	if token := n.GetToken(); token != nil && token.Position != nil {
		return max(token.Position.Line, 1), max(token.Position.Column, 1)
	}
	return 0, 0
}
