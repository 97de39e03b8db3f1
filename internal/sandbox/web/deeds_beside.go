package web

import (
	"net/http"
	"strings"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/github"
	"github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
)

func (h *Handler) switchTrouble(r *http.Request) (any, error) {
	in, err := read[struct {
		Name string
		On   bool
	}](r)
	if err != nil {
		return nil, err
	}
	if err := h.trouble.set(h.opts.World, in.Name, in.On); err != nil {
		return nil, refusal("There is no such switch.")
	}
	return nil, nil
}

// plant gives the engineer access that breakglass did not give, as an
// administrator in AWS's own console would, or takes it away again.
func (h *Handler) plant(r *http.Request) (any, error) {
	in, err := read[struct{ On bool }](r)
	if err != nil {
		return nil, err
	}
	key := sandbox.AdminOf(sandbox.Engineer)
	key.PermissionSetARN = sandbox.ReadSet
	if in.On {
		h.opts.World.AWS.Plant(key)
	} else {
		h.opts.World.AWS.Uproot(key)
	}
	return nil, nil
}

// comment writes on a ticket with somebody's own Jira account.
func (h *Handler) comment(r *http.Request) (any, error) {
	in, err := read[struct{ Key, As, Text string }](r)
	if err != nil {
		return nil, err
	}
	account, known := map[string]string{sandbox.CTO: sandbox.CTOAccount, sandbox.Deputy: sandbox.DeputyAccount}[in.As]
	switch {
	case strings.TrimSpace(in.Text) == "":
		return nil, refusal("Write what the comment says.")
	case !known:
		return nil, refusal("In this world only the CTO and the deputy have a Jira account.")
	}
	if _, found := h.opts.World.Jira.CommentAs(account, in.Key, strings.TrimSpace(in.Text)); !found {
		return nil, refusal("There is no such ticket any more.")
	}
	return nil, nil
}

func (h *Handler) openIncident(r *http.Request) (any, error) {
	in, err := read[struct{ Name, Severity string }](r)
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(in.Name) == "" {
		return nil, refusal("Give the incident a name.")
	}
	h.opts.World.IncidentIO.Open(incidentio.Incident{Name: strings.TrimSpace(in.Name), Severity: in.Severity})
	return nil, nil
}

func (h *Handler) setStatus(r *http.Request) (any, error) {
	in, err := read[struct{ ID, Status string }](r)
	if err != nil {
		return nil, err
	}
	return nil, h.opts.World.IncidentIO.SetStatus(in.ID, in.Status)
}

// breakGitHub puts what releases need into an outage, or mends it.
func (h *Handler) breakGitHub(r *http.Request) (any, error) {
	in, err := read[struct{ Broken bool }](r)
	if err != nil {
		return nil, err
	}
	if in.Broken {
		h.opts.World.GitHub.Break("Disruption of Git operations and Actions", github.MajorOutage, github.GitOperations, github.Actions)
	} else {
		h.opts.World.GitHub.Mend()
	}
	return nil, nil
}
