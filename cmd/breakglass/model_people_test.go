package main

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/aws"
	"github.com/breakglass-bot/breakglass/internal/sandbox/gitlab"
	"github.com/breakglass-bot/breakglass/internal/sandbox/jira"
)

func (m *model) somebody(label string, among ...change.PersonID) change.PersonID {
	return rapid.SampledFrom(among).Draw(m.T, label)
}

// asks lets somebody ask for a change, or report one, as the form would take it.
func (m *model) asks() {
	if len(m.own) >= changesAtMost {
		return
	}
	who := m.somebody("who", sandbox.Engineer, sandbox.Engineer, sandbox.Engineer, sandbox.Colleague, sandbox.CTO, sandbox.OnCall, "U0CONTRACTOR", sandbox.ReleaseManager, sandbox.Guest)
	req := change.Request{
		Kind: "production-access", Reason: "platform-unrecoverable", What: "Restart the queue by hand", Why: "Orders stand still",
		Target: "production", PermissionSet: "admin", Duration: 30 * time.Minute,
		Choice: rapid.SampledFrom([]change.TicketChoice{change.TicketNow, change.TicketLater, change.TicketExisting}).Draw(m.T, "ticket"),
	}
	switch rapid.IntRange(0, 7).Draw(m.T, "kind") {
	case 6, 7:
		m.byMergeRequest(&req)
	case 0:
		req.Kind, req.Reason, req.Target, req.PermissionSet, req.Duration = "configuration-change", "incident-mitigation", "", "", 0
		req.Answers = map[change.QuestionID]string{"criticality": "C2", "rollback": "Set it back"}
		if rapid.Bool().Draw(m.T, "self") {
			req.SelfApprove, req.Witnesses = true, []change.PersonID{m.somebody("witness", sandbox.Colleague, sandbox.Engineer, sandbox.CTO)}
		}
	case 1:
		req.Reported, req.MadeAt, req.Duration = true, m.time().Add(-time.Duration(rapid.IntRange(0, 30).Draw(m.T, "hours ago"))*time.Hour), 0
		if rapid.Bool().Draw(m.T, "by another") {
			req.Implementer = m.somebody("implementer", sandbox.Colleague, sandbox.CTO, sandbox.Engineer)
		}
	case 2:
		req.PermissionSet = "read"
	}
	if rapid.IntRange(0, 2).Draw(m.T, "incident") == 0 || req.Kind == "hot-patch" {
		in := rapid.SampledFrom(m.incidents).Draw(m.T, "which")
		req.Incident = &in
	}
	if req.Choice == change.TicketExisting {
		issue := m.world.Jira.Issues()[0]
		req.Ticket = &change.TicketRef{Key: issue.Key}
		if req.TicketChecked = rapid.Bool().Draw(m.T, "checked"); req.TicketChecked {
			req.Ticket.ID = issue.ID
		} else if rapid.IntRange(0, 3).Draw(m.T, "no such") == 0 {
			req.Ticket.Key = "OPS-999"
		}
	}
	if id := sandbox.AWSUser(string(who)); id != "" && req.Target != "" && rapid.IntRange(0, 3).Draw(m.T, "found at once") > 0 {
		req.AWSUser = &change.AWSUser{ID: id}
		if rapid.Bool().Draw(m.T, "looked") {
			has := m.world.AWS.Has(m.key(id, req.PermissionSet))
			req.AlreadyThere = &has
		}
	}
	_, err := m.submit(req, who)
	m.must(err)
}

// key is an access in production.
func (m *model) key(user string, set change.PermissionSetID) aws.Key {
	k := aws.Key{InstanceARN: m.cfg.AWS.InstanceARN, AccountID: sandbox.Production, PermissionSetARN: sandbox.AdminSet, UserID: user}
	if set == "read" {
		k.PermissionSetARN = sandbox.ReadSet
	}
	return k
}

// byMergeRequest makes a request one of a kind that needs a merge request.
func (m *model) byMergeRequest(req *change.Request) {
	req.Kind = rapid.SampledFrom([]change.KindID{"hot-patch", "security-release"}).Draw(m.T, "by merge request")
	req.Reason, req.Target, req.PermissionSet, req.Duration = "incident-mitigation", "", "", 0
	if rapid.IntRange(0, 3).Draw(m.T, "because of GitHub") == 0 {
		req.Reason = "release-pipeline-down"
	}
	req.MergeRequests = append(req.MergeRequests, change.RequestedMergeRequest{Ref: m.mergeRequest()})
}

// mergeRequest is one on GitLab, or where nobody can look.
func (m *model) mergeRequest() change.MergeRequestRef {
	n := rapid.IntRange(0, 4).Draw(m.T, "merge request")
	if n > 1 {
		return change.MergeRequestRef{URL: fmt.Sprint("https://git.example.com/a/", n)}
	}
	return change.MergeRequestRef{Forge: change.GitLab, Project: sandbox.AppProject, Number: n + 1, URL: m.world.MergeRequestURL(sandbox.AppProject, n+1)}
}

