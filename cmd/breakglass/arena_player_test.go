package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/aws"
	"github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

// player is one engineer with one change, and whoever has a part in it. They
// do again what was not acknowledged, as people do, and never what was: what
// breakglass has acknowledged has to come to pass.
type player struct {
	*arena
	who      string // the engineer
	aws      string // their user in Identity Center
	incident string // its reference; empty: no incident
	number   string // of the change, such as EC-3, once there is one
	patience time.Duration
	asks     askedRole
	long     string // for how long access is asked
	role     role
	known    string // the ticket that was there before the change; empty: it gets one of its own
	clicks   bool   // the CTO signs off by a click
}

// role is what a player does, and what stands in the other systems in the end.
type role struct {
	story   func(*player, context.Context) error
	ends    change.Phase
	creates int // accesses that AWS is asked for
	tickets int // in Jira
	maybe   int // as many more may be: none is made for what is over before it could be

	lasts   time.Duration // the access may, beyond its end, because AWS does not remove it
	regains bool          // somebody else gives the access when the change is over
}

// arenaPatience bounds the wait for anything on an arena, whose clock may have to be
// moved on by an hour in steps of half a minute: so long breakglass looks for what may
// come of a request that AWS never answered.
const arenaPatience = 3 * patience

// askedRole is what somebody asks for, by the names of the form.
type askedRole struct {
	where, set   string
	account, arn string
}

// askedRoles are asked for in turn: AWS works on one access of a role at a time, so
// that a crowd that wants the same one waits for most of its patience.
var askedRoles = [...]askedRole{
	{"Production", "BreakGlassAdmin", sandbox.Production, sandbox.AdminSet},
	{"Production", "BreakGlassReadOnly", sandbox.Production, sandbox.ReadSet},
	{"Security (locked down)", "BreakGlassAdmin", sandbox.Security, sandbox.AdminSet},
}

// troupe makes the players of an arena.
type troupe func(a *arena, incidents ...incidentio.Incident) []*player

// players makes n engineers. Every second has an incident, if any is given.
func (a *arena) players(n int, incidents ...incidentio.Incident) []*player {
	all := make([]*player, n)
	for i := range all {
		p := &player{arena: a, who: fmt.Sprintf("U0ENG%d", i), aws: fmt.Sprintf("93d4a8e2-0000-4000-9000-%012d", i), patience: arenaPatience + time.Duration(n)*3*time.Second, asks: askedRoles[i%len(askedRoles)], long: "1h"}
		email := fmt.Sprintf("engineer-%d@example.com", i)
		a.world.Slack.PutUser(slack.User{ID: p.who, Name: fmt.Sprintf("Engineer %d", i), Email: email, TZ: "Europe/Berlin"})
		a.world.AWS.AddUser(aws.User{ID: p.aws, UserName: p.who, Email: email})
		a.world.IncidentIO.AddUser(incidentio.User{Name: p.who, Email: email, SlackID: p.who})
		if len(incidents) > 0 && i%2 == 1 {
			in := incidents[i/2%len(incidents)]
			p.incident = in.Reference() + " " + in.Name + " (Investigating)"
		}
		p.role = p.whole()
		all[i] = p
	}
	return all
}

// whole is the role of somebody whose change is made and closed: with the ticket of
// its preventive action, and its own where it has no incident.
func (p *player) whole() role {
	its := role{story: (*player).story, ends: change.Closed, creates: 1, tickets: 2}
	if p.incident != "" {
		its.tickets = 1
	}
	return its
}

// as is the same change in the hands of somebody else.
func (p *player) as(who string) *player {
	other := *p
	other.who = who
	return &other
}

// key is the access that the player asks for.
func (p *player) key() aws.Key {
	k := sandbox.AdminOf(sandbox.Engineer)
	k.AccountID, k.PermissionSetARN, k.UserID = p.asks.account, p.asks.arn, p.aws
	return k
}

// enter says that the player is in the middle of something, so that no time
// passes; leave, that they are done with everything.
func (p *player) enter() { p.people.Lock(); p.acting++; p.people.Unlock() }
func (p *player) leave() { p.people.Lock(); p.acting--; p.people.Unlock() }

