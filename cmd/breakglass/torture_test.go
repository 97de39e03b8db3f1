//go:build torture

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/aws"
)

// part is one way to torture the program. Another is added to parts.
type part struct {
	name  string
	every uint64 // it is played with every so many-th seed; 1: with each
	run   func(ctx context.Context, t *testing.T, random *rand.Rand) (tally, error)
}

// tally is what a part has done, by what it is called.
type tally map[string]int64

var parts = []part{
	{"model", 1, byModel},
	{"matrix", 40, inTheMatrix},
	{"points", 1, atPoints},
	{"moments", 1, atRandomMoments},
	{"replicas", 2, amongReplicas},
	{"crowd", 40, amongACrowd},
	{"every-point", 40, atEveryPoint},
}

// TestTorture goes on from seed to seed until the time is over. TORTURE_FOR says
// how long, TORTURE_SEED where to begin and to play that seed only, TORTURE_PART
// which part.
func TestTorture(t *testing.T) {
	long, err := time.ParseDuration(os.Getenv("TORTURE_FOR"))
	if err != nil {
		long = 20 * time.Minute
	}
	first, err := strconv.ParseUint(os.Getenv("TORTURE_SEED"), 10, 64)
	once := err == nil
	if !once {
		first = uint64(time.Now().Unix()) / 40 * 40
	}
	wanted := os.Getenv("TORTURE_PART")
	begun := time.Now()
	sum := tally{}
	var broken []string
	for seed := first; ; seed++ {
		for _, p := range parts {
			switch {
			case wanted != "" && p.name != wanted:
				continue
			case wanted == "" && seed%p.every != 0:
				continue
			case !once && time.Since(begun) > long:
				sumUp(t, sum, broken, time.Since(begun))
				return
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			at := time.Now()
			done, err := p.run(ctx, t, rand.New(rand.NewPCG(seed, 0)))
			cancel()
			result := "good"
			if err != nil {
				result = "BROKEN"
				broken = append(broken, fmt.Sprintf("%s of seed %d", p.name, seed))
				t.Errorf("seed %d, %s: %v", seed, p.name, err)
			}
			fmt.Printf("seed %d, %s: %s, %v, %s\n", seed, p.name, result, done, time.Since(at).Round(100*time.Millisecond))
			for what, n := range done {
				sum[what] += n
			}
			sum["runs"]++
		}
		if once {
			sumUp(t, sum, broken, time.Since(begun))
			return
		}
	}
}

func sumUp(t *testing.T, sum tally, broken []string, took time.Duration) {
	t.Helper()
	fmt.Printf("tortured for %s: %v; broken: %q\n", took.Round(time.Second), sum, broken)
	if sum["runs"] == 0 {
		t.Error("nothing was played")
	}
}

// counted is what came of stories on an arena.
func counted(a *arena) tally {
	if a == nil {
		return tally{}
	}
	return tally{"kills": a.kills.Load(), "kills at points": int64(len(a.died)), "changes": a.changes}
}

// worldOf draws how the stand-ins behave: how Slack delivers, how long Jira's
// search lags behind, and how AWS settles and what its lists show.
func worldOf(random *rand.Rand) sandbox.Options {
	yes := func() bool { return random.IntN(2) == 0 }
	var w sandbox.Options
	w.SocketMode = yes()
	if yes() {
		w.SearchLag = 30 * time.Second
	}
	if yes() {
		// By time, not by reads: two kills put minutes between two reads, and no list of AWS lags so long.
		w.AWS = aws.Options{SettleAfter: 2 * time.Second, ListLag: 20 * time.Second, EmptyPages: true}
	}
	return w
}

// atPoints kills the program at some points, one after the other.
func atPoints(ctx context.Context, t *testing.T, random *rand.Rand) (tally, error) {
	opts := arenaOptions{world: worldOf(random)}
	all, err := enumerate(ctx, t, opts)
	if err != nil {
		return nil, err
	}
	var keys []string
	for range 15 {
		p := all[random.IntN(len(all))]
		keys = append(keys, p.first())
		if later := p.later(random); later != "" {
			keys = append(keys, later)
		}
	}
	a, err := killAt(ctx, t, opts, keys)
	return counted(a), err
}

// atEveryPoint kills the program at each point, where it is first reached and
// where it is reached again: at all that the first troupe reaches, and at what only
// another reaches. TORTURE_TROUPE names the one that is meant.
func atEveryPoint(ctx context.Context, t *testing.T, random *rand.Rand) (tally, error) {
	world := worldOf(random)
	troupes := []struct {
		name string
		troupe
		template []byte // the configuration; nil: the example
	}{
		{"thorough", (*arena).thorough, nil},
		{"eventful", (*arena).eventful, nil},
		{"ofOtherKinds", (*arena).ofOtherKinds, nil},
		{"inTrouble", (*arena).inTrouble, nil},
		{"forsaken", (*arena).forsaken, nil},
		{"inHindsight", (*arena).inHindsight, underSecurityLevel()},
	}
	reached, known := make([][]point, len(troupes)), []point(nil)
	for i, who := range troupes {
		all, err := enumerate(ctx, t, arenaOptions{world: world, troupe: who.troupe, template: who.template})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", who.name, err)
		}
		reached[i] = slices.DeleteFunc(all, func(p point) bool {
			return slices.ContainsFunc(known, func(k point) bool { return k.name == p.name })
		})
		known = append(known, reached[i]...)
	}
	if err := judgeNames(t, known); err != nil {
		return nil, err
	}
	sum := tally{}
	for i, who := range troupes {
		if only := os.Getenv("TORTURE_TROUPE"); only != "" && only != who.name {
			continue
		}
		if err := atAll(ctx, t, random, arenaOptions{world: world, troupe: who.troupe, template: who.template}, reached[i], sum); err != nil {
			return sum, fmt.Errorf("%s: %w", who.name, err)
		}
	}
	return sum, nil
}