// moves lets something happen to a merge request on GitLab.
func (m *model) moves() {
	n := rapid.IntRange(1, 2).Draw(m.T, "which")
	switch rapid.IntRange(0, 5).Draw(m.T, "what") {
	case 0, 1:
		_ = m.world.GitLab.Approve(sandbox.AppProject, n, rapid.SampledFrom([]string{sandbox.ColleagueLogin, sandbox.EngineerLogin, sandbox.CTOLogin}).Draw(m.T, "by")) // who has approved already cannot
	case 2:
		_ = m.world.GitLab.Unapprove(sandbox.AppProject, n, sandbox.ColleagueLogin)
	case 3:
		_ = m.world.GitLab.Merge(sandbox.AppProject, n, "", sandbox.ColleagueLogin)
	case 4:
		_, _ = m.world.GitLab.Note(sandbox.AppProject, n, sandbox.ColleagueLogin, "Approved") // it counts once it is merged
	default:
		_ = m.world.GitLab.Push(sandbox.AppProject, n, gitlab.Commit{SHA: fmt.Sprintf("%040x", m.time().UnixNano()), At: m.time()})
	}
}

// pick gives one of the changes; false: there is none.
func (m *model) pick() (change.Change, bool) {
	if len(m.known) == 0 {
		return change.Change{}, false
	}
	return m.known[rapid.IntRange(0, len(m.known)-1).Draw(m.T, "change")], true
}

func (m *model) tell(n change.Number, cmd change.Command, who change.PersonID) {
	_, err := m.command(n, cmd, who)
	m.must(err)
}

// decides lets somebody answer a question, who may or may not be asked.
func (m *model) decides() {
	c, ok := m.pick()
	if !ok {
		return
	}
	ask := len(c.Asks)
	if ask > 0 && rapid.IntRange(0, 5).Draw(m.T, "an old button") == 0 {
		ask = rapid.IntRange(0, len(c.Asks)+1).Draw(m.T, "ask")
	}
	who := m.somebody("who", sandbox.CTO, sandbox.CTO, sandbox.CTO, sandbox.Deputy, sandbox.OnCall, sandbox.AppSec, "U0MAINT1", sandbox.Colleague, c.Requester, c.Implementer)
	var cmd change.Command
	switch rapid.IntRange(0, 9).Draw(m.T, "answer") {
	case 0:
		cmd = change.Deny{Ask: ask, Reason: "Not today"}
	case 1:
		cmd = change.ChangeDuration{Ask: ask, Duration: 15 * time.Minute}
	case 2:
		in := m.incidents[0]
		in.SeenAt = m.time()
		cmd = change.ConfirmCall{Ask: ask, Incident: &in}
		who = m.somebody("witness", append([]change.PersonID{sandbox.Colleague}, c.Witnesses...)...)
	default:
		cmd = change.Approve{Ask: ask, Reason: rapid.SampledFrom([]string{"It cannot wait", ""}).Draw(m.T, "reason")}
	}
	m.tell(c.Number, cmd, who)
}

// does lets somebody give one of the other commands.
func (m *model) does() {
	c, ok := m.pick()
	if !ok {
		return
	}
	who := m.somebody("who", c.Requester, c.Requester, c.Requester, c.Implementer, sandbox.CTO, sandbox.Deputy, sandbox.Colleague, sandbox.Guest)
	cmds := []change.Command{
		change.Finish{},
		change.Finish{},
		change.Withdraw{},
		change.EndNow{},
		change.Extend{Duration: 30 * time.Minute, Why: "It takes longer"},
		change.Extend{Duration: 4 * time.Hour},
		change.AddNote{Text: fmt.Sprintf("The queue is empty again, %d", len(c.Notes))},
		change.LinkURL{URL: "https://wiki.example.com/page"},
		change.LinkTicket{Ticket: change.TicketRef{Key: "OPS-1"}},
		change.LinkTicket{Ticket: change.TicketRef{Key: "OPS-998"}},
		change.LinkIncident{Incident: m.incidents[1]},
		change.RemindLater{Obligation: change.OweRecord},
		change.RemindLater{Obligation: change.OweReview},
		change.RemindLater{Obligation: change.OweSignOff},
		change.Waive{Obligation: change.OweRecord, Reason: "It was a drill"},
		change.Waive{Obligation: change.OweReview, Reason: "It was a drill"},
		change.Waive{Obligation: change.OweSignOff, Reason: "It was a drill"},
		change.Waive{Obligation: change.OweIndependentReview, Reason: "It was a drill"},
		change.LinkMergeRequest{Ref: m.mergeRequest()},
		change.LinkMergeRequest{Ref: m.mergeRequest(), Fix: true},
		change.ConfirmMergeRequest{Item: 1},
		change.ConfirmMergeRequest{Item: 2},
		change.SaveDraft{Text: change.ReviewText{What: "So far"}},
	}
	m.tell(c.Number, rapid.SampledFrom(cmds).Draw(m.T, "command"), who)
}

