package slack_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	slackgo "github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

func TestPeopleAreWhatTheyAre(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	ctx := t.Context()
	who, err := b.api.AuthTestContext(ctx)
	must(t, err)
	if who.TeamID != "T0SANDBOX" || who.UserID != "U0BREAKGLASS" || who.BotID != "B0BREAKGLASS" {
		t.Errorf("auth.test = %+v", who)
	}
	get := func(id string) *slackgo.User {
		u, err := b.api.GetUserInfoContext(ctx, id)
		must(t, err)
		return u
	}
	if u := get("U0ADA"); u.Profile.Email != "ada@example.com" || u.TZ != "Europe/Vienna" || u.TZOffset != 3600 || u.IsRestricted {
		t.Errorf("a member: %+v", u)
	}
	if u := get("U0GUEST"); !u.IsRestricted || !u.IsUltraRestricted {
		t.Errorf("a guest: %+v", u)
	}
	if u := get("U0FAR"); !u.IsStranger || u.TeamID != "T0ELSEWHERE" {
		t.Errorf("a stranger: %+v", u)
	}
	if u := get("U0GONE"); !u.Deleted {
		t.Errorf("a former member: %+v", u)
	}
	if u := get("U0BREAKGLASS"); !u.IsBot {
		t.Errorf("the bot: %+v", u)
	}
	if _, err := b.api.GetUserInfoContext(ctx, "U0NOBODY"); code(err) != "user_not_found" {
		t.Errorf("nobody: %v", err)
	}
	all, err := b.api.GetUsersContext(ctx, slackgo.GetUsersOptionLimit(2))
	must(t, err)
	if len(all) != 5 { // all but the stranger, over three pages
		t.Errorf("users.list answers %d accounts", len(all))
	}
	groups, err := b.api.GetUserGroupsContext(ctx, slackgo.GetUserGroupsOptionIncludeUsers(true))
	must(t, err)
	if len(groups) != 1 || !slices.Equal(groups[0].Users, []string{"U0CTO"}) {
		t.Errorf("groups = %+v", groups)
	}
	members, err := b.api.GetUserGroupMembersContext(ctx, "S0CTO")
	must(t, err)
	if !slices.Equal(members, []string{"U0CTO"}) {
		t.Errorf("members = %v", members)
	}
	b.ws.SetDoNotDisturb("U0CTO", b.clock.Now(), b.clock.Now().Add(time.Hour))
	user := "U0CTO"
	dnd, err := b.api.GetDNDInfoContext(ctx, &user)
	must(t, err)
	if !dnd.Enabled || int64(dnd.NextEndTimestamp) != b.clock.Now().Add(time.Hour).Unix() {
		t.Errorf("dnd = %+v", dnd)
	}
	slack.RequireNoViolations(t, b.ws)
}

func TestMessagesCanBeFoundAgainByTheirMetadata(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	ctx := t.Context()
	for _, text := range []string{"one", "two", "three"} {
		_, _, err := b.api.PostMessageContext(ctx, "C0PROD", slackgo.MsgOptionText(text, false),
			slackgo.MsgOptionMetadata(slackgo.SlackMetadata{EventType: "change", EventPayload: map[string]any{"nonce": text}}))
		must(t, err)
		b.clock.Add(time.Minute)
	}
	root := b.ws.Messages("C0PROD")[1]
	_, _, err := b.api.PostMessageContext(ctx, "C0PROD", slackgo.MsgOptionText("a reply", false), slackgo.MsgOptionTS(root.TS))
	must(t, err)

	var texts []string
	params := &slackgo.GetConversationHistoryParameters{ChannelID: "C0PROD", Limit: 2, IncludeAllMetadata: true}
	for {
		page, err := b.api.GetConversationHistoryContext(ctx, params)
		must(t, err)
		for _, m := range page.Messages {
			texts = append(texts, m.Text)
			if m.Metadata.EventPayload["nonce"] != m.Text {
				t.Errorf("metadata of %q = %+v", m.Text, m.Metadata)
			}
		}
		if !page.HasMore {
			break
		}
		params.Cursor = page.ResponseMetaData.NextCursor
	}
	if !slices.Equal(texts, []string{"three", "two", "one"}) {
		t.Errorf("history = %v", texts)
	}
	since, err := b.api.GetConversationHistoryContext(ctx, &slackgo.GetConversationHistoryParameters{ChannelID: "C0PROD", Oldest: root.TS})
	must(t, err)
	if len(since.Messages) != 1 || since.Messages[0].Metadata.EventType != "" {
		t.Errorf("since the second, and without metadata: %+v", since.Messages)
	}
	replies, _, _, err := b.api.GetConversationRepliesContext(ctx, &slackgo.GetConversationRepliesParameters{ChannelID: "C0PROD", Timestamp: root.TS})
	must(t, err)
	if len(replies) != 2 || replies[0].ReplyCount != 1 || replies[1].Text != "a reply" {
		t.Errorf("thread = %+v", replies)
	}
	if got := b.ws.Thread("C0PROD", root.TS); len(got) != 2 {
		t.Errorf("Thread = %+v", got)
	}
	link, err := b.api.GetPermalinkContext(ctx, &slackgo.PermalinkParameters{Channel: "C0PROD", Ts: root.TS})
	must(t, err)
	if link != "https://sandbox.slack.com/archives/C0PROD/p"+strings.ReplaceAll(root.TS, ".", "") {
		t.Errorf("permalink = %s", link)
	}
}

