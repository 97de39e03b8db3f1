package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// askLimit is how many people are asked directly. Where more may decide, the
// group is mentioned once in the card's thread instead; only whom no mention
// reaches is asked directly all the same.
const askLimit = 10

// groupPause is how long to wait for a group whose source did not answer.
const groupPause = 10 * time.Second

// askOut finds the people who may decide now, and asks each of them.
func (d *Deliverer) askOut(ctx context.Context, c change.Change, row *ledger.Delivery) (result, error) {
	a := c.OpenAsk()
	if a == nil || a.ID != row.Ref.Ask {
		return result{cancel: "answered before anybody could be asked"}, nil
	}
	people, known, err := d.askable(ctx, &c, row.Ref)
	if err != nil {
		return result{}, err
	}
	if !known {
		return approversUnknown(d.Now()), nil
	}
	var asks []change.Delivery
	if len(people) > askLimit && !c.Confidential {
		key := fmt.Sprintf("%d/group", a.ID)
		if row.Ref.Fallback {
			key += "/fallback"
		}
		asks = append(asks, change.Delivery{Number: c.Number, Kind: change.DeliverAsk, Key: key, Mode: change.Converge, Ref: row.Ref})
		people = d.unmentioned(ctx, &c, people, row.Ref)
	}
	asks = append(asks, askEach(&c, people, row.Ref)...)
	if err := d.Ledger.Put(ctx, asks, c.Version, d.Now()); err != nil || len(people) == 0 {
		return result{}, err
	}
	return result{}, d.lookAway(ctx, &c, people, row.Ref)
}

// unmentioned lists those of the people whom the message in the thread does not
// reach: it mentions Slack user groups, and only names a schedule, a list of
// members or a union.
func (d *Deliverer) unmentioned(ctx context.Context, c *change.Change, people []change.PersonID, ref change.Ref) []change.PersonID {
	var mentioned []change.GroupID
	for _, rule := range c.Missing() {
		groups := rule.From
		if ref.Fallback {
			groups = rule.Fallback
		}
		for _, g := range groups {
			if d.Workflow.Rules.Groups[g].SlackUsergroup != "" {
				mentioned = append(mentioned, g)
			}
		}
	}
	reached, _ := d.Directory.Groups(ctx, mentioned).People(mentioned...)
	return slices.DeleteFunc(slices.Clone(people), func(p change.PersonID) bool { return slices.Contains(reached, p) })
}

// approversUnknown is the result where a group's source did not answer.
func approversUnknown(now time.Time) result {
	return result{later: now.Add(groupPause), waitsFor: "Who may approve could not be looked up; asking again."}
}

// askable lists who may give the approvals that are still missing. Where nobody
// of the first groups may, the fallback is asked as well.
func (d *Deliverer) askable(ctx context.Context, c *change.Change, ref change.Ref) (people []change.PersonID, known bool, err error) {
	view := d.Directory.Groups(ctx, c.GroupsOf(d.Workflow.Rules))
	for _, rule := range c.Missing() {
		groups := rule.From
		if ref.Fallback {
			groups = rule.Fallback
		}
		some, known := c.Candidates(view, rule, groups)
		if !known {
			return nil, false, nil
		}
		if len(some) == 0 && !ref.Fallback {
			if err := d.escalate(ctx, c.Number, ref.Ask, ""); err != nil {
				return nil, false, err
			}
		}
		for _, p := range some {
			if !slices.Contains(people, p) {
				people = append(people, p)
			}
		}
	}
	return people, true, nil
}

// askEach asks each of the people directly.
func askEach(c *change.Change, people []change.PersonID, ref change.Ref) []change.Delivery {
	asks := make([]change.Delivery, 0, len(people))
	for _, p := range people {
		asks = append(asks, change.Delivery{Number: c.Number, Kind: change.DeliverAsk, Key: fmt.Sprintf("%d/%s", ref.Ask, p), Mode: change.Converge, To: p, Ref: ref})
	}
	return asks
}

// askDirectly puts a question to each member of a group whose thread has no
// place.
func (d *Deliverer) askDirectly(ctx context.Context, c *change.Change, row *ledger.Delivery) (result, error) {
	people, known, err := d.askable(ctx, c, row.Ref)
	if err != nil {
		return result{}, err
	}
	if !known {
		return approversUnknown(d.Now()), nil
	}
	if err := d.Ledger.Put(ctx, askEach(c, people, row.Ref), c.Version, d.Now()); err != nil {
		return result{}, err
	}
	if err := d.lookAway(ctx, c, people, row.Ref); err != nil {
		return result{}, err
	}
	return result{cancel: "the card has no place, so everybody is asked directly"}, nil
}

