package github_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
	"github.com/breakglass-bot/breakglass/internal/sandbox/github"
)

const app = "owner/app"

// caller talks to a stand-in over HTTP.
type caller struct {
	t      *testing.T
	server *github.Server
	url    string
	header http.Header
}

// pulls starts a GitHub with two people and the pull request #1.
func pulls(t *testing.T, opts github.Options) *caller {
	t.Helper()
	opts.Now = noon
	s := github.New(opts)
	s.AddUser(github.User{Login: "author"})
	s.AddUser(github.User{Login: "reviewer"})
	if _, err := s.Open(github.Pull{Repository: app, Author: "author"}); err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(s)
	t.Cleanup(listener.Close)
	return &caller{t, s, listener.URL, http.Header{"Authorization": {"Bearer sandbox-github-token"}, "User-Agent": {"tests"}}}
}

func (c *caller) get(path string) (int, http.Header, string) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, c.url+path, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header = c.header.Clone()
	quiet := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := quiet.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, strings.TrimSpace(string(raw))
}

// post presses a button in the browser.
func (c *caller) post(path string, form url.Values) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
		c.t.Fatalf("%v: answered %d, %v", form, resp.StatusCode, err)
	}
}

// states are the reviews of the pull request, as answered.
func (c *caller) states(query string) ([]string, http.Header) {
	c.t.Helper()
	status, header, body := c.get("/repos/owner/app/pulls/1/reviews" + query)
	var all []struct {
		User  *struct{ Login string }
		State string
		At    *string `json:"submitted_at"`
	}
	if err := json.Unmarshal([]byte(body), &all); err != nil || status != 200 {
		c.t.Fatalf("answered %d %s", status, body)
	}
	states := []string{}
	for _, r := range all {
		who := "nobody"
		if r.User != nil {
			who = r.User.Login
		}
		states = append(states, fmt.Sprintf("%s %s %v", who, r.State, r.At != nil))
	}
	return states, header
}

func TestTheDoorIsKeptAsGitHubDoes(t *testing.T) {
	t.Parallel()
	c := pulls(t, github.Options{Path: "/api/v3"})
	good := c.header
	for _, ask := range []struct {
		name, path string
		header     http.Header
		status     int
	}{
		{"all is well", "/api/v3/repos/Owner/App/pulls/1", good, 200},
		{"no token", "/api/v3/repos/owner/app/pulls/1", http.Header{"User-Agent": {"tests"}}, 404},
		{"a wrong token", "/api/v3/repos/owner/app/pulls/1", http.Header{"User-Agent": {"tests"}, "Authorization": {"Bearer x"}}, 401},
		{"no agent", "/api/v3/repos/owner/app/pulls/1", http.Header{"Authorization": good["Authorization"]}, 403},
		{"no such pull", "/api/v3/repos/owner/app/pulls/2", good, 404},
		{"an unknown call", "/api/v3/repos/owner/app/issues/1", good, 404},
		{"beside the API", "/repos/owner/app/pulls/1", good, 404},
	} {
		c.header = ask.header
		if status, _, body := c.get(ask.path); status != ask.status {
			t.Errorf("%s: answered %d %s, want %d", ask.name, status, body, ask.status)
		}
	}
	if got := c.server.Violations(); len(got) != 3 {
		t.Errorf("violations: %q", got)
	}
}