func TestAMessageIsEditedAndDeletedAsInSlack(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	ctx := t.Context()
	channel, _, _, err := b.api.OpenConversationContext(ctx, &slackgo.OpenConversationParameters{Users: []string{"U0ADA"}})
	must(t, err)
	_, ts, err := b.api.PostMessageContext(ctx, "U0ADA", slackgo.MsgOptionText("hello", false), slackgo.MsgOptionBlocks(card("x", "y", "z")...))
	must(t, err)
	if b.ws.DMChannel("U0ADA") != channel.ID {
		t.Errorf("conversations.open answers %s, posting to the person went to %s", channel.ID, b.ws.DMChannel("U0ADA"))
	}
	_, _, _, err = b.api.UpdateMessageContext(ctx, channel.ID, ts, slackgo.MsgOptionText("hello again", false))
	must(t, err)
	if m := b.ws.DMs("U0ADA")[0]; m.Blocks != nil || m.Text != "hello again" || len(m.Edits) != 1 || len(m.Edits[0].Blocks) != 4 {
		t.Errorf("text without blocks leaves %+v", m)
	}
	_, _, err = b.api.DeleteMessageContext(ctx, channel.ID, ts)
	must(t, err)
	if len(b.ws.DMs("U0ADA")) != 0 || len(b.ws.DeletedMessages(channel.ID)) != 1 {
		t.Error("the message was not deleted")
	}
	_, _, _, err = b.api.UpdateMessageContext(ctx, channel.ID, ts, slackgo.MsgOptionText("too late", false))
	if code(err) != "message_not_found" {
		t.Errorf("updating a deleted message: %v", err)
	}
	theirs := b.ws.Person("U0ADA").Say("C0PROD", "mine")
	if _, _, _, err = b.api.UpdateMessageContext(ctx, "C0PROD", theirs.TS, slackgo.MsgOptionText("no", false)); code(err) != "cant_update_message" {
		t.Errorf("updating somebody's message: %v", err)
	}
	slack.RequireNoViolations(t, b.ws)
}

func TestPlacesThatTheBotCannotPostInSayWhy(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	for channel, want := range map[string]string{
		"C0OTHER": "not_in_channel", "C0SECRET": "channel_not_found", "C0OLD": "is_archived", "C0NOWHERE": "channel_not_found", "U0GONE": "channel_not_found",
	} {
		if _, _, err := b.api.PostMessageContext(t.Context(), channel, slackgo.MsgOptionText("x", false)); code(err) != want {
			t.Errorf("posting to %s: %v, want %s", channel, err, want)
		}
	}
	slack.RequireNoViolations(t, b.ws)
}

func TestAResponseURLLastsFiveUsesAndHalfAnHour(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	ctx := t.Context()
	url := func() string {
		p, err := b.ws.Person("U0ADA").CommandPayload("C0PROD", "/emergency", "")
		must(t, err)
		return p["response_url"].(string)
	}
	say := func(url string) error {
		_, _, err := b.api.PostMessageContext(ctx, "", slackgo.MsgOptionResponseURL(url, "ephemeral"), slackgo.MsgOptionText("psst", false))
		return err
	}
	first, second := url(), url()
	for range 5 {
		must(t, say(first))
	}
	if len(b.ws.Ephemerals("U0ADA")) != 5 {
		t.Errorf("ephemeral messages: %d", len(b.ws.Ephemerals("U0ADA")))
	}
	slack.RequireNoViolations(t, b.ws)
	if say(first) == nil {
		t.Error("a sixth use was let through")
	}
	b.clock.Add(31 * time.Minute)
	if say(second) == nil {
		t.Error("a use after 31 minutes was let through")
	}
	wantViolations(t, b.ws, "used_url", "expired_url")
}

