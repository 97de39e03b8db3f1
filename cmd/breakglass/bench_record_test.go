//go:build bench

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/breakglass-bot/breakglass/internal/config"
	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/migrations"
)

// recorded is one click of the CTO's on Approve, as Slack delivers it, and what
// breakglass did to the database for it.
type recorded struct {
	payload string // the JSON, with the samples where it is another in each click
	spec    clickSpec
	askKey  string // of the delivery that the button stands in
	askRef  string
	channel string // where it stands
}

// record plays an ordinary request on a database, and records the approval.
func record(ctx context.Context, t *testing.T, databaseURL string) (r recorded, err error) {
	t.Helper()
	if err := migrations.Up(ctx, databaseURL); err != nil {
		return r, err
	}
	execute(t, databaseURL, `UPDATE numbers SET last = `+sampleNumber+` - 1 WHERE name = 'change'`)
	execute(t, databaseURL, `ALTER TABLE assignments ALTER COLUMN id RESTART WITH `+sampleAssignment)
	s, err := openStage(ctx, stageOptions{databaseURL: databaseURL, say: t.Logf})
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	a := act{s}
	if err := a.request(ctx, sandbox.Engineer, request{duration: "30m"}); err != nil {
		return r, err
	}
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	if err := a.until(ctx, "all about the request is delivered", func() bool {
		var open, asks int
		err := conn.QueryRow(ctx, `SELECT count(*) FILTER (WHERE state = 'open' AND kind IN ('card', 'ask', 'ask_out', 'ticket', 'thread')),
			count(*) FILTER (WHERE kind = 'ask') FROM deliveries`).Scan(&open, &asks)
		return err == nil && open == 0 && asks == 1
	}); err != nil {
		return r, err
	}
	program := s.child
	s.child = nil // so that it is not stopped once more
	if err := program.stop(); err != nil {
		return r, err
	}
	body, err := pressed(ctx, a)
	if err != nil {
		return r, err
	}
	var ref string
	if err := conn.QueryRow(ctx, `SELECT key, ref::TEXT, external_id FROM deliveries WHERE kind = 'ask'`).Scan(&r.askKey, &r.askRef, &ref); err != nil {
		return r, err
	}
	var ts string
	r.channel, ts, _ = strings.Cut(ref, ":")
	var form struct {
		TriggerID string `json:"trigger_id"`
	}
	if err := json.Unmarshal(body, &form); err != nil {
		return r, err
	}
	samples := strings.NewReplacer(ts, sampleTS, form.TriggerID, sampleClick, sandbox.AWSUser(sandbox.Engineer), sampleUser)
	r.payload = samples.Replace(string(body))
	if r.spec, err = statements(ctx, s, databaseURL, r.payload, samples); err != nil {
		return r, err
	}
	return r, typed(ctx, conn, &r.spec)
}

// moveTo has the button stand in another channel: each world has its own.
func (r *recorded) moveTo(channel string) {
	r.payload = strings.ReplaceAll(r.payload, r.channel, channel)
	for _, st := range slices.Concat(r.spec.Before, r.spec.Inside) {
		for _, arg := range st.Args {
			if arg != nil {
				*arg = strings.ReplaceAll(*arg, r.channel, channel)
			}
		}
	}
	r.channel = channel
}

// pressed is the payload that Slack sends when the CTO presses Approve.
func pressed(ctx context.Context, a act) ([]byte, error) {
	bodies := make(chan string, 1)
	app := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body) // what is missing is noticed
		bodies <- string(raw)
	}))
	defer app.Close()
	a.world.Slack.SetAppURL(app.URL)
	if err := a.press(ctx, sandbox.CTO, "Approve"); err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(<-bodies)
	return []byte(form.Get("payload")), err
}

