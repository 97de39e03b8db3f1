package main

import (
	"context"
	"strings"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/crashpoint"
)

// checkWithin bounds what is asked of each system at the start.
const checkWithin = 5 * time.Second

// checkInBackground looks once, beside the start and never holding it up, whether
// the other systems fit the configuration. end ends it.
func (p *program) checkInBackground(ctx context.Context) (end func()) {
	if crashpoint.Armed { // a look is nothing that has to survive, and its points would come in any order
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.checkSystems(ctx)
	}()
	return func() { cancel(); <-done }
}

// checkSystems says in the log what would otherwise show with the first change that
// needs it: that AWS has no such Identity Center, that incident.io's key lacks rights.
func (p *program) checkSystems(ctx context.Context) {
	told := func(err error, what string) {
		switch {
		case err == nil || ctx.Err() != nil:
		case change.OutcomeOf(err) == change.Refused:
			p.log.WarnContext(ctx, what, "error", err)
		default:
			p.log.WarnContext(ctx, "another system could not be asked at the start whether it fits the configuration; work that needs it waits until it answers", "error", err)
		}
	}
	if p.systems.aws != nil {
		within, cancel := context.WithTimeout(ctx, checkWithin)
		defer cancel()
		err := p.systems.aws.CheckInstance(change.WithUrgency(within, change.UrgentCensus))
		told(err, "AWS is not as the configuration says, so that no access can be granted: compare aws.region, aws.instance_arn and aws.identity_store_id with `aws sso-admin list-instances`, and the program's role with deploy/iam-policy.json")
	}
	if p.systems.incident != nil {
		within, cancel := context.WithTimeout(ctx, checkWithin)
		defer cancel()
		key, err := p.systems.incident.Identity(within)
		told(err, "incident.io refuses the API key, so that no incident can be read: make a new one, and set INCIDENT_IO_API_KEY")
		if len(key.Missing) > 0 {
			p.log.WarnContext(ctx, "the API key of incident.io lacks roles, and what needs them will be refused: give it these roles, or set INCIDENT_IO_API_KEY to a key that has them", "roles", strings.Join(key.Missing, ", "))
		}
	}
}
