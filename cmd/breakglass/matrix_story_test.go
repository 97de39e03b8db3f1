package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
)

// tale is a story under a fault.
type tale struct {
	*scene
	cell   cell
	n      change.Number
	healed bool
}

// The stories. Together they make every call that breakglass makes by itself.
const (
	storyTicket   = "ticket"
	storyIncident = "incident"
	storyForge    = "merge requests"
	storyOpening  = "an incident is opened"
	storyPrivate  = "private incident" // which makes the change confidential
)

func storyNames() []string {
	return []string{storyTicket, storyIncident, storyForge, storyOpening, storyPrivate}
}

// withAccess tells whether a story gives access.
func withAccess(story string) bool {
	return story == storyTicket || story == storyIncident || story == storyPrivate
}

func stepsOf(story string) []func(*tale) error {
	work := []func(*tale) error{(*tale).approve, (*tale).finish, (*tale).forget, (*tale).record}
	switch story {
	case storyIncident, storyPrivate:
		return append([]func(*tale) error{(*tale).askDuringIncident}, append(work, (*tale).review)...)
	case storyOpening:
		return append([]func(*tale) error{(*tale).askForDeployment}, append(work, (*tale).independentReview, (*tale).review)...)
	case storyForge:
		work = slices.Insert(work, 1, (*tale).ship)
		return append([]func(*tale) error{(*tale).askForConfiguration}, append(work, (*tale).mergeRequests, (*tale).signOff, (*tale).review)...)
	}
	return append([]func(*tale) error{(*tale).askForAccess}, append(work, (*tale).comment, (*tale).review)...)
}

// tell plays the story, with the fault from its step on, and judges the end.
func (p *tale) tell() error {
	for i, step := range stepsOf(p.cell.story) {
		if i == p.cell.from && !p.healed {
			p.spoil()
		}
		if err := step(p); err != nil {
			return fmt.Errorf("step %d: %w", i, err)
		}
		if c, err := p.change(); err == nil && p.cell.fails && c.Phase == change.Failed {
			break
		}
	}
	p.heal()
	if _, err := p.run(20*time.Minute, 200); err != nil {
		return err
	}
	return p.judge()
}

func (p *tale) spoil() {
	if p.cell.world != nil {
		p.cell.world(p.world)
	}
	systems := []change.System{p.cell.system}
	if p.cell.system == "" {
		systems = allSystems()
	}
	for _, s := range systems {
		for _, plan := range planOf(p.world, s) {
			for _, f := range p.cell.faults {
				plan.Add(f)
			}
		}
	}
}

func (p *tale) heal() {
	p.healed = true
	for _, s := range allSystems() {
		for _, plan := range planOf(p.world, s) {
			plan.Clear()
		}
	}
	if p.cell.mend != nil {
		p.cell.mend(p.world)
	}
}

func (p *tale) change() (change.Change, error) { return p.ledger.Change(p.ctx, p.n) }

// patient bounds how long anything takes by the clock once all is well.
const patient = 25 * time.Minute

// until lets time pass until something holds. Where the fault holds it up for as
// long as it lasts, the card has to say so; then it is mended.
func (p *tale) until(what string, holds func() (bool, error)) error {
	return p.wait(what, p.tells, holds)
}

// wait is until, where tells judges what people can see meanwhile.
func (p *tale) wait(what string, tells func() error, holds func() (bool, error)) error {
	const tick = 15 * time.Second
	var spoiled time.Duration // for how long it has been held up by the fault
	hits := p.hits()
	bound := patient + p.cell.lasts
	if p.cell.call == "CreateAccountAssignment" {
		bound += time.Hour // so long the end waits for what came of an unanswered create
	}
	for waited := time.Duration(0); waited <= bound; waited += tick {
		if err := p.work(); err != nil {
			return err
		}
		if ok, err := holds(); ok || err != nil {
			return err
		}
		if _, err := p.run(tick, 200); err != nil {
			return err
		}
		if p.healed || (p.cell.world == nil && p.hits() == hits) {
			continue
		}
		if spoiled += tick; spoiled < p.cell.lasts {
			continue
		}
		if err := tells(); err != nil {
			return fmt.Errorf("while it was waited that %s: %w", what, err)
		}
		p.heal()
	}
	return fmt.Errorf("it did not come to pass that %s", what)
}

