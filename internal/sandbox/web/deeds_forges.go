package web

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/github"
)

// forges are what the page calls them.
const (
	onGitLabForge = "GitLab"
	onGitHubForge = "GitHub"
)

// mergeRequestView is the page's picture of a merge request, or of a pull request.
type mergeRequestView struct {
	Forge     string   `json:"forge"`
	Project   string   `json:"project"`
	Number    int      `json:"number"`
	Reference string   `json:"reference"`
	URL       string   `json:"url"`
	Title     string   `json:"title"`
	Author    string   `json:"author"`
	State     string   `json:"state"` // open, merged, closed
	Labels    []string `json:"labels"`
	Approved  []string `json:"approved"` // by whom
	Noted     []string `json:"noted"`    // what people wrote there
}

type forgesView struct {
	MergeRequests []mergeRequestView `json:"mergeRequests"`
	Logins        []string           `json:"logins"` // who may act
	Labels        []string           `json:"labels"` // that the example configuration knows
}

// knownLabels are those that the example configuration asks for.
func knownLabels() []string { return []string{"Pick into auto-deploy", "severity::1", "severity::2"} }

func (h *Handler) forges() any {
	w := h.opts.World
	out := forgesView{MergeRequests: []mergeRequestView{}, Logins: sandbox.Logins(), Labels: knownLabels()}
	for _, m := range w.GitLab.MergeRequests() {
		shown := mergeRequestView{
			Forge: onGitLabForge, Project: m.Project, Number: m.IID, Reference: fmt.Sprintf("%s!%d", m.Project, m.IID), URL: w.MergeRequestURL(m.Project, m.IID),
			Title: m.Title, Author: m.Author, State: strings.Replace(m.State, "opened", "open", 1), Labels: append([]string{}, m.Labels...), Approved: []string{}, Noted: []string{},
		}
		for _, a := range m.Approvals {
			shown.Approved = append(shown.Approved, a.Username)
		}
		for _, n := range m.Notes {
			if !n.System {
				shown.Noted = append(shown.Noted, n.Author+": "+n.Body)
			}
		}
		out.MergeRequests = append(out.MergeRequests, shown)
	}
	for _, p := range w.Pulls.Pulls() {
		shown := mergeRequestView{
			Forge: onGitHubForge, Project: p.Repository, Number: p.Number, Reference: fmt.Sprintf("%s#%d", p.Repository, p.Number), URL: w.PullRequestURL(p.Repository, p.Number),
			Title: p.Title, Author: p.Author, State: p.State, Labels: append([]string{}, p.Labels...), Approved: []string{}, Noted: []string{},
		}
		if p.Merged {
			shown.State = "merged"
		}
		for _, r := range p.Reviews {
			if r.State == github.Approved {
				shown.Approved = append(shown.Approved, r.User)
			}
		}
		out.MergeRequests = append(out.MergeRequests, shown)
	}
	slices.SortFunc(out.MergeRequests, func(a, b mergeRequestView) int {
		return cmp.Or(cmp.Compare(b.Forge, a.Forge), cmp.Compare(a.Project, b.Project), cmp.Compare(a.Number, b.Number))
	})
	return out
}

// onForge is what somebody does with a merge request.
type onForge struct {
	Forge   string
	Project string
	Number  int
	As      string // a user name there
	Act     string // approve, unapprove, merge, note, label, unlabel
	Text    string // of the note or the label
}

// actOnForge does it, within the rules of the forge.
func (h *Handler) actOnForge(r *http.Request) (any, error) {
	in, err := read[onForge](r)
	if err != nil {
		return nil, err
	}
	in.Text = strings.TrimSpace(in.Text)
	if in.Text == "" && slices.Contains([]string{"note", "label", "unlabel"}, in.Act) {
		return nil, refusal("Write what it is to say.")
	}
	if in.Forge == onGitHubForge {
		return nil, h.actOnGitHub(in)
	}
	return nil, h.actOnGitLab(in)
}

// relabelled gives the labels after one was set or taken away.
func (in onForge) relabelled(labels []string) []string {
	labels = slices.DeleteFunc(slices.Clone(labels), func(l string) bool { return l == in.Text })
	if in.Act == "label" {
		labels = append(labels, in.Text)
	}
	return labels
}

func (h *Handler) actOnGitLab(in onForge) error {
	s := h.opts.World.GitLab
	m, found := s.MergeRequest(in.Project, in.Number)
	if !found {
		return refusal("There is no such merge request.")
	}
	switch in.Act {
	case "approve":
		return s.Approve(in.Project, in.Number, in.As)
	case "unapprove":
		return s.Unapprove(in.Project, in.Number, in.As)
	case "merge":
		return s.Merge(in.Project, in.Number, m.Head(), in.As)
	case "note":
		_, err := s.Note(in.Project, in.Number, in.As, in.Text)
		return err
	case "label", "unlabel":
		return s.Label(in.Project, in.Number, in.relabelled(m.Labels)...)
	}
	return refusal("There is no such button.")
}

func (h *Handler) actOnGitHub(in onForge) error {
	s := h.opts.World.Pulls
	p, found := s.Pull(in.Project, in.Number)
	if !found {
		return refusal("There is no such pull request.")
	}
	switch in.Act {
	case "approve":
		_, err := s.Review(in.Project, in.Number, in.As, github.Approved)
		return err
	case "unapprove":
		given := slices.IndexFunc(p.Reviews, func(r github.Review) bool { return r.User == in.As && r.State == github.Approved })
		if given < 0 {
			return refusal("They have not approved it.")
		}
		return s.Dismiss(in.Project, in.Number, p.Reviews[given].ID)
	case "merge":
		return s.Merge(in.Project, in.Number, "", in.As)
	case "label", "unlabel":
		return s.Label(in.Project, in.Number, in.relabelled(p.Labels)...)
	}
	return refusal("There is no such button for a pull request.")
}
