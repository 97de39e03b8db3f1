package change

import (
	"fmt"
	"strings"
	"time"
)

// Forge is a place that holds merge requests.
type Forge string

// The forges that can be read.
const (
	GitLab Forge = "GitLab"
	GitHub Forge = "GitHub"
)

// MergeRequestRef names a merge request, or a pull request on GitHub. Where
// Forge is empty, only URL is set: it leads to a host that is not configured,
// and is kept as text and never fetched.
type MergeRequestRef struct {
	Forge   Forge  `json:"forge,omitempty"`
	Project string `json:"project,omitempty"` // such as group/subgroup/app, or owner/repository
	Number  int    `json:"number,omitempty"`  // within the project, from 1
	URL     string `json:"url"`               // of a configured forge: rebuilt from its parts, with nothing behind the number
}

// Readable tells whether a configured forge can be asked about it.
func (r MergeRequestRef) Readable() bool { return r.Forge != "" }

// Same tells whether both name the same merge request. The case of a project
// does not matter to a forge.
func (r MergeRequestRef) Same(other MergeRequestRef) bool {
	if !r.Readable() || !other.Readable() {
		return r.URL == other.URL
	}
	return r.Forge == other.Forge && r.Number == other.Number && strings.EqualFold(r.Project, other.Project)
}

// String is the name that the forge's own people use: group/app!12 or
// owner/repository#12; the URL where no forge can be asked.
func (r MergeRequestRef) String() string {
	switch r.Forge {
	case GitLab:
		return fmt.Sprintf("%s!%d", r.Project, r.Number)
	case GitHub:
		return fmt.Sprintf("%s#%d", r.Project, r.Number)
	default:
		return r.URL
	}
}

// MRState is what became of a merge request.
type MRState string

// The states.
const (
	MROpen   MRState = "open"
	MRMerged MRState = "merged"
	MRClosed MRState = "closed" // without being merged
)

// MRHow is the way in which somebody approved.
type MRHow string

// The ways.
const (
	ByApproval MRHow = "approval" // GitLab's button
	ByReview   MRHow = "review"   // a review on GitHub
	ByNote     MRHow = "note"     // a note on GitLab after merging, where approvals are closed
)

// MRMoment is when somebody approved, seen from the merge.
type MRMoment string

// The moments. It is empty where the forge does not tell.
const (
	BeforeMerge MRMoment = "before merge"
	AfterMerge  MRMoment = "after merge"
)

// MergeRequest is a merge request as it was when it was looked at. The title
// and the names in it are other people's words and data.
type MergeRequest struct {
	Ref           MergeRequestRef `json:"ref"`
	Title         string          `json:"title"`            // one line, at most 300 characters
	Author        string          `json:"author,omitempty"` // a user name; empty when the account is gone
	Committers    []MRCommitter   `json:"committers"`       // authors and committers of its commits, each once
	CommittersCut bool            `json:"committers_cut,omitempty"`
	State         MRState         `json:"state"`
	Head          string          `json:"head"`                    // commit at its tip
	MergedAt      time.Time       `json:"merged_at,omitzero"`      // zero unless merged
	MergedCommit  string          `json:"merged_commit,omitempty"` // what reached the target branch; empty unless merged
	Labels        []string        `json:"labels"`
	Approvals     []MRApproval    `json:"approvals"` // whoever approves it now, the author and bots included
	SeenAt        time.Time       `json:"seen_at"`
}

// MRCommitter is somebody whose work it holds: a user name where the forge
// tells it, an e-mail address in lower case otherwise.
type MRCommitter struct {
	User  string `json:"user,omitempty"`
	Email string `json:"email,omitempty"`
}

// MRApproval is one person's approval, as it stands now.
type MRApproval struct {
	User   string    `json:"user"`             // empty when the account is gone
	Bot    bool      `json:"bot,omitempty"`    // not known to be a person
	How    MRHow     `json:"how"`              //
	At     time.Time `json:"at,omitzero"`      // zero when the forge does not tell
	When   MRMoment  `json:"when,omitempty"`   //
	Commit string    `json:"commit,omitempty"` // that it was given to; empty when the forge does not tell
	Edited bool      `json:"edited,omitempty"` // a note that was altered later, by whom is not told
	URL    string    `json:"url,omitempty"`    // where it stands, of our own making
}

// IndependentApprovals are the approvals of people who neither wrote nor
// committed any of it. not says who else does not count, by their user name on
// the forge: requester and implementer. It may be nil.
//
// An approval of an earlier commit than the last one is none of what is there
// now; an edited note is nobody's word for certain. Where not all committers
// could be read, nobody is known to be independent.
func (m MergeRequest) IndependentApprovals(not func(forge Forge, user string) bool) []MRApproval {
	if m.CommittersCut {
		return nil
	}
	var independent []MRApproval
	for _, a := range m.Approvals {
		switch {
		case a.User == "", a.Bot, a.Edited, m.Stale(a):
		case m.wrote(a.User):
		case not != nil && not(m.Ref.Forge, a.User):
		default:
			independent = append(independent, a)
		}
	}
	return independent
}

// Stale tells whether an approval was given to another commit than the one at
// the tip.
func (m MergeRequest) Stale(a MRApproval) bool {
	return a.Commit != "" && a.Commit != m.Head
}

// wrote tells whether somebody is the author or a committer.
func (m MergeRequest) wrote(user string) bool {
	if sameUser(m.Author, user) {
		return true
	}
	for _, c := range m.Committers {
		if sameUser(c.User, user) {
			return true
		}
	}
	return false
}

// sameUser compares user names, which have no case on either forge.
func sameUser(a, b string) bool { return strings.EqualFold(a, b) }

// labelsMissing says in a sentence which lines of labels a merge request lacks.
func labelsMissing(ref MergeRequestRef, lacking [][]string) string {
	lines := make([]string, 0, len(lacking))
	for _, line := range lacking {
		lines = append(lines, "“"+strings.Join(line, "” or “")+"”")
	}
	return ref.String() + " lacks a label that this kind of change needs: " + strings.Join(lines, ", and ") + ". Set it there, and try again."
}

// LacksLabels answers the lines of which no label is there; each line is met
// by any one of its labels.
func (m MergeRequest) LacksLabels(lines [][]string) [][]string {
	there := map[string]bool{}
	for _, label := range m.Labels {
		there[label] = true
	}
	var lacking [][]string
	for _, line := range lines {
		met := false
		for _, label := range line {
			met = met || there[label]
		}
		if !met {
			lacking = append(lacking, line)
		}
	}
	return lacking
}

// MRDeployment is the evidence that a merge request reached an environment.
type MRDeployment struct {
	ID          int       `json:"id"` // GitLab's own
	Environment string    `json:"environment"`
	Commit      string    `json:"commit"` // that was deployed; it may be a later one than the merge
	At          time.Time `json:"at"`     // when it was finished, or last touched where that is not told
	SeenAt      time.Time `json:"seen_at"`
}
