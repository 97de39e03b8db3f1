package slack

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// How often, and how long after somebody acted, a response_url may be used.
const (
	responseUses = 5
	responseLife = 30 * time.Minute
)

// responseURL is the right to answer somebody where they acted.
type responseURL struct {
	user    string
	channel string
	ts      string // the message acted upon; empty for a command
	at      time.Time
	uses    int
}

// newResponseURL hands out a response_url. Callers hold mu.
func (w *Workspace) newResponseURL(user, channel, ts string) string {
	id := secretID() + secretID()
	w.responseURLs[id] = &responseURL{user: user, channel: channel, ts: ts, at: w.opt.Now()}
	return w.url + "/response/" + w.opt.TeamID + "/" + id
}

func (w *Workspace) serveResponse(rw http.ResponseWriter, r *http.Request) {
	id := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	a, _, err := readArgs(r)
	var ans answer
	status := http.StatusOK
	w.change(func() {
		u := w.responseURLs[id]
		switch {
		case err != nil:
			ans, status = blame("invalid_payload", err.Error()), http.StatusBadRequest
		case u == nil:
			ans, status = blame("no_such_url", "no such response_url was handed out"), http.StatusNotFound
		case w.opt.Now().Sub(u.at) > responseLife:
			ans, status = blame("expired_url", "more than 30 minutes after the person acted"), http.StatusNotFound
		case u.uses >= responseUses:
			ans, status = blame("used_url", "more than 5 uses"), http.StatusNotFound
		default:
			u.uses++
			if ans = w.respond("response_url", u, a); ans.err != "" {
				status = http.StatusBadRequest
			}
		}
		w.calls = append(w.calls, Call{Method: "response_url", Error: ans.err, At: w.opt.Now()})
		if ans.fault != "" {
			w.violate("response_url", "%s: %s", ans.err, ans.fault)
		}
	})
	rw.Header().Set("Content-Type", "application/json; charset=utf-8")
	rw.WriteHeader(status)
	_ = json.NewEncoder(rw).Encode(ans.json())
}

// respond shows what an application says to a response_url, or at once in its
// answer to a command. Callers hold mu.
func (w *Workspace) respond(call string, u *responseURL, a args) answer {
	original := w.find(u.channel, u.ts)
	if original == nil {
		original = w.findEphemeral(u.user, u.ts)
	}
	if a.flag("delete_original") {
		if original == nil {
			return refuse("message_not_found")
		}
		original.Deleted = true
		w.tell(Event{Kind: kindFor(original, Deleted, EphemeralGone), User: original.Reader, Message: original.copy()})
		return good(nil)
	}
	body, ans := w.content(call, a, maxMessageText)
	if ans.err != "" {
		return ans
	}
	if a.flag("replace_original") && original != nil {
		original.replace(w.opt.Now(), body.text, body.blocks)
		w.tell(Event{Kind: kindFor(original, Edited, EphemeralEdited), User: original.Reader, Message: original.copy()})
		return good(nil)
	}
	m := &Message{
		Channel: u.channel, User: w.opt.BotUserID, fromApp: true, Text: body.text, Blocks: body.blocks, Metadata: body.metadata,
		ThreadTS: a.str("thread_ts"),
	}
	switch kind := a.str("response_type"); kind {
	case "", "ephemeral":
		m.Ephemeral, m.Reader = true, u.user
		m.ThreadTS = "" // Slack shows it in the channel, whatever it was asked for
	case "in_channel":
	default:
		return blame("invalid_response_type", "response_type "+kind)
	}
	w.post(m)
	return good(nil)
}

func kindFor(m *Message, open, ephemeral EventKind) EventKind {
	if m.Ephemeral {
		return ephemeral
	}
	return open
}
