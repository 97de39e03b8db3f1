package slackapp

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/workflow"
)

// People says who people are and who belongs to groups, live.
type People interface {
	// Person looks somebody up.
	Person(ctx context.Context, id change.PersonID) (change.Person, error)
	// Groups looks groups up. A group whose source did not answer is not Known.
	Groups(ctx context.Context, ids []change.GroupID) change.GroupView
}

// AWSPerson finds people in AWS.
type AWSPerson interface {
	FindUser(ctx context.Context, email string) (change.AWSUser, error)
	CheckUser(ctx context.Context, userID string) (change.AWSUser, error)
}

// AWSAccess tells whether somebody has an access already.
type AWSAccess interface {
	Assigned(ctx context.Context, key change.AssignmentKey) (bool, error)
}

// Tickets reads Jira tickets.
type Tickets interface {
	// ParseKey reads a key or a ticket's address. It refuses other projects.
	ParseKey(s string) (string, error)
	Ticket(ctx context.Context, keyOrID string) (change.Ticket, error)
}

// Incidents reads incident.io.
type Incidents interface {
	Live(ctx context.Context) ([]change.Incident, error)
	Recent(ctx context.Context) ([]change.Incident, error)
	Incident(ctx context.Context, id string) (change.Incident, error)
	ByReferenceOrURL(ctx context.Context, s string) (change.Incident, error)
	// Severities lists the severities that an incident may be opened with.
	Severities(ctx context.Context) ([]change.IncidentSeverity, error)
	// IsIncidentURL tells whether s is an incident's address. It calls nobody.
	IsIncidentURL(s string) bool
}

// Lookups are the other systems that a form asks about what was typed. Each may
// be nil where the configuration has no such system.
type Lookups struct {
	Person    AWSPerson
	Access    AWSAccess
	Tickets   Tickets
	Incidents Incidents

	MergeRequests MergeRequests // also without a forge: addresses are kept as text then
}

// Config is what the edge needs of the configuration besides the rules.
type Config struct {
	TeamID        string // a payload from any other workspace is refused
	AppID         string // a payload for any other application is refused; empty: any, until Socket Mode tells it
	SigningSecret string // of the HTTP mode; without it every request is refused
	Command       string // such as /emergency
	Channel       string // where changes are announced
	AuditChannel  string // may be empty
	ReleaseURL    string // where people are sent when it can wait
	Organization  string
	PortalURL     string // AWS's access portal; may be empty
	APIURL        string // Slack's Web API; response addresses of its host are trusted, besides Slack's own
}

// App is Slack's edge, inwards. All fields but those of Lookups, HTTP and
// Observe are needed.
type App struct {
	Slack    *slack.Client
	Ledger   *ledger.Ledger
	Workflow *workflow.Workflow
	People   People
	Lookups  Lookups
	Rules    change.Rules
	Config   Config
	HTTP     *http.Client // posts replies to response addresses; nil: one with a timeout of 5 s
	Now      func() time.Time
	Log      *slog.Logger
	// Observe hears of each payload of Socket Mode how it was answered, as HTTP would
	// say it, and how long that took; nil: nobody counts.
	Observe func(door string, status int, took time.Duration)

	attention  attention
	flood      flood
	replays    replays
	updates    updates
	incidents  incidentCache
	severities severityCache
	socket     socketState
	replies    sync.WaitGroup
}

// slackRetries is how often a call that Slack has throttled is repeated.
const slackRetries = 2

// NewClient makes a client of Slack's Web API. apiURL is as in the configuration;
// client needs a timeout. Only throttled calls are repeated: after a broken
// connection a message may have been posted.
func NewClient(apiURL, token string, client *http.Client, more ...slack.Option) *slack.Client {
	if len(apiURL) > 0 && apiURL[len(apiURL)-1] != '/' {
		apiURL += "/"
	}
	options := []slack.Option{slack.OptionHTTPClient(client)}
	if apiURL != "" {
		options = append(options, slack.OptionAPIURL(apiURL))
	}
	options = append(options, more...)
	return slack.New(token, append(options, slack.OptionRetry(slackRetries))...) // the retry wraps the client, so it comes last
}

// Wait returns once every reply that is under way was posted.
func (a *App) Wait() { a.replies.Wait() }

func (a *App) http() *http.Client {
	if a.HTTP != nil {
		return a.HTTP
	}
	return &http.Client{Timeout: 5 * time.Second}
}
