package slackapp

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// fuzzNow is when fuzzed payloads come in.
var fuzzNow = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

// fuzzRules have a form with every kind of input.
func fuzzRules() change.Rules {
	return change.Rules{
		Reasons: []change.Reason{{ID: "stuck", Label: "The platform cannot recover"}, {ID: "none", Label: "None of these", StandardPath: true}},
		Kinds: []change.Kind{{
			ID: "production", Name: "Work on production", Reasons: []change.ReasonID{"stuck"}, Requesters: []change.GroupID{"everyone"},
			Access: change.NeedOptional, Incident: change.NeedOptional, MergeRequest: change.NeedNone,
			Approvals: []change.ApprovalRule{{From: []change.GroupID{"cto"}}},
			Questions: []change.Question{{ID: "criticality", Label: "Criticality", Options: []string{"C1", "C2"}}, {ID: "rollback", Label: "How?", Multiline: true}},
		}},
		Targets: []change.Target{{ID: "production", Name: "Production", AccountID: "111122223333", PermissionSets: []change.PermissionSet{
			{ID: "admin", Name: "Admin", ARN: "arn:admin", MaxDuration: 4 * time.Hour}, {ID: "read", Name: "Read", ARN: "arn:read", MaxDuration: 8 * time.Hour},
		}}},
		Groups:      map[change.GroupID]change.Group{"cto": {Members: []change.PersonID{"U0CTO"}}, "everyone": {Everyone: true}},
		Roles:       change.Roles{CTO: []change.GroupID{"cto"}},
		InstanceARN: "arn:instance",
		Approval:    change.ApprovalRules{EscalateAfter: 10 * time.Minute, LapseAfter: time.Hour},
		Record:      change.RecordRules{Within: 24 * time.Hour, DuringIncident: change.RecordInJira, Otherwise: change.RecordInJira},
		Review:      change.ReviewRules{Within: 48 * time.Hour},
		Access:      change.AccessRules{Durations: []time.Duration{time.Hour, 2 * time.Hour, 8 * time.Hour}},
	}
}

// FuzzSignature holds the door to its promise: only what was signed with the
// secret, over exactly this body and this time, and lately, comes in.
func FuzzSignature(f *testing.F) {
	a := &App{Config: Config{SigningSecret: "the-secret"}, Now: func() time.Time { return fuzzNow }}
	sign := func(stamp, body string) string {
		mac := hmac.New(sha256.New, []byte("the-secret"))
		mac.Write([]byte("v0:" + stamp + ":" + body))
		return "v0=" + hex.EncodeToString(mac.Sum(nil))
	}
	stamp := strconv.FormatInt(fuzzNow.Unix(), 10)
	f.Add(stamp, sign(stamp, "command=%2Femergency"), "command=%2Femergency")
	f.Add("9223372036854775807", "v0=", "")
	f.Add("-1", "", "x")
	f.Fuzz(func(t *testing.T, stamp, signature, body string) {
		head := func(signature string) http.Header {
			h := http.Header{}
			h.Set("X-Slack-Request-Timestamp", stamp)
			h.Set("X-Slack-Signature", signature)
			return h
		}
		right := sign(stamp, body)
		if signature != right && a.forged(head(signature), []byte(body)) == "" {
			t.Fatalf("%q is taken for a signature of %q at %q", signature, body, stamp)
		}
		seconds, err := strconv.ParseInt(stamp, 10, 64)
		lately := err == nil && seconds >= fuzzNow.Unix()-300 && seconds <= fuzzNow.Unix()+300
		if taken := a.forged(head(right), []byte(body)) == ""; taken != lately {
			t.Fatalf("signed at %q, and taken: %v", stamp, taken)
		}
	})
}

// FuzzSlashCommand holds the answer to what somebody typed to its promise: it
// is short, and nothing typed is alive in it.
func FuzzSlashCommand(f *testing.F) {
	for _, seed := range []string{"", "help", "note EC-12 x", "<!channel> x", "extend EC-1 <@U0EVIL>", "show ec-9999999999999999999", "link EC-1 <https://x.example|y>", "\n\tlist\t", "shw EC-1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first, rest := cutWord(text)
		if strings.ContainsAny(first, " \t\n") || rest != strings.TrimSpace(rest) || strings.Join(strings.Fields(first+" "+rest), " ") != strings.Join(strings.Fields(text), " ") {
			t.Fatalf("%q is cut into %q and %q", text, first, rest)
		}
		if bare := unwrapped(rest); len(bare) > len(rest) {
			t.Fatalf("%q is unwrapped to %q", rest, bare)
		}
		a := &App{Config: Config{Command: "/emergency", ReleaseURL: "https://release.example"}, Log: slog.New(slog.DiscardHandler)}
		typed := strings.ToLower(first)
		if at := slices.IndexFunc(words(), func(w word) bool { return w.name == typed }); at >= 0 && typed != "help" {
			number, after := cutWord(rest)
			n, err := change.ParseNumber(number)
			period, _ := cutWord(after)
			d, bad := time.ParseDuration(strings.ToLower(period))
			understood := err == nil && (!words()[at].rest || after != "") && (typed != "extend" || bad == nil && d > 0)
			if words()[at].bare || understood {
				if n < 0 {
					t.Fatalf("%q is the number %d", number, n)
				}
				return // it would ask the ledger
			}
		}
		e, err := a.wordTyped(context.Background(), command{Text: text}, typed, rest)
		if err != nil || utf8.RuneCountInString(e.Text) > 3000 {
			t.Fatalf("%q: %d characters, %v", text, utf8.RuneCountInString(e.Text), err)
		}
		said := strings.ReplaceAll(e.Text, "<https://release.example|the release process>", "")
		if strings.ContainsAny(said, "<>") {
			t.Fatalf("%q is alive in %q", text, said)
		}
	})
}

