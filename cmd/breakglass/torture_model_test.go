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
	"sync"
	"sync/atomic"
	"testing"
)

// One seed plays so many random sequences, some at the same time.
const (
	modelsAtOnce      = 3
	sequencesPerModel = 50
)

// byModel plays random sequences of people, time and faults in this process; see
// model_test.go. When one breaks a promise, the shortest like it is printed.
func byModel(_ context.Context, t *testing.T, random *rand.Rand) (tally, error) {
	if err := errors.Join(flag.Set("rapid.checks", strconv.Itoa(sequencesPerModel)), flag.Set("rapid.nofailfile", "true")); err != nil {
		return nil, err
	}
	var played atomic.Int64
	var broken atomic.Bool
	var models sync.WaitGroup
	for range modelsAtOnce {
		seed := random.Uint64() >> 1 // rapid draws one by itself for 0 only
		if err := flag.Set("rapid.seed", strconv.FormatUint(seed, 10)); err != nil {
			return nil, err
		}
		begun := make(chan struct{}) // then rapid has read its seed
		begin := sync.OnceFunc(func() { close(begun) })
		models.Go(func() {
			defer begin()
			good := t.Run("model", func(t *testing.T) { playModels(t, func() { begin(); played.Add(1) }) })
			if !good {
				broken.Store(true)
			}
		})
		<-begun
	}
	models.Wait()
	done := tally{"sequences": played.Load()}
	if broken.Load() {
		return done, errors.New("a promise was broken; the sequence stands above")
	}
	return done, nil
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
	done := tally{"calls": int64(len(calls)), "cells": int64(len(all))}
	if broken := playCells(t, all); broken > 0 {
		return done, fmt.Errorf("%d cells broke, as said above", broken)
	}
	return done, nil
}
