package ledger

import "github.com/breakglass-bot/breakglass/internal/change"

// PopulationMergeRequest is a merge request of a change, as it was last seen.
type PopulationMergeRequest struct {
	Name       string // such as group/app!12; its address where no forge is read
	URL        string
	State      change.MRState // empty: it has not been seen
	Fix        bool           // the permanent fix
	ReviewedBy []string       // user names of others than its author, its committers and bots
	Confirmed  change.PersonID
}

// addMergeRequests tells of every merge request that counts. Their names and those
// of accounts are withheld with the texts.
func (row *PopulationRow) addMergeRequests(c *change.Change) {
	for i := range c.MergeRequests {
		m := &c.MergeRequests[i]
		if m.Refused != "" {
			continue
		}
		p := PopulationMergeRequest{Name: m.Ref.String(), URL: m.Ref.URL, Fix: m.Fix, Confirmed: m.Confirmed}
		if m.Seen != nil {
			p.State = m.Seen.State
			for _, a := range m.Seen.IndependentApprovals(nil) {
				p.ReviewedBy = append(p.ReviewedBy, a.User)
			}
		}
		row.MergeRequests = append(row.MergeRequests, p)
	}
}