// FuzzCommandPayload holds that a command is the same by HTTP and by socket.
func FuzzCommandPayload(f *testing.F) {
	f.Add("T0", "U0ADA", "C0", "/emergency", "note EC-1 <x> & ü", "13.37", "https://hooks.slack.com/x")
	f.Fuzz(func(t *testing.T, team, user, channel, name, text, trigger, response string) {
		for _, s := range []string{team, user, channel, name, text, trigger, response} {
			if !utf8.ValidString(s) {
				return // JSON holds no such text
			}
		}
		want := command{TeamID: team, UserID: user, ChannelID: channel, Command: name, Text: text, TriggerID: trigger, ResponseURL: response}
		raw, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var bySocket command
		if err := json.Unmarshal(raw, &bySocket); err != nil {
			t.Fatal(err)
		}
		values, err := url.ParseQuery(url.Values{
			"team_id": {team}, "user_id": {user}, "channel_id": {channel}, "command": {name}, "text": {text}, "trigger_id": {trigger}, "response_url": {response},
		}.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(bySocket, commandOf(values)); diff != "" {
			t.Fatalf("(-socket +http)\n%s", diff)
		}
	})
}

// FuzzInteraction holds what is read of clicks and forms to its promises: a
// request that the domain takes can be kept, and asks for nothing that is not
// configured.
func FuzzInteraction(f *testing.F) {
	f.Add([]byte(`{"type":"block_actions","user":{"id":"U0ADA","team_id":"T0"},"team":{"id":"T0"},"actions":[{"action_id":"approve","value":"1/1//0","type":"button"}]}`))
	f.Add([]byte(`{"type":"view_submission","user":{"id":"U0ADA"},"view":{"callback_id":"request","private_metadata":"{\"c\":\"C0\",\"r\":true}","state":{"values":{
		"reason":{"reason":{"selected_option":{"value":"stuck"}}},"kind:stuck":{"kind":{"selected_option":{"value":"production"}}},
		"what":{"what":{"value":"x"}},"why":{"why":{"value":"y"}},"target":{"target":{"selected_option":{"value":"production"}}},
		"made_at":{"made_at":{"selected_date_time":-99999999999999}},"implementer":{"implementer":{"selected_user":"U0BEN"}},
		"question:production/criticality":{"question":{"selected_option":{"value":"1"}}}}},"blocks":[{"type":"input","block_id":"reason"}]}}`))
	f.Add([]byte(`{"type":"view_submission","user":{"id":"U0ADA"},"view":{"callback_id":"review_form","private_metadata":"1/0//0","state":{"values":{
		"action_1":{"action_1":{"value":"x"}},"due_1":{"due_1":{"selected_date":"9999-12-31"}}}}}}`))
	f.Add([]byte(`{"type":"view_submission","user":{"id":"U0ADA"},"view":{"callback_id":"extend_form","private_metadata":"1/0//0","state":{"values":{"duration":{"duration":{"selected_option":{"value":"-1h"}}}}}}}`))
	rules := fuzzRules()
	f.Fuzz(func(t *testing.T, raw []byte) {
		i, err := interactionOf(raw)
		if err != nil {
			return
		}
		if i.Type == "" || i.person() == "" {
			t.Fatal("an interaction of no type, or of nobody")
		}
		if act, ok := i.pressed(); ok {
			if key, ok := parseKey(act.Value); ok && key.Number <= 0 {
				t.Fatalf("%q is a key of %d", act.Value, key.Number)
			}
		}
		_ = i.workspace()
		if i.View == nil {
			return
		}
		checkForm(t, &i, rules)
		if _, err := json.Marshal(reviewOf(i.View)); err != nil {
			t.Fatalf("a review that cannot be kept: %v", err)
		}
		for _, field := range []change.Field{change.FieldText, change.FieldKind, "question_criticality"} {
			if block := inputOf(i.View, field); block != "" && !shows(i.View, block) {
				t.Fatalf("an error would stand at %q, which the form does not show", block)
			}
		}
		if raw, err := json.Marshal((&App{Rules: rules}).suggest(context.Background(), &i)); err != nil || len(raw) > maxAnswer {
			t.Fatalf("a search is answered with %d bytes, %v", len(raw), err)
		}
	})
}

// checkForm reads the request form, and has the domain judge what it asks for.
func checkForm(t *testing.T, i *interaction, rules change.Rules) {
	t.Helper()
	form := formOf(i.View, rules)
	form.settle(rules)
	kind, known := rules.Kind(form.Kind)
	if form.Kind != "" && (!known || !kind.Allows(form.Reason)) {
		t.Fatalf("the kind %q for the reason %q", form.Kind, form.Reason)
	}
	for _, q := range kind.Questions {
		if answer := form.Answers[q.ID]; len(q.Options) > 0 && answer != "" && !slices.Contains(q.Options, answer) {
			t.Fatalf("the answer %q was never offered", answer)
		}
	}
	request := form.request(rules, looked{})
	actor := change.Actor{ID: i.person(), Standing: change.Member, Via: via, Groups: change.GroupView{
		"everyone": {Known: true, People: []change.PersonID{i.person()}}, "cto": {Known: true, People: []change.PersonID{"U0CTO"}},
	}}
	c, _, err := change.Submit(rules, request, actor, 1, fuzzNow)
	if err != nil {
		return
	}
	if _, err := json.Marshal(c); err != nil {
		t.Fatalf("a change that cannot be kept: %v", err)
	}
	if c.Report != nil && (c.Report.MadeAt.After(fuzzNow) || c.Report.MadeAt.Year() < 2000) {
		t.Fatalf("made at %s", c.Report.MadeAt)
	}
	if access := c.Access; access != nil {
		target, ok := rules.Target(access.Target)
		set, found := target.PermissionSet(access.PermissionSet)
		if !ok || !form.Report && (!found || access.Asked <= 0 || access.Asked > set.MaxDuration) {
			t.Fatalf("access that is not configured: %+v", access)
		}
	}
}

// FuzzEvent holds that only Slack's own question is answered with a challenge,
// and that every event is read or refused.
func FuzzEvent(f *testing.F) {
	f.Add([]byte(`{"type":"url_verification","challenge":"x"}`))
	f.Add([]byte(`{"type":"event_callback","team_id":"T0","event":{"type":"app_home_opened","user":"U0ADA","tab":"home"},"event_id":"Ev1"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		a := &App{Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return fuzzNow }}
		var e outerEvent
		if err := json.Unmarshal(raw, &e); err != nil {
			if r := a.takeEvent(context.Background(), delivered{body: raw}); r.status != http.StatusBadRequest || r.body != nil {
				t.Fatalf("answered %d %v", r.status, r.body)
			}
			return
		}
		if e.Type != "url_verification" {
			return // it would be carried out
		}
		r := a.takeEvent(context.Background(), delivered{body: raw})
		if answer, ok := r.body.(map[string]string); r.status != http.StatusOK || !ok || len(answer) != 1 || answer["challenge"] != e.Challenge {
			t.Fatalf("answered %d %v", r.status, r.body)
		}
	})
}

// FuzzKeys holds that what comes back from Slack is read only where it is what
// we wrote: buttons, the metadata of forms and of the home tab, messages' names.
func FuzzKeys(f *testing.F) {
	for _, seed := range []string{
		"1/0//0", "12/3/record/1", "01/0//0", "+1/0//0", "9223372036854775808/0//0", "1/0//-0", `{"c":"C0","a":3,"r":true}`, `{"c":"C0"}x`, "0/2/0", "0/100001/0", "C0:1.2", ":", "a:b:c",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if key, ok := parseKey(s); ok && (key.value() != s || key.Number <= 0) {
			t.Fatalf("%q is read as %+v", s, key)
		} else if !ok && key != (buttonKey{}) {
			t.Fatalf("%q is no key, and yet %+v", s, key)
		}
		meta := metaOf(s)
		if again := metaOf(meta.String()); again != meta {
			t.Fatalf("%q is read as %+v, and that as %+v", s, meta, again)
		}
		pages := parsePages(s)
		for list, page := range pages {
			if page < 0 || page > homePageLimit || !slices.Contains(homeListNames(), list) {
				t.Fatalf("%q is read as page %d of %s", s, page, list)
			}
		}
		if again := parsePages(pages.value()); again.value() != pages.value() {
			t.Fatalf("%q is read as %v, and that as %v", s, pages, again)
		}
		if where, ts, ok := parseMessageRef(s); ok && messageRef(where, ts) != s {
			t.Fatalf("%q is read as %q and %q", s, where, ts)
		}
	})
}
