package web

import (
	"fmt"
	"sync"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
)

// retryAfter is what a throttled call is told to wait.
const retryAfter = 2 * time.Second

// switchable is a trouble that can be switched on and off.
type switchable struct {
	name   string
	says   string
	plan   func(*sandbox.World) *fault.Plan
	faults []fault.Fault
}

func onAWS(w *sandbox.World) *fault.Plan       { return &w.AWS.Faults }
func onJira(w *sandbox.World) *fault.Plan      { return w.Jira.Faults }
func onIncidents(w *sandbox.World) *fault.Plan { return &w.IncidentIO.Faults }
func onSlack(w *sandbox.World) *fault.Plan     { return w.Slack.Faults }
func onGitHub(w *sandbox.World) *fault.Plan    { return &w.GitHub.Faults }
func onGitLab(w *sandbox.World) *fault.Plan    { return &w.GitLab.Faults }
func onPulls(w *sandbox.World) *fault.Plan     { return &w.Pulls.Faults }

// switches lists the troubles. Lost replies come first in a plan with others:
// a plan spoils a call by the first fault that fits.
func switches() []switchable {
	return []switchable{
		{"aws-loses", "AWS carries out what is asked, and its replies are lost", onAWS, []fault.Fault{
			{Kind: fault.ReplyLost, Call: "CreateAccountAssignment"}, {Kind: fault.ReplyLost, Call: "DeleteAccountAssignment"},
		}},
		{"aws-throttles", "AWS throttles every call", onAWS, []fault.Fault{{Kind: fault.TooMany, RetryAfter: retryAfter}}},
		{"aws-fails", "AWS answers 500 to every call", onAWS, []fault.Fault{{Kind: fault.Internal}}},
		{"jira-fails", "Jira answers 500 to every call", onJira, []fault.Fault{{Kind: fault.Internal}}},
		{"incidents-fail", "incident.io answers 500 to every call", onIncidents, []fault.Fault{{Kind: fault.Internal}}},
		{"slack-throttles", "Slack answers 429 to messages and edits", onSlack, []fault.Fault{
			{Kind: fault.TooMany, Call: "chat.postMessage", RetryAfter: retryAfter}, {Kind: fault.TooMany, Call: "chat.update", RetryAfter: retryAfter},
		}},
		{"gitlab-fails", "GitLab answers 500 to every call", onGitLab, []fault.Fault{{Kind: fault.Internal}}},
		{"pulls-fail", "GitHub answers 500 to every call about pull requests", onPulls, []fault.Fault{{Kind: fault.Internal}}},
		{"github-silent", "GitHub's status page does not answer", onGitHub, []fault.Fault{{Kind: fault.Unavailable}}},
	}
}

// trouble is which switches are on.
type trouble struct {
	mu sync.Mutex
	on map[string]bool
}

// set switches a trouble. Plans are made anew from all that is on: a plan can
// only be cleared as a whole.
func (t *trouble) set(w *sandbox.World, name string, on bool) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	known := false
	for _, s := range switches() {
		known = known || s.name == name
	}
	if !known {
		return fmt.Errorf("there is no trouble %q", name)
	}
	t.on[name] = on
	for _, s := range switches() {
		s.plan(w).Clear()
	}
	for _, s := range switches() {
		if t.on[s.name] {
			for _, f := range s.faults {
				s.plan(w).Add(f)
			}
		}
	}
	return nil
}

type troubleView struct {
	Switches    []switchView `json:"switches"`
	Restartable bool         `json:"restartable"`
	Violations  int          `json:"violations"` // what the real systems would have refused, so far
}

type switchView struct {
	Name string `json:"name"`
	Says string `json:"says"`
	On   bool   `json:"on"`
}

func (h *Handler) troubles() any {
	out := troubleView{Switches: []switchView{}, Restartable: h.opts.Restart != nil, Violations: len(h.opts.World.Violations())}
	h.trouble.mu.Lock()
	defer h.trouble.mu.Unlock()
	for _, s := range switches() {
		out.Switches = append(out.Switches, switchView{s.name, s.says, h.trouble.on[s.name]})
	}
	return out
}
