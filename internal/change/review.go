package change

import (
	"slices"
	"strings"
	"time"
)

// ActionLimit is how many preventive actions one review may name; the form has
// as many rows.
const ActionLimit = 3

// SaveDraft keeps a review as far as it was typed.
type SaveDraft struct{ Text ReviewText }

// SubmitReview is the post-incident review.
type SubmitReview struct{ Text ReviewText }

// ReviewMirrored says where the review stands, beside the record or in its stead.
type ReviewMirrored struct {
	In  RecordPlace
	Ref string // of the timeline item or comment
}

// ActionRecorded says that a preventive action has its ticket or follow-up.
type ActionRecorded struct {
	Item   int // from 1
	Ticket TicketRef
}

func (x SaveDraft) decide(d *decision) error {
	if err := d.reviewable(); err != nil {
		return err
	}
	d.c.Review.Draft = x.Text
	d.emit(EventReviewDrafted, nil, nil)
	return nil
}

// reviewable refuses a review from others, too early, or twice.
func (d *decision) reviewable() error {
	c := &d.c
	if err := d.mineOrInherited(OweReview); err != nil {
		return err
	}
	if c.Phase.Final() && c.Phase != Closed {
		return d.open()
	}
	if c.Phase != Ended && c.Phase != Closed {
		return refuse(TooEarly, "%s has not ended yet; the review comes after it.", c.Number)
	}
	if !c.Review.Submitted.IsZero() {
		return &Refusal{Code: Decided, Say: "The review of " + c.Number.String() + " has been submitted already.", By: c.Review.By, At: c.Review.Submitted}
	}
	return nil
}

func (x SubmitReview) decide(d *decision) error {
	if err := d.reviewable(); err != nil {
		return err
	}
	c := &d.c
	text := x.Text.trimmed()
	if p := text.problems(c.Plan); len(p) > 0 {
		return &Refusal{Code: BadInput, Say: "The review is not complete yet.", Fields: p}
	}
	text.Actions = text.named()
	c.Review = Review{Text: text, Submitted: d.now, By: d.actor.ID}
	if o := c.Owes(OweReview, 0); o != nil {
		o.Part = d.now
	}
	d.emit(EventReviewSubmitted, Facts{"actions": len(text.Actions)}, text.texts())
	for i, a := range text.Actions {
		d.owe(Obligation{Name: OweAction, Item: i + 1, Owner: a.Owner})
	}
	return nil
}

// trimmed takes the spaces off. Rows without an action stay: what is wrong with those
// behind them is said at their inputs.
func (t ReviewText) trimmed() ReviewText {
	t.What, t.Standard = strings.TrimSpace(t.What), strings.TrimSpace(t.Standard)
	t.Prevent, t.NoAction = strings.TrimSpace(t.Prevent), strings.TrimSpace(t.NoAction)
	t.RootCause = strings.TrimSpace(t.RootCause)
	t.Actions = slices.Clone(t.Actions)
	for i := range t.Actions {
		t.Actions[i].What = strings.TrimSpace(t.Actions[i].What)
	}
	return t
}

// named are the actions without the rows that were left empty.
func (t ReviewText) named() (actions []Action) {
	for _, a := range t.Actions {
		if !a.Blank() {
			actions = append(actions, a)
		}
	}
	return actions
}

// Blank tells whether nothing was filled in.
func (a Action) Blank() bool {
	return strings.TrimSpace(a.What) == "" && a.Owner == "" && a.Due.IsZero()
}

func (t ReviewText) texts() map[string]string {
	texts := map[string]string{"what": t.What, "standard": t.Standard, "prevent": t.Prevent, "no_action": t.NoAction, "root_cause": t.RootCause}
	for i, a := range t.Actions {
		texts[rungName("action", i+1)] = a.What
	}
	return texts
}

