package report

import "github.com/breakglass-bot/breakglass/internal/ledger"

// mergeRequestColumns tell of a change's merge requests, in the order in which they
// were linked: a list's places belong together.
func mergeRequestColumns() []column {
	list := func(name string, fix bool, value func(m ledger.PopulationMergeRequest) string) column {
		return simple(name, func(r *ledger.PopulationRow) any {
			all := []string{}
			for _, m := range r.MergeRequests {
				if m.Fix == fix {
					all = append(all, value(m))
				}
			}
			return all
		})
	}
	name := func(m ledger.PopulationMergeRequest) string { return m.Name }
	state := func(m ledger.PopulationMergeRequest) string {
		if m.State == "" {
			return "not seen"
		}
		return string(m.State)
	}
	all := []column{
		list("merge_requests", false, name), list("merge_request_states", false, state),
		list("permanent_fixes", true, name), list("permanent_fix_states", true, state),
		simple("merge_requests_reviewed_by", func(r *ledger.PopulationRow) any {
			by, seen := []string{}, map[string]bool{}
			for _, m := range r.MergeRequests {
				for _, user := range m.ReviewedBy {
					if !m.Fix && !seen[user] {
						seen[user] = true
						by = append(by, user)
					}
				}
			}
			return by
		}),
	}
	for _, d := range []struct {
		name string
		of   func(r *ledger.PopulationRow) ledger.PopulationDuty
	}{
		{"merge_request", func(r *ledger.PopulationRow) ledger.PopulationDuty { return r.MergeRequest }},
		{"independent_review", func(r *ledger.PopulationRow) ledger.PopulationDuty { return r.IndependentReview }},
		{"permanent_fix", func(r *ledger.PopulationRow) ledger.PopulationDuty { return r.PermanentFix }},
	} {
		all = append(all, dutyColumns(d.name, d.of)...)
	}
	return all
}
