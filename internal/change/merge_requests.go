package change

import (
	"slices"
	"strings"
	"time"
)

// LinkedMergeRequest is a merge request that belongs to a change.
type LinkedMergeRequest struct {
	Item        int             `json:"item"` // from 1
	Ref         MergeRequestRef `json:"ref"`
	Fix         bool            `json:"fix,omitempty"` // the permanent fix
	By          PersonID        `json:"by"`
	LinkedAt    time.Time       `json:"linked_at"`
	Seen        *MergeRequest   `json:"seen,omitempty"`     // nil: the forge has not shown it yet
	Deployed    *MRDeployment   `json:"deployed,omitempty"` // nil: not known to have reached production
	Refused     string          `json:"refused,omitempty"`  // why the forge does not show it, in a sentence; it counts for nothing then
	Confirmed   PersonID        `json:"confirmed,omitempty"`
	ConfirmedAt time.Time       `json:"confirmed_at,omitzero"`
}

// ConfidentialProject tells whether a merge request may be linked with
// confidential changes only. It goes by the address alone, so that nobody learns
// whether there is such a merge request.
func (r Rules) ConfidentialProject(ref MergeRequestRef) bool {
	project := strings.ToLower(ref.Project) // both forges take no heed of case
	return slices.ContainsFunc(r.ConfidentialProjects[ref.Forge], func(one string) bool {
		one = strings.ToLower(one)
		if group, all := strings.CutSuffix(one, "*"); all {
			return strings.HasPrefix(project, group)
		}
		return project == one
	})
}

// onlyConfidential says that a merge request cannot be linked here.
func onlyConfidential(ref MergeRequestRef) string {
	return "Merge requests of " + ref.Project + " are linked with confidential changes only, and this is none. Leave it out, or ask for a confidential kind of change."
}

// LinkMergeRequest links a merge request. Fix says that it is the permanent fix;
// Seen is what the forge showed of it just now, nil where it did not answer.
type LinkMergeRequest struct {
	Ref  MergeRequestRef
	Fix  bool
	Seen *MergeRequest
}

// MergeRequestSeen brings what is known of a linked merge request up to date.
type MergeRequestSeen struct {
	Item     int
	Seen     MergeRequest
	Deployed *MRDeployment
}

// MergeRequestRefused says that the forge definitely does not show a merge
// request that it has never shown.
type MergeRequestRefused struct {
	Item int
	Say  string
}

// ConfirmMergeRequest is another person's word, given in Slack, where no machine
// can tell: that they have reviewed the merge request, or that the permanent fix
// is merged.
type ConfirmMergeRequest struct{ Item int }

// demandsMergeRequest tells whether the kind does not go without one.
func (p *Plan) demandsMergeRequest() bool {
	return p.MergeRequest == NeedRequired || p.MergeRequest == NeedWithRecord
}

// MergeRequest gives the linked merge request of that item, or nil.
func (c *Change) MergeRequest(item int) *LinkedMergeRequest {
	if item < 1 || item > len(c.MergeRequests) {
		return nil
	}
	return &c.MergeRequests[item-1]
}

// Working lists the merge requests that the change is made by: all that count
// but the permanent fix.
func (c *Change) Working() []*LinkedMergeRequest { return c.counting(false) }

func (c *Change) counting(fix bool) []*LinkedMergeRequest {
	var all []*LinkedMergeRequest
	for i := range c.MergeRequests {
		if m := &c.MergeRequests[i]; m.Fix == fix && m.Refused == "" {
			all = append(all, m)
		}
	}
	return all
}

// MergeRequestSettled tells whether nothing more is to be learnt of a linked
// merge request for its change.
func (c *Change) MergeRequestSettled(item int) bool {
	m := c.MergeRequest(item)
	return m == nil || c.Phase.Final() || m.Refused != "" || !m.Ref.Readable()
}

func (x LinkMergeRequest) decide(d *decision) error {
	if err := d.partner(); err != nil {
		return err
	}
	if err := d.open(); err != nil {
		return err
	}
	c := &d.c
	if !c.Confidential && d.rules.ConfidentialProject(x.Ref) {
		return refuse(NotAllowed, "%s", onlyConfidential(x.Ref))
	}
	if x.Fix && !c.Plan.PermanentFix {
		return refuse(BadInput, "%s asks for no permanent fix; link the merge request without saying so.", c.Number)
	}
	if i := slices.IndexFunc(c.MergeRequests, func(m LinkedMergeRequest) bool { return m.Ref.Same(x.Ref) && m.Refused == "" }); i >= 0 {
		return refuse(Decided, "%s is linked to %s already.", x.Ref, c.Number)
	}
	if len(c.MergeRequests) >= MergeRequestLimit {
		return refuse(BadInput, "%s has %d merge requests already, and takes no more.", c.Number, MergeRequestLimit)
	}
	d.link(x.Ref, x.Fix, x.Seen)
	return nil
}

