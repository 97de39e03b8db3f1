// Package forge reads merge requests on GitLab and pull requests on GitHub,
// deployments on GitLab, and GitHub's status page. It writes nothing anywhere.
//
// Only configured hosts are ever called, so that no address that somebody
// typed can make this program call elsewhere or carry a token away. Every
// failed call is a *change.OutsideError: a forge that is down means that
// nothing is known, never that something is not approved. It imports change
// only.
package forge

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Options are the settings of a Client. A forge whose address is empty is not
// there.
type Options struct {
	GitLabURL    string // such as https://gitlab.com, or https://host/path
	GitLabToken  string // empty: asked without one
	GitHubAPIURL string // such as https://api.github.com, or https://host/api/v3
	GitHubURL    string // where people see pull requests; derived from GitHubAPIURL unless set
	GitHubToken  string // empty: asked without one
	StatusURL    string // such as https://www.githubstatus.com

	Now        func() time.Time // required
	Timeout    time.Duration    // of each call; 10 s unless set
	HTTPClient *http.Client     // nil: a fresh one; its redirects are not followed
}

// Client reads the forges. It is safe for concurrent use.
type Client struct {
	gitlab  *site // nil: not configured
	github  *site // nil: not configured
	status  *site // nil: not configured
	http    *http.Client
	now     func() time.Time
	timeout time.Duration
}

// site is one place that is called.
type site struct {
	name   string   // for people
	api    string   // where paths of calls begin, without a slash at the end
	web    *url.URL // where people see things; nil where nobody does
	token  string
	header http.Header // of every call
}

// New makes a client. It fails when an address cannot be used or the clock is
// missing; it calls nobody.
func New(opts Options) (*Client, error) {
	if opts.Now == nil {
		return nil, errors.New("forge: a clock is required")
	}
	c := &Client{http: &http.Client{}, now: opts.Now, timeout: opts.Timeout}
	if c.timeout <= 0 {
		c.timeout = 10 * time.Second
	}
	if opts.HTTPClient != nil {
		own := *opts.HTTPClient
		c.http = &own
	}
	// A redirect would carry a token somewhere that nobody configured.
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if err := c.sites(opts); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Client) sites(opts Options) error {
	if opts.GitLabURL != "" {
		base, err := webURL("GitLab's address", opts.GitLabURL)
		if err != nil {
			return err
		}
		c.gitlab = &site{name: "GitLab", api: base.String() + "/api/v4", web: base, token: opts.GitLabToken, header: http.Header{
			"Accept": {"application/json"}, "User-Agent": {"breakglass"},
		}}
		if opts.GitLabToken != "" {
			c.gitlab.header.Set("Authorization", "Bearer "+opts.GitLabToken)
		}
	}
	if opts.GitHubAPIURL != "" {
		api, err := webURL("the address of GitHub's API", opts.GitHubAPIURL)
		if err != nil {
			return err
		}
		web := webOf(api)
		if opts.GitHubURL != "" {
			if web, err = webURL("GitHub's address", opts.GitHubURL); err != nil {
				return err
			}
		}
		// GitHub refuses a call that does not say who calls.
		c.github = &site{name: "GitHub", api: api.String(), web: web, token: opts.GitHubToken, header: http.Header{
			"Accept": {"application/vnd.github+json"}, "User-Agent": {"breakglass"}, "X-Github-Api-Version": {"2022-11-28"},
		}}
		if opts.GitHubToken != "" {
			c.github.header.Set("Authorization", "Bearer "+opts.GitHubToken)
		}
	}
	if opts.StatusURL != "" {
		base, err := webURL("the address of GitHub's status page", opts.StatusURL)
		if err != nil {
			return err
		}
		c.status = &site{name: "GitHub's status page", api: base.String(), header: http.Header{
			"Accept": {"application/json"}, "User-Agent": {"breakglass"},
		}}
	}
	return nil
}

// webURL reads an address that calls begin with. An error does not repeat it,
// because it may hold a password.
func webURL(what, set string) (*url.URL, error) {
	u, err := url.Parse(set)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("forge: %s is not an http or https URL", what)
	}
	host := strings.ToLower(u.Host)
	if u.Scheme == "https" {
		host = strings.TrimSuffix(host, ":443")
	}
	return &url.URL{Scheme: u.Scheme, Host: host, Path: strings.TrimRight(u.Path, "/")}, nil
}

// webOf is where people see what an API of GitHub answers: api.github.com is
// github.com, api.NAME.ghe.com is NAME.ghe.com, and an enterprise server has
// its API under /api/v3.
func webOf(api *url.URL) *url.URL {
	web := &url.URL{Scheme: api.Scheme, Host: api.Host}
	if bare, ok := strings.CutPrefix(api.Host, "api."); ok && (bare == "github.com" || strings.HasSuffix(bare, ".ghe.com")) {
		web.Host = bare
	}
	return web
}
