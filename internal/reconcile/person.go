package reconcile

import (
	"context"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// Persons finds people in AWS.
type Persons interface {
	// FindUser finds the one user with an e-mail address.
	FindUser(ctx context.Context, email string) (change.AWSUser, error)
	// CheckUser checks the user of an id.
	CheckUser(ctx context.Context, userID string) (change.AWSUser, error)
}

// person freezes the requester's AWS user, when AWS did not answer at the
// request. A definite no fails the change once it is approved; until then it is
// looked at again, since somebody may mend it.
func (d *Deliverer) person(ctx context.Context, c change.Change, _ *ledger.Delivery) (result, error) {
	if c.Access == nil || c.Access.Key.UserID != "" || c.Phase.Final() {
		return result{cancel: "the AWS user is known, or no longer needed"}, nil
	}
	user, err := d.findPerson(ctx, c.Implementer)
	switch outcome := change.OutcomeOf(err); {
	case err == nil:
		_, err := d.Workflow.Do(ctx, c.Number, change.PersonFound{User: user}, change.Itself("aws"))
		return result{external: user.ID}, err
	case outcome == change.Refused || outcome == change.Missing:
		say := change.SayOf(err, "AWS has no user for this person.")
		after, err := d.Workflow.Do(ctx, c.Number, change.PersonRefused{Say: say}, change.Itself("aws"))
		if err != nil || after.Phase.Final() {
			return result{}, err
		}
		return result{later: d.Now().Add(slowest), waitsFor: say}, nil
	default:
		return result{}, err
	}
}

func (d *Deliverer) findPerson(ctx context.Context, id change.PersonID) (change.AWSUser, error) {
	if configured := d.Workflow.Rules.People[id].AWS; configured != "" {
		return d.Persons.CheckUser(ctx, configured)
	}
	person, err := d.Directory.Person(ctx, id)
	if err != nil {
		return change.AWSUser{}, err
	}
	return d.Persons.FindUser(ctx, person.Email)
}
