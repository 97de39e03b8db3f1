package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/aws"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
	"github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
	"github.com/breakglass-bot/breakglass/internal/sandbox/jira"
)

// model is one random sequence of what people, the clock and other systems do,
// against the real ledger and the real reconcilers. After each step it is judged;
// see model_judge_test.go for what must hold, and model_owed_test.go for what is
// expected to be owed.
type model struct {
	*scene
	*rapid.T
	known     []change.Change // as they were when they were last judged
	planted   []aws.Key       // standing access
	incidents []change.Incident
	stalled   bool // an operation of AWS is held
	heldFor   time.Duration
	wellSince time.Time // since when AWS answers and the loops run
}

// changesAtMost bounds how many changes one sequence has.
const changesAtMost = 4

// openModel begins a sequence, so many weeks after the first in its database.
func openModel(ctx context.Context, t *rapid.T, pool *pgxpool.Pool, weeks int) *model {
	yes := func(name string) bool { return rapid.IntRange(0, 3).Draw(t, name) == 0 }
	opts := sceneOptions{start: sceneStart.AddDate(0, 0, 7*weeks)}
	if yes("AWS takes its time") {
		opts.world.AWS = aws.Options{SettleAfter: 3 * time.Second, ListLagReads: 2, EmptyPages: true}
	}
	if yes("the search lags") {
		opts.world.SearchLag = 30 * time.Second
	}
	s, err := openScene(ctx, pool, opts)
	if err != nil {
		t.Fatal(err)
	}
	m := &model{scene: s, T: t, wellSince: opts.start}
	if yes("standing access") {
		k := sandbox.AdminOf(sandbox.Engineer)
		k.InstanceARN = s.cfg.AWS.InstanceARN
		m.planted = append(m.planted, k)
		s.world.AWS.Plant(k)
	}
	s.world.Jira.AddIssue(jira.Issue{Project: "OPS", Summary: "Known trouble"})
	for _, i := range s.world.IncidentIO.Open(incidentio.Incident{Name: "Orders stand still"}, incidentio.Incident{Name: "Mail is late"}) {
		seen, err := s.systems.incident.Incident(ctx, i.ID)
		if err != nil {
			t.Fatal(err)
		}
		m.incidents = append(m.incidents, seen)
	}
	return m
}

// must fails the sequence when what never fails has failed. A refusal is an answer.
func (m *model) must(err error) {
	if _, refused := errors.AsType[*change.Refusal](err); err != nil && !refused {
		m.Fatalf("at %s: %v", m.time(), err)
	}
}

// well tells whether nothing is planned to go wrong with AWS.
func (m *model) well() bool { return m.world.AWS.Faults.Empty() && !m.stalled }

// passed is called when time has passed. Whoever was not well, or not at work, has
// to be given their time.
func (m *model) passed(wasWell, whole bool) {
	if !wasWell || !m.well() || !whole {
		m.wellSince = m.time()
	}
}

// heldAtMost is how long AWS may hold an operation. One that takes effect only
// after an hour is found by a daily look, which is no matter of minutes.
const heldAtMost = 50 * time.Minute

func (m *model) hold(by time.Duration) {
	if m.heldFor += by; m.stalled && m.heldFor > heldAtMost {
		m.heal()
	}
}

func (m *model) run(by time.Duration) {
	m.hold(by)
	well := m.well()
	whole, err := m.scene.run(by, 30)
	m.must(err)
	m.passed(well, whole)
}

// actions are what a sequence is made of.
func (m *model) actions() map[string]func(*rapid.T) {
	act := func(do func()) func(*rapid.T) {
		return func(t *rapid.T) { m.T = t; do() }
	}
	return map[string]func(*rapid.T){
		"":                          act(func() { m.must(m.judge()) }),
		"somebody asks":             act(m.asks),
		"somebody decides":          act(m.decides),
		"somebody decides at once":  act(m.decides),
		"somebody does something":   act(m.does),
		"somebody does what is due": act(m.owing),
		"somebody comments":         act(m.comments),
		"a merge request moves on":  act(m.moves),
		"time passes":               act(m.timePasses),
		"it goes on": act(func() {
			m.run(time.Duration(rapid.SampledFrom([]int{0, 5, 20, 60}).Draw(m.T, "seconds")) * time.Second)
		}),
		"something breaks":  act(m.breaks),
		"all is well again": act(m.heal),
	}
}