func TestAnEphemeralMessageIsReplacedThroughItsResponseURL(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	ctx, ada := t.Context(), b.ws.Person("U0ADA")
	_, err := b.api.PostEphemeralContext(ctx, "C0PROD", "U0ADA", slackgo.MsgOptionText("choose", false), slackgo.MsgOptionBlocks(card("x", "y", "Show")...))
	must(t, err)
	p, err := ada.ClickPayload(b.ws.Ephemerals("U0ADA")[0], "Show")
	must(t, err)
	if p["message"] != nil || p["container"].(map[string]any)["is_ephemeral"] != true {
		t.Errorf("a click on an ephemeral message tells its content: %v", p["message"])
	}
	url := p["response_url"].(string)
	_, _, err = b.api.PostMessageContext(ctx, "", slackgo.MsgOptionReplaceOriginal(url), slackgo.MsgOptionText("chosen", false))
	must(t, err)
	if got := b.ws.Ephemerals("U0ADA"); len(got) != 1 || got[0].Text != "chosen" || got[0].Blocks != nil {
		t.Errorf("after replacing: %+v", got)
	}
	_, _, err = b.api.PostMessageContext(ctx, "", slackgo.MsgOptionDeleteOriginal(url))
	must(t, err)
	if got := b.ws.Ephemerals("U0ADA"); len(got) != 0 {
		t.Errorf("after deleting: %+v", got)
	}
}

func TestTokensAndScopesAreEnforced(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *slack.Options) {
		o.Scopes = []string{"chat:write", "users:read"}
		o.Users[0].Email = "ada@example.com"
	})
	ctx := t.Context()
	_, err := b.api.GetUserGroupsContext(ctx)
	var e slackgo.SlackErrorResponse
	if !errors.As(err, &e) || e.Err != "missing_scope" {
		t.Errorf("usergroups.list without its scope: %v", err)
	}
	raw := call(t, b.ws.APIURL()+"usergroups.list", "xoxb-sandbox", "")
	if raw["needed"] != "usergroups:read" || raw["provided"] != "chat:write,users:read" {
		t.Errorf("missing_scope says %v", raw)
	}
	if u, err := b.api.GetUserInfoContext(ctx, "U0ADA"); err != nil || u.Profile.Email != "" {
		t.Errorf("without users:read.email: %v %+v", err, u)
	}
	for token, want := range map[string]string{"": "not_authed", "xoxb-other": "invalid_auth", "xapp-sandbox": "not_allowed_token_type"} {
		if got := call(t, b.ws.APIURL()+"auth.test", token, ""); got["error"] != want {
			t.Errorf("token %q: %v, want %s", token, got["error"], want)
		}
	}
	if got := call(t, b.ws.APIURL()+"apps.connections.open", "xoxb-sandbox", ""); got["error"] != "not_allowed_token_type" {
		t.Errorf("opening a socket with the bot token: %v", got)
	}
	if got := call(t, b.ws.APIURL()+"chat.scream", "xoxb-sandbox", ""); got["error"] != "unknown_method" {
		t.Errorf("an unknown method: %v", got)
	}
	wantViolations(t, b.ws, "missing_scope", "missing_scope", "not_authed", "invalid_auth", "not_allowed_token_type", "not_allowed_token_type", "unknown_method")
}

func TestRateLimitsApplyWhenAskedFor(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *slack.Options) { o.RateLimits = true })
	post := func() error {
		_, _, err := b.api.PostMessageContext(t.Context(), "C0PROD", slackgo.MsgOptionText("x", false))
		return err
	}
	for range 3 {
		must(t, post())
	}
	var limited *slackgo.RateLimitedError
	if err := post(); !errors.As(err, &limited) || limited.RetryAfter != time.Second {
		t.Fatalf("a fourth message at once: %v", err)
	}
	b.clock.Add(time.Second)
	must(t, post())
	if n := len(b.ws.Messages("C0PROD")); n != 4 {
		t.Errorf("%d messages, want 4", n)
	}
}

func TestFaultsStrikeTheMethodTheyName(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.ws.Faults.Add(fault.Fault{Kind: fault.ReplyLost, Call: "chat.postMessage", Times: 1})
	_, err := b.api.AuthTestContext(t.Context())
	must(t, err)
	if _, _, err := b.api.PostMessageContext(t.Context(), "C0PROD", slackgo.MsgOptionText("x", false)); err == nil {
		t.Error("the reply was not lost")
	}
	if len(b.ws.Messages("C0PROD")) != 1 {
		t.Error("a lost reply means that the message was posted")
	}
}

// code answers Slack's error code.
func code(err error) string {
	var e slackgo.SlackErrorResponse
	if errors.As(err, &e) {
		return e.Err
	}
	return ""
}

// call posts JSON without slack-go.
func call(t *testing.T, url, token, body string) map[string]any {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	must(t, err)
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	must(t, err)
	var out map[string]any
	must(t, json.Unmarshal(raw, &out))
	return out
}

// wantViolations checks that each violation, in order, holds the words wanted.
func wantViolations(t *testing.T, ws *slack.Workspace, want ...string) {
	t.Helper()
	got := ws.TakeViolations()
	if len(got) != len(want) {
		t.Fatalf("violations = %q, want %q", got, want)
	}
	slices.Sort(want)
	for _, w := range want {
		i := slices.IndexFunc(got, func(g string) bool { return strings.Contains(g, w) })
		if i < 0 {
			t.Errorf("no violation %q in %q", w, got)
			continue
		}
		got = slices.Delete(got, i, i+1)
	}
}
