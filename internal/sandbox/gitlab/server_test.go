package gitlab_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
	"github.com/breakglass-bot/breakglass/internal/sandbox/gitlab"
)

const app = "group/app"

func noon() time.Time { return time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC) }

// caller talks to a stand-in over HTTP.
type caller struct {
	t      *testing.T
	server *gitlab.Server
	url    string
	header http.Header
}

// setup starts a GitLab with two people, a bot and the merge request !1.
func setup(t *testing.T, opts gitlab.Options) *caller {
	t.Helper()
	opts.Now = noon
	s := gitlab.New(opts)
	for _, u := range []gitlab.User{{ID: 1, Username: "author"}, {ID: 2, Username: "reviewer"}, {ID: 3, Username: "bot", Bot: true}} {
		s.AddUser(u)
	}
	if _, err := s.Open(gitlab.MergeRequest{Project: app, Author: "author"}); err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(s)
	t.Cleanup(listener.Close)
	return &caller{t, s, listener.URL, http.Header{"Private-Token": {"sandbox-gitlab-token"}}}
}

// get answers the status, the headers and the body of a call.
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

// list reads a list of objects.
func (c *caller) list(path string) ([]map[string]any, http.Header) {
	c.t.Helper()
	status, header, body := c.get(path)
	var all []map[string]any
	if err := json.Unmarshal([]byte(body), &all); err != nil || status != http.StatusOK {
		c.t.Fatalf("%s answered %d %s", path, status, body)
	}
	return all, header
}

func TestCallsAreRefusedAsTheRealOneDoes(t *testing.T) {
	t.Parallel()
	c := setup(t, gitlab.Options{})
	for _, ask := range []struct {
		path   string
		status int
		body   string
	}{
		{"/api/v4/projects/group%2Fapp/merge_requests/1", 200, ""},
		{"/api/v4/projects/Group%2FApp/merge_requests/1", 200, ""},
		{"/api/v4/projects/group%2Fnone/merge_requests/1", 404, `{"message":"404 Project Not Found"}`},
		{"/api/v4/projects/group%2Fapp/merge_requests/2", 404, `{"message":"404 Not found"}`},
		{"/api/v4/projects/group/app/merge_requests/1", 404, `{"error":"404 Not Found"}`},
		{"/api/v4/projects/group%2Fapp/merge_requests/1?with=all", 400, `{"error":"with is invalid"}`},
		{"/api/v4/projects/group%2Fapp/merge_requests/1/notes?per_page=101", 400, `{"error":"per_page is invalid"}`},
		{"/api/v4/projects/group%2Fapp/merge_requests/1/notes?order_by=id", 400, `{"error":"order_by does not have a valid value"}`},
		{"/api/v4/projects/group%2Fapp/deployments?updated_after=2026-03-02T12:00:00Z", 400, "{\"message\":\"400 Bad request - `updated_at` filter and `updated_at` sorting must be paired\"}"},
		{"/api/v4/users/9", 404, `{"message":"404 User Not Found"}`},
	} {
		if status, _, body := c.get(ask.path); status != ask.status || (ask.body != "" && body != ask.body) {
			t.Errorf("%s answered %d %s, want %d %s", ask.path, status, body, ask.status, ask.body)
		}
	}
	if got := len(c.server.Violations()); got != 5 {
		t.Errorf("%d violations: %q", got, c.server.Violations())
	}
	c.header = http.Header{"Authorization": {"Bearer wrong"}}
	if status, _, body := c.get("/api/v4/users/1"); status != 401 || body != `{"message":"401 Unauthorized"}` {
		t.Errorf("answered %d %s", status, body)
	}
}

func TestApprovalsAreSaidToBeEnoughWithoutAny(t *testing.T) {
	t.Parallel()
	c := setup(t, gitlab.Options{})
	_, _, body := c.get("/api/v4/projects/group%2Fapp/merge_requests/1/approvals")
	if !strings.Contains(body, `"approved":true`) || !strings.Contains(body, `"approved_by":[]`) {
		t.Error(body)
	}
}

func TestNobodyApprovesTwiceNorAfterMerging(t *testing.T) {
	t.Parallel()
	s := setup(t, gitlab.Options{}).server
	for name, step := range map[string]error{
		"a stranger":         s.Approve(app, 1, "nobody"),
		"nothing":            s.Approve(app, 9, "reviewer"),
		"not approved yet":   s.Unapprove(app, 1, "reviewer"),
		"merged by nobody":   s.Merge(app, 1, "", "nobody"),
		"a stranger's words": func() error { _, err := s.Note(app, 1, "nobody", "Approved"); return err }(),
	} {
		if step == nil {
			t.Errorf("%s: passes", name)
		}
	}
	if err := s.Approve(app, 1, "reviewer"); err != nil {
		t.Fatal(err)
	}
	if s.Approve(app, 1, "reviewer") == nil {
		t.Error("approved twice")
	}
	if err := s.Merge(app, 1, "", "author"); err != nil {
		t.Fatal(err)
	}
	if s.Approve(app, 1, "author") == nil || s.Unapprove(app, 1, "reviewer") == nil || s.Merge(app, 1, "", "author") == nil {
		t.Error("it still moves after merging")
	}
	if m, _ := s.MergeRequest(app, 1); len(m.Approvals) != 1 || m.State != "merged" {
		t.Errorf("%+v", m)
	}
}

