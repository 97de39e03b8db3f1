package slack

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
)

// DefaultScopes lists the bot scopes that the application's manifest asks for.
func DefaultScopes() []string {
	return strings.Fields("commands chat:write users:read users:read.email usergroups:read im:write im:history " +
		"app_mentions:read channels:history groups:history dnd:read")
}

// Paths are where the application listens, below its URL.
type Paths struct {
	Commands    string // default /slack/commands
	Interactive string // default /slack/interactions
	Suggestions string // default: as Interactive
	Events      string // default /slack/events
}

// Options describe a workspace. Only Now is required.
type Options struct {
	Now           func() time.Time
	SigningSecret string   // default "signing-secret"
	BotToken      string   // default "xoxb-sandbox"
	AppToken      string   // for Socket Mode; default "xapp-sandbox"
	AppID         string   // default A0BREAKGLASS
	TeamID        string   // default T0SANDBOX
	TeamDomain    string   // default "sandbox"
	BotUserID     string   // default U0BREAKGLASS
	BotID         string   // default B0BREAKGLASS
	BotName       string   // default "breakglass"
	Scopes        []string // what the bot token was granted; nil: DefaultScopes
	Users         []User
	Usergroups    []Usergroup
	Channels      []Channel
	AppPaths      Paths
	SocketMode    bool          // deliver over Socket Mode instead of HTTP
	RateLimits    bool          // enforce Slack's rate limits
	AckTimeout    time.Duration // real time; default 3 s, as Slack has it
	Client        *http.Client  // for calls to the application, which AckTimeout bounds
}

// Workspace is the stand-in. It serves the Web API below /api/, response URLs
// below /response/ and Socket Mode at /socket. It is safe for concurrent use.
type Workspace struct {
	// Faults makes calls misbehave; a call's name is its method, such as
	// chat.postMessage, or "response_url", or "socket".
	Faults *fault.Plan

	opt     Options
	handler http.Handler

	mu           sync.Mutex
	url, appURL  string
	lastMicro    int64
	serial       int
	users        map[string]*User
	userOrder    []string
	groups       []*Usergroup
	channels     map[string]*Channel
	messages     map[string][]*Message // by channel, in order of ts
	ephemerals   map[string][]*Message // by reader
	drafts       map[string]stateValues
	modals       map[string][]*View // by user, the top one last
	homes        map[string]*View
	triggers     map[string]*trigger
	responseURLs map[string]*responseURL
	buckets      map[string]*bucket
	rateLimits   bool
	violations   []string
	calls        []Call
	sent         []Delivery
	sockets      []*socket
	tickets      map[string]bool
	turn         int

	feed feed
}

