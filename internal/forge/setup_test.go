package forge_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/forge"
	"github.com/breakglass-bot/breakglass/internal/sandbox/github"
	"github.com/breakglass-bot/breakglass/internal/sandbox/gitlab"
)

const (
	gitlabToken = "gitlab-token-that-nobody-may-see"
	githubToken = "github-token-that-nobody-may-see"
	project     = "group/sub/app"
	repository  = "owner/app"
)

// clock is a time that tests move by hand.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// bundle is the stand-ins behind real listeners and a client of them.
type bundle struct {
	*forge.Client
	clock     *clock
	gitlab    *gitlab.Server
	github    *github.Server
	status    *github.Status
	gitlabURL string
	githubURL string
	options   forge.Options
}

// people are on both forges.
func people() []string { return []string{"author", "committer", "requester", "reviewer", "second"} }

// setup starts the stand-ins and fails the test when a rule of theirs was
// broken.
func setup(t *testing.T) *bundle {
	t.Helper()
	return setupWith(t, gitlab.Options{Path: "/gitlab"}, github.Options{})
}

func setupWith(t *testing.T, lab gitlab.Options, hub github.Options) *bundle {
	t.Helper()
	b := &bundle{clock: newClock()}
	lab.Now, lab.Token, hub.Now, hub.Token = b.clock.now, gitlabToken, b.clock.now, githubToken
	b.gitlab, b.github, b.status = gitlab.New(lab), github.New(hub), github.NewStatus(b.clock.now)
	for _, name := range people() {
		b.gitlab.AddUser(gitlab.User{Username: name, Name: "The " + name})
		b.github.AddUser(github.User{Login: name})
	}
	b.gitlab.AddUser(gitlab.User{Username: "project_1_bot_abc", Bot: true})
	b.github.AddUser(github.User{Login: "renovate[bot]", Type: "Bot"})
	b.gitlabURL, b.githubURL = serve(t, b.gitlab)+lab.Path, serve(t, contract(t, b.github, hub.Path))
	b.options = forge.Options{
		GitLabURL: b.gitlabURL, GitLabToken: gitlabToken, GitHubAPIURL: b.githubURL + hub.Path, GitHubToken: githubToken,
		StatusURL: serve(t, b.status), Now: b.clock.now, Timeout: 2 * time.Second,
		HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	}
	b.Client = client(t, b.options)
	t.Cleanup(func() {
		for _, list := range [][]string{b.gitlab.Violations(), b.github.Violations(), b.status.Violations()} {
			for _, v := range list {
				t.Errorf("a rule of the API was broken: %s", v)
			}
		}
	})
	return b
}

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	listener := httptest.NewServer(h)
	t.Cleanup(listener.Close)
	return listener.URL
}

func client(t *testing.T, opts forge.Options) *forge.Client {
	t.Helper()
	c, err := forge.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// must fails the test on the first error of its steps.
func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func (b *bundle) parse(t *testing.T, address string) change.MergeRequestRef {
	t.Helper()
	ref, err := b.Parse(address)
	if err != nil || !ref.Readable() {
		t.Fatalf("%s is read as %+v, %v", address, ref, err)
	}
	return ref
}

// onGitLab opens a merge request on the stand-in.
func (b *bundle) onGitLab(t *testing.T, m gitlab.MergeRequest) change.MergeRequestRef {
	t.Helper()
	m.Project, m.Author, m.IID = project, "author", 12
	_, err := b.gitlab.Open(m)
	must(t, err)
	return b.parse(t, b.gitlabURL+"/"+project+"/-/merge_requests/12")
}

// onGitHub opens a pull request on the stand-in.
func (b *bundle) onGitHub(t *testing.T, p github.Pull) change.MergeRequestRef {
	t.Helper()
	p.Repository, p.Author, p.Number = repository, "author", 7
	_, err := b.github.Open(p)
	must(t, err)
	return b.parse(t, b.githubURL+"/"+repository+"/pull/7")
}

func (b *bundle) look(t *testing.T, ref change.MergeRequestRef) change.MergeRequest {
	t.Helper()
	m, err := b.Look(t.Context(), ref)
	must(t, err)
	return m
}

// independent are the user names of the independent approvals, less requester.
func independent(m change.MergeRequest) []string {
	names := []string{}
	for _, a := range m.IndependentApprovals(func(_ change.Forge, user string) bool { return user == "requester" }) {
		names = append(names, a.User)
	}
	return names
}

func outside(t *testing.T, err error, want change.Outcome) *change.OutsideError {
	t.Helper()
	e, ok := errors.AsType[*change.OutsideError](err)
	if !ok {
		t.Fatalf("error is %T (%v), want *change.OutsideError", err, err)
	}
	if e.System != change.SystemForge || e.Call == "" || e.Say == "" {
		t.Errorf("error does not say what failed: %+v", e)
	}
	if e.Outcome != want {
		t.Errorf("outcome is %q (%v), want %q", e.Outcome, err, want)
	}
	return e
}

func wantOutcome(t *testing.T, err error, want change.Outcome) {
	t.Helper()
	_ = outside(t, err, want)
}
