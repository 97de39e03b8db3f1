package forge_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/forge"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
	"github.com/breakglass-bot/breakglass/internal/sandbox/github"
	"github.com/breakglass-bot/breakglass/internal/sandbox/gitlab"
)

func TestAForgeThatIsDownMeansNothingIsKnown(t *testing.T) {
	t.Parallel()
	for kind, want := range map[fault.Kind]change.Outcome{
		fault.ReplyLost: change.Unknown, fault.Refused: change.Unknown, fault.Unavailable: change.Unknown, fault.Internal: change.Unknown,
		fault.InternalLie: change.Unknown, fault.TooMany: change.NotNow, fault.HTML: change.Unknown, fault.Truncated: change.Unknown, fault.Stall: change.Unknown,
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.options.Timeout = 500 * time.Millisecond
			impatient := client(t, b.options)
			lab, hub := b.onGitLab(t, mergeRequest()), b.onGitHub(t, github.Pull{})
			must(t, b.gitlab.Approve(project, 12, "reviewer"), b.gitlab.Merge(project, 12, "", "second"))
			_, err := b.gitlab.Deploy(project, "production", "success", "")
			must(t, err)
			look := func(ref change.MergeRequestRef) func(context.Context) error {
				return func(ctx context.Context) error { _, err := impatient.Look(ctx, ref); return err }
			}
			for _, c := range []struct {
				faults *fault.Plan
				call   string
				ask    func(context.Context) error
			}{
				{&b.gitlab.Faults, "get merge request", look(lab)},
				{&b.gitlab.Faults, "get approvals", look(lab)},
				{&b.gitlab.Faults, "list notes", look(lab)},
				{&b.gitlab.Faults, "get user", look(lab)},
				{&b.gitlab.Faults, "list commits", look(lab)},
				{&b.gitlab.Faults, "list versions", look(lab)},
				{&b.github.Faults, "get pull request", look(hub)},
				{&b.github.Faults, "list reviews", look(hub)},
				{&b.github.Faults, "list commits", look(hub)},
				{&b.gitlab.Faults, "list deployments", func(ctx context.Context) error { _, err := impatient.Deployed(ctx, lab, "production"); return err }},
				{&b.gitlab.Faults, "list merge requests of a deployment", func(ctx context.Context) error { _, err := impatient.Deployed(ctx, lab, "production"); return err }},
				{&b.status.Faults, "status summary", func(ctx context.Context) error { _, err := impatient.Status(ctx); return err }},
			} {
				c.faults.Add(fault.Fault{Kind: kind, Call: c.call, Times: 1, RetryAfter: 30 * time.Second})
				e := outside(t, c.ask(t.Context()), want)
				if (kind == fault.TooMany) != (e.RetryAfter == 30*time.Second) {
					t.Errorf("%s asks to wait %v", c.call, e.RetryAfter)
				}
				c.faults.Clear()
				if err := c.ask(t.Context()); err != nil {
					t.Errorf("%s is not answered again: %v", c.call, err)
				}
			}
		})
	}
}

func TestRefusalsAreTold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	lab, hub := b.onGitLab(t, mergeRequest()), b.onGitHub(t, github.Pull{})
	expect := func(c *forge.Client, ref change.MergeRequestRef, want change.Outcome) {
		t.Helper()
		_, err := c.Look(t.Context(), ref)
		wantOutcome(t, err, want)
	}
	expect(b.Client, b.parse(t, b.gitlabURL+"/"+project+"/-/merge_requests/13"), change.Missing)
	expect(b.Client, b.parse(t, b.gitlabURL+"/group/none/-/merge_requests/12"), change.Missing)
	expect(b.Client, b.parse(t, b.githubURL+"/"+repository+"/pull/8"), change.Missing)
	wrong := b.options
	wrong.GitLabToken, wrong.GitHubToken = "wrong", "wrong"
	expect(client(t, wrong), lab, change.Refused)
	expect(client(t, wrong), hub, change.Refused)
	without := b.options
	without.GitLabToken, without.GitHubToken = "", ""
	expect(client(t, without), lab, change.Refused)
	expect(client(t, without), hub, change.Missing)
	must(t, b.gitlab.Forbid(project, true))
	expect(b.Client, lab, change.Refused)
	must(t, b.gitlab.Forbid(project, false), b.gitlab.Move(project, "group/sub/new"))
	b.github.Move(repository)
	expect(b.Client, lab, change.Missing)
	expect(b.Client, hub, change.Missing)
	if m := b.look(t, b.parse(t, b.gitlabURL+"/group/sub/new/-/merge_requests/12")); m.Author != "author" {
		t.Errorf("at the new address: %+v", m)
	}
}