func TestOnlyTheUsersCallTellsBots(t *testing.T) {
	t.Parallel()
	c := setup(t, gitlab.Options{})
	if err := c.server.Approve(app, 1, "bot"); err != nil {
		t.Fatal(err)
	}
	if _, _, body := c.get("/api/v4/projects/group%2Fapp/merge_requests/1/approvals"); strings.Contains(body, `"bot":`) {
		t.Error(body)
	}
	if _, _, body := c.get("/api/v4/users/3"); !strings.Contains(body, `"bot":true`) {
		t.Error(body)
	}
	if _, _, body := c.get("/api/v4/users/1"); !strings.Contains(body, `"bot":false`) {
		t.Error(body)
	}
}

func TestListsComeInPagesNewestFirst(t *testing.T) {
	t.Parallel()
	c := setup(t, gitlab.Options{Path: "/lab"})
	for _, body := range []string{"one", "two", "three"} {
		if _, err := c.server.Note(app, 1, "reviewer", body); err != nil {
			t.Fatal(err)
		}
	}
	const path = "/lab/api/v4/projects/group%2Fapp/merge_requests/1/notes?per_page=2"
	first, header := c.list(path)
	if len(first) != 2 || first[0]["body"] != "three" || header.Get("X-Next-Page") != "2" || !strings.Contains(header.Get("Link"), "page=2") {
		t.Errorf("%v %v", first, header)
	}
	last, header := c.list(path + "&page=2")
	if len(last) != 1 || last[0]["body"] != "one" || header.Get("X-Next-Page") != "" || header.Get("Link") != "" {
		t.Errorf("%v %v", last, header)
	}
	if beyond, _ := c.list(path + "&page=9"); len(beyond) != 0 {
		t.Errorf("%v", beyond)
	}
}

func TestADeploymentShipsWhatWasMergedSinceTheLast(t *testing.T) {
	t.Parallel()
	c := setup(t, gitlab.Options{})
	if err := c.server.Merge(app, 1, "abc", "author"); err != nil {
		t.Fatal(err)
	}
	for _, status := range []string{"failed", "success"} {
		if _, err := c.server.Deploy(app, "production", status, "abc"); err != nil {
			t.Fatal(err)
		}
	}
	all, _ := c.list("/api/v4/projects/group%2Fapp/deployments?environment=production&status=success&order_by=updated_at&updated_after=2026-03-02T12:00:00Z")
	if len(all) != 1 || all[0]["sha"] != "abc" {
		t.Fatalf("%v", all)
	}
	id, err := json.Marshal(all[0]["id"])
	if err != nil {
		t.Fatal(err)
	}
	if shipped, _ := c.list("/api/v4/projects/group%2Fapp/deployments/" + string(id) + "/merge_requests"); len(shipped) != 1 {
		t.Errorf("%v", shipped)
	}
	if none, _ := c.list("/api/v4/projects/group%2Fapp/deployments?environment=staging"); len(none) != 0 {
		t.Errorf("%v", none)
	}
}

func TestLimitsMovesAndFaults(t *testing.T) {
	t.Parallel()
	c := setup(t, gitlab.Options{PerMinute: 3})
	if err := c.server.Move(app, "group/new"); err != nil {
		t.Fatal(err)
	}
	status, header, _ := c.get("/api/v4/projects/group%2Fapp/merge_requests/1")
	if status != 301 || !strings.Contains(header.Get("Location"), "/api/v4/projects/") {
		t.Errorf("%d %v", status, header)
	}
	if err := c.server.Forbid("group/new", true); err != nil {
		t.Fatal(err)
	}
	if status, _, body := c.get("/api/v4/projects/group%2Fnew/merge_requests/1"); status != 403 || body != `{"message":"403 Forbidden"}` {
		t.Errorf("%d %s", status, body)
	}
	c.server.Faults.Add(fault.Fault{Kind: fault.Internal, Call: "get user", Times: 1})
	if status, _, _ := c.get("/api/v4/users/1"); status != 500 {
		t.Errorf("%d", status)
	}
	c.get("/api/v4/users/1")
	if status, header, body := c.get("/api/v4/users/1"); status != 429 || header.Get("Retry-After") != "60" || body != "Retry later" {
		t.Errorf("%d %v %s", status, header, body)
	}
}

func TestWhoeverWaitsHearsOfAChange(t *testing.T) {
	t.Parallel()
	s := setup(t, gitlab.Options{}).server
	changed := s.Changed()
	if err := s.Label(app, 1, "severity::1"); err != nil {
		t.Fatal(err)
	}
	select {
	case <-changed:
	default:
		t.Error("nothing was heard")
	}
}

func TestPeopleActInTheBrowser(t *testing.T) {
	t.Parallel()
	c := setup(t, gitlab.Options{})
	for _, form := range []url.Values{
		{"user": {"reviewer"}, "act": {"approve"}}, {"user": {"author"}, "act": {"merge"}}, {"user": {"reviewer"}, "act": {"note"}, "note": {"<b>Approved</b>"}},
	} {
		c.post("/group/app/-/merge_requests/1", form)
	}
	status, header, body := c.get("/group/app/-/merge_requests/1")
	if status != 200 || !strings.Contains(body, "&lt;b&gt;Approved") || strings.Contains(body, "<b>Approved") || header.Get("Content-Security-Policy") == "" {
		t.Errorf("%d %s", status, body)
	}
	if _, _, body := c.get("/"); !strings.Contains(body, "group/app!1") {
		t.Error(body)
	}
	if status, _, _ := c.get("/group/app/-/merge_requests/9"); status != 404 {
		t.Errorf("%d", status)
	}
	m, _ := c.server.MergeRequest(app, 1)
	if diff := cmp.Diff([]string{"merged", "reviewer"}, []string{m.State, m.Approvals[0].Username}); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