// escalate asks the fallback at once. That somebody decided meanwhile is fine.
func (d *Deliverer) escalate(ctx context.Context, n change.Number, ask int, why string) error {
	_, err := d.Workflow.Do(ctx, n, change.Escalate{Ask: ask, Why: why}, change.Itself("asks"))
	if _, refused := errors.AsType[*change.Refusal](err); refused {
		return nil
	}
	return err
}

// remindOut finds who owes something now, and reminds each of them. What a
// departed person owes passes to roles.cto.
func (d *Deliverer) remindOut(ctx context.Context, c change.Change, row *ledger.Delivery) (result, error) {
	o := c.Owes(row.Ref.Obligation, row.Ref.Item)
	if o == nil || o.State != change.Owed || !o.Part.IsZero() {
		return result{cancel: "done before it was sent"}, nil
	}
	if o.Owner != "" {
		person, err := d.Directory.Person(ctx, o.Owner)
		if err != nil {
			return result{}, err
		}
		if person.Standing != change.Member {
			if c, err = d.Workflow.Do(ctx, c.Number, change.OwnerGone{Person: o.Owner}, change.Itself("reminders")); err != nil {
				return result{}, err
			}
			o = c.Owes(row.Ref.Obligation, row.Ref.Item)
		}
	}
	people, known := d.owners(ctx, &c, o)
	if !known {
		return result{later: d.Now().Add(groupPause), waitsFor: "Whom to remind could not be looked up; asking again."}, nil
	}
	var reminders []change.Delivery
	for _, p := range people {
		reminders = append(reminders, change.Delivery{
			Number: c.Number, Kind: change.DeliverReminder, Mode: change.Once, To: p, Ref: row.Ref,
			Key: fmt.Sprintf("%s/%s", row.Key, p),
		})
	}
	return result{}, d.Ledger.Put(ctx, reminders, c.Version, d.Now())
}

// owners lists who owes an obligation now.
func (d *Deliverer) owners(ctx context.Context, c *change.Change, o *change.Obligation) (people []change.PersonID, known bool) {
	if o.Owner != "" {
		return []change.PersonID{o.Owner}, true
	}
	if o.Name == change.OweSignOff {
		return c.EligibleSigners(d.Directory.Groups(ctx, c.GroupsOf(d.Workflow.Rules)))
	}
	return d.Directory.Groups(ctx, o.Groups).People(o.Groups...)
}

// signOffOut asks everybody who may sign off.
func (d *Deliverer) signOffOut(ctx context.Context, c change.Change, row *ledger.Delivery) (result, error) {
	o := c.Owes(change.OweSignOff, 0)
	if o == nil || o.State != change.Owed {
		return result{cancel: "signed off before anybody could be asked"}, nil
	}
	people, known := d.owners(ctx, &c, o)
	if !known {
		return result{later: d.Now().Add(groupPause), waitsFor: "Who signs off could not be looked up; asking again."}, nil
	}
	var asks []change.Delivery
	for _, p := range people {
		asks = append(asks, change.Delivery{Number: c.Number, Kind: change.DeliverSignOff, Key: row.Key + "/" + string(p), Mode: change.Converge, To: p, Ref: row.Ref})
	}
	return result{}, d.Ledger.Put(ctx, asks, c.Version, d.Now())
}

// ctoOut tells everybody of roles.cto.
func (d *Deliverer) ctoOut(ctx context.Context, c change.Change, row *ledger.Delivery) (result, error) {
	groups := d.Workflow.Rules.Roles.CTO
	people, known := d.Directory.Groups(ctx, groups).People(groups...)
	if !known {
		return result{later: d.Now().Add(groupPause), waitsFor: "Who stands for the CTO could not be looked up; asking again."}, nil
	}
	var messages []change.Delivery
	for _, p := range people {
		messages = append(messages, change.Delivery{
			Number: c.Number, Kind: change.DeliverDirect, Mode: change.Once, To: p, Ref: row.Ref,
			Key: string(row.Ref.Message) + "/" + row.Key + "/" + string(p),
		})
	}
	return result{}, d.Ledger.Put(ctx, messages, c.Version, d.Now())
}
