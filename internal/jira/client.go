package jira

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	gojira "github.com/andygrunwald/go-jira"
)

const (
	defaultTimeout = 10 * time.Second
	maxAnswer      = 16 << 20 // a page of comments in escaped JSON stays well below
	maxErrorAnswer = 64 << 10
)

// Options says which Jira, as whom, and which projects.
type Options struct {
	// BaseURL is where people browse, such as https://example.atlassian.net. It
	// must be https, or http on a loopback address.
	BaseURL string
	Email   string
	Token   string
	// Project gets the new tickets. LinkProjects may be linked too. No other
	// project is ever read or written.
	Project      string
	LinkProjects []string
	// Timeout bounds each call, reading the answer included. Zero: 10 s.
	Timeout time.Duration
	// Transport carries the requests. Nil: the standard one.
	Transport http.RoundTripper
	// Now is needed for a Retry-After that names a date. Required.
	Now func() time.Time
}

// Client speaks to one Jira. It is safe for concurrent use.
type Client struct {
	api      *gojira.Client
	base     *url.URL
	secret   string
	projects []string // sorted
	now      func() time.Time

	mu   sync.Mutex
	self string // own accountId, once known
}

// New checks the options and makes a client. It calls nobody.
func New(opt Options) (*Client, error) {
	base, err := checkURL(opt.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("jira base_url: %w", err)
	}
	if opt.Now == nil || opt.Email == "" || opt.Token == "" {
		return nil, errors.New("jira needs a clock, an e-mail address and an API token")
	}
	projects := slices.Clone(opt.LinkProjects)
	if opt.Project != "" {
		projects = append(projects, opt.Project)
	}
	slices.Sort(projects)
	next := opt.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	timeout := opt.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	auth := &gojira.BasicAuthTransport{Username: opt.Email, Password: opt.Token, Transport: bounded{next}}
	api, err := gojira.NewClient(&http.Client{
		Transport: auth, Timeout: timeout,
		// The transport would hand the token to wherever a redirect leads.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, base.String())
	if err != nil {
		return nil, fmt.Errorf("jira client: %w", err)
	}
	return &Client{api: api, base: base, secret: opt.Token, projects: slices.Compact(projects), now: opt.Now}, nil
}

func checkURL(s string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSuffix(s, "/"))
	if err != nil {
		return nil, fmt.Errorf("%q is not a URL", s)
	}
	host := u.Hostname()
	loopback := host == "localhost" || net.ParseIP(host).IsLoopback()
	switch {
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback):
		return nil, fmt.Errorf("%s must be https, or http on a loopback address", u.Redacted())
	case host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("%s must be a scheme, a host and a path only", u.Redacted())
	}
	return u, nil
}

// bounded cuts answers off, so that nobody can fill the memory.
type bounded struct{ next http.RoundTripper }

// RoundTrip passes a request on and bounds the body of its answer.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err // http.Client wraps it with the request
	}
	limit := int64(maxAnswer)
	if resp.StatusCode >= http.StatusMultipleChoices {
		limit = maxErrorAnswer
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, limit), resp.Body}
	return resp, nil
}

// send makes a request that the library has no method for. path is relative to
// the API's address and made of checked parts only; out may be nil.
func (c *Client) send(ctx context.Context, call, method, path string, body, out any) error {
	req, err := c.api.NewRequestWithContext(ctx, method, path, body)
	if err != nil {
		return c.refuse(call, "Jira could not be asked.", err)
	}
	resp, err := c.api.Do(req, out)
	if err != nil {
		return c.failure(call, resp, err)
	}
	if out == nil {
		drain(resp)
	}
	return nil
}

// drain frees the connection of an answer that holds nothing of interest.
func drain(resp *gojira.Response) {
	if resp != nil && resp.Body != nil {
		_, _ = io.Copy(io.Discard, resp.Body) // bounded; a broken rest changes nothing
		_ = resp.Body.Close()
	}
}

// Identity answers the accountId as which breakglass is signed in. It asks Jira
// each time, so that a check of the configuration is one.
func (c *Client) Identity(ctx context.Context) (string, error) {
	const call = "myself"
	me, resp, err := c.api.User.GetSelfWithContext(ctx)
	if err != nil {
		return "", c.failure(call, resp, err)
	}
	if me.AccountID == "" {
		return "", c.unreadable(call, errors.New("no accountId in the answer"))
	}
	c.mu.Lock()
	c.self = me.AccountID
	c.mu.Unlock()
	return me.AccountID, nil
}

// own is Identity, asked once.
func (c *Client) own(ctx context.Context) (string, error) {
	c.mu.Lock()
	self := c.self
	c.mu.Unlock()
	if self != "" {
		return self, nil
	}
	return c.Identity(ctx)
}