// MergeRequestLimit is how many merge requests one change takes.
const MergeRequestLimit = 20

// link adds a merge request, and what is owed for it.
func (d *decision) link(ref MergeRequestRef, fix bool, seen *MergeRequest) {
	c := &d.c
	c.MergeRequests = append(c.MergeRequests, LinkedMergeRequest{
		Item: len(c.MergeRequests) + 1, Ref: ref, Fix: fix, By: d.actor.ID, LinkedAt: d.now,
	})
	m := &c.MergeRequests[len(c.MergeRequests)-1]
	d.emit(EventMergeRequestLinked, Facts{"item": m.Item, "fix": fix, "readable": ref.Readable()}, map[string]string{"url": ref.URL})
	if seen != nil {
		d.saw(m, *seen, nil)
	}
	d.oweMergeRequests()
	d.judgeMergeRequests()
}

// oweMergeRequests owes what merge requests ask for, from the window's start on.
func (d *decision) oweMergeRequests() {
	c := &d.c
	start := c.Window.Start
	if start.IsZero() {
		return
	}
	if c.Plan.MergeRequest == NeedWithRecord {
		d.owe(Obligation{Name: OweMergeRequest, Owner: c.Requester, From: start, Due: start.Add(c.Plan.RecordWithin)})
	}
	if c.Plan.PermanentFix {
		d.owe(Obligation{Name: OwePermanentFix, Owner: c.Requester, From: start, Due: start.Add(c.Plan.PermanentFixWithin)})
	}
	from := start
	if !c.Plan.demandsMergeRequest() {
		working := c.Working()
		if len(working) == 0 {
			return
		}
		if linked := working[0].LinkedAt; linked.After(from) {
			from = linked
		}
	}
	d.owe(Obligation{Name: OweIndependentReview, Owner: c.Requester, From: from, Due: from.Add(c.Plan.MergeReviewWithin)})
}

func (x MergeRequestSeen) decide(d *decision) error {
	m := d.c.MergeRequest(x.Item)
	if m == nil || !m.Ref.Readable() || d.c.Phase.Final() {
		return nil
	}
	d.saw(m, x.Seen, x.Deployed)
	d.judgeMergeRequests()
	if d.c.arrived() {
		return d.closeWindow("evidence")
	}
	return nil
}

// saw keeps what a forge shows, and tells of it when it is news.
func (d *decision) saw(m *LinkedMergeRequest, seen MergeRequest, deployed *MRDeployment) {
	if m.Seen != nil && m.Refused == "" && sameMergeRequest(*m.Seen, seen) && (deployed == nil || m.Deployed != nil) {
		m.Seen.SeenAt = seen.SeenAt // kept with the next event; that it was looked at again is no news
		return
	}
	news := d.c.newsOf(m, seen, deployed)
	m.Refused = ""
	m.Seen = &seen
	if deployed != nil {
		m.Deployed = deployed
	}
	facts := Facts{"item": m.Item, "state": string(seen.State), "head": seen.Head, "independent": len(d.independent(m)), "seen_at": stamp(seen.SeenAt)}
	if news != "" {
		facts["news"] = news
	}
	if !seen.MergedAt.IsZero() {
		facts["merged_at"], facts["merged_commit"] = stamp(seen.MergedAt), seen.MergedCommit
	}
	if m.Deployed != nil {
		facts["deployed"], facts["deployed_at"] = m.Deployed.Environment, stamp(m.Deployed.At)
	}
	d.emit(EventMergeRequestSeen, facts, map[string]string{
		"title": seen.Title, "author": seen.Author, "labels": strings.Join(seen.Labels, ", "), "approved_by": approvers(seen.Approvals),
	})
}

func approvers(all []MRApproval) string {
	var users []string
	for _, a := range all {
		if a.User != "" {
			users = append(users, a.User)
		}
	}
	return strings.Join(users, ", ")
}

// sameMergeRequest tells whether two looks showed the same.
func sameMergeRequest(a, b MergeRequest) bool {
	return a.Ref.Same(b.Ref) && a.Title == b.Title && a.Author == b.Author && a.State == b.State && a.Head == b.Head &&
		a.MergedAt.Equal(b.MergedAt) && a.MergedCommit == b.MergedCommit && a.CommittersCut == b.CommittersCut &&
		slices.Equal(a.Labels, b.Labels) && slices.Equal(a.Committers, b.Committers) &&
		slices.EqualFunc(a.Approvals, b.Approvals, func(x, y MRApproval) bool {
			same := x.At.Equal(y.At)
			x.At, y.At = time.Time{}, time.Time{}
			return same && x == y
		})
}

