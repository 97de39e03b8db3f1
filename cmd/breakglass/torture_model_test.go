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