func (m *model) timePasses() {
	by := rapid.SampledFrom([]time.Duration{30 * time.Second, 2 * time.Minute, 11 * time.Minute, 31 * time.Minute, time.Hour, 5 * time.Hour, 26 * time.Hour}).Draw(m.T, "by")
	if rapid.IntRange(0, 4).Draw(m.T, "down") == 0 { // the program is
		m.hold(by)
		m.later(by)
		m.passed(false, false)
		m.must(m.work())
		return
	}
	m.run(by)
}

// breaks makes a stand-in misbehave.
func (m *model) breaks() {
	f := fault.Fault{
		Kind: rapid.SampledFrom([]fault.Kind{
			fault.ReplyLost, fault.ReplyLost, fault.Refused, fault.Unavailable, fault.Internal, fault.InternalLie, fault.TooMany, fault.HTML, fault.Truncated,
		}).Draw(m.T, "kind"),
		Times: rapid.IntRange(1, 4).Draw(m.T, "times"), Skip: rapid.IntRange(0, 2).Draw(m.T, "skip"),
	}
	if rapid.Bool().Draw(m.T, "says when") {
		f.RetryAfter = 10 * time.Second
	}
	switch rapid.IntRange(0, 7).Draw(m.T, "whose") {
	case 0, 1:
		f.Call = rapid.SampledFrom([]string{
			"CreateAccountAssignment", "DeleteAccountAssignment", "ListAccountAssignments", "DescribeAccountAssignmentCreationStatus",
			"DescribeAccountAssignmentDeletionStatus", "ListAccountAssignmentCreationStatus", "ListAccountAssignmentDeletionStatus", "GetUserId", "DescribeUser",
		}).Draw(m.T, "call")
		m.world.AWS.Faults.Add(f)
	case 2, 3:
		f.Call = rapid.SampledFrom([]string{"chat.postMessage", "chat.update", "chat.delete", "conversations.open", "conversations.history", "conversations.replies", "users.info"}).Draw(m.T, "call")
		m.world.Slack.Faults.Add(f)
	case 4:
		f.Call = rapid.SampledFrom([]string{"create issue", "get issue", "list comments", "add comment", "remote link", "search", "edit issue", "myself"}).Draw(m.T, "call")
		m.world.Jira.Faults.Add(f)
	case 5:
		f.Call = rapid.SampledFrom([]string{"show incident", "create timeline item", "list timeline items", "create follow-up", "list follow-ups", "create attachment", "list attachments", "list schedule entries"}).Draw(m.T, "call")
		m.world.IncidentIO.Faults.Add(f)
	case 6:
		m.world.GitLab.Faults.Add(f)
		m.world.GitHub.Faults.Add(f)
	default:
		n := rapid.IntRange(1, 2).Draw(m.T, "n")
		switch rapid.IntRange(0, 4).Draw(m.T, "how") {
		case 0:
			m.world.AWS.FailCreates(n, "Received a 400 status error: a quota")
		case 1:
			m.world.AWS.FailDeletes(n, "Received a 500 status error: try again")
		case 2:
			m.world.AWS.GhostCreates(1, time.Duration(n)*4*time.Minute)
		case 3:
			m.world.AWS.StallCreates(1)
			m.stalled, m.heldFor = true, 0
		default:
			m.world.AWS.StallDeletes(1)
			m.stalled, m.heldFor = true, 0
		}
	}
}

