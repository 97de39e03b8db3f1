package main

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/config"
	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/migrations"
)

// flooded is a program that listens and does nothing by itself, so that every
// use of the database is that of a request.
type flooded struct {
	*program
	lines  atomic.Int64 // of the log
	client http.Client
	team   string
}

func listening(t *testing.T) *flooded {
	t.Helper()
	database := databases.URL(t)
	if err := migrations.Up(t.Context(), database); err != nil {
		t.Fatal(err)
	}
	file := served(t, database)
	t.Setenv("JIRA_WEBHOOK_SECRET", "a-secret-of-jira")
	t.Setenv("INCIDENT_IO_WEBHOOK_SECRET", "whsec_YS1zZWNyZXQ=")
	cfg, err := config.Load(file, os.LookupEnv, os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	f := &flooded{team: cfg.Slack.TeamID}
	f.client.Timeout = 20 * time.Second
	f.client.Transport = &http.Transport{MaxIdleConnsPerHost: 100}
	log, err := newLog(writer(func(text string) { f.lines.Add(int64(strings.Count(text, "\n"))) }), "json", "info")
	if err != nil {
		t.Fatal(err)
	}
	if f.program, err = newProgram(t.Context(), cfg, time.Now, log); err != nil {
		t.Fatal(err)
	}
	if err := f.server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		f.client.CloseIdleConnections()
		if err := f.server.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
		f.app.Wait()
		f.close()
	})
	return f
}

// post sends a request and answers its status, or 0 when there was no answer.
func (f *flooded) post(ctx context.Context, path, body string, header http.Header) (status int, answer string) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+f.server.Addr()+path, strings.NewReader(body))
	if err != nil {
		return 0, err.Error()
	}
	r.Header = header
	response, err := f.client.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = response.Body.Close() }() // it is read to its end
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(content)
}

// list is `/emergency list` as Slack signs it.
func (f *flooded) list(ctx context.Context) (status int, answer string) {
	body := url.Values{
		"team_id": {f.team}, "user_id": {sandbox.Engineer}, "channel_id": {sandbox.OtherChannel}, "command": {"/emergency"}, "text": {"list"},
		"trigger_id": {rand.Text()},
	}.Encode()
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(f.cfg.Secrets.SlackSigningSecret.Reveal()))
	mac.Write([]byte("v0:" + stamp + ":" + body))
	return f.post(ctx, "/slack/commands", body, http.Header{
		"Content-Type": {"application/x-www-form-urlencoded"}, "X-Slack-Request-Timestamp": {stamp}, "X-Slack-Signature": {"v0=" + hex.EncodeToString(mac.Sum(nil))},
	})
}

// forgery is the n-th request of somebody who has no secret of ours.
func forgery(n int) (path, body string, header http.Header) {
	path = []string{"/slack/commands", "/slack/interactions", "/slack/events", "/webhooks/jira", "/webhooks/incident-io"}[n%5]
	now, old := strconv.FormatInt(time.Now().Unix(), 10), strconv.FormatInt(time.Now().Unix()-3600, 10)
	header = http.Header{}
	switch shape := n / 5 % 20; {
	case shape < 6:
		header.Set("X-Slack-Request-Timestamp", now)
		header.Set("X-Slack-Signature", "v0="+strings.Repeat("0", 64))
		header.Set("X-Hub-Signature", "sha256="+strings.Repeat("0", 64))
		header.Set("webhook-id", fmt.Sprint(n))
		header.Set("webhook-timestamp", now)
		header.Set("webhook-signature", "v1,AAAA")
	case shape < 12:
		header.Set("X-Slack-Request-Timestamp", old)
		header.Set("X-Slack-Signature", "v0="+strings.Repeat("f", 64))
		header.Set("webhook-timestamp", old)
	case shape == 12: // far more than anybody reads: the slowest by far
		return path, "payload=" + strings.Repeat("x", 200<<10), header
	}
	return path, fmt.Sprintf("command=/emergency&text=list&trigger_id=%d", n), header
}

// floodOf is how many forged requests a flood is made of.
const floodOf = 10_000

// keptAtMost is how many bytes may stay on the heap for each of them.
const keptAtMost = 3 << 10

func TestAFloodOfForgedRequestsCostsNothingButTime(t *testing.T) {
	f := listening(t)
	one := func() int64 {
		before := f.pool.Stat().AcquireCount()
		if status, answer := f.list(t.Context()); status != http.StatusOK || !strings.Contains(answer, "ephemeral") {
			t.Errorf("a real request was answered %d %s", status, answer)
		}
		return f.pool.Stat().AcquireCount() - before
	}
	one()
	each := one()
	if each == 0 {
		t.Fatal("a real request does not use the database, so nothing would be seen")
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	goroutines, used, lines := runtime.NumGoroutine(), f.pool.Stat().AcquireCount(), f.lines.Load()

	const workers = 64
	var sent, refused, most atomic.Int64
	var flood sync.WaitGroup
	for range workers {
		flood.Go(func() {
			for n := sent.Add(1); n <= floodOf; n = sent.Add(1) {
				path, body, header := forgery(int(n))
				if status, _ := f.post(t.Context(), path, body, header); status == http.StatusUnauthorized {
					refused.Add(1)
				}
				if n%100 == 0 {
					most.Store(max(most.Load(), int64(runtime.NumGoroutine())))
				}
			}
		})
	}
	genuine := int64(0)
	slowest := time.Duration(0)
	for sent.Load() < floodOf {
		began := time.Now()
		if status, answer := f.list(t.Context()); status != http.StatusOK || !strings.Contains(answer, "ephemeral") {
			t.Errorf("during the flood a real request was answered %d %s", status, answer)
		}
		genuine, slowest = genuine+1, max(slowest, time.Since(began))
	}
	flood.Wait()

	if refused.Load() != floodOf {
		t.Errorf("%d of %d forged requests were refused", refused.Load(), floodOf)
	}
	if got := f.pool.Stat().AcquireCount() - used; got > genuine*each {
		t.Errorf("the database was used %d times; the %d real requests use it %d times each", got, genuine, each)
	}
	if got := f.lines.Load() - lines; got > 60 {
		t.Errorf("%d lines in the log", got)
	}
	if got := most.Load() - int64(goroutines); got > 6*workers {
		t.Errorf("%d goroutines more than before, at %d clients", got, workers)
	}
	f.client.CloseIdleConnections()
	runtime.GC()
	runtime.ReadMemStats(&after)
	if after.HeapAlloc > before.HeapAlloc+floodOf*keptAtMost {
		t.Errorf("%d KiB stay on the heap", (after.HeapAlloc-before.HeapAlloc)>>10)
	}
	if genuine < 3 {
		t.Errorf("%d real requests went through", genuine)
	}
	t.Logf("%d bytes stay on the heap; %d lines in the log", int64(after.HeapAlloc)-int64(before.HeapAlloc), f.lines.Load()-lines)
	t.Logf("%d real requests during the flood, the slowest in %s", genuine, slowest)
}

func TestAskingWhetherItIsReadyOftenUsesTheDatabaseRarely(t *testing.T) {
	f := listening(t)
	before, began := f.pool.Stat().AcquireCount(), time.Now()
	for range 300 {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+f.server.Addr()+"/readyz", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := f.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := response.Body.Close(); err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("answered %d, %v", response.StatusCode, err)
		}
	}
	seconds := int64(time.Since(began)/time.Second) + 1
	if got := f.pool.Stat().AcquireCount() - before; got == 0 || got > 20*seconds {
		t.Errorf("the database was used %d times in %d s", got, seconds)
	}
}
