package incidentio_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/incidentio"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
	sandbox "github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
)

// bare is a stand-in that nobody holds to the published document.
func bare(t *testing.T, c *clock) (*sandbox.Server, string) {
	t.Helper()
	server, err := sandbox.New(sandbox.Options{Now: c.now, APIKey: apiKey})
	if err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(server)
	t.Cleanup(listener.Close)
	return server, listener.URL
}

func TestEveryFaultIsClassified(t *testing.T) {
	t.Parallel()
	for kind, want := range map[fault.Kind]change.Outcome{
		fault.ReplyLost: change.Unknown, fault.Refused: change.Unknown, fault.Unavailable: change.Unknown, fault.Internal: change.Unknown,
		fault.InternalLie: change.Unknown, fault.TooMany: change.NotNow, fault.HTML: change.Unknown, fault.Truncated: change.Unknown, fault.Stall: change.Unknown,
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			c := newClock()
			server, url := bare(t, c)
			client, err := incidentio.New(incidentio.Options{BaseURL: url, APIKey: apiKey, Now: c.now, Timeout: 500 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			i := server.Open(sandbox.Incident{})[0]
			server.Faults.Add(fault.Fault{Kind: kind, RetryAfter: 30 * time.Second})

			_, err = client.Live(t.Context())
			wantOutcome(t, err, want)
			_, err = client.AddNote(t.Context(), noteFor(i.ID, c.now()))
			wantOutcome(t, err, want)
			outside, ok := errors.AsType[*change.OutsideError](err)
			if !ok || outside.System != change.SystemIncident || outside.Say == "" || outside.Call != "create timeline item" {
				t.Errorf("not told whole: %#v", outside)
			}
			if wait := outside.RetryAfter; (kind == fault.TooMany) != (wait == 30*time.Second) {
				t.Errorf("asks to wait %v", wait)
			}
		})
	}
}

func TestAnAnswerIsClassifiedByItsStatus(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]change.Outcome{
		302: change.Unknown, 400: change.Refused, 401: change.Refused, 403: change.Refused, 404: change.Missing, 408: change.Unknown,
		409: change.NotNow, 410: change.Missing, 422: change.Refused, 429: change.NotNow, 500: change.Unknown, 502: change.Unknown, 503: change.Unknown,
	} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			_, err := answering(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(status)
			}).Live(t.Context())
			wantOutcome(t, err, want)
		})
	}
}

// answering is a client of a server that always answers like this.
func answering(t *testing.T, answer http.HandlerFunc) *incidentio.Client {
	t.Helper()
	listener := httptest.NewServer(answer)
	t.Cleanup(listener.Close)
	return newClient(t, listener.URL, newClock())
}

func TestAConnectionThatIsRefusedMayBeTriedLater(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = newClient(t, url, newClock()).AddNote(t.Context(), noteFor("x", time.Time{}))
	wantOutcome(t, err, change.NotNow)
}

func TestAGivenUpCallIsUnknown(t *testing.T) {
	t.Parallel()
	c := newClock()
	server, url := bare(t, c)
	server.Faults.Add(fault.Fault{Kind: fault.Stall})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := newClient(t, url, c).Live(ctx)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the cause is lost: %v", err)
	}
	if got := change.OutcomeOf(err); got != change.Unknown && got != change.NotNow {
		t.Errorf("outcome %s", got)
	}
}

