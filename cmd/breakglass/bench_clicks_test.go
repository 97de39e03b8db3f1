//go:build bench

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/slack-go/slack"
)

// The programs that are compared, on the same Postgres and the same stand-ins.
var (
	whole = contender{name: "breakglass"}
	edge  = contender{name: "breakglass, its edge alone", as: asEdge}
	floor = contender{name: "the bare handler", as: asBare}
)

// slackText is a message of nothing but text.
func slackText(text string) slack.MsgOption { return slack.MsgOptionText(text, false) }

// warmUp is how many clicks go ahead of each measurement, uncounted: connections
// are opened by them, and statements prepared.
const warmUp = 100

// rounds is how often everything is outcome; the median counts.
func rounds() int {
	if n, err := strconv.Atoi(os.Getenv("BENCH_ROUNDS")); err == nil && n > 0 {
		return n
	}
	return 3
}

// outcome is what one program did with some clicks.
type outcome struct {
	took  time.Duration
	each  []time.Duration // after its scheduled time, of an open loop
	used  time.Duration   // of the processor, until the last click was acknowledged
	count int
	rss   float64 // at most, in MiB
}

func (m outcome) perSecond() float64 { return float64(m.count) / m.took.Seconds() }
func (m outcome) perClick() time.Duration {
	return m.used / time.Duration(m.count)
}

// benchClicks measures acknowledged clicks.
func benchClicks(ctx context.Context, t *testing.T, b *bench) {
	g := newGround(ctx, t)
	raw, err := json.Marshal(g.sample.spec)
	if err == nil {
		err = os.WriteFile(filepath.Join(g.folder, "click.json"), raw, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("a click is %d statements before its transaction and %d in it; its payload has %d bytes", len(g.sample.spec.Before), len(g.sample.spec.Inside), len(g.bodies[0]))
	g.benchClosed(ctx, t, b)
	g.benchOpen(ctx, t, b)
}

// play starts a program on a copy of the database, and has it take clicks.
func (g *ground) play(ctx context.Context, t *testing.T, c contender, do func(l *load, bodies []string) (outcome, error)) outcome {
	t.Helper()
	database, err := g.copied(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := g.drop(ctx, database); err != nil {
			t.Error(err)
		}
	}()
	p, err := g.start(ctx, t, c, database)
	if err != nil {
		t.Fatal(err)
	}
	l := newLoad("http://"+p.address+"/slack/interactions", g.secret)
	m, err := func() (outcome, error) {
		if _, err := l.closed(ctx, 32, g.bodies[:warmUp]); err != nil {
			return outcome{}, err
		}
		before, err := processor(p.cmd.Process.Pid)
		if err != nil {
			return outcome{}, err
		}
		m, err := do(l, g.bodies[warmUp:])
		if err != nil {
			return m, err
		}
		after, err := processor(p.cmd.Process.Pid)
		if err != nil {
			return m, err
		}
		m.used = after - before
		m.rss, err = resident(p.cmd.Process.Pid, "VmHWM")
		return m, err
	}()
	l.client.CloseIdleConnections()
	end := p.kill
	if os.Getenv("BENCH_PROFILE") != "" {
		end = p.stop
	}
	if ended := end(); err != nil || ended != nil && os.Getenv("BENCH_PROFILE") == "" {
		log, _ := os.ReadFile(filepath.Join(g.folder, c.name+".log"))
		t.Fatalf("%s: %v, %v\n%s", c.name, err, ended, tail(string(log), 20))
	}
	return m
}

// benchClosed measures how many clicks are acknowledged in a second.
func (g *ground) benchClosed(ctx context.Context, t *testing.T, b *bench) {
	for clients, count := range map[int]int{1: 400, 8: 1600, 32: 3200} {
		results := map[contender][]outcome{}
		for range rounds() {
			for _, c := range []contender{edge, floor, whole} {
				results[c] = append(results[c], g.play(ctx, t, c, func(l *load, bodies []string) (outcome, error) {
					took, err := l.closed(ctx, clients, bodies[:count])
					return outcome{took: took, count: count}, err
				}))
			}
		}
		least := g.pgbench(ctx, t, clients, count)
		rate := func(c contender) float64 {
			var all []float64
			for _, m := range results[c] {
				all = append(all, m.perSecond())
			}
			return median(all)
		}
		cpu := func(c contender) time.Duration {
			var all []time.Duration
			for _, m := range results[c] {
				all = append(all, m.perClick())
			}
			return median(all)
		}
		for _, c := range []contender{edge, whole} {
			ratio := rate(c) / rate(floor)
			b.add(figure{
				what: fmt.Sprintf("%s: durable clicks a second, %d clients", c.name, clients), got: fmt.Sprintf("%.0f", rate(c)),
				against: fmt.Sprintf("%.0f the bare handler", rate(floor)), ratio: fmt.Sprintf("%.2f", ratio), goal: "≥ 0.8", met: atLeast(ratio, 0.8),
			})
			if least > 0 {
				b.add(figure{what: "", got: "", against: fmt.Sprintf("%.0f the transaction in pgbench", least), ratio: fmt.Sprintf("%.2f", rate(c)/least)})
			}
			ratio = float64(cpu(c)) / float64(cpu(floor))
			b.add(figure{
				what: fmt.Sprintf("%s: processor time for each, %d clients", c.name, clients), got: brief(cpu(c)),
				against: brief(cpu(floor)) + " the bare handler", ratio: fmt.Sprintf("%.2f", ratio), goal: "≤ 1.3", met: atMost(ratio, 1.3),
			})
		}
	}
}

// brief is a time for the table.
func brief(d time.Duration) string {
	if d < time.Millisecond {
		return fmt.Sprintf("%d µs", d.Microseconds())
	}
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

// benchOpen measures how long clicks wait at a fixed rate.
func (g *ground) benchOpen(ctx context.Context, t *testing.T, b *bench) {
	for _, rate := range []int{100, 300} {
		each := map[contender][]time.Duration{}
		var most float64
		for range rounds() {
			for _, c := range []contender{edge, floor, whole} {
				m := g.play(ctx, t, c, func(l *load, bodies []string) (outcome, error) {
					took, err := l.open(ctx, rate, bodies[:min(len(bodies), 10*rate)])
					return outcome{each: took, count: len(took)}, err
				})
				each[c] = append(each[c], m.each...)
				if c == whole {
					most = max(most, m.rss)
				}
			}
		}
		for _, c := range []contender{edge, whole} {
			for _, q := range []struct {
				name string
				part float64
			}{{"p50", 0.5}, {"p99", 0.99}} {
				got, against := quantile(each[c], q.part), quantile(each[floor], q.part)
				f := figure{
					what: fmt.Sprintf("%s: ack %s at %d a second", c.name, q.name, rate), got: brief(got), against: brief(against) + " the bare handler",
					ratio: fmt.Sprintf("%.2f", float64(got)/float64(against)),
				}
				if q.name == "p99" {
					f.goal, f.met = "≤ 2", atMost(float64(got)/float64(against), 2)
				}
				b.add(f)
			}
		}
		b.add(figure{what: fmt.Sprintf("breakglass: resident at most, at %d a second", rate), got: fmt.Sprintf("%.1f MiB", most), goal: "≤ 50 MiB", met: atMost(most, 50)})
	}
}
