package web_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
)

func TestOnlyThePageItselfActs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	self := b.url
	for name, c := range map[string]struct {
		header map[string]string
		host   string
		want   int
	}{
		"the page":                        {map[string]string{"Origin": self, "Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}, "", 200},
		"another site":                    {map[string]string{"Origin": "https://example.com", "Content-Type": "application/json"}, "", 403},
		"another site, a new browser":     {map[string]string{"Origin": "https://example.com", "Content-Type": "application/json", "Sec-Fetch-Site": "cross-site"}, "", 403},
		"another page of this machine":    {map[string]string{"Origin": "http://127.0.0.1:1", "Content-Type": "application/json", "Sec-Fetch-Site": "same-site"}, "", 403},
		"a form of another site":          {map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, "", 415},
		"a form that pretends":            {map[string]string{"Content-Type": "text/plain"}, "", 415},
		"a name that leads to us":         {map[string]string{"Content-Type": "application/json"}, "evil.example.com", 421},
		"a name that looks like us":       {map[string]string{"Content-Type": "application/json"}, "127.0.0.1.example.com:80", 421},
		"localhost, as people write it":   {map[string]string{"Content-Type": "application/json"}, "localhost:8000", 200},
		"the loopback address of IPv6":    {map[string]string{"Content-Type": "application/json"}, "[::1]:8000", 200},
		"an address that is not loopback": {map[string]string{"Content-Type": "application/json"}, "192.0.2.1:8000", 421},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.url+"/api/as/"+sandbox.Engineer+"/say", strings.NewReader(`{"channel":"C0GENERAL","text":"hello"}`))
		must(t, err)
		for k, v := range c.header {
			req.Header.Set(k, v)
		}
		req.Host = c.host
		before := len(b.world.Slack.Messages(sandbox.OtherChannel))
		resp, err := http.DefaultClient.Do(req)
		must(t, err)
		must(t, resp.Body.Close())
		if resp.StatusCode != c.want {
			t.Errorf("%s: status %d, want %d", name, resp.StatusCode, c.want)
		}
		if said := len(b.world.Slack.Messages(sandbox.OtherChannel)) > before; said != (c.want == 200) {
			t.Errorf("%s: the message was written: %t", name, said)
		}
	}
}

func TestNothingIsReadUnderAForeignName(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, path := range []string{"/", "/api/live?as=" + sandbox.Engineer} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url+path, nil)
		must(t, err)
		req.Host = "evil.example.com"
		resp, err := http.DefaultClient.Do(req)
		must(t, err)
		must(t, resp.Body.Close())
		if resp.StatusCode != http.StatusMisdirectedRequest {
			t.Errorf("%s: status %d", path, resp.StatusCode)
		}
	}
}

func TestThePageRunsNothingButItsOwnFiles(t *testing.T) {
	t.Parallel()
	b := setup(t)
	resp := b.fetch(http.MethodGet, b.url+"/")
	body, err := io.ReadAll(resp.Body)
	must(t, err)
	must(t, resp.Body.Close())
	policy := resp.Header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "script-src 'self' 'sha256-", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(policy, part) {
			t.Errorf("the policy %q lacks %q", policy, part)
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Errorf("the policy allows what is unsafe: %s", policy)
	}
	if strings.Contains(string(body), "https://") || strings.Contains(string(body), "style=") || strings.Contains(string(body), "onclick") {
		t.Error("the page loads from elsewhere, or holds styles or scripts of its own")
	}
	for _, path := range []string{"/js/main.js", "/vendor/preact.mjs"} {
		resp := b.fetch(http.MethodGet, b.url+path)
		must(t, resp.Body.Close())
		if got := resp.Header.Get("Content-Type"); resp.StatusCode != 200 || !strings.HasPrefix(got, "text/javascript") {
			t.Errorf("%s: %d %s", path, resp.StatusCode, got)
		}
	}
}