func TestTheWaitIsReadWhereverItStands(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		header, body string
		want         time.Duration
	}{
		"seconds":                {"7", "", 7 * time.Second},
		"a date":                 {"Mon, 02 Mar 2026 10:00:20 GMT", "", 20 * time.Second},
		"the body alone":         {"", "Mon, 02 Mar 2026 10:01:00 UTC", time.Minute},
		"the body, as specified": {"", "2026-03-02T10:00:05Z", 5 * time.Second},
		"past":                   {"Mon, 02 Mar 2026 09:00:00 GMT", "", 0},
		"negative":               {"-5", "", 0},
		"for ever":               {"999999999999", "", time.Hour},
		"nonsense":               {"soon", "later", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := answering(t, func(w http.ResponseWriter, _ *http.Request) {
				if c.header != "" {
					w.Header().Set("Retry-After", c.header)
				}
				w.WriteHeader(http.StatusTooManyRequests)
				_, _ = fmt.Fprintf(w, `{"type":"too_many_requests","rate_limit":{"retry_after":%q}}`, c.body)
			}).Live(t.Context())
			outside, ok := errors.AsType[*change.OutsideError](err)
			if !ok || outside.Outcome != change.NotNow || outside.RetryAfter != c.want {
				t.Errorf("got %+v, want to wait %v", outside, c.want)
			}
		})
	}
}

func TestTheKeyStandsInNoError(t *testing.T) {
	t.Parallel()
	echo := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			_, _ = fmt.Fprintf(w, `{"type":%[1]q,"request_id":%[1]q,"errors":[{"code":%[1]q,"message":"%[2]s%[1]s"}]}`, r.Header.Get("Authorization"), strings.Repeat("x", 190))
		}
	}
	for _, status := range []int{401, 422, 500} {
		_, err := answering(t, echo(status)).Live(t.Context())
		if err == nil || strings.Contains(fmt.Sprintf("%v %+v", err, err), apiKey) {
			t.Errorf("%v", err)
		}
	}
}

func TestARedirectDoesNotCarryTheKeyAway(t *testing.T) {
	t.Parallel()
	reached := make(chan struct{}, 1)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached <- struct{}{} }))
	t.Cleanup(elsewhere.Close)
	_, err := answering(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	}).Live(t.Context())
	wantOutcome(t, err, change.Unknown)
	select {
	case <-reached:
		t.Error("the redirect was followed")
	default:
	}
}

func TestAnEndlessAnswerIsCutOff(t *testing.T) {
	t.Parallel()
	_, err := answering(t, func(w http.ResponseWriter, _ *http.Request) {
		chunk := []byte(strings.Repeat(" ", 1<<20))
		for {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}).Live(t.Context())
	wantOutcome(t, err, change.Unknown)
	if !strings.Contains(err.Error(), "too large") {
		t.Errorf("cut off by something else: %v", err)
	}
}

func TestAListThatNeverEndsIsLeft(t *testing.T) {
	t.Parallel()
	calls := 0
	client := answering(t, func(w http.ResponseWriter, _ *http.Request) {
		calls++
		_, _ = fmt.Fprintf(w, `{"incidents":[{"id":"i%d","incident_status":{"category":"live"}}],"pagination_meta":{"after":"i%d"}}`, calls, calls)
	})
	got, err := client.Live(t.Context())
	if err != nil || len(got) != 8 || calls != 8 {
		t.Errorf("%d incidents after %d calls, %v", len(got), calls, err)
	}
}

func TestASuccessWithoutAnIDIsNotBelieved(t *testing.T) {
	t.Parallel()
	client := answering(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{}`)) })
	_, err := client.AddNote(t.Context(), noteFor("x", time.Time{}))
	wantOutcome(t, err, change.Unknown)
	_, err = client.Incident(t.Context(), "x")
	wantOutcome(t, err, change.Unknown)
	_, err = client.OnCall(t.Context(), "x", time.Time{})
	wantOutcome(t, err, change.Unknown)
}

func TestUnusableOptionsAreRefused(t *testing.T) {
	t.Parallel()
	now := newClock().now
	for name, opts := range map[string]incidentio.Options{
		"no key":            {Now: now},
		"no clock":          {APIKey: "k"},
		"no address":        {APIKey: "k", Now: now, BaseURL: "api.incident.io"},
		"another scheme":    {APIKey: "k", Now: now, BaseURL: "file:///etc"},
		"a password in it":  {APIKey: "k", Now: now, BaseURL: "https://user:secret@api.incident.io"},
		"no app to look at": {APIKey: "k", Now: now, AppURL: "://"},
	} {
		if _, err := incidentio.New(opts); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
