package slackapp

import (
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// The payloads are decoded into types of our own, which hold what is needed and
// nothing more: blocks of messages and views are never read back, and a member
// that Slack adds or leaves out breaks nothing.

// command is a slash command.
type command struct {
	TeamID       string `json:"team_id"`
	EnterpriseID string `json:"enterprise_id"`
	AppID        string `json:"api_app_id"`
	ChannelID    string `json:"channel_id"`
	UserID       string `json:"user_id"`
	Command      string `json:"command"`
	Text         string `json:"text"`
	TriggerID    string `json:"trigger_id"`
	ResponseURL  string `json:"response_url"`
}

// commandOf reads a slash command's form.
func commandOf(form url.Values) command {
	return command{
		TeamID: form.Get("team_id"), EnterpriseID: form.Get("enterprise_id"), AppID: form.Get("api_app_id"),
		ChannelID: form.Get("channel_id"), UserID: form.Get("user_id"), Command: form.Get("command"),
		Text: form.Get("text"), TriggerID: form.Get("trigger_id"), ResponseURL: form.Get("response_url"),
	}
}

// interaction is a click, a submission, a closed form or a search in a list.
type interaction struct {
	Type        string     `json:"type"`
	AppID       string     `json:"api_app_id"`
	TriggerID   string     `json:"trigger_id"`
	ResponseURL string     `json:"response_url"`
	Team        *idOnly    `json:"team"` // null where an enterprise has installed the application
	Enterprise  *idOnly    `json:"enterprise"`
	User        clicker    `json:"user"`
	Channel     idOnly     `json:"channel"`
	Container   container  `json:"container"`
	View        *shownView `json:"view"`
	Actions     []action   `json:"actions"`
	ActionID    string     `json:"action_id"` // of a search
	BlockID     string     `json:"block_id"`  // of a search
	Value       string     `json:"value"`     // of a search: what was typed
}

type idOnly struct {
	ID string `json:"id"`
}

// clicker is who acted. In a shared channel their workspace may be another than
// the payload's.
type clicker struct {
	ID     string `json:"id"`
	TeamID string `json:"team_id"`
}

type container struct {
	Type        string `json:"type"`
	MessageTS   string `json:"message_ts"`
	ThreadTS    string `json:"thread_ts"` // empty outside threads
	ChannelID   string `json:"channel_id"`
	IsEphemeral bool   `json:"is_ephemeral"`
}

// shownView is a form as it stands on somebody's screen.
type shownView struct {
	ID              string `json:"id"`
	Type            string `json:"type"`
	CallbackID      string `json:"callback_id"`
	PrivateMetadata string `json:"private_metadata"`
	Hash            string `json:"hash"`
	State           struct {
		Values map[string]map[string]typed `json:"values"`
	} `json:"state"`
	Blocks []struct {
		Type    string `json:"type"`
		BlockID string `json:"block_id"`
	} `json:"blocks"`
}

// typed is what was typed into, or chosen in, one input.
type typed struct {
	Type             string   `json:"type"`
	Value            string   `json:"value"`
	SelectedOption   *option  `json:"selected_option"`
	SelectedOptions  []option `json:"selected_options"`
	SelectedUser     string   `json:"selected_user"`
	SelectedUsers    []string `json:"selected_users"`
	SelectedDate     string   `json:"selected_date"`
	SelectedDateTime int64    `json:"selected_date_time"`
}

type option struct {
	Value string `json:"value"`
	Text  struct {
		Text string `json:"text"`
	} `json:"text"`
}

func (t typed) option() string {
	if t.SelectedOption == nil {
		return ""
	}
	return t.SelectedOption.Value
}

// action is a button that was pressed, or an input whose change we asked to hear of.
type action struct {
	typed
	ActionID string `json:"action_id"`
	BlockID  string `json:"block_id"`
	ActionTS string `json:"action_ts"`
}

// pressed gives the action, if there is one.
func (i *interaction) pressed() (action, bool) {
	if len(i.Actions) == 0 {
		return action{}, false
	}
	return i.Actions[0], true
}

func (i *interaction) person() change.PersonID { return change.PersonID(i.User.ID) }

// workspace gives the workspace that sent the payload. Where an enterprise has
// installed the application there is none, and the person's own counts.
func (i *interaction) workspace() string {
	switch {
	case i.Team != nil && i.Team.ID != "":
		return i.Team.ID
	case i.User.TeamID != "":
		return i.User.TeamID
	case i.Enterprise != nil:
		return i.Enterprise.ID
	}
	return ""
}

// interactionOf decodes the payload of an interaction.
func interactionOf(raw []byte) (interaction, error) {
	var i interaction
	if err := json.Unmarshal(raw, &i); err != nil {
		return i, fmt.Errorf("decode an interaction: %w", err)
	}
	if i.Type == "" || i.User.ID == "" {
		return i, fmt.Errorf("decode an interaction: no type or no user")
	}
	return i, nil
}

// outerEvent is what the Events API sends.
type outerEvent struct {
	Type      string `json:"type"`
	Challenge string `json:"challenge"`
	TeamID    string `json:"team_id"`
	AppID     string `json:"api_app_id"`
	EventID   string `json:"event_id"`
	Event     struct {
		Type     string `json:"type"`
		User     string `json:"user"`
		Tab      string `json:"tab"`
		Channel  string `json:"channel"`
		TS       string `json:"ts"`
		ThreadTS string `json:"thread_ts"`
	} `json:"event"`
}
