// Package incidentio reads and writes incidents at incident.io: which are
// active, notes in their timelines, attachments, follow-ups, who is on call,
// and the webhooks that hint at changes.
//
// It is a small client over net/http, because incident.io publishes none. It
// imports change only. Every failed call is a *change.OutsideError. New values
// of any enumeration are carried through and never fail.
package incidentio

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Options are the settings of a Client.
type Options struct {
	BaseURL           string           // https://api.incident.io unless set
	AppURL            string           // where people see incidents; https://app.incident.io unless set
	APIKey            string           // required
	HTTPClient        *http.Client     // nil: a fresh one; its redirects are not followed
	Now               func() time.Time // required
	Timeout           time.Duration    // of each call; 10 s unless set
	MitigatedStatuses []string         // names of live statuses in which an incident counts as mitigated; case does not matter
	Roles             []string         // that the key must have; viewer, incident_creator and incident_editor unless set
}

// Client talks to incident.io. It is safe for concurrent use.
type Client struct {
	base      string
	appHost   string
	key       string
	http      *http.Client
	now       func() time.Time
	timeout   time.Duration
	mitigated map[string]bool
	roles     []string
}

// New makes a client. It fails when a required option is missing or a URL
// cannot be read; it calls nobody.
func New(opts Options) (*Client, error) {
	if opts.APIKey == "" {
		return nil, errors.New("incident.io: an API key is required")
	}
	if opts.Now == nil {
		return nil, errors.New("incident.io: a clock is required")
	}
	base, err := webURL(opts.BaseURL, "https://api.incident.io")
	if err != nil {
		return nil, err
	}
	app, err := webURL(opts.AppURL, "https://app.incident.io")
	if err != nil {
		return nil, err
	}
	c := &Client{
		base:      strings.TrimRight(base.String(), "/"),
		appHost:   strings.ToLower(app.Host),
		key:       opts.APIKey,
		http:      &http.Client{},
		now:       opts.Now,
		timeout:   opts.Timeout,
		mitigated: map[string]bool{},
		roles:     opts.Roles,
	}
	if opts.HTTPClient != nil {
		own := *opts.HTTPClient
		c.http = &own
	}
	// A redirect would carry the key somewhere that nobody configured.
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if c.timeout <= 0 {
		c.timeout = 10 * time.Second
	}
	if c.roles == nil {
		c.roles = []string{"viewer", "incident_creator", "incident_editor"}
	}
	for _, name := range opts.MitigatedStatuses {
		c.mitigated[strings.ToLower(name)] = true
	}
	return c, nil
}

func webURL(set, otherwise string) (*url.URL, error) {
	if set == "" {
		set = otherwise
	}
	u, err := url.Parse(set)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil {
		return nil, errors.New("incident.io: the configured address is not an http or https URL")
	}
	return u, nil
}
