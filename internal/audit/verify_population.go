package audit

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// within tells whether a time lies in the period.
func (v *verifier) within(at time.Time) bool {
	return !at.Before(v.about.Since) && at.Before(v.about.Until)
}

// neighbours checks the chains just outside the period.
func (v *verifier) neighbours() error {
	var at *chain
	end := func() {
		if at != nil && !at.bad && at.number > 0 {
			if say := v.sealProblem(at.number, 1, at.hashes); say != "" {
				v.find(fileNeighbours, "%s: %s", name(at.number), say)
			}
		}
	}
	err := lines(v, fileNeighbours, func(_ int, e *eventLine) bool {
		if e.Chain == 0 {
			v.systemNeighbour(e)
			return true
		}
		if at == nil || at.number != e.Chain {
			end()
			at = &chain{number: e.Chain}
		}
		if at.bad {
			return true
		}
		say := at.add(e, true)
		if say == "" && e.Seq == 1 {
			if v.outside[e.Chain] = true; v.within(at.body.At) {
				say = "it belongs to the period, and is said to be a neighbour"
			}
		}
		if say != "" {
			at.bad = true
			v.find(fileNeighbours, "%s, event %d: %s", name(e.Chain), e.Seq, say)
			return true
		}
		v.when(at.body.At, fileNeighbours, fmt.Sprintf("event %d of %s", e.Seq, name(e.Chain)))
		return true
	})
	end()
	return err
}

func (v *verifier) systemNeighbour(e *eventLine) {
	alone := chain{}
	say := alone.add(e, true)
	if say == "" && v.within(alone.body.At) {
		say = "it belongs to the period, and is said to be a neighbour"
	}
	if say != "" {
		v.find(fileNeighbours, "the system chain, event %d: %s", e.Seq, say)
		return
	}
	v.sealPosted(&alone.body)
	v.when(alone.body.At, fileNeighbours, fmt.Sprintf("event %d of the system chain", e.Seq))
	if alone.body.At.Before(v.about.Since) {
		v.before = e
	} else {
		v.after = e
	}
}

// system checks that what there is of the system chain goes from one neighbour
// to the other.
func (v *verifier) system() {
	begin, previous := int64(1), ""
	if v.before != nil {
		begin, previous = v.before.Seq+1, v.before.Hash
	}
	first, last := v.firstSystem, v.lastSystem
	end := v.about.System
	if v.after != nil {
		end = v.after.Seq - 1
	}
	switch {
	case first == nil && begin != end+1:
		v.find(fileEvents, "the system chain: events %d to %d are missing", begin, end)
	case first == nil:
	case first.Seq != begin || first.Previous != previous:
		v.find(fileEvents, "the system chain, event %d: does not follow the event before the period, which is %d", first.Seq, begin-1)
	case last.Seq != end:
		v.find(fileEvents, "the system chain: the last event is %d, and was %d: the end is missing", last.Seq, end)
	case v.after != nil && v.after.Previous != last.Hash:
		v.find(fileNeighbours, "the system chain, event %d: does not follow the last event of the period", v.after.Seq)
	}
}

// population checks that no change is missing: numbers have no gaps, and go from
// the first or a neighbour to the last or a neighbour.
func (v *verifier) population() error {
	v.system()
	numbers := slices.Sorted(maps.Keys(v.inside))
	for n := range v.outside {
		if v.inside[n] {
			v.find(fileNeighbours, "%s: it is said to belong to the period and not to", name(n))
		} else {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	expected := int64(1)
	if len(numbers) > 0 && v.outside[numbers[0]] {
		expected = numbers[0]
	}
	for _, n := range numbers {
		v.missing(expected, n-1)
		expected = n + 1
	}
	if len(numbers) == 0 || !v.outside[numbers[len(numbers)-1]] {
		v.missing(expected, v.about.Given)
		if v.highest > max(v.about.Given, expected-1) {
			v.find(fileChanges, "%s is missing: seal %d holds it, though the last number given is said to be %d", name(v.highest), v.holder, v.about.Given)
		}
	}
	return nil
}

func (v *verifier) missing(from, to int64) {
	switch {
	case from == to:
		v.find(fileChanges, "%s: this change is missing", change.Number(from))
	case from < to:
		v.find(fileChanges, "%s: this change and all up to %s are missing", change.Number(from), change.Number(to))
	}
}

// told compares the seals with what the system chain says was posted of them, and
// the moment of the export with the newest of what it holds.
func (v *verifier) told() error {
	for _, p := range v.posted {
		switch hash, there := v.sealHash[p.seal]; {
		case !there && !v.sealBroken:
			v.find(fileSeals, "seal %d: it is gone, though event %d of the system chain says that it was posted", p.seal, p.seq)
		case there && hash != p.hash:
			v.find(fileSeals, "seal %d: its hash is not the one that was posted, which event %d of the system chain holds", p.seal, p.seq)
		}
	}
	if v.about.At.Before(v.newestAt) {
		v.find(fileAbout, "it says that it was written at %s, before %s happened, which is in %s", v.about.At.Format(time.RFC3339Nano), v.newest, v.newestFile)
	}
	return nil
}

// figures compares what was counted with what the export says of itself.
func (v *verifier) figures() error {
	for _, x := range []struct {
		what          string
		stated, found int64
	}{
		{"changes", v.about.Changes, v.sum.Changes}, {"events", v.about.Events, v.sum.Events}, {"exceptions", v.about.Exceptions, v.sum.Exceptions},
	} {
		if x.stated != x.found {
			v.find(fileAbout, "it says %d %s, and there are %d", x.stated, x.what, x.found)
		}
	}
	return nil
}
