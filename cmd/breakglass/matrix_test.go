package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/aws"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
)

// cell is one way in which the outside misbehaves while a story is played.
type cell struct {
	story  string
	system change.System // empty: all
	call   string        // empty: every call
	how    string
	faults []fault.Fault
	world  func(*sandbox.World) // or this, instead of faults on calls
	mend   func(*sandbox.World)
	opts   sceneOptions
	lasts  time.Duration // until it is mended, where the story waits for it
	from   int           // the step of the story with which it begins
	fails  bool          // the change fails, as it should
	ghost  bool          // a create of long ago comes to pass, and is taken back
}

func (c cell) String() string {
	system, call := string(c.system), c.call
	if system == "" {
		system = "everything"
	}
	if call == "" {
		call = "every call"
	}
	return fmt.Sprintf("%s/%s/%s/%s", c.story, system, call, c.how)
}

// outage is how long a fault lasts, by the clock, unless the cell says otherwise.
const outage = 3 * time.Minute

// stallTimeout bounds each call in the cells in which nobody answers.
const stallTimeout = 100 * time.Millisecond

// kinds are the ways in which any call of any system may go wrong.
func kinds() map[string]fault.Fault {
	return map[string]fault.Fault{
		"reply lost":            {Kind: fault.ReplyLost},
		"connection refused":    {Kind: fault.Refused},
		"no answer":             {Kind: fault.Stall},
		"429":                   {Kind: fault.TooMany},
		"429 with Retry-After":  {Kind: fault.TooMany, RetryAfter: 20 * time.Second},
		"500":                   {Kind: fault.Internal},
		"500 though it is done": {Kind: fault.InternalLie},
		"503":                   {Kind: fault.Unavailable},
		"HTML":                  {Kind: fault.HTML},
		"half a body":           {Kind: fault.Truncated},
	}
}

// ownWords are the ways in which only one system says no.
func ownWords() map[change.System]map[string]fault.Fault {
	answer := func(status int, body string) fault.Fault {
		return fault.Fault{Kind: fault.Answer, Status: status, Body: body}
	}
	return map[change.System]map[string]fault.Fault{
		change.SystemAWS: {"throttled": answer(http.StatusBadRequest, `{"__type":"ThrottlingException","message":"Rate exceeded"}`)},
		change.SystemSlack: {
			"throttled":      answer(http.StatusOK, `{"ok":false,"error":"ratelimited"}`),
			"internal error": answer(http.StatusOK, `{"ok":false,"error":"internal_error"}`),
		},
		change.SystemJira:     {"conflict": answer(http.StatusConflict, `{"errorMessages":["The issue is being changed"],"errors":{}}`)},
		change.SystemIncident: {"conflict": answer(http.StatusConflict, `{"type":"conflict","status":409,"errors":[]}`)},
	}
}

// planOf gives the faults of a system's stand-in.
func planOf(w *sandbox.World, s change.System) []*fault.Plan {
	switch s {
	case change.SystemSlack:
		return []*fault.Plan{w.Slack.Faults}
	case change.SystemAWS:
		return []*fault.Plan{&w.AWS.Faults}
	case change.SystemJira:
		return []*fault.Plan{w.Jira.Faults}
	case change.SystemIncident:
		return []*fault.Plan{&w.IncidentIO.Faults}
	case change.SystemForge:
		return []*fault.Plan{&w.GitLab.Faults, &w.Pulls.Faults, &w.GitHub.Faults}
	}
	return nil
}

func allSystems() []change.System {
	return []change.System{change.SystemSlack, change.SystemAWS, change.SystemJira, change.SystemIncident, change.SystemForge}
}

// outsideCall is a call that a story makes.
type outsideCall struct {
	story  string
	system change.System
	call   string
	lost   string // made only where the reply of this call was lost
}

// callsOf plays the stories, and lists every call that is made: each in the first
// story that makes it. Deep, it loses the reply of each call once as well, and
// lists what is called for because of that.
func callsOf(ctx context.Context, pool *pgxpool.Pool, deep bool) ([]outsideCall, error) {
	known := map[string]bool{}
	var all []outsideCall
	collect := func(story string, s *scene, lost string) {
		for _, system := range allSystems() {
			var names []string
			for _, p := range planOf(s.world, system) {
				for call := range p.Calls() {
					names = append(names, call)
				}
			}
			slices.Sort(names)
			for _, call := range names {
				if id := string(system) + "/" + call; !known[id] {
					known[id] = true
					all = append(all, outsideCall{story, system, call, lost})
				}
			}
		}
	}
	for _, story := range storyNames() {
		s, err := playCell(ctx, pool, cell{story: story})
		if err != nil {
			return nil, fmt.Errorf("%s, undisturbed: %w", story, err)
		}
		collect(story, s, "")
	}
	if !deep {
		return all, nil
	}
	for _, c := range slices.Clone(all) {
		s, err := playCell(ctx, pool, cell{story: c.story, system: c.system, call: c.call, how: "reply lost once", lasts: patient, faults: []fault.Fault{{Kind: fault.ReplyLost, Call: c.call, Times: 1}}})
		if err != nil {
			return nil, fmt.Errorf("%s: reply of %s lost once: %w", c.story, c.call, err)
		}
		collect(c.story, s, c.call)
	}
	return all, nil
}

