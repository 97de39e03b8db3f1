//go:build torture

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

// unkilled are the deliveries and commands at whose boundaries the program is never
// killed, each with the reason. What is new belongs into a story of the arena, or here.
var unkilled = map[string]string{}

var (
	commandsInSource = regexp.MustCompile(`(?m)^func \((?:\w+ )?\*?(\w+)\) decide\(`)
	kindsInSource    = regexp.MustCompile(`(?m)^\s+Deliver\w+\s+DeliveryKind = "(\w+)"`)
)

// judgeNames demands that every kind of delivery and every command is among what
// the points are named after, or among the exceptions, and none among both.
func judgeNames(t *testing.T, points []point) error {
	t.Helper()
	done := map[string]bool{}
	for _, p := range points {
		_, what, _ := strings.Cut(p.name, " in ")
		for name := range strings.SplitSeq(what, " / ") {
			done[name] = true
		}
	}
	var all []error
	wrong := func(format string, args ...any) { all = append(all, fmt.Errorf(format, args...)) }
	names := named(t)
	if len(names) < 60 {
		wrong("only %d deliveries and commands were found in the source", len(names))
	}
	for name := range names {
		why, excepted := unkilled[name]
		switch {
		case !done[name] && !excepted:
			wrong("the program is never killed at %s", name)
		case done[name] && excepted:
			wrong("the program is killed at %s, which is an exception because %s", name, why)
		}
	}
	for name := range unkilled {
		if !names[name] {
			wrong("the exception %s is in no source", name)
		}
	}
	return errors.Join(all...)
}

// named are the kinds of deliveries and the commands in the source of the domain.
func named(t *testing.T) map[string]bool {
	t.Helper()
	folder := path.Join("..", "..", "internal", "change")
	files, err := fs.Glob(os.DirFS(folder), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(path.Join(folder, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range commandsInSource.FindAllSubmatch(source, -1) {
			names["change."+string(found[1])] = true
		}
		for _, found := range kindsInSource.FindAllSubmatch(source, -1) {
			names[string(found[1])] = true
		}
	}
	return names
}
