package main

import (
	"bytes"
	"context"
	"strings"
	"time"

	"github.com/breakglass-bot/breakglass/deploy"
	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
	"github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
)

// underSecurityLevel is the example with the security level of confidential tickets.
func underSecurityLevel() []byte {
	return bytes.Replace(deploy.Example, []byte("\n  # security_level:"), []byte("\n  security_level:"), 1)
}

// inHindsight are players whose change is over when something comes of it: the access of
// one is there once more, and the digest of its month is told; the ticket
// of the other is put under a security level because the incident is private.
func (a *arena) inHindsight(...incidentio.Incident) []*player {
	all := a.players(2)
	all[0].clicks = true
	all[0].role.story, all[0].role.regains = (*player).comesBack, true
	all[1].role = role{story: (*player).isSecured, ends: change.Withdrawn, tickets: 1}
	return all
}

// comesBack has an access of which one create was never answered, so that breakglass
// looks for a week; gets it again when its change is closed; and waits for the digest.
func (p *player) comesBack(ctx context.Context) error {
	p.world.AWS.Faults.Add(fault.Fault{Kind: fault.Internal, Call: "CreateAccountAssignment", Times: 1})
	return steps(
		func() error { return p.ask(ctx) },
		func() error { return p.approved(ctx) },
		func() error { return p.finish(ctx) },
		func() error { return p.record(ctx) },
		func() error { return p.review(ctx) },
		func() error { p.world.AWS.Plant(p.key()); return nil },
		func() error { return p.until(ctx, "the access is seen again", p.sees(ctx, "access_back")) },
		func() error {
			return p.until(ctx, "it is gone again", func() bool { return !p.world.AWS.Has(p.key()) })
		},
		func() error {
			month := change.DigestMonth(p.now()).End()
			p.passTo(month.AddDate(0, 1, 0).Add(9*time.Hour + time.Minute))
			return p.until(ctx, "the digest of "+month.Format("January")+" is told", func() bool {
				for _, m := range p.world.Slack.Messages(sandbox.AuditChannel) {
					if strings.Contains(m.Text, month.Format("January 2006")) {
						return true
					}
				}
				return false
			})
		},
	)
}

// isSecured links a private incident when there is a ticket, and withdraws.
func (p *player) isSecured(ctx context.Context) error {
	private := p.world.IncidentIO.Open(incidentio.Incident{Name: "Somebody reads our mail", Private: true})[0]
	return steps(
		func() error { return p.ask(ctx) },
		func() error { return p.until(ctx, "there is a ticket", func() bool { return p.ticket() != nil }) },
		func() error { return p.types(ctx, "link "+p.number+" "+private.Reference(), "made_confidential") },
		func() error { return p.until(ctx, "the ticket is secured", p.sees(ctx, "ticket_secured")) },
		func() error { return p.types(ctx, "withdraw "+p.number, "withdrawn") },
	)
}