// cellsOf is the whole matrix.
func cellsOf(calls []outsideCall) []cell {
	var all []cell
	for _, c := range calls {
		ways := kinds()
		for how, f := range ownWords()[c.system] {
			ways[how] = f
		}
		if c.call == "CreateAccountAssignment" || c.call == "DeleteAccountAssignment" {
			ways["conflict"] = fault.Fault{Kind: fault.Answer, Status: http.StatusBadRequest, Body: `{"__type":"ConflictException","message":"There is a conflict with a previous successful write"}`}
		}
		for how, f := range ways {
			f.Call = c.call
			x := cell{story: c.story, system: c.system, call: c.call, how: how, lasts: outage, faults: []fault.Fault{f}}
			if c.lost != "" {
				x.faults = append(x.faults, fault.Fault{Kind: fault.ReplyLost, Call: c.lost, Times: 1})
			}
			if f.Kind == fault.Stall {
				x.opts.timeout = stallTimeout
			}
			all = append(all, x)
		}
	}
	all = append(all, awsCells()...)
	all = append(all, outages()...)
	slices.SortFunc(all, func(a, b cell) int { return strings.Compare(a.String(), b.String()) })
	return all
}

// awsCells are what only AWS does: it accepts, and then thinks otherwise.
func awsCells() []cell {
	on := func(how string, do func(*aws.Server)) cell {
		return cell{story: storyTicket, system: change.SystemAWS, call: "assignments", how: how, lasts: 20 * time.Minute, world: func(w *sandbox.World) { do(w.AWS) }, mend: func(w *sandbox.World) { w.AWS.Unplan(); w.AWS.Release() }}
	}
	failed := on("create fails later", func(s *aws.Server) { s.FailCreates(1, "Received a 400 status error: a quota") })
	failed.fails = true
	stale := on("lists lag behind", func(*aws.Server) {})
	stale.opts.world.AWS = aws.Options{SettleAfter: 3 * time.Second, ListLag: 20 * time.Second, ListLagReads: 3, EmptyPages: true}
	busy := on("one write at a time", func(*aws.Server) {})
	busy.opts.world.AWS = aws.Options{SettleAfter: 5 * time.Second, SpreadFor: 30 * time.Second}
	late := on("create is lost and comes late", func(s *aws.Server) { s.GhostCreates(1, 4*time.Minute) })
	late.ghost = true
	lagging := cell{story: storyTicket, system: change.SystemJira, call: "create issue", how: "reply lost and the search lags", lasts: outage, faults: []fault.Fault{{Kind: fault.ReplyLost, Call: "create issue", Times: 1}}}
	lagging.opts.world.SearchLag = time.Minute
	return []cell{
		failed, stale, busy, late, lagging,
		on("delete fails later", func(s *aws.Server) { s.FailDeletes(2, "Received a 500 status error: try again") }),
		on("create stalls", func(s *aws.Server) { s.StallCreates(1) }),
		on("delete stalls", func(s *aws.Server) { s.StallDeletes(1) }),
	}
}

// outages are half an hour without a system, and without all of them, from each
// step of each story on.
func outages() []cell {
	var all []cell
	for _, story := range storyNames() {
		for from := range stepsOf(story) {
			for _, system := range append(allSystems(), "") {
				all = append(all, cell{
					story: story, system: system, how: "down for 30 minutes from step " + strconv.Itoa(from), from: from, lasts: 30 * time.Minute,
					faults: []fault.Fault{{Kind: fault.Refused}},
					fails:  system == change.SystemAWS && from <= 1 && withAccess(story), // access comes within half an hour, or not at all
				})
			}
		}
	}
	return all
}

// cellTime bounds one cell.
const cellTime = time.Minute

// playCell plays the story of a cell, and judges how it ends.
func playCell(ctx context.Context, pool *pgxpool.Pool, c cell) (s *scene, err error) {
	ctx, cancel := context.WithTimeout(ctx, cellTime)
	defer cancel()
	c.opts.deployments = c.story == storyForge
	if s, err = openScene(ctx, pool, c.opts); err != nil {
		return nil, err
	}
	p := &tale{scene: s, cell: c, healed: len(c.faults) == 0 && c.world == nil}
	err = p.tell()
	if err != nil {
		err = fmt.Errorf("%w; %s", err, p.state())
	}
	return s, errors.Join(err, s.close())
}

// matrixSeed draws which cells are played: today's, or MATRIX_SEED.
func matrixSeed() uint64 {
	if seed, err := strconv.ParseUint(os.Getenv("MATRIX_SEED"), 10, 64); err == nil {
		return seed
	}
	return uint64(time.Now().Unix()) / 86400
}

// cellsPerRun is how many cells of the matrix the ordinary tests play.
const cellsPerRun = 10

// cellsAtOnce is how many cells are played at the same time: some wait.
const cellsAtOnce = 3

// playCells plays cells, each worker in a database of its own: the work that is due
// there is that of one story. After a cell that broke, the worker takes another.
// It answers how many broke.
func playCells(t *testing.T, cells []cell) (broken int64) {
	t.Helper()
	next := make(chan cell)
	var wrong atomic.Int64
	var workers sync.WaitGroup
	for range cellsAtOnce {
		pool := scenePool(t)
		workers.Go(func() {
			for c := range next {
				if _, err := playCell(t.Context(), pool, c); err != nil {
					t.Errorf("%s: %v", c, err)
					wrong.Add(1)
					pool = scenePool(t)
				}
			}
		})
	}
	for _, c := range cells {
		next <- c
	}
	close(next)
	workers.Wait()
	return wrong.Load()
}

// Whatever an outside system does to one call, the story ends right, nothing
// happens twice, and the card says meanwhile what is waited for.
func TestTheStoryEndsRightWhateverTheOutsideDoes(t *testing.T) {
	t.Parallel()
	calls, err := callsOf(t.Context(), scenePool(t), false)
	if err != nil {
		t.Fatal(err)
	}
	all := cellsOf(calls)
	seed := matrixSeed()
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	t.Logf("%d calls, %d cells; %d of them, by MATRIX_SEED=%d", len(calls), len(all), cellsPerRun, seed)
	playCells(t, all[:cellsPerRun])
}
