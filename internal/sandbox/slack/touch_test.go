package slack_test

import (
	"testing"

	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

// rows are two buttons that nothing but their places tell apart.
const rows = `[
{"type":"section","block_id":"first","text":{"type":"plain_text","text":"EC-1"},"accessory":{"type":"button","action_id":"show","value":"same","text":{"type":"plain_text","text":"Show"}}},
{"type":"section","block_id":"second","text":{"type":"plain_text","text":"EC-2"},"accessory":{"type":"button","action_id":"show","value":"same","text":{"type":"plain_text","text":"Show"}}},
{"type":"actions","block_id":"more","elements":[
 {"type":"static_select","action_id":"later","options":[{"text":{"type":"plain_text","text":"In 2 hours"},"value":"2h"}]},
 {"type":"overflow","action_id":"dots","options":[{"text":{"type":"plain_text","text":"Mute"},"value":"mute"}]}]}]`

func posted(t *testing.T, b *bench) slack.Message {
	t.Helper()
	if said := call(t, b.ws.APIURL()+"chat.postMessage", "xoxb-sandbox", `{"channel":"C0PROD","text":"Two rows","blocks":`+rows+`}`); said["ok"] != true {
		t.Fatal(said)
	}
	all := b.ws.Messages("C0PROD")
	return all[len(all)-1]
}

// last is the newest interactive payload that the application was sent.
func last(t *testing.T, b *bench) (action map[string]any) {
	t.Helper()
	all := b.ws.Deliveries()
	actions, ok := all[len(all)-1].Payload["actions"].([]any)
	if !ok {
		t.Fatalf("the last delivery is no click: %v", all[len(all)-1].Payload)
	}
	return actions[0].(map[string]any)
}

func TestAPressIsOfTheElementThatStandsThere(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	ada := b.ws.Person("U0ADA")
	m := posted(t, b)
	if err := ada.Click(t.Context(), m, "Show"); err == nil {
		t.Fatal("two buttons of one name can be told apart by it")
	}
	must(t, ada.Press(t.Context(), slack.Element{Channel: m.Channel, TS: m.TS, Block: "second", Action: "show"}))
	if got := last(t, b)["block_id"]; got != "second" {
		t.Errorf("the button of block %v was pressed", got)
	}
	for name, at := range map[string]slack.Element{
		"no such block":   {Channel: m.Channel, TS: m.TS, Block: "third", Action: "show"},
		"no such message": {Channel: m.Channel, TS: "1.000000", Block: "first", Action: "show"},
		"no form is open": {Block: "first", Action: "show"},
		"no home tab":     {Home: true, Block: "first", Action: "show"},
		"not a button":    {Channel: m.Channel, TS: m.TS, Block: "more", Action: "later"},
	} {
		if err := ada.Press(t.Context(), at); err == nil {
			t.Errorf("%s: it was pressed all the same", name)
		}
	}
}

func TestWhatIsChosenInAMessageStandsOnTheScreenOfWhoeverChose(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	ada := b.ws.Person("U0ADA")
	m := posted(t, b)
	option := map[string]any{"text": map[string]any{"type": "plain_text", "text": "In 2 hours"}, "value": "2h"}
	must(t, ada.Put(t.Context(), slack.Element{Channel: m.Channel, TS: m.TS, Block: "more", Action: "later"}, map[string]any{"selected_option": option}))
	chosen := func(who string) any {
		s, ok := b.ws.Screen(who)
		if !ok {
			t.Fatalf("no screen of %s", who)
		}
		for _, c := range s.Channels {
			if c.ID == m.Channel {
				return c.Chosen[m.TS]["more"]["later"]["selected_option"]
			}
		}
		t.Fatalf("%s does not see the channel", who)
		return nil
	}
	if chosen("U0ADA") == nil || chosen("U0CTO") != nil {
		t.Errorf("chosen: %v on the screen of the one, %v on that of the other", chosen("U0ADA"), chosen("U0CTO"))
	}
	must(t, ada.Put(t.Context(), slack.Element{Channel: m.Channel, TS: m.TS, Block: "more", Action: "dots"}, map[string]any{"selected_option": map[string]any{"value": "mute"}}))
	if got, _ := last(t, b)["selected_option"].(map[string]any); got["value"] != "mute" {
		t.Errorf("the menu told of %v", got)
	}
}

func TestAScreenShowsNothingOfOthers(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	mine, err := b.ws.Person("U0ADA").OpenDM()
	must(t, err)
	must(t, b.ws.Person("U0ADA").SayIn(mine, "", "to the bot"))
	s, _ := b.ws.Screen("U0CTO")
	for _, c := range s.Channels {
		if c.ID == mine {
			t.Error("the direct messages of somebody are on the screen of somebody else")
		}
	}
	if err := b.ws.Person("U0CTO").SayIn(mine, "", "hello"); err == nil {
		t.Error("somebody wrote into the direct messages of somebody else")
	}
	if _, ok := b.ws.Screen("U0NOBODY"); ok {
		t.Error("nobody has a screen")
	}
}