func (m *model) heal() {
	if !m.well() {
		m.wellSince = m.time()
	}
	for _, p := range []*fault.Plan{&m.world.AWS.Faults, m.world.Slack.Faults, m.world.Jira.Faults, &m.world.IncidentIO.Faults, &m.world.GitLab.Faults, &m.world.GitHub.Faults} {
		p.Clear()
	}
	m.world.AWS.Unplan()
	m.world.AWS.Release()
	m.stalled = false
}

// comesToRest demands that everything ends well once all is well and people do
// what they owe.
func (m *model) comesToRest() {
	m.heal()
	m.run(2 * time.Minute)
	m.must(m.judge())
	for range 14 {
		m.heal() // what was planned for a call that came only now
		open := 0
		for i := range m.known {
			if c := &m.known[i]; !c.Phase.Final() {
				open++
				m.finishUp(c)
			}
		}
		m.run(20 * time.Minute)
		m.must(m.judge())
		if open == 0 {
			break
		}
	}
	for i := range m.known {
		if c := &m.known[i]; !c.Phase.Final() {
			m.Fatalf("%s is still %s at %s: owes %+v; access %+v; waits for %v", c.Number, c.Phase, m.time(), c.Owing(), c.Access, m.waiting(c.Number))
		}
	}
	m.run(2 * time.Hour)
	m.must(m.judge())
	for _, n := range m.own {
		if w := m.waiting(n); len(w) > 0 {
			m.Fatalf("%s: never delivered: %v", n, w)
		}
	}
	for _, has := range m.world.AWS.Assignments() {
		if !has.Standing {
			m.Fatalf("AWS holds %v in the end", has.Key)
		}
	}
	if v := m.world.Violations(); len(v) > 0 {
		m.Fatalf("violations: %q", v)
	}
	m.must(m.judgeLedger())
}

// waiting lists the deliveries that have not arrived.
func (m *model) waiting(n change.Number) (all []string) {
	rows, err := m.ledger.Deliveries(m.ctx, n)
	m.must(err)
	for _, d := range rows {
		if d.State == "open" && (d.Done < d.Wanted || d.LastError != "") {
			all = append(all, fmt.Sprintf("%s %s: %s", d.Kind, d.Key, d.LastError))
		}
	}
	return all
}

// sequencesPerDatabase bounds what one database holds, all of which is verified
// after each sequence.
const sequencesPerDatabase = 8

// playModels plays as many sequences as rapid is told to, some in the same
// database: each begins weeks after the one before, as a ledger that is in use goes
// on. begin is called with each.
func playModels(t *testing.T, begin func()) {
	t.Helper()
	const weeks = 8 // more than a sequence lasts
	var pool *pgxpool.Pool
	clean := 0 // sequences in the database, all of which have come to rest
	rapid.Check(t, func(rt *rapid.T) {
		if clean %= sequencesPerDatabase; clean == 0 {
			if pool != nil {
				pool.Close()
			}
			pool = scenePool(t)
		}
		m := openModel(t.Context(), rt, pool, weeks*clean)
		before := clean
		clean = 0 // until it has come to rest
		defer func() {
			if rt.Failed() {
				rt.Log(m.tells())
			}
			_ = m.close() // only sockets
		}()
		begin()
		rt.Repeat(m.actions())
		m.T = rt
		m.comesToRest()
		clean = before + 1
	})
}

// sequencesAtLeast is how many sequences the ordinary tests play, in all.
const sequencesAtLeast = 200

// Whatever people, the clock and the other systems do, the promises hold at each
// moment, and everything comes to a good end.
func TestThePromisesHoldWhateverHappens(t *testing.T) {
	t.Parallel()
	var played atomic.Int64
	t.Cleanup(func() {
		if n := played.Load(); n < sequencesAtLeast && !t.Failed() {
			t.Errorf("%d sequences were played, and %d have to be: -rapid.checks says how many each half plays", n, sequencesAtLeast)
		}
	})
	for i := range 2 {
		t.Run(fmt.Sprint("half ", i+1), func(t *testing.T) {
			t.Parallel()
			playModels(t, func() { played.Add(1) })
		})
	}
}
