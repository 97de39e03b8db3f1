// Package config turns the configuration file and the environment into typed
// settings and into change.Rules, and reports every mistake at once, each with
// its line. It imports change only; it opens nothing and calls nobody.
package config

import (
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// Config is a configuration without mistakes. A section that may be left out
// is nil where it was. Base URLs carry no slash at their end, but for Slack's.
type Config struct {
	Organization      string // as people know it; at most 150 characters
	ReleaseProcessURL string // where people are sent when it can wait
	HTTP              HTTP
	Slack             Slack
	AWS               *AWS        // nil: no access is granted through AWS
	Jira              *Jira       // nil: no tickets
	IncidentIO        *IncidentIO // nil: no incidents
	GitHub            *GitHub     // nil: no status evidence, pull requests are kept as text
	GitLab            *GitLab     // nil: merge requests are kept as text
	Rules             change.Rules
	Secrets           Secrets   // all empty after Check
	Warnings          []Problem // what works, but perhaps not as meant; sorted by position
}

// HTTP says where the listeners are. Port 0 takes any free port.
type HTTP struct {
	Listen        string // Slack, webhooks and health; default 127.0.0.1:8080
	MetricsListen string // /metrics; default 127.0.0.1:9090
}

// SlackMode is how Slack reaches breakglass.
type SlackMode string

// The modes.
const (
	SlackOverHTTP   SlackMode = "http"   // Slack posts to the public listener
	SlackOverSocket SlackMode = "socket" // breakglass dials Slack
)

// Slack is the workspace and its channels.
type Slack struct {
	Mode         SlackMode // default http
	TeamID       string    // T…; a payload from any other workspace is refused
	AppID        string    // A…; a payload for any other application is refused; empty: known in Socket Mode alone
	APIURL       string    // ends in a slash; default https://slack.com/api/
	Command      string    // with its slash; default /emergency
	Channel      string    // C… or G…
	AuditChannel string    // C… or G…; empty: nothing is posted there
}

// AWS is the Identity Center instance.
type AWS struct {
	Region          string // home region of the instance
	InstanceARN     string
	IdentityStoreID string
	AccessPortalURL string
	MaxInFlight     int           // creates under way at once, 1 to 10; default 8
	CallsPerSecond  int           // that may be made of Identity Center, 0 to 1000; 0: no limit; default 20, AWS's own
	EndpointURL     string        // empty: the SDK's own, which honours AWS_ENDPOINT_URL
	CensusEvery     time.Duration // between the beginnings of two rounds of the census, at least 10 min; default 6 h
}

// Jira is the site and the projects that may be touched.
type Jira struct {
	BaseURL             string
	Project             string   // where tickets are made
	LinkProjects        []string // holds Project; default: Project alone
	IssueType           string   // default Task
	PreventionIssueType string   // default: IssueType
	SecurityLevel       string   // of confidential changes' tickets, by id or name; empty: they say the number only
}

// IncidentIO is the account at incident.io.
type IncidentIO struct {
	BaseURL           string   // default https://api.incident.io
	MitigatedStatuses []string // names of live statuses; default: none
}

// GitHub is where its status and its pull requests are read.
type GitHub struct {
	StatusURL string // default https://www.githubstatus.com
	APIURL    string // default https://api.github.com
}

// GitLab is where merge requests are read.
type GitLab struct {
	BaseURL string // default https://gitlab.com
}