func TestLimitsAskToWait(t *testing.T) {
	t.Parallel()
	b := setupWith(t, gitlab.Options{PerMinute: 3}, github.Options{PerHour: 3})
	lab, hub := b.onGitLab(t, mergeRequest()), b.onGitHub(t, github.Pull{})
	b.look(t, lab)
	b.look(t, hub)
	b.clock.forward(20 * time.Second)
	for ref, want := range map[change.MergeRequestRef]time.Duration{lab: 40 * time.Second, hub: time.Hour - 20*time.Second} {
		_, err := b.Look(t.Context(), ref)
		if e := outside(t, err, change.NotNow); e.RetryAfter != want {
			t.Errorf("%s asks to wait %v, want %v", ref.Forge, e.RetryAfter, want)
		}
	}
	secondary := setupWith(t, gitlab.Options{}, github.Options{Secondary: 1})
	_, err := secondary.Look(t.Context(), secondary.onGitHub(t, github.Pull{}))
	if e := outside(t, err, change.NotNow); e.RetryAfter != time.Minute {
		t.Errorf("the secondary limit asks to wait %v", e.RetryAfter)
	}
}

// answering is a client whose GitHub, GitLab and status page always answer like
// this, and a pull request and a merge request of theirs.
func answering(t *testing.T, answer http.HandlerFunc) (*forge.Client, []change.MergeRequestRef) {
	t.Helper()
	url := serve(t, answer)
	c := client(t, forge.Options{
		GitHubAPIURL: url, GitHubToken: githubToken, GitLabURL: url + "/lab", GitLabToken: gitlabToken, StatusURL: url,
		Now: newClock().now, HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	})
	var refs []change.MergeRequestRef
	for _, path := range []string{"/owner/app/pull/7", "/lab/group/app/-/merge_requests/12"} {
		ref, err := c.Parse(url + path)
		must(t, err)
		refs = append(refs, ref)
	}
	return c, refs
}

func TestAnAnswerIsClassifiedByItsStatus(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]change.Outcome{
		204: change.Unknown, 301: change.Missing, 302: change.Unknown, 308: change.Missing, 400: change.Refused, 401: change.Refused, 403: change.Refused,
		404: change.Missing, 408: change.Unknown, 410: change.Missing, 422: change.Refused, 429: change.NotNow, 500: change.Unknown, 503: change.Unknown,
	} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			c, refs := answering(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
			for _, ref := range refs {
				_, err := c.Look(t.Context(), ref)
				wantOutcome(t, err, want)
			}
			_, err := c.Status(t.Context())
			wantOutcome(t, err, want)
		})
	}
}

func TestTheWaitIsReadWhereverItStands(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		header map[string]string
		want   time.Duration
	}{
		"seconds":   {map[string]string{"Retry-After": "7"}, 7 * time.Second},
		"a date":    {map[string]string{"Retry-After": "Mon, 02 Mar 2026 10:00:20 GMT"}, 20 * time.Second},
		"the reset": {map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1772445660"}, time.Minute},
		"no reset":  {map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "soon"}, time.Minute},
		"past":      {map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}, 0},
		"for ever":  {map[string]string{"Retry-After": "999999999999"}, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, refs := answering(t, func(w http.ResponseWriter, _ *http.Request) {
				for k, v := range c.header {
					w.Header().Set(k, v)
				}
				w.WriteHeader(http.StatusForbidden)
			})
			_, err := client.Look(t.Context(), refs[0])
			if e := outside(t, err, change.NotNow); e.RetryAfter != c.want {
				t.Errorf("asks to wait %v, want %v", e.RetryAfter, c.want)
			}
		})
	}
}