// New makes a workspace. Call SetURL once it is being served, and SetAppURL (or
// set Options.SocketMode) before anybody acts.
func New(o Options) *Workspace {
	setDefault(&o.SigningSecret, "signing-secret")
	setDefault(&o.BotToken, "xoxb-sandbox")
	setDefault(&o.AppToken, "xapp-sandbox")
	setDefault(&o.AppID, "A0BREAKGLASS")
	setDefault(&o.TeamID, "T0SANDBOX")
	setDefault(&o.TeamDomain, "sandbox")
	setDefault(&o.BotUserID, "U0BREAKGLASS")
	setDefault(&o.BotID, "B0BREAKGLASS")
	setDefault(&o.BotName, "breakglass")
	setDefault(&o.AppPaths.Commands, "/slack/commands")
	setDefault(&o.AppPaths.Interactive, "/slack/interactions")
	setDefault(&o.AppPaths.Suggestions, o.AppPaths.Interactive)
	setDefault(&o.AppPaths.Events, "/slack/events")
	if o.Scopes == nil {
		o.Scopes = DefaultScopes()
	}
	if o.AckTimeout == 0 {
		o.AckTimeout = 3 * time.Second
	}
	if o.Client == nil {
		o.Client = &http.Client{
			// An application that was restarted must not be called over a dead connection.
			Transport:     &http.Transport{DisableKeepAlives: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	w := &Workspace{
		Faults:       &fault.Plan{},
		opt:          o,
		users:        map[string]*User{},
		channels:     map[string]*Channel{},
		messages:     map[string][]*Message{},
		ephemerals:   map[string][]*Message{},
		drafts:       map[string]stateValues{},
		modals:       map[string][]*View{},
		homes:        map[string]*View{},
		triggers:     map[string]*trigger{},
		responseURLs: map[string]*responseURL{},
		buckets:      map[string]*bucket{},
		tickets:      map[string]bool{},
		rateLimits:   o.RateLimits,
		feed:         feed{changed: make(chan struct{})},
	}
	w.addUser(User{ID: o.BotUserID, Name: o.BotName, RealName: o.BotName, Bot: true})
	for _, u := range o.Users {
		w.addUser(u)
	}
	for _, g := range o.Usergroups {
		w.groups = append(w.groups, &g)
	}
	for _, c := range o.Channels {
		w.channels[c.ID] = &c
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/api/", w.serveAPI)
	mux.HandleFunc("/response/", w.serveResponse)
	mux.HandleFunc("/socket", w.serveSocket)
	w.handler = w.Faults.Handler(callName, mux)
	return w
}

func setDefault(s *string, v string) {
	if *s == "" {
		*s = v
	}
}

func callName(r *http.Request) string {
	if method, ok := strings.CutPrefix(r.URL.Path, "/api/"); ok {
		return method
	}
	if strings.HasPrefix(r.URL.Path, "/response/") {
		return "response_url"
	}
	return strings.TrimPrefix(r.URL.Path, "/")
}

// ServeHTTP answers the application's calls.
func (w *Workspace) ServeHTTP(rw http.ResponseWriter, r *http.Request) { w.handler.ServeHTTP(rw, r) }

// SetURL tells the workspace where it is served, such as http://127.0.0.1:4000.
func (w *Workspace) SetURL(u string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.url = strings.TrimSuffix(u, "/")
}

// SetAppURL tells where the application is; what people do is sent there.
func (w *Workspace) SetAppURL(u string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.appURL = strings.TrimSuffix(u, "/")
}

// APIURL answers what slack-go's OptionAPIURL wants, with its trailing slash.
func (w *Workspace) APIURL() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.url + "/api/"
}

// SetRateLimits turns Slack's rate limits on or off.
func (w *Workspace) SetRateLimits(on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rateLimits = on
}

// change runs f on the workspace's state alone, then wakes whoever waits and
// tells subscribers what f announced.
func (w *Workspace) change(f func()) {
	w.mu.Lock()
	func() {
		defer w.mu.Unlock()
		f()
		w.feed.broadcast()
	}()
	w.feed.drain()
}

// micro answers the present in microseconds, never the same one twice, since a
// message's ts is also its identity. Callers hold mu.
func (w *Workspace) micro() int64 {
	w.lastMicro = max(w.opt.Now().UnixMicro(), w.lastMicro+1)
	return w.lastMicro
}

// ts answers a fresh message timestamp. Callers hold mu.
func (w *Workspace) ts() string {
	m := w.micro()
	return fmt.Sprintf("%d.%06d", m/1e6, m%1e6)
}

// id answers a fresh identifier that begins with prefix. Callers hold mu.
func (w *Workspace) id(prefix string) string {
	w.serial++
	return fmt.Sprintf("%s0%07X", prefix, w.serial)
}

// secretID answers 16 hexadecimal digits that nobody can guess.
func secretID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return hex.EncodeToString(b[:])
}

// Call is one call of the Web API or of a response URL by the application.
type Call struct {
	Method string // such as chat.postMessage, or response_url
	Error  string // Slack's error code, or empty
	At     time.Time
}

// Calls lists the calls of a method, or every call when method is empty.
func (w *Workspace) Calls(method string) []Call {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.calls), func(c Call) bool { return method != "" && c.Method != method })
}