// owing lets somebody do what may be owed.
func (m *model) owing() {
	c, ok := m.pick()
	if !ok {
		return
	}
	who := m.somebody("who", c.Requester, c.Requester, c.Implementer, sandbox.CTO, sandbox.Deputy, sandbox.Colleague)
	due := m.time().Add(14 * 24 * time.Hour)
	action := func(what string) change.Action {
		return change.Action{What: what, Owner: m.somebody("owner", sandbox.Engineer, sandbox.Colleague, sandbox.Guest), Due: due}
	}
	review := change.ReviewText{What: "The queue hung", Standard: "It restarts no node", Prevent: "A job", RootCause: "A race"}
	switch rapid.IntRange(0, 6).Draw(m.T, "what") {
	case 0:
		m.tell(c.Number, change.WriteRecord{NothingChanged: true}, who)
	case 1, 2:
		m.tell(c.Number, change.WriteRecord{Done: "Restarted it", Why: "It hung"}, who)
	case 3:
		review.NoAction = "It cannot happen again"
		m.tell(c.Number, change.SubmitReview{Text: review}, who)
	case 4:
		review.Actions = []change.Action{action("A job for it"), action("Another")}
		m.tell(c.Number, change.SubmitReview{Text: review}, who)
	default:
		m.tell(c.Number, change.SignOff{}, who)
	}
}

// comments lets somebody comment in Jira, or edit or delete what stands there, or
// an incident move on.
func (m *model) comments() {
	if rapid.IntRange(0, 4).Draw(m.T, "in incident.io") == 0 {
		in := rapid.SampledFrom(m.incidents).Draw(m.T, "incident")
		status := rapid.SampledFrom([]string{"Investigating", "Monitoring", "Closed"}).Draw(m.T, "status")
		m.must(m.world.IncidentIO.SetStatus(in.ID, status))
		return
	}
	issues := m.world.Jira.Issues()
	issue := issues[rapid.IntRange(0, len(issues)-1).Draw(m.T, "ticket")]
	account := rapid.SampledFrom([]string{sandbox.CTOAccount, sandbox.CTOAccount, sandbox.DeputyAccount}).Draw(m.T, "account")
	theirs := slices.DeleteFunc(issue.Comments, func(x jira.Comment) bool { return x.Author == sandbox.JiraBot })
	what := rapid.IntRange(0, 4).Draw(m.T, "how")
	text := rapid.SampledFrom([]string{"Approved.", "Fine by me", "Please wait", "Is that all?"}).Draw(m.T, "text")
	switch {
	case what == 0 && len(theirs) > 0:
		m.world.Jira.DeleteComment(issue.ID, theirs[0].ID)
	case what == 1 && len(theirs) > 0:
		m.world.Jira.EditComment(account, issue.ID, theirs[0].ID, text)
	default:
		m.world.Jira.CommentAs(account, issue.ID, text)
	}
}

// finishUp lets people do what a change still needs.
func (m *model) finishUp(c *change.Change) {
	switch c.Phase { //nolint:exhaustive // the others need nobody
	case change.Requested:
		m.tell(c.Number, change.Withdraw{}, c.Requester)
	case change.Approved, change.Active:
		m.tell(c.Number, change.Finish{}, c.Requester)
	}
	if c.Record.Revision == 0 {
		m.tell(c.Number, change.WriteRecord{Done: "Restarted it", Why: "It hung"}, c.Requester)
	}
	if c.Review.Submitted.IsZero() {
		m.tell(c.Number, change.SubmitReview{Text: change.ReviewText{What: "It hung", Standard: "It cannot", Prevent: "A job", NoAction: "Done already", RootCause: "A race"}}, c.Requester)
	}
	if c.Plan.MergeRequest == change.NeedWithRecord && len(c.MergeRequests) == 0 {
		m.tell(c.Number, change.LinkMergeRequest{Ref: change.MergeRequestRef{URL: "https://git.example.com/a/9"}}, c.Requester)
	}
	if c.Plan.PermanentFix && !slices.ContainsFunc(c.MergeRequests, func(l change.LinkedMergeRequest) bool { return l.Fix }) {
		m.tell(c.Number, change.LinkMergeRequest{Ref: change.MergeRequestRef{URL: "https://git.example.com/a/10"}, Fix: true}, c.Requester)
	}
	for n := 1; n <= 2 && len(c.MergeRequests) > 0; n++ {
		for _, who := range []string{sandbox.ColleagueLogin, "deputy"} {
			_ = m.world.GitLab.Approve(sandbox.AppProject, n, who) // who has approved already cannot
		}
		_ = m.world.GitLab.Merge(sandbox.AppProject, n, "", "deputy")
		if _, err := m.world.GitLab.Note(sandbox.AppProject, n, "deputy", "Reviewed, after it was merged"); err != nil {
			m.Fatal(err)
		}
	}
	for i := range c.MergeRequests {
		for _, who := range []change.PersonID{sandbox.Colleague, sandbox.AppSec} {
			m.tell(c.Number, change.ConfirmMergeRequest{Item: i + 1}, who)
		}
	}
	for _, who := range []change.PersonID{sandbox.CTO, sandbox.Deputy} {
		m.tell(c.Number, change.SignOff{}, who)
	}
}