func TestReviewsKeepTheirPlaceAndTheirState(t *testing.T) {
	t.Parallel()
	c := pulls(t, github.Options{})
	c.server.AddUser(github.User{Login: "leaver"})
	var last int64
	for _, r := range [][2]string{{"leaver", github.Approved}, {"reviewer", github.Approved}, {"reviewer", github.Pending}, {"author", github.Commented}} {
		id, err := c.server.Review(app, 1, r[0], r[1])
		if err != nil {
			t.Fatal(err)
		}
		if r[1] == github.Approved {
			last = id
		}
	}
	if err := c.server.Dismiss(app, 1, last); err != nil {
		t.Fatal(err)
	}
	c.server.RemoveUser("leaver")
	got, _ := c.states("")
	want := []string{"nobody APPROVED true", "reviewer DISMISSED true", "reviewer PENDING false", "author COMMENTED true"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	first, header := c.states("?per_page=3")
	if len(first) != 3 || !strings.Contains(header.Get("Link"), `page=2`) {
		t.Errorf("%v %v", first, header)
	}
	if rest, header := c.states("?per_page=3&page=2"); len(rest) != 1 || header.Get("Link") != "" {
		t.Errorf("%v %v", rest, header)
	}
}

func TestNobodyApprovesTheirOwnPullRequest(t *testing.T) {
	t.Parallel()
	s := pulls(t, github.Options{}).server
	for _, c := range [][2]string{{"author", github.Approved}, {"author", github.ChangesRequested}, {"nobody", github.Approved}, {"reviewer", github.Dismissed}} {
		if _, err := s.Review(app, 1, c[0], c[1]); err == nil {
			t.Errorf("%s writes %s", c[0], c[1])
		}
	}
	if err := s.Merge(app, 1, "", "reviewer"); err != nil {
		t.Fatal(err)
	}
	if s.Merge(app, 1, "", "reviewer") == nil || s.Close(app, 1) == nil || s.Push(app, 1, github.Commit{}) == nil {
		t.Error("it still moves after merging")
	}
	if _, err := s.Review(app, 1, "reviewer", github.Approved); err != nil {
		t.Errorf("it cannot be approved after merging: %v", err)
	}
}

func TestATrialMergeLooksMerged(t *testing.T) {
	t.Parallel()
	c := pulls(t, github.Options{})
	if err := c.server.Close(app, 1); err != nil {
		t.Fatal(err)
	}
	_, _, body := c.get("/repos/owner/app/pulls/1")
	var p struct {
		State    string
		Merged   bool
		MergedAt *string `json:"merged_at"`
		MergeSHA string  `json:"merge_commit_sha"`
	}
	if err := json.Unmarshal([]byte(body), &p); err != nil || p.State != "closed" || p.Merged || p.MergedAt != nil || p.MergeSHA == "" {
		t.Errorf("%+v %v", p, err)
	}
}

func TestLimitsMovesAndFaultsOfTheAPI(t *testing.T) {
	t.Parallel()
	c := pulls(t, github.Options{PerHour: 2})
	const path = "/repos/owner/app/pulls/1"
	c.server.Faults.Add(fault.Fault{Kind: fault.Unavailable, Call: "get pull request", Times: 1})
	for _, want := range []int{503, 200, 200, 403} {
		status, header, body := c.get(path)
		if status != want {
			t.Errorf("answered %d %s, want %d", status, body, want)
		}
		if want == 403 && (header.Get("X-RateLimit-Remaining") != "0" || header.Get("X-RateLimit-Reset") != "1772456400") {
			t.Errorf("%v", header)
		}
	}
	second := pulls(t, github.Options{Secondary: 1})
	second.server.Move(app)
	if status, header, _ := second.get(path); status != 301 || header.Get("Location") == "" {
		t.Errorf("%d %v", status, header)
	}
	if status, header, body := second.get(path); status != 403 || header.Get("Retry-After") != "" || !strings.Contains(body, "#about-secondary-rate-limits") {
		t.Errorf("%d %v %s", status, header, body)
	}
}

func TestPeopleReviewInTheBrowser(t *testing.T) {
	t.Parallel()
	c := pulls(t, github.Options{})
	changed := c.server.Changed()
	for _, form := range []url.Values{{"user": {"reviewer"}, "act": {"APPROVED"}}, {"user": {"author"}, "act": {"merge"}}} {
		c.post("/owner/app/pull/1", form)
	}
	select {
	case <-changed:
	default:
		t.Error("nothing was heard")
	}
	if status, _, body := c.get("/owner/app/pull/1"); status != 200 || !strings.Contains(body, "reviewer: APPROVED") || !strings.Contains(body, "merged") {
		t.Errorf("%d %s", status, body)
	}
	if _, _, body := c.get("/"); !strings.Contains(body, "owner/app#1") {
		t.Error(body)
	}
}
