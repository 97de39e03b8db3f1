package change

import "time"

// Plan is what a change's kind required when it was submitted. Later edits of
// the configuration do not alter it; only the membership of its groups is read
// live. Durations are positive.
type Plan struct {
	Approvals          []ApprovalRule  `json:"approvals"`
	EscalateAfter      time.Duration   `json:"escalate_after"`
	LapseAfter         time.Duration   `json:"lapse_after"`
	GrantWithin        time.Duration   `json:"grant_within"`
	NoneEndsAfter      time.Duration   `json:"none_ends_after"`
	WarnBeforeEnd      time.Duration   `json:"warn_before_end"`
	MaxTotal           time.Duration   `json:"max_total"`
	Durations          []time.Duration `json:"durations"`
	RecordWithin       time.Duration   `json:"record_within"`
	RecordRemind       []time.Duration `json:"record_remind"`
	RecordOverdueEvery time.Duration   `json:"record_overdue_every"`
	SignOff            SignOffRules    `json:"sign_off"`
	ReviewWithin       time.Duration   `json:"review_within"`
	ReviewRemind       []time.Duration `json:"review_remind"`
	ReviewOverdueEvery time.Duration   `json:"review_overdue_every"`
	NeedsAction        bool            `json:"needs_action"`
	RootCause          bool            `json:"root_cause,omitempty"`
	Incident           Need            `json:"incident,omitempty"` // required: live and not mitigated
	MergeRequest       Need            `json:"merge_request,omitempty"`
	MergeRequestLabels [][]string      `json:"merge_request_labels,omitempty"`
	MergeReviewWithin  time.Duration   `json:"merge_review_within,omitempty"`
	MergeRemind        []time.Duration `json:"merge_remind,omitempty"`
	MergeOverdueEvery  time.Duration   `json:"merge_overdue_every,omitempty"`
	PermanentFix       bool            `json:"permanent_fix,omitempty"`
	PermanentFixWithin time.Duration   `json:"permanent_fix_within,omitempty"`
	EndsOn             *Deployment     `json:"ends_on,omitempty"`
	SelfApproval       *SelfApproval   `json:"self_approval,omitempty"`
	CoordinateWith     []GroupID       `json:"coordinate_with,omitempty"`
	BlockWhenOverdue   bool            `json:"block_when_overdue,omitempty"` // an approval in spite of an overdue record needs a reason
	Evidence           string          `json:"evidence,omitempty"`           // that the reason asks for: github-status
}

// planFor freezes what kind requires.
func planFor(rules Rules, kind Kind, reason Reason) Plan {
	return Plan{
		Approvals:     kind.Approvals,
		EscalateAfter: rules.Approval.EscalateAfter, LapseAfter: rules.Approval.LapseAfter,
		GrantWithin: rules.Access.GrantWithin, NoneEndsAfter: rules.Access.NoneEndsAfter,
		WarnBeforeEnd: rules.Access.WarnBeforeEnd, MaxTotal: rules.Access.MaxTotal,
		Durations:    rules.Access.Durations,
		RecordWithin: rules.Record.Within, RecordRemind: rules.Record.Remind,
		RecordOverdueEvery: rules.Record.RemindOverdueEvery,
		SignOff:            rules.Record.SignOff,
		ReviewWithin:       rules.Review.Within, ReviewRemind: rules.Review.Remind,
		ReviewOverdueEvery: rules.Review.RemindOverdueEvery, NeedsAction: rules.Review.NeedsAction, RootCause: kind.RootCause,
		Incident: kind.Incident, MergeRequest: kind.MergeRequest, MergeRequestLabels: kind.MergeRequestLabels,
		MergeReviewWithin: rules.MergeRequests.ReviewWithin, MergeRemind: rules.MergeRequests.Remind,
		MergeOverdueEvery: rules.MergeRequests.RemindOverdueEvery,
		PermanentFix:      kind.PermanentFix, PermanentFixWithin: rules.MergeRequests.PermanentFixWithin,
		EndsOn: kind.EndsOn, SelfApproval: kind.SelfApproval, CoordinateWith: kind.CoordinateWith,
		BlockWhenOverdue: rules.Access.BlockWhenOverdue, Evidence: reason.Evidence,
	}
}

// Durations lists the periods that may be chosen for a permission set: the
// configured ones that fit it, the shortest first.
func (r Rules) Durations(set PermissionSet) []time.Duration {
	var fit []time.Duration
	for _, d := range r.Access.Durations {
		if d <= set.MaxDuration && d <= r.Access.MaxTotal {
			fit = append(fit, d)
		}
	}
	return sortedDurations(fit)
}

// Kind finds a kind by id.
func (r Rules) Kind(id KindID) (Kind, bool) {
	return find(r.Kinds, func(k Kind) bool { return k.ID == id })
}

// Reason finds a reason by id.
func (r Rules) Reason(id ReasonID) (Reason, bool) {
	return find(r.Reasons, func(x Reason) bool { return x.ID == id })
}

// Target finds a target by id.
func (r Rules) Target(id TargetID) (Target, bool) {
	return find(r.Targets, func(t Target) bool { return t.ID == id })
}

// PermissionSet finds a target's permission set by id.
func (t Target) PermissionSet(id PermissionSetID) (PermissionSet, bool) {
	return find(t.PermissionSets, func(p PermissionSet) bool { return p.ID == id })
}

// KindsFor lists the kinds that a reason allows, in the order of the
// configuration.
func (r Rules) KindsFor(reason ReasonID) []Kind {
	var kinds []Kind
	for _, k := range r.Kinds {
		if k.Allows(reason) {
			kinds = append(kinds, k)
		}
	}
	return kinds
}

// Allows tells whether a change of this kind may be asked for with this reason.
func (k Kind) Allows(reason ReasonID) bool {
	if len(k.Reasons) == 0 {
		return true
	}
	for _, r := range k.Reasons {
		if r == reason {
			return true
		}
	}
	return false
}
