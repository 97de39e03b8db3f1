package slackapp

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// waited is how long whoever gives way waits, by the clock of the bubble.
func waited(ctx context.Context, a *App) time.Duration {
	began := time.Now()
	a.GiveWay(ctx)
	return time.Since(began)
}

func TestNothingGivesWayWhileNobodyWaitsForAnAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var a App
		if d := waited(t.Context(), &a); d != 0 {
			t.Errorf("it waited for %s before anybody came", d)
		}
		a.attention.begin()
		a.attention.end()
		if d := waited(t.Context(), &a); d != lull {
			t.Errorf("it waited for %s behind the last answer, want %s", d, lull)
		}
		if d := waited(t.Context(), &a); d != 0 {
			t.Errorf("it waited for %s when all were answered", d)
		}
	})
}

// Clicks that come one upon the other leave gaps that are too short for anything else.
func TestWhatCanWaitWaitsForALullAndNotForAGap(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var a App
		a.attention.begin()
		free := make(chan time.Duration, 1)
		go func() { free <- waited(t.Context(), &a) }()
		for range 20 { // clicks, 9 ms apart
			synctest.Wait()
			a.attention.end()
			<-time.After(lull - time.Millisecond)
			a.attention.begin()
		}
		synctest.Wait()
		select {
		case d := <-free:
			t.Fatalf("it went on after %s, while people waited", d)
		default:
		}
		a.attention.end()
		if d, want := <-free, 20*(lull-time.Millisecond)+lull; d != want {
			t.Errorf("it waited for %s, want %s: a lull behind the last answer", d, want)
		}
	})
}

// A look-up that hangs holds up what is to be written for a moment, and no longer.
func TestNothingGivesWayForLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var a App
		a.attention.begin()
		ended := map[time.Duration]bool{}
		for range 20 {
			d := waited(t.Context(), &a)
			if d < lullWithin/2 || d >= lullWithin*3/2 {
				t.Errorf("it waited for %s", d)
			}
			ended[d] = true
		}
		if len(ended) < 10 {
			t.Errorf("all go on at once: %v", ended)
		}
		stopping, stop := context.WithCancel(t.Context())
		stop()
		if d := waited(stopping, &a); d != 0 {
			t.Errorf("a stop waited for %s", d)
		}
	})
}

// Who has not shown that they are Slack holds nothing up.
func TestOnlyWhatSlackHasSignedIsGivenWayTo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		secret string
		status int
		waits  time.Duration
	}{
		"signed": {"the-secret", http.StatusOK, lull},
		"forged": {"a guess", http.StatusUnauthorized, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := &App{Config: Config{SigningSecret: "the-secret"}, Now: func() time.Time { return fuzzNow }, Log: slog.New(slog.DiscardHandler)}
				const body = `{"type":"url_verification","challenge":"hello"}`
				stamp := strconv.FormatInt(fuzzNow.Unix(), 10)
				mac := hmac.New(sha256.New, []byte(c.secret))
				mac.Write([]byte("v0:" + stamp + ":" + body))
				r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/slack/events", strings.NewReader(body))
				r.Header.Set("X-Slack-Request-Timestamp", stamp)
				r.Header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
				w := httptest.NewRecorder()
				a.Events().ServeHTTP(w, r)
				if w.Code != c.status {
					t.Fatalf("it was answered with %d", w.Code)
				}
				if d := waited(t.Context(), a); d != c.waits {
					t.Errorf("what is to be written waited for %s, want %s", d, c.waits)
				}
			})
		})
	}
}