func TestWhatIsNotTheThingAskedForIsNotBelieved(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{}`, `null`, `[]`, `{"number":8,"iid":13,"state":"open","head":{"sha":"a"}}`, `{"number":7,"iid":12,"state":"opened"}`,
		`{"number":7,"iid":12,"state":"merged","merged":true,"head":{"sha":"a"}}`,
	} {
		c, refs := answering(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) })
		for _, ref := range refs {
			_, err := c.Look(t.Context(), ref)
			wantOutcome(t, err, change.Unknown)
		}
		_, err := c.Status(t.Context())
		wantOutcome(t, err, change.Unknown)
	}
}

func TestATokenGoesNowhereElse(t *testing.T) {
	t.Parallel()
	reached := make(chan string, 10)
	elsewhere := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { reached <- r.URL.String() }))
	c, refs := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/v2/") && r.Header.Get("Authorization") != "" {
			t.Error("the status page was given a token")
		}
		if lab := strings.HasPrefix(r.URL.Path, "/lab/"); strings.Contains(r.Header.Get("Authorization"), githubToken) == lab && r.Header.Get("Authorization") != "" {
			t.Errorf("%s was given the other token", r.URL)
		}
		http.Redirect(w, r, elsewhere, http.StatusTemporaryRedirect)
	})
	for _, ref := range refs {
		_, err := c.Look(t.Context(), ref)
		wantOutcome(t, err, change.Unknown)
	}
	_, err := c.Status(t.Context())
	wantOutcome(t, err, change.Unknown)

	paging, refs := answering(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "<"+elsewhere+`>; rel="next"`)
		if strings.Contains(r.URL.Path, "reviews") || strings.Contains(r.URL.Path, "commits") {
			_, _ = w.Write([]byte(`[]`))
			return
		}
		_, _ = w.Write([]byte(`{"number":7,"state":"open","head":{"sha":"a"}}`))
	})
	_, err = paging.Look(t.Context(), refs[0])
	wantOutcome(t, err, change.Refused) // a list that never ends
	select {
	case where := <-reached:
		t.Errorf("%s was called", where)
	default:
	}
}

func TestATokenStandsInNoError(t *testing.T) {
	t.Parallel()
	for _, status := range []int{401, 403, 422, 500} {
		c, refs := answering(t, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			_, _ = fmt.Fprintf(w, `{"message":%q}`, strings.Repeat("x", 190)+r.Header.Get("Authorization"))
		})
		for _, ref := range refs {
			_, err := c.Look(t.Context(), ref)
			if err == nil || strings.Contains(fmt.Sprintf("%v %+v", err, err), "that-nobody") {
				t.Errorf("%v", err)
			}
		}
	}
}

func TestAnEndlessAnswerIsCutOff(t *testing.T) {
	t.Parallel()
	c, refs := answering(t, func(w http.ResponseWriter, _ *http.Request) {
		chunk := []byte(strings.Repeat(" ", 1<<20))
		for {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	_, err := c.Look(t.Context(), refs[0])
	if e := outside(t, err, change.Unknown); !strings.Contains(e.Say, "too large") {
		t.Errorf("cut off by something else: %v", e)
	}
}

func TestAConnectionThatIsRefusedMayBeTriedLater(t *testing.T) {
	t.Parallel()
	var listen net.ListenConfig
	listener, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	url := "http://" + listener.Addr().String()
	must(t, listener.Close())
	c := client(t, forge.Options{StatusURL: url, Now: newClock().now})
	_, err = c.Status(t.Context())
	wantOutcome(t, err, change.NotNow)
}

func TestAGivenUpLookKeepsItsCause(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Look(ctx, b.onGitLab(t, mergeRequest())); !errors.Is(err, context.Canceled) {
		t.Errorf("the cause is lost: %v", err)
	}
}
