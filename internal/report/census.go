package report

import (
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// Found is a finding of the census: an access about which AWS and the ledger
// disagreed.
type Found struct {
	ID            int64                 `json:"id"`
	Kind          change.FindingKind    `json:"kind"`
	State         change.FindingState   `json:"state"`
	Outcome       change.FindingOutcome `json:"outcome,omitempty"`
	Account       string                `json:"account"`
	PermissionSet string                `json:"permission_set"`
	User          string                `json:"aws_user"`
	Change        string                `json:"change,omitempty"` // the one that it is about
	FirstSeen     time.Time             `json:"first_seen"`
	LastSeen      time.Time             `json:"last_seen"`
	DecidedBy     change.PersonID       `json:"decided_by,omitempty"`
}

// founds lists findings as the report has them.
func founds(all []change.CensusFinding) []Found {
	list := make([]Found, len(all))
	for i, f := range all {
		list[i] = Found{
			ID: f.ID, Kind: f.Kind, State: f.State, Outcome: f.Outcome, Account: f.Key.AccountID, PermissionSet: f.Key.PermissionSetARN,
			User: f.Key.UserID, FirstSeen: f.FirstSeen, LastSeen: f.LastSeen, DecidedBy: f.DecidedBy,
		}
		if f.Number != 0 {
			list[i].Change = f.Number.String()
		}
	}
	return list
}

// What says in words what was found.
func (f Found) What() string {
	switch f.Kind {
	case change.FindingUnasked:
		return "nobody asked for it"
	case change.FindingLeft:
		return "it should have gone"
	case change.FindingVanished:
		return "it vanished"
	}
	return string(f.Kind)
}

// Became says in words what has become of it.
func (f Found) Became() string {
	switch f.State { //nolint:exhaustive // the others were told to nobody
	case change.FindingOpen:
		return "open"
	case change.FindingEnding:
		return "being removed"
	case change.FindingStanding:
		return "marked as standing"
	}
	return map[change.FindingOutcome]string{
		change.OutcomeGone: "gone", change.OutcomeEnded: "ended, and gone", change.OutcomeSettled: "settled", change.OutcomeBack: "back",
		change.OutcomeOver: "no longer wanted", change.OutcomeUnconfigured: "no longer looked at",
	}[f.Outcome]
}

// findingsShown bounds the list of the page; JSON has all.
const findingsShown = 50

// FindingsShown are the findings that the page lists.
func (p page) FindingsShown() []Found { return p.Findings[:min(len(p.Findings), findingsShown)] }

// FindingsOpen is how many of the findings are open, or being removed.
func (p page) FindingsOpen() int {
	n := 0
	for _, f := range p.Findings {
		if f.State == change.FindingOpen || f.State == change.FindingEnding {
			n++
		}
	}
	return n
}
