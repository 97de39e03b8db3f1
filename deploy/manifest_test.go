package deploy_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// manifest is what a Slack app manifest says and breakglass depends on.
type manifest struct {
	Display struct {
		Name        string `json:"name"`
		Description string `json:"description"`
	} `json:"display_information"`
	Features struct {
		Home struct {
			Tab          bool `json:"home_tab_enabled"`
			Messages     bool `json:"messages_tab_enabled"`
			MessagesRead bool `json:"messages_tab_read_only_enabled"`
		} `json:"app_home"`
		Bot struct {
			Name string `json:"display_name"`
		} `json:"bot_user"`
		Commands []command `json:"slash_commands"`
	} `json:"features"`
	OAuth struct {
		Scopes struct {
			Bot  []string `json:"bot"`
			User []string `json:"user"`
		} `json:"scopes"`
	} `json:"oauth_config"`
	Settings struct {
		Events struct {
			URL string   `json:"request_url"`
			Bot []string `json:"bot_events"`
		} `json:"event_subscriptions"`
		Interactivity struct {
			Enabled    bool   `json:"is_enabled"`
			URL        string `json:"request_url"`
			OptionsURL string `json:"message_menu_options_url"`
		} `json:"interactivity"`
		SocketMode bool `json:"socket_mode_enabled"`
	} `json:"settings"`
}

type command struct {
	Name        string `json:"command"`
	URL         string `json:"url"`
	Description string `json:"description"`
	Hint        string `json:"usage_hint"`
	Escape      bool   `json:"should_escape"`
}

var manifests = []string{"slack-manifest.http.json", "slack-manifest.socket.json"}

// scopes are the bot's rights, what each is for, and what in internal/slackapp
// needs it.
var scopes = map[string]struct{ what, used string }{
	"commands":          {"the slash command", "App) Commands() http.Handler"},
	"chat:write":        {"cards, asks and reminders", ".PostMessageContext("},
	"users:read":        {"whether somebody is a full member", ".GetUserInfoContext("},
	"users:read.email":  {"finding a person in AWS and incident.io", ".Profile.Email"},
	"usergroups:read":   {"groups given as slack_usergroup", ".GetUserGroupMembersContext("},
	"im:write":          {"opening a direct message", ".OpenConversationContext("},
	"im:history":        {"finding a direct message whose sending was never answered", ".GetConversationHistoryContext("},
	"app_mentions:read": {"the event app_mention", `"app_mention"`},
	"channels:history":  {"finding a card whose posting was never answered", ".GetConversationHistoryContext("},
	"groups:history":    {"the same in private channels", ".GetConversationHistoryContext("},
	"dnd:read":          {"whether a direct message would wake its reader", ".GetDNDInfoContext("},
}

func TestTheManifestsAskForExactlyTheRightsUsed(t *testing.T) {
	t.Parallel()
	edge := source(t, "slackapp")
	var want []string
	for scope, is := range scopes {
		want = append(want, scope)
		if !strings.Contains(edge, is.used) {
			t.Errorf("%s is for %s, but nothing has %s any more", scope, is.what, is.used)
		}
	}
	for _, name := range manifests {
		m := fromJSON[manifest](t, name)
		if diff := cmp.Diff(want, m.OAuth.Scopes.Bot, cmpopts.SortSlices(func(a, b string) bool { return a < b })); diff != "" {
			t.Errorf("%s: bot scopes, wanted (-), there (+):\n%s", name, diff)
		}
		if len(m.OAuth.Scopes.User) > 0 {
			t.Errorf("%s asks to act as people: %v", name, m.OAuth.Scopes.User)
		}
	}
}

func TestTheManifestsTurnOnWhatPeopleUse(t *testing.T) {
	t.Parallel()
	for _, name := range manifests {
		m := fromJSON[manifest](t, name)
		if diff := cmp.Diff([]string{"app_home_opened", "app_mention"}, m.Settings.Events.Bot); diff != "" {
			t.Errorf("%s: events, wanted (-), there (+):\n%s", name, diff)
		}
		if !m.Settings.Interactivity.Enabled || !m.Features.Home.Tab || !m.Features.Home.Messages || m.Features.Bot.Name == "" {
			t.Errorf("%s lacks buttons, the home tab, direct messages or the bot user", name)
		}
		if len(m.Features.Commands) != 1 || m.Features.Commands[0].Name != readExample(t).Slack.Command {
			t.Errorf("%s: commands %v, want the example's %s alone", name, m.Features.Commands, readExample(t).Slack.Command)
		}
	}
}

func TestTheManifestForHTTPNamesEveryRoute(t *testing.T) {
	t.Parallel()
	m := fromJSON[manifest](t, "slack-manifest.http.json")
	const at = "https://breakglass.example.com"
	for what, url := range map[string][2]string{
		"commands":      {m.Features.Commands[0].URL, at + "/slack/commands"},
		"events":        {m.Settings.Events.URL, at + "/slack/events"},
		"interactions":  {m.Settings.Interactivity.URL, at + "/slack/interactions"},
		"menus' option": {m.Settings.Interactivity.OptionsURL, at + "/slack/interactions"},
	} {
		if url[0] != url[1] {
			t.Errorf("%s go to %q, want %q", what, url[0], url[1])
		}
	}
	if m.Settings.SocketMode {
		t.Error("Socket Mode is on: Slack would call no URL")
	}
}

// TestTheManifestsDifferInTransportOnly turns one into the other.
func TestTheManifestsDifferInTransportOnly(t *testing.T) {
	t.Parallel()
	over := fromJSON[manifest](t, "slack-manifest.http.json")
	socket := fromJSON[manifest](t, "slack-manifest.socket.json")
	if !socket.Settings.SocketMode {
		t.Error("Socket Mode is off in its manifest")
	}
	over.Settings.SocketMode = true
	over.Settings.Events.URL = ""
	over.Settings.Interactivity.URL, over.Settings.Interactivity.OptionsURL = "", ""
	over.Features.Commands[0].URL = ""
	if diff := cmp.Diff(over, socket); diff != "" {
		t.Errorf("beyond the transport, http (-) and socket (+) differ:\n%s", diff)
	}
}

func TestTheManifestsSatisfySlacksSchema(t *testing.T) {
	t.Parallel()
	folder := os.Getenv("BREAKGLASS_CONTRACTS")
	if folder == "" {
		t.Skip("BREAKGLASS_CONTRACTS does not name the folder with the published documents")
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseRegexpEngine(withoutLookahead)
	schema, err := compiler.Compile(filepath.Join(folder, "specs", "slack-manifest.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range manifests {
		if err := schema.Validate(fromJSON[any](t, name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	wrong := fromJSON[map[string]any](t, manifests[0])
	wrong["display_information"] = map[string]any{}
	if schema.Validate(wrong) == nil {
		t.Error("a manifest without a name satisfies the schema: it was not applied")
	}
}

// withoutLookahead compiles the schema's patterns with Go's regexp, which has
// no lookahead; the schema uses one, to say that a domain starts with neither
// a dot nor a dash.
func withoutLookahead(pattern string) (jsonschema.Regexp, error) {
	const ahead, plain = `^(?![\.\-])([-a-z0-9\.])+`, `^[a-z0-9][-a-z0-9\.]*`
	compiled, err := regexp.Compile(strings.Replace(pattern, ahead, plain, 1))
	if err != nil {
		return nil, fmt.Errorf("compile the pattern %q: %w", pattern, err)
	}
	return compiled, nil
}