// hits counts the calls that were spoiled so far.
func (p *tale) hits() int {
	n := 0
	for _, s := range allSystems() {
		for _, plan := range planOf(p.world, s) {
			n += plan.Hits()
		}
	}
	return n
}

// tells demands that the ledger knows what is waited for, and that the card says
// it, as far as Slack lets it be said.
func (p *tale) tells() error {
	if p.n == 0 {
		return nil // nobody could ask yet
	}
	c, err := p.change()
	if err != nil {
		return err
	}
	if p.cell.fails && c.Phase == change.Failed {
		return nil // it waits no longer
	}
	waiting, err := p.ledger.Waiting(p.ctx, p.n)
	if err != nil {
		return err
	}
	if len(waiting) == 0 && c.Access != nil && c.Access.Trouble == "" {
		return errors.New("nothing is known to be waited for")
	}
	if p.cell.system == change.SystemSlack || p.cell.system == "" {
		return nil
	}
	where := p.world.Slack.Messages(sandbox.Channel)
	if c.Confidential {
		where = p.world.Slack.DMs(string(c.Requester))
	}
	for _, m := range where {
		if strings.Contains(p.world.Slack.RenderMessage("", m), "Waiting for") {
			return nil
		}
	}
	return fmt.Errorf("the card does not say that %v is waited for", waiting)
}

// say gives a command, again and again while it could not be established who may:
// they are told so each time, and nothing waits.
func (p *tale) say(cmd change.Command, who change.PersonID) error {
	return p.wait(fmt.Sprintf("%s: %s is taken", who, change.CommandName(cmd)), func() error { return nil }, func() (bool, error) {
		_, err := p.command(p.n, cmd, who)
		if r, ok := errors.AsType[*change.Refusal](err); ok && r.Code == change.Unestablished {
			return false, nil
		}
		return err == nil, err
	})
}

// sees waits until the change is so.
func (p *tale) sees(what string, is func(*change.Change) bool) error {
	return p.until(what, func() (bool, error) {
		c, err := p.change()
		return err == nil && is(&c), err
	})
}

func (p *tale) ask(req change.Request, who change.PersonID) error {
	err := p.until(string(who)+" can ask", func() (bool, error) {
		c, err := p.submit(req, who)
		if r, ok := errors.AsType[*change.Refusal](err); ok && r.Code == change.Unestablished {
			return false, nil
		}
		p.n = c.Number
		return err == nil, err
	})
	if err != nil {
		return err
	}
	return p.until("somebody is asked", func() (bool, error) { return len(p.world.Slack.DMs(string(p.approver()))) > 0, nil })
}

func (p *tale) approver() change.PersonID {
	if p.cell.story == storyOpening {
		return sandbox.ReleaseManager
	}
	return sandbox.CTO
}

func (p *tale) access() change.Request {
	return change.Request{
		Kind: "production-access", Reason: "platform-unrecoverable", What: "Restart the queue by hand", Why: "Orders stand still",
		Target: "production", PermissionSet: "admin", Duration: time.Hour, Choice: change.TicketNow,
	}
}

func (p *tale) askForAccess() error {
	if err := p.ask(p.access(), sandbox.Engineer); err != nil {
		return err
	}
	return p.sees("the ticket is there", func(c *change.Change) bool { return c.Ticket != nil })
}

func (p *tale) askDuringIncident() error {
	in := p.world.IncidentIO.Open(incidentio.Incident{Name: "Orders stand still", Private: p.cell.story == storyPrivate})[0]
	req := p.access()
	req.Choice = ""
	req.Incident = &change.Incident{ID: in.ID, Reference: in.Reference(), Name: in.Name, Status: in.Status, Category: change.IncidentLive}
	return p.ask(req, "U0CONTRACTOR")
}

func (p *tale) askForConfiguration() error {
	return p.ask(change.Request{
		Kind: "configuration-change", Reason: "release-pipeline-down", What: "Lower the limit", Why: "Orders stand still", Choice: change.TicketExisting,
		Ticket: &change.TicketRef{Key: p.knownTicket()}, Answers: map[change.QuestionID]string{"criticality": "C2", "rollback": "Set it back"},
	}, sandbox.Engineer)
}