// statements gives a click to breakglass, and answers what it sent to the database.
func statements(ctx context.Context, s *stage, databaseURL, payload string, samples *strings.Replacer) (clickSpec, error) {
	env := map[string]string{"DATABASE_URL": databaseURL}
	for _, v := range s.world.Env() {
		name, value, _ := strings.Cut(v, "=")
		env[name] = value
		if strings.HasPrefix(name, "AWS_") {
			if err := os.Setenv(name, value); err != nil { // the SDK reads its own
				return clickSpec{}, err
			}
		}
	}
	cfg, err := config.Load(s.configFile(), func(name string) (string, bool) { v, ok := env[name]; return v, ok }, os.ReadFile)
	if err != nil {
		return clickSpec{}, err
	}
	seen := &spy{}
	p := &program{cfg: cfg, now: time.Now, log: slog.New(slog.DiscardHandler)}
	if p.systems, err = newSystems(ctx, cfg, time.Now); err != nil {
		return clickSpec{}, err
	}
	c, err := poolConfig(cfg.Secrets.DatabaseURL)
	if err != nil {
		return clickSpec{}, err
	}
	c.ConnConfig.Tracer = seen
	if p.pool, err = pgxpool.NewWithConfig(ctx, c); err != nil {
		return clickSpec{}, err
	}
	defer p.close()
	if err := p.wire(); err != nil {
		return clickSpec{}, err
	}
	if err := p.server.Start(ctx); err != nil {
		return clickSpec{}, err
	}
	l := newLoad("http://"+p.server.Addr()+"/slack/interactions", cfg.Secrets.SlackSigningSecret.Reveal())
	// The message stands where the sample says, as far as the database knows.
	if _, err := p.pool.Exec(ctx, `UPDATE deliveries SET external_id = split_part(external_id, ':', 1) || ':' || $1 WHERE kind = 'ask'`, sampleTS); err != nil {
		return clickSpec{}, err
	}
	seen.begin()
	if err := l.post(ctx, payload); err != nil {
		return clickSpec{}, errors.Join(err, p.server.Stop(ctx))
	}
	spec, err := seen.end(samples)
	return spec, errors.Join(err, p.server.Stop(ctx))
}

// spy sees every statement of a pool.
type spy struct {
	mu   sync.Mutex
	on   bool
	sent []*pgx.QueuedQuery
}

func (s *spy) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.on, s.sent = true, nil
}

func (s *spy) note(all ...*pgx.QueuedQuery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.on {
		s.sent = append(s.sent, all...)
	}
}

// TraceQueryStart implements pgx.QueryTracer.
func (s *spy) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	s.note(&pgx.QueuedQuery{SQL: data.SQL, Arguments: data.Args})
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (s *spy) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart implements pgx.BatchTracer.
func (s *spy) TraceBatchStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	s.note(data.Batch.QueuedQueries...)
	return ctx
}

// TraceBatchQuery implements pgx.BatchTracer.
func (s *spy) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd implements pgx.BatchTracer.
func (s *spy) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// end answers what was sent, with the samples for what is another in each click.
func (s *spy) end(samples *strings.Replacer) (spec clickSpec, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.on = false
	inside, ended := false, false
	for _, q := range s.sent {
		switch strings.ToLower(strings.TrimSpace(q.SQL)) {
		case "begin":
			inside = true
			continue
		case "commit":
			ended = true
			continue
		case ";", "-- ping":
			continue
		}
		st := statement{SQL: q.SQL}
		for _, arg := range q.Arguments {
			if mode, is := arg.(pgx.QueryExecMode); is {
				return spec, fmt.Errorf("%.60s is sent in a way of its own: %v", q.SQL, mode)
			}
			st.Args = append(st.Args, nil)
			text, null, err := asText(arg)
			if err != nil {
				return spec, fmt.Errorf("%.60s: %w", q.SQL, err)
			}
			if !null {
				text = samples.Replace(text)
				st.Args[len(st.Args)-1] = &text
			}
		}
		switch {
		case ended:
			return spec, fmt.Errorf("%.60s comes behind the commit", q.SQL)
		case inside:
			spec.Inside = append(spec.Inside, st)
		default:
			spec.Before = append(spec.Before, st)
		}
	}
	if !ended {
		return spec, errors.New("the click was not committed")
	}
	return spec, nil
}

// asText is a value as Postgres reads it from text.
func asText(v any) (text string, null bool, err error) {
	if raw, is := v.([]byte); is { // of ours, all are JSON
		return string(raw), raw == nil, nil
	}
	if list, is := v.([][]byte); is {
		texts := make([]*string, len(list))
		for i, raw := range list {
			if raw != nil {
				s := string(raw)
				texts[i] = &s
			}
		}
		v = texts
	}
	m := pgtype.NewMap()
	known, ok := m.TypeForValue(v)
	if !ok {
		return fmt.Sprint(v), false, nil
	}
	raw, err := m.Encode(known.OID, pgtype.TextFormatCode, v, []byte{}) // nil would make the empty text NULL
	return string(raw), raw == nil, err
}

// typed asks Postgres for the types of all values.
func typed(ctx context.Context, conn *pgx.Conn, spec *clickSpec) error {
	for _, st := range slices.Concat(pointers(spec.Before), pointers(spec.Inside)) {
		d, err := conn.Prepare(ctx, "", st.SQL)
		if err != nil {
			return fmt.Errorf("%.60s: %w", st.SQL, err)
		}
		for _, oid := range d.ParamOIDs {
			var name string
			if err := conn.QueryRow(ctx, `SELECT format_type($1, NULL)`, oid).Scan(&name); err != nil {
				return err
			}
			st.Type = append(st.Type, name)
		}
	}
	return nil
}

func pointers(all []statement) []*statement {
	out := make([]*statement, len(all))
	for i := range all {
		out[i] = &all[i]
	}
	return out
}
