//go:build torture

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
)

// sequencesPerSeed is how many random sequences one seed plays.
const sequencesPerSeed = 100

// byModel plays random sequences of people, time and faults in this process; see
// model_test.go. When one breaks a promise, the shortest like it is printed.
func byModel(_ context.Context, t *testing.T, random *rand.Rand) (tally, error) {
	seed := random.Uint64() >> 1 // rapid draws one by itself for 0 only
	for name, value := range map[string]string{
		"rapid.seed": strconv.FormatUint(seed, 10), "rapid.checks": strconv.Itoa(sequencesPerSeed), "rapid.nofailfile": "true",
	} {
		if err := flag.Set(name, value); err != nil {
			return nil, fmt.Errorf("tell rapid its %s: %w", name, err)
		}
	}
	played := 0
	if !t.Run("model", func(t *testing.T) { playModels(t, &played) }) {
		return tally{"sequences": int64(played)}, errors.New("a promise was broken; the sequence stands above")
	}
	return tally{"sequences": int64(played)}, nil
}

// inTheMatrix plays every cell of the matrix of faults, in an order that the seed
// draws.
func inTheMatrix(ctx context.Context, t *testing.T, random *rand.Rand) (tally, error) {
	pool := scenePool(t)
	calls, err := callsOf(ctx, pool, true)
	if err != nil {
		return nil, err
	}
	all := cellsOf(calls)
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	sum := tally{"calls": int64(len(calls))}
	var wrong []error
	for _, c := range all {
		if _, err := playCell(ctx, pool, c); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", c, err))
		}
		sum["cells"]++
	}
	return sum, errors.Join(wrong...)
}