func (x MergeRequestRefused) decide(d *decision) error {
	c := &d.c
	m := c.MergeRequest(x.Item)
	if m == nil || m.Seen != nil || m.Refused != "" || c.Phase.Final() {
		return nil
	}
	m.Refused = x.Say
	d.emit(EventMergeRequestRefused, Facts{"item": m.Item, "say": x.Say}, nil)
	if o := c.Owes(OweIndependentReview, 0); o != nil && o.State == Owed && !c.Plan.demandsMergeRequest() && len(c.Working()) == 0 {
		c.Obligations = slices.DeleteFunc(c.Obligations, func(o Obligation) bool { return o.Name == OweIndependentReview })
	}
	d.judgeMergeRequests()
	return nil
}

func (x ConfirmMergeRequest) decide(d *decision) error {
	c := &d.c
	m := c.MergeRequest(x.Item)
	if m == nil || m.Refused != "" {
		return refuse(TooLate, "%s has no such merge request any more.", c.Number)
	}
	if err := d.open(); err != nil {
		return err
	}
	if c.Own(d.actor.ID) {
		return refuse(OwnChange, "You asked for this change or made it, so somebody else has to confirm the review.")
	}
	if c.Confidential {
		if may, known := c.MayRead(d.rules, d.actor.Groups, d.actor.ID); !may && !known {
			return unestablishable()
		} else if !may {
			return refuse(NotAllowed, "You are not among the people of this change.")
		}
	}
	if m.Confirmed != "" {
		return &Refusal{Code: Decided, Say: m.Ref.String() + " has been confirmed already.", By: m.Confirmed, At: m.ConfirmedAt}
	}
	if !c.NeedsConfirmation(d.rules, m) {
		return refuse(BadInput, "Nothing has to be confirmed here: breakglass reads %s itself.", m.Ref)
	}
	if m.Seen != nil && m.Seen.wroteAs(d.rules.People[d.actor.ID]) {
		return refuse(NotAllowed, "You wrote or committed a part of %s, so somebody else has to confirm its review.", m.Ref)
	}
	m.Confirmed, m.ConfirmedAt = d.actor.ID, d.now
	d.emit(EventMergeRequestConfirmed, Facts{"item": m.Item}, nil)
	d.judgeMergeRequests()
	return nil
}

// NeedsConfirmation tells whether a machine alone cannot tell what is owed for a
// merge request: no forge can be asked about it, or whoever asked for the change
// or made it is not known there, so that an approval might be their own.
func (c *Change) NeedsConfirmation(rules Rules, m *LinkedMergeRequest) bool {
	if !m.Ref.Readable() {
		return true
	}
	return !m.Fix && (rules.People[c.Requester].on(m.Ref.Forge) == "" || rules.People[c.Implementer].on(m.Ref.Forge) == "")
}

// on gives the user name on a forge; empty when none is configured.
func (i Identities) on(f Forge) string {
	switch f {
	case GitLab:
		return i.GitLab
	case GitHub:
		return i.GitHub
	}
	return ""
}

// wroteAs tells whether a person is known to be the author or a committer.
func (m MergeRequest) wroteAs(who Identities) bool {
	user := who.on(m.Ref.Forge)
	return user != "" && m.wrote(user)
}

// arrived tells whether the evidence ends the window of a change without access:
// everything that it is made by is merged and, where the kind asks for it,
// deployed.
func (c *Change) arrived() bool {
	working := c.Working()
	if c.Phase != Active || c.Access != nil || len(working) == 0 {
		return false
	}
	for _, m := range working {
		if m.Seen == nil || m.Seen.State != MRMerged || (c.Plan.EndsOn != nil && !c.deployed(m)) {
			return false
		}
	}
	return true
}

// deployed tells whether a merge request is known to have reached production.
func (c *Change) deployed(m *LinkedMergeRequest) bool {
	return m.Deployed != nil || (c.Plan.EndsOn.Label != "" && slices.Contains(m.Seen.Labels, c.Plan.EndsOn.Label))
}

// notMine refuses an approver who wrote or committed what they would approve, as
// far as is known.
func (d *decision) notMine() error {
	if d.c.Plan.MergeRequest != NeedRequired {
		return nil
	}
	for _, m := range d.c.Working() {
		if m.Seen != nil && m.Seen.wroteAs(d.rules.People[d.actor.ID]) {
			return refuse(NotAllowed, "You wrote or committed a part of %s, so somebody else has to approve %s.", m.Ref, d.c.Number)
		}
	}
	return nil
}

// mergeRequestsHold refuses an approval while it is known that a merge request
// which the kind demands is not as it demands it.
func (d *decision) mergeRequestsHold() error {
	c := &d.c
	if c.Plan.MergeRequest != NeedRequired {
		return nil
	}
	working := c.Working()
	if len(working) == 0 {
		return refuse(TooEarly, "%s needs a merge request, and none that was linked could be found. Link one, and press again.", c.Number)
	}
	for _, m := range working {
		if m.Seen == nil {
			continue
		}
		if lacking := m.Seen.LacksLabels(c.Plan.MergeRequestLabels); len(lacking) > 0 {
			return refuse(TooEarly, "%s", labelsMissing(m.Ref, lacking))
		}
	}
	return nil
}
