//go:build bench

package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"text/tabwriter"
)

// benchPart is one part of make bench. It measures, and adds what it found to the
// table. It judges nothing: a goal that was missed is told, never failed for.
type benchPart struct {
	name string
	run  func(ctx context.Context, t *testing.T, b *bench)
}

// benchParts are played in this order, one at a time, so that nothing disturbs
// what is measured.
func benchParts() []benchPart {
	return []benchPart{
		{"clicks", benchClicks},
		{"start", benchStart},
		{"form", benchForm},
		{"revoke", benchRevoke},
		{"due", benchDue},
		{"approve", benchApprove},
		{"mixed", benchMixed},
		{"million", benchMillion},
		{"trail", benchTrail},
	}
}

// bench collects what was measured.
type bench struct {
	part string
	rows []figure
}

// figure is one row of the table: what was measured, what it is compared with in
// the same run, their ratio, and the goal.
type figure struct {
	part, what, got, against, ratio, goal string
	met                                   verdict
}

// verdict says whether a goal was reached.
type verdict string

const (
	noGoal verdict = "" // told only
	met    verdict = "yes"
	missed verdict = "NO"
)

// atMost is the verdict on a goal that is an upper bound.
func atMost(got, most float64) verdict {
	if got <= most {
		return met
	}
	return missed
}

// atLeast is the verdict on a goal that is a lower bound.
func atLeast(got, least float64) verdict {
	if got >= least {
		return met
	}
	return missed
}

// add puts a row into the table.
func (b *bench) add(f figure) {
	f.part = b.part
	b.rows = append(b.rows, f)
}

// table is everything measured, as text.
func (b *bench) table() string {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 8, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "PART\tWHAT\tMEASURED\tAGAINST\tRATIO\tGOAL\tMET") // a strings.Builder takes everything
	for _, f := range b.rows {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", f.part, f.what, f.got, cmp.Or(f.against, "-"), cmp.Or(f.ratio, "-"), cmp.Or(f.goal, "-"), cmp.Or(string(f.met), "-"))
	}
	_ = w.Flush()
	return out.String()
}

// TestBench measures how fast breakglass is, by parts, or the one that BENCH_PART
// names: see docs/speed.md. It fails only where something could not be measured.
func TestBench(t *testing.T) {
	only := os.Getenv("BENCH_PART")
	b := &bench{}
	known := false
	for _, part := range benchParts() {
		if only != "" && part.name != only {
			continue
		}
		known = true
		b.part = part.name
		t.Run(part.name, func(t *testing.T) { part.run(t.Context(), t, b) })
	}
	if !known && only != "" {
		t.Fatalf("there is no part %q", only)
	}
	fmt.Printf("\n%s\n", b.table())
}
