package jira_test

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

	"github.com/breakglass-bot/breakglass/internal/sandbox/jira"
)

const (
	bot = "5b10a0000000000000000001"
	cto = "5b10a0000000000000000002"
)

type bundle struct {
	*jira.Server
	t   *testing.T
	url string
}

func setup(t *testing.T) *bundle {
	t.Helper()
	at := time.Date(2026, 3, 1, 9, 0, 0, 123e6, time.UTC)
	s := jira.New(jira.Options{
		Now: func() time.Time { return at }, Email: "bot@example.com", Token: "secret",
		Bot: jira.Account{ID: bot, Name: "breakglass"}, Accounts: []jira.Account{{ID: cto, Name: "The <CTO>"}},
		Projects: []jira.Project{
			{Key: "OPS", IssueTypes: []jira.IssueType{{Name: "Task", Required: []jira.Field{{ID: "customfield_1", Name: "Severity"}}, OffScreen: []string{"duedate"}}}},
			{Key: "DEV", IssueTypes: []jira.IssueType{{Name: "Task"}}},
		},
	})
	srv := httptest.NewServer(s)
	t.Cleanup(func() { srv.Close(); s.Close() })
	return &bundle{Server: s, t: t, url: srv.URL}
}

// ask sends a request as the bot and answers the status and the body.
func (b *bundle) ask(method, path, body string, header ...string) (int, string) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.url+"/rest/api/2/"+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.SetBasicAuth("bot@example.com", "secret")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return b.do(req)
}

func (b *bundle) do(req *http.Request) (int, string) {
	b.t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(got))
}

func create(fields map[string]any) string {
	all := map[string]any{
		"project": map[string]any{"key": "OPS"}, "issuetype": map[string]any{"name": "Task"}, "summary": "s", "customfield_1": "high",
	}
	for k, v := range fields {
		all[k] = v
		if v == nil {
			delete(all, k)
		}
	}
	out, _ := json.Marshal(map[string]any{"fields": all})
	return string(out)
}

func TestACreateIsRefusedAsJiraRefusesIt(t *testing.T) {
	t.Parallel()
	adf := map[string]any{"type": "doc", "version": 1, "content": []any{}}
	cases := []struct {
		name   string
		fields map[string]any
		want   string
	}{
		{"project", map[string]any{"project": map[string]any{"key": "NO"}}, `{"project":"Specify a valid project ID or key"}`},
		{"type", map[string]any{"issuetype": map[string]any{"name": "Epic"}}, `{"issuetype":"Specify a valid issue type"}`},
		{"no summary", map[string]any{"summary": nil}, `{"summary":"You must specify a summary of the issue."}`},
		{"newline", map[string]any{"summary": "a\nb"}, `{"summary":"The summary is invalid because it contains newline characters."}`},
		{"long summary", map[string]any{"summary": strings.Repeat("🔥", 128)}, `{"summary":"Summary can't exceed 255 characters."}`},
		{"ADF", map[string]any{"description": adf}, `{"description":"Operation value must be a string"}`},
		{"long description", map[string]any{"description": strings.Repeat("x", 32768)}, `{"description":"The entered text is too long. It exceeds the allowed limit of 32,767 characters."}`},
		{"label", map[string]any{"labels": []string{"a b"}}, `{"labels":"The label 'a b' contains spaces which is invalid."}`},
		{"required", map[string]any{"customfield_1": nil}, `{"customfield_1":"Severity is required."}`},
		{"off the screen", map[string]any{"duedate": "2026-03-01"}, `{"duedate":"Field 'duedate' cannot be set. It is not on the appropriate screen, or unknown."}`},
		{"unknown field", map[string]any{"colour": "red"}, `{"colour":"Field 'colour' cannot be set. It is not on the appropriate screen, or unknown."}`},
		{"assignee", map[string]any{"assignee": map[string]any{"accountId": "nobody"}}, `{"assignee":"User 'nobody' cannot be assigned issues."}`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			code, body := b.ask("POST", "issue", create(c.fields))
			if want := `{"errorMessages":[],"errors":` + c.want + `}`; code != 400 || body != want {
				t.Errorf("answered %d %s, want %s", code, body, want)
			}
			if n := len(b.Issues()); n != 0 {
				t.Errorf("%d issues were made", n)
			}
		})
	}
}

