//go:build torture

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
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
	calls, err := callsOf(ctx, scenePool(t), true)
	if err != nil {
		return nil, err
	}
	for _, c := range calls {
		fmt.Printf("  %s: %s, called in the story %q\n", c.system, c.call, c.story)
	}
	all := cellsOf(calls)
	if only := os.Getenv("TORTURE_CELLS"); only != "" {
		all = slices.DeleteFunc(all, func(c cell) bool { return !strings.Contains(c.String(), only) })
	}
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return tally{"calls": int64(len(calls)), "cells": int64(len(all))}, playCells(t, all)
}