// until waits for something. Time may pass meanwhile.
func (p *player) until(ctx context.Context, what string, holds func() bool) error {
	p.people.Lock()
	p.acting--
	p.waiting[p] = holds
	p.people.Unlock()
	defer func() {
		p.people.Lock()
		p.acting++
		delete(p.waiting, p)
		p.people.Unlock()
	}()
	ctx, cancel := context.WithTimeout(ctx, p.patience)
	defer cancel()
	for {
		if holds() {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s %s: it did not come to pass that %s: %w", p.who, p.number, what, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// deed does something until it is acknowledged, and then waits for what comes
// of it. A sentence that nothing was done is no acknowledgement.
func (p *player) deed(ctx context.Context, what string, who string, do func() error, done func() bool) error {
	again := time.NewTicker(20 * time.Millisecond) // people take a moment before they try again
	defer again.Stop()
	for begun := time.Now(); !done(); {
		told := len(p.world.Slack.Ephemerals(who))
		p.crowd <- struct{}{}
		err := do()
		<-p.crowd
		if err == nil {
			turnedDown := func() bool {
				all := p.world.Slack.Ephemerals(who)
				return len(all) > told && nothingDone(p.world.Slack.RenderMessage(who, all[len(all)-1]))
			}
			if err := p.until(ctx, what+" (acknowledged)", func() bool { return done() || turnedDown() }); err != nil {
				return err
			}
			continue
		}
		if _, refused := errors.AsType[*slack.FormError](err); refused && !done() && time.Since(begun) > p.patience/2 {
			return fmt.Errorf("%s %s: %s: %w", p.who, p.number, what, err)
		}
		if time.Since(begun) > p.patience || ctx.Err() != nil {
			return fmt.Errorf("%s %s: %s was never acknowledged: %w", p.who, p.number, what, err)
		}
		select {
		case <-again.C:
		case <-ctx.Done():
		}
	}
	return nil
}

// nothingDone tells whether somebody is told to do it again.
func nothingDone(said string) bool {
	return strings.Contains(said, "again in a moment") || strings.Contains(said, "did not open the form in time")
}

func (p *player) hands() slack.Person { return p.world.Slack.Person(p.who) }

// dm is the newest of somebody's direct messages about the change with a button.
func (p *player) dm(who, button string) *slack.Message {
	return p.seen.find(p.number, p.world.Slack.DMChannel(who), "[ "+button+" ]")
}

// says tells whether the channel, or a thread in it, says something of the change.
func (p *player) says(text string) bool {
	return p.seen.find(p.number, sandbox.Channel, text) != nil
}

// press presses a button of a direct message, once it is there.
func (p *player) press(ctx context.Context, who, button string, done func() bool) error {
	return p.pressOn(ctx, func() *slack.Message { return p.dm(who, button) }, who, button, done)
}

// pressInChannel is press, of what everybody sees.
func (p *player) pressInChannel(ctx context.Context, who, button string, done func() bool) error {
	return p.pressOn(ctx, func() *slack.Message { return p.seen.find(p.number, sandbox.Channel, "[ "+button+" ]") }, who, button, done)
}

// pressOn is press, of the message that is found.
func (p *player) pressOn(ctx context.Context, find func() *slack.Message, who, button string, done func() bool) error {
	if err := p.until(ctx, "there is a button "+button, func() bool { return done() || find() != nil }); err != nil {
		return err
	}
	return p.deed(ctx, "press "+button, who, func() error {
		m := find()
		if m == nil {
			return errors.New("the button is gone")
		}
		return p.world.Slack.Person(who).Click(ctx, *m, button)
	}, done)
}

// form fills a form in and submits it: open opens it, fill types. What was not
// acknowledged is submitted again, from the same form while it is there.
func (p *player) form(ctx context.Context, what string, open func() error, fill []step, done func() bool) error {
	ready := false
	return p.deed(ctx, what, p.who, func() error {
		if _, there := p.world.Slack.View(p.who); !ready || !there {
			ready = false
			p.clear(ctx)
			if err := open(); err != nil {
				return err
			}
			if _, there := p.world.Slack.View(p.who); !there {
				return errors.New("no form was opened")
			}
			if err := steps(fill...); err != nil {
				return err
			}
			ready = true
		}
		return p.hands().Submit(ctx)
	}, done)
}

// clear closes whatever is on the player's screen.
func (p *player) clear(ctx context.Context) {
	for {
		if _, there := p.world.Slack.View(p.who); !there {
			return
		}
		_ = p.hands().CloseView(ctx) // it is closed on the screen, whoever hears of it
	}
}

// inForm is a form that a button of a direct message opens.
func (p *player) inForm(ctx context.Context, button string, fill []step, done func() bool) error {
	if err := p.until(ctx, "there is a button "+button, func() bool { return done() || p.dm(p.who, button) != nil }); err != nil {
		return err
	}
	return p.form(ctx, button, func() error {
		m := p.dm(p.who, button)
		if m == nil {
			return errors.New("the button is gone")
		}
		return p.hands().Click(ctx, *m, button)
	}, fill, done)
}