func TestTheLimitsThemselvesAreAllowed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	code, body := b.ask("POST", "issue", create(map[string]any{"summary": strings.Repeat("x", 255), "description": strings.Repeat("x", 32767)}))
	if code != 201 || !strings.Contains(body, `"key":"OPS-1"`) {
		t.Errorf("answered %d %s", code, body)
	}
}

func TestOtherRefusals(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.ask("POST", "issue", create(nil))
	cases := []struct {
		method, path, body string
		code               int
		says               string
	}{
		{"GET", "issue/OPS-9", "", 404, "Issue does not exist or you do not have permission to see it."},
		{"GET", "issue/OPS-1/comment/1", "", 404, "Can not find a comment"},
		{"POST", "issue/OPS-1/comment", `{"body":{"type":"doc","version":1,"content":[]}}`, 400, "Comment body is not valid!"},
		{"POST", "issue/OPS-1/comment", `{"body":"` + strings.Repeat("x", 32768) + `"}`, 400, "too long"},
		{"POST", "issue/OPS-1/comment", `{`, 400, "error parsing JSON"},
		{"POST", "issue/OPS-1/remotelink", `{"object":{"url":"x"}}`, 400, "'title' is required."},
		{"GET", "issue/OPS-1/comment?orderBy=newest", "", 400, "not supported"},
		{"GET", "search?jql=project=OPS", "", 410, "has been removed"},
		{"GET", "search/jql", "", 400, "unbounded"},
		{"GET", "search/jql?jql=nonsense", "", 400, "Error in the JQL Query"},
		{"GET", "user?accountId=nobody", "", 404, "does not exist"},
		{"GET", "project/NO", "", 404, "No project could be found"},
	}
	for _, c := range cases {
		if code, body := b.ask(c.method, c.path, c.body); code != c.code || !strings.Contains(body, c.says) {
			t.Errorf("%s %s: answered %d %s, want %d %s", c.method, c.path, code, body, c.code, c.says)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url+"/rest/api/2/myself", nil)
	if err != nil {
		t.Fatal(err)
	}
	if code, _ := b.do(req); code != 401 {
		t.Errorf("without credentials: %d", code)
	}
}

func TestCarelessRequestsAreWrittenDown(t *testing.T) {
	t.Parallel()
	label := map[string]any{"labels": []string{"intent-1"}, "project": map[string]any{"key": "DEV"}, "customfield_1": nil}
	comment := func(s string) func(*bundle) {
		body, _ := json.Marshal(map[string]string{"body": s})
		return func(b *bundle) { b.ask("POST", "issue/DEV-1/comment", string(body)) }
	}
	cases := []struct {
		name string
		send func(*bundle)
		want string
	}{
		{"mention", comment("hi [~accountid:x]"), "mention markup"},
		{"mention behind a line break", comment(`hi \\[~accountid:x]`), "mention markup"},
		{"image", comment("!http://x.example/a.png!"), "image markup"},
		{"hidden link", comment("[a|http://x.example]"), "link markup"},
		{"macro", comment("{code}"), "macro markup"},
		{"idempotency key", func(b *bundle) { b.ask("GET", "myself", "", "Idempotency-Key", "1") }, "Idempotency-Key"},
		{"key that is none", func(b *bundle) { b.ask("GET", "issue/nonsense", "") }, "neither a key nor an id"},
		{"key that leaves the path", func(b *bundle) { b.ask("GET", "myself?x=1", "") }, "unknown query parameter"},
		{"call that is none", func(b *bundle) { b.ask("GET", "nonsense", "") }, "no such call"},
		{"second create", func(b *bundle) { b.ask("POST", "issue", create(label)) }, "a second one"},
		{"author of a comment", func(b *bundle) { b.ask("POST", "issue/DEV-1/comment", `{"body":"x","author":{}}`) }, "read-only"},
		{"escaped", comment(`\[~x\] \!a.png\! \{code\} [http://x.example] wow! really! &#92;`), ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.ask("POST", "issue", create(label))
			c.send(b)
			got := strings.Join(b.Violations(), "\n")
			if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
				t.Errorf("wrote down %q, want %q", got, c.want)
			}
		})
	}
}

