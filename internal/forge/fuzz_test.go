package forge_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/forge"
)

// sameAnswer is a forge that answers every call the same.
type sameAnswer struct {
	status int
	body   string
	calls  int
}

func (a *sameAnswer) RoundTrip(r *http.Request) (*http.Response, error) {
	a.calls++
	return &http.Response{
		StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}, "Retry-After": {a.body[:min(len(a.body), 20)]}}, Body: io.NopCloser(strings.NewReader(a.body)),
	}, nil
}

// FuzzAnswers holds a look to its promise whatever the forge answers: it ends,
// with what can be used or an error that says what is known and shows no token,
// and nobody who is not named counts as a reviewer.
func FuzzAnswers(f *testing.F) {
	f.Add(200, `{"iid":12,"project_id":1,"number":12,"state":"merged","sha":"0123456789012345678901234567890123456789","web_url":"https://gitlab.com/a/b/-/merge_requests/12","author":{"id":1,"username":"a","login":"a"},"merged":true}`)
	f.Add(200, `[{"id":1,"username":"a","state":"APPROVED","user":{"login":"a"},"commit":{"author":{"email":"a@example.com"}}}]`)
	f.Add(200, `{"approved_by":[{"user":{"id":0,"username":""}}]}`)
	f.Add(200, `{"status":{"indicator":"none"},"components":[]}`)
	f.Add(404, `{"message":"github-token-that-nobody-may-see"}`)
	f.Add(429, "99999999999999999999")
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 || len(body) > 1<<16 || status >= 300 && status < 400 {
			return
		}
		server := &sameAnswer{status: status, body: body}
		c, err := forge.New(forge.Options{
			GitLabURL: "https://gitlab.com", GitLabToken: gitlabToken, GitHubAPIURL: "https://api.github.com", GitHubToken: githubToken,
			StatusURL: "https://www.githubstatus.com", Now: newClock().now, HTTPClient: &http.Client{Transport: server},
		})
		if err != nil {
			t.Fatal(err)
		}
		judge := func(call, token string, err error) {
			if err == nil {
				return
			}
			outside, ok := errors.AsType[*change.OutsideError](err)
			if !ok || outside.RetryAfter < 0 || token != "" && strings.Contains(err.Error()+outside.Say, token) {
				t.Fatalf("%s: %v", call, err)
			}
		}
		for address, token := range map[string]string{"https://gitlab.com/a/b/-/merge_requests/12": gitlabToken, "https://github.com/a/b/pull/12": githubToken} {
			ref, err := c.Parse(address)
			if err != nil {
				t.Fatal(err)
			}
			m, err := c.Look(t.Context(), ref)
			judge("Look", token, err)
			if err != nil {
				continue
			}
			independent := m.IndependentApprovals(nil)
			for _, a := range independent {
				if a.User == "" || a.Bot {
					t.Fatalf("an approval of nobody counts: %+v", a)
				}
			}
			_, err = c.Deployed(t.Context(), ref, "production")
			judge("Deployed", token, err)
		}
		_, err = c.Status(t.Context())
		judge("Status", "", err)
		if server.calls > 300 {
			t.Fatalf("%d calls were made", server.calls)
		}
	})
}