// askForDeployment has its merge request, and an incident that is yet to be opened.
func (p *tale) askForDeployment() error {
	if err := p.world.GitLab.Approve(sandbox.AppProject, 1, sandbox.ColleagueLogin); err != nil {
		return err
	}
	err := p.ask(change.Request{
		Kind: "fast-track-deployment", Reason: "incident-mitigation", What: "Deploy the fix", Why: "Orders stand still",
		Answers: map[change.QuestionID]string{"why-not-patched": "It is in the image"}, Opening: &change.IncidentOpening{Name: "Orders stand still", SeverityID: "SEVERITY2", Severity: "Critical"},
		MergeRequests: []change.RequestedMergeRequest{{Ref: change.MergeRequestRef{Forge: change.GitLab, Project: sandbox.AppProject, Number: 1, URL: p.world.MergeRequestURL(sandbox.AppProject, 1)}}},
	}, sandbox.Engineer)
	if err != nil {
		return err
	}
	return p.sees("the incident is there, or it is known that it will not be", func(c *change.Change) bool { return c.Incident != nil && !c.Incident.BeingOpened() })
}

func (p *tale) approve() error {
	if err := p.say(change.Approve{Ask: 1}, p.approver()); err != nil {
		return err
	}
	return p.sees("it is active", func(c *change.Change) bool {
		return c.Phase == change.Active || (p.cell.fails && c.Phase == change.Failed)
	})
}

func (p *tale) requester() (change.PersonID, error) {
	c, err := p.change()
	return c.Requester, err
}

// doing gives a command in the name of whoever asked.
func (p *tale) doing(cmd change.Command) error {
	who, err := p.requester()
	if err != nil {
		return err
	}
	return p.say(cmd, who)
}

func (p *tale) finish() error {
	if err := p.doing(change.AddNote{Text: "The queue is empty again"}); err != nil {
		return err
	}
	if c, err := p.change(); err != nil || c.Phase != change.Active {
		return err // the window ended while somebody was waited for
	}
	if err := p.doing(change.Finish{}); err != nil {
		return err
	}
	return p.sees("the access is gone", func(c *change.Change) bool { return c.Access == nil || !c.Access.GoneAt.IsZero() })
}

// forget lets the record wait for two reminders, of which the first makes way.
func (p *tale) forget() error {
	for _, by := range []time.Duration{time.Hour, 11 * time.Hour} {
		p.later(by)
		if err := p.work(); err != nil {
			return err
		}
	}
	return nil
}

func (p *tale) record() error {
	if err := p.doing(change.WriteRecord{Done: "Restarted it", Why: "It hung"}); err != nil {
		return err
	}
	return p.sees("the record stands where it belongs", func(c *change.Change) bool {
		o := c.Owes(change.OweRecord, 0)
		return o != nil && o.State == change.Done
	})
}

func (p *tale) comment() error {
	c, err := p.change()
	if err != nil {
		return err
	}
	p.world.Jira.CommentAs(sandbox.CTOAccount, c.Ticket.ID, "Approved.")
	return p.sees("it is signed off", signedOff)
}

func signedOff(c *change.Change) bool {
	o := c.Owes(change.OweSignOff, 0)
	return o != nil && o.State == change.Done
}

func (p *tale) signOff() error {
	if err := p.say(change.SignOff{}, sandbox.CTO); err != nil {
		return err
	}
	return p.sees("it is signed off", signedOff)
}

func (p *tale) review() error {
	due := p.time().Add(14 * 24 * time.Hour)
	if err := p.doing(change.SubmitReview{Text: change.ReviewText{
		What: "It hung", Standard: "It restarts no node", Prevent: "A job", RootCause: "A race",
		Actions: []change.Action{{What: "Add the job", Owner: sandbox.Engineer, Due: due}},
	}}); err != nil {
		return err
	}
	if c, err := p.change(); err != nil || c.Owes(change.OweSignOff, 0) != nil && !signedOff(&c) { // the record had to move
		if err := errors.Join(err, p.signOff()); err != nil {
			return err
		}
	}
	return p.sees("it is closed", func(c *change.Change) bool { return c.Phase == change.Closed })
}