func TestSearchKnowsWhatItIsAsked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.AddIssue(jira.Issue{Project: "OPS", Labels: []string{"a"}, Description: "The intent ec-12-xy, said"})
	b.AddIssue(jira.Issue{Project: "DEV", Labels: []string{"b", "c"}, Summary: "ec-12"})
	cases := []struct {
		jql  string
		want []string
	}{
		{`labels = a`, []string{"OPS-1"}},
		{`labels = "c" OR labels = "a" ORDER BY created DESC`, []string{"OPS-1", "DEV-1"}},
		{`project in (OPS, "DEV") AND (labels = b OR labels = z)`, []string{"DEV-1"}},
		{`description ~ "\"ec-12-xy\""`, []string{"OPS-1"}},
		{`text ~ "EC-12"`, []string{"OPS-1", "DEV-1"}},
		{`key = OPS-1 AND project = DEV`, nil},
	}
	for _, c := range cases {
		code, body := b.ask("GET", "search/jql?fields=summary&jql="+url.QueryEscape(c.jql), "")
		var found struct{ Issues []struct{ Key string } }
		if err := json.Unmarshal([]byte(body), &found); err != nil || code != 200 {
			t.Fatalf("%s: %d %s", c.jql, code, body)
		}
		var keys []string
		for _, i := range found.Issues {
			keys = append(keys, i.Key)
		}
		if diff := cmp.Diff(c.want, keys); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.jql, diff)
		}
	}
}

func TestAMovedIssueIsFoundByItsOldKeyUntilItIsDeleted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	key := b.AddIssue(jira.Issue{Project: "OPS", Type: "Task"})
	moved, ok := b.MoveIssue(key, "DEV")
	if !ok || moved != "DEV-1" {
		t.Fatalf("moved to %q, %v", moved, ok)
	}
	if _, body := b.ask("GET", "issue/"+key+"?fields=created", ""); !strings.Contains(body, `"key":"DEV-1"`) || !strings.Contains(body, `"2026-03-01T09:00:00.123+0000"`) {
		t.Errorf("answered %s", body)
	}
	b.DeleteIssue(moved)
	if code, _ := b.ask("GET", "issue/"+key, ""); code != 404 {
		t.Errorf("deleted: answered %d", code)
	}
}

func TestWhoeverWaitsIsWokenByAChange(t *testing.T) {
	t.Parallel()
	b := setup(t)
	key := b.AddIssue(jira.Issue{Project: "OPS"})
	woken := b.Changed()
	select {
	case <-woken:
		t.Fatal("woken by nothing")
	default:
	}
	b.CommentAs(cto, key, "Signed off")
	<-woken
}

func TestPropertiesAreKept(t *testing.T) {
	t.Parallel()
	b := setup(t)
	key := b.AddIssue(jira.Issue{Project: "OPS"})
	if code, _ := b.ask("PUT", "issue/"+key+"/properties/p", `{"a":1}`); code != 201 {
		t.Errorf("new: %d", code)
	}
	if code, _ := b.ask("PUT", "issue/"+key+"/properties/p", `{"a":2}`); code != 200 {
		t.Errorf("again: %d", code)
	}
	if _, body := b.ask("GET", "issue/"+key+"/properties/p", ""); body != `{"key":"p","value":{"a":2}}` {
		t.Errorf("answered %s", body)
	}
}

func TestPeopleReadAndCommentInTheBrowser(t *testing.T) {
	t.Parallel()
	b := setup(t)
	key := b.AddIssue(jira.Issue{Project: "OPS", Type: "Task", Summary: "<b>s</b>", Creator: bot, Description: `*What*` + "\n" + `a \[b\] &#92; c`})
	get := func(path string) string {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, body := b.do(req)
		return body
	}
	form := url.Values{"account": {cto}, "body": {"Signed off"}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.url+"/browse/"+key+"/comment", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	code, page := b.do(req)
	if code != 200 || !strings.Contains(page, "Signed off") || strings.Contains(page, "<b>") || strings.Contains(page, "<CTO>") {
		t.Errorf("answered %d %s", code, page)
	}
	if all := get("/"); !strings.Contains(all, `href="/browse/OPS-1"`) {
		t.Errorf("the list is %s", all)
	}
	issue, _ := b.Issue(key)
	if len(issue.Comments) != 1 || issue.Comments[0].Author != cto {
		t.Errorf("comments are %+v", issue.Comments)
	}
	text := b.Render(key)
	for _, want := range []string{"OPS-1  <b>s</b>  [To Do]", "What\na [b] \\ c", "The <CTO>, 2026-03-01T09:00:00.123+0000:\n  Signed off"} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
}