// The inputs of the review's form.
const (
	FieldReviewWhat     Field = "review_what"
	FieldReviewStandard Field = "review_standard"
	FieldReviewPrevent  Field = "review_prevent"
)

// ActionField names the input of preventive action i, from 1.
func ActionField(i int) Field { return Field(rungName("action", i)) }

// OwnerField names the input of preventive action i's owner, from 1.
func OwnerField(i int) Field { return Field(rungName("owner", i)) }

// DueField names the input of preventive action i's date, from 1.
func DueField(i int) Field { return Field(rungName("by", i)) }

func (t ReviewText) problems(plan Plan) map[Field]string {
	p := map[Field]string{}
	checkText(p, FieldReviewWhat, t.What, true)
	checkText(p, FieldReviewStandard, t.Standard, true)
	checkText(p, FieldReviewPrevent, t.Prevent, true)
	checkText(p, FieldRootCause, t.RootCause, plan.RootCause)
	checkText(p, FieldNoAction, t.NoAction, false)
	named := len(t.named())
	if plan.NeedsAction && named == 0 && t.NoAction == "" {
		p[FieldNoAction] = "Name a preventive action, or say here why none is needed."
	}
	for i, a := range t.Actions {
		switch {
		case a.Blank():
		case i >= ActionLimit && named > ActionLimit:
			p[ActionField(ActionLimit)] = "At most three actions fit; put more into one of them."
		case a.What == "":
			p[ActionField(i+1)] = "Say what the action is."
		case a.Owner == "":
			p[OwnerField(i+1)] = "Say who owns this action."
		case a.Due.IsZero():
			p[DueField(i+1)] = "Say by when."
		}
	}
	return p
}

func (x ReviewMirrored) decide(d *decision) error {
	c := &d.c
	if c.Review.Submitted.IsZero() || c.Review.Mirrored {
		return nil
	}
	c.Review.Mirrored = true
	d.emit(EventReviewMirrored, Facts{"in": string(x.In), "ref": x.Ref}, nil)
	if o := c.Owes(OweReview, 0); o != nil && o.State == Owed {
		d.fulfil(o, Proof{Way: string(x.In), By: c.Review.By, Ref: x.Ref})
	}
	return nil
}

func (x ActionRecorded) decide(d *decision) error {
	c := &d.c
	if x.Item < 1 || x.Item > len(c.Review.Text.Actions) {
		return nil
	}
	o := c.Owes(OweAction, x.Item)
	if o == nil || o.State != Owed {
		return nil
	}
	c.Review.Text.Actions = slices.Clone(c.Review.Text.Actions)
	ticket := x.Ticket
	c.Review.Text.Actions[x.Item-1].Ticket = &ticket
	d.emit(EventActionRecorded, Facts{"item": x.Item, "ticket": ticket.Key}, nil)
	d.fulfil(o, Proof{Way: "ticket", Ref: ticket.Key})
	return nil
}

// SuggestedReview fills the review's form in beforehand with what is known.
func (c *Change) SuggestedReview() ReviewText {
	if c.Review.Draft.What != "" || c.Review.Draft.Standard != "" || c.Review.Draft.Prevent != "" || c.Review.Draft.NoAction != "" || c.Review.Draft.RootCause != "" || len(c.Review.Draft.Actions) > 0 {
		return c.Review.Draft
	}
	what := c.Record.Done
	if what == "" {
		what = c.What
	}
	var b strings.Builder
	b.WriteString(what)
	if !c.Window.Start.IsZero() && !c.Window.Ended.IsZero() {
		b.WriteString("\n\nFrom " + c.Window.Start.UTC().Format(time.DateTime) + " to " + c.Window.Ended.UTC().Format(time.DateTime) + " UTC")
		if c.Access != nil {
			b.WriteString(", in " + c.Access.TargetName)
		}
		b.WriteString(".")
	}
	return ReviewText{What: b.String(), Standard: c.ReasonLabel + ". " + c.Why}
}