// atAll kills at all points, eight to a run. TORTURE_POINTS says which are meant.
func atAll(ctx context.Context, t *testing.T, random *rand.Rand, opts arenaOptions, points []point, sum tally) error {
	if only := os.Getenv("TORTURE_POINTS"); only != "" {
		wanted, err := regexp.Compile(only)
		if err != nil {
			return fmt.Errorf("TORTURE_POINTS: %w", err)
		}
		points = slices.DeleteFunc(points, func(p point) bool { return !wanted.MatchString(p.name) })
	}
	var keys []string
	for _, p := range points {
		keys = append(keys, p.first())
		if later := p.later(random); later != "" {
			keys = append(keys, later)
		}
	}
	random.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	sum["points"] += int64(len(points))
	sum["occurrences"] += int64(len(keys))
	for chunk := range slices.Chunk(keys, 8) {
		a, err := killAt(ctx, t, opts, chunk)
		for what, n := range counted(a) {
			sum[what] += n
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// atRandomMoments kills the only program at any moment, with ten changes under way.
func atRandomMoments(ctx context.Context, t *testing.T, random *rand.Rand) (tally, error) {
	a, err := play(ctx, t, arenaOptions{world: worldOf(random), programs: []string{binary(t, armed)}}, 10, killing(random, func(r *rand.Rand) time.Duration {
		return 400*time.Millisecond + time.Duration(r.ExpFloat64()*float64(400*time.Millisecond))
	}))
	return counted(a), err
}

// amongReplicas kills one of three programs again and again.
func amongReplicas(ctx context.Context, t *testing.T, random *rand.Rand) (tally, error) {
	a, err := replicated(ctx, t, worldOf(random), 20, random, func(r *rand.Rand) time.Duration {
		return 200*time.Millisecond + time.Duration(r.ExpFloat64()*float64(500*time.Millisecond))
	})
	return counted(a), err
}

// amongACrowd kills one of three programs every few seconds, with 200 changes
// under way.
func amongACrowd(ctx context.Context, t *testing.T, random *rand.Rand) (tally, error) {
	const crowd = 200
	a, err := replicated(ctx, t, worldOf(random), crowd, random, func(r *rand.Rand) time.Duration {
		return 2*time.Second + time.Duration(r.IntN(2000))*time.Millisecond
	})
	return counted(a), err
}
