package change

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
	"unicode"
)

// SignOff is an eligible signer's click.
type SignOff struct{}

// SignerComment is a comment on the ticket, and whose account wrote it.
type SignerComment struct {
	TicketComment
	Signer PersonID // as configured; empty when the account is nobody's
}

// CommentsSeen is every comment that the ticket holds now. It signs off, judges
// edited comments anew, and makes a sign-off owed again whose comment is gone.
type CommentsSeen struct{ Comments []SignerComment }

// doubtful are the words that keep a comment from counting as a sign-off.
var doubtful = []string{"not", "don't", "dont", "don’t", "reject", "deny", "denied", "hold", "wait"}

// Doubt says why a comment does not count as a sign-off; empty when it does.
// The rule is that of the policy: any comment of the signer, unless it asks or
// holds back.
func Doubt(body string) string {
	if strings.Contains(body, "?") {
		return "it holds a question mark"
	}
	words := strings.FieldsFunc(strings.ToLower(body), func(r rune) bool {
		return !unicode.IsLetter(r) && r != '\'' && r != '’'
	})
	for _, w := range words {
		if slices.Contains(doubtful, strings.Trim(w, "'’")) {
			return "it holds the word “" + w + "”"
		}
	}
	if strings.TrimSpace(body) == "" {
		return "it is empty"
	}
	return ""
}

// editedByAnother tells whether the words may not be the author's own: Jira lets
// administrators edit other people's comments.
func (c TicketComment) editedByAnother() bool { return c.Editor != "" && c.Editor != c.Author }

// doubt says why this comment does not count as a sign-off; empty when it does.
func (c TicketComment) doubt() string {
	if c.editedByAnother() {
		return "somebody else has edited it"
	}
	return Doubt(c.Body)
}

// HashText is the hex SHA-256 by which a comment's text is remembered.
func HashText(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

// oweSignOffOfTicket owes the sign-off of a record that stands in Jira.
func (d *decision) oweSignOffOfTicket() {
	if d.c.Record.In == RecordInJira {
		d.oweSignOff()
	}
}

// oweSignOff owes the sign-off; its deadline is set with the record's.
func (d *decision) oweSignOff() {
	d.owe(Obligation{Name: OweSignOff, Groups: slices.Concat(d.c.Plan.SignOff.From, d.c.Plan.SignOff.Fallback)})
	d.retimeSignOff()
}

// retimeSignOff counts the sign-off from when the record was done, or was due
// if that is sooner.
func (d *decision) retimeSignOff() {
	o, record := d.c.Owes(OweSignOff, 0), d.c.Owes(OweRecord, 0)
	if o == nil || record == nil || !o.Breached.IsZero() {
		return
	}
	o.From = record.Due
	if record.State == Done {
		o.From = earliest(record.Done, record.Due)
	}
	o.Due = o.From.Add(d.c.Plan.SignOff.Within)
}

// signer refuses whoever may not sign this record off.
func (d *decision) signer(p PersonID) error {
	if d.c.Own(p) {
		return refuse(OwnChange, "You asked for this change or made it, so somebody else signs it off.")
	}
	eligible, known := d.c.EligibleSigners(d.actor.Groups)
	switch {
	case slices.Contains(eligible, p):
		return nil
	case !known:
		return unestablishable()
	default:
		return refuse(NotAllowed, "You are not among those who sign this change off.")
	}
}

func (SignOff) decide(d *decision) error {
	c := &d.c
	o := c.Owes(OweSignOff, 0)
	if o == nil && c.Phase.Final() {
		return d.open()
	}
	if o == nil {
		return refuse(TooEarly, "%s needs no sign-off yet.", c.Number)
	}
	if o.State != Owed {
		return &Refusal{Code: Decided, Say: c.Number.String() + " has been signed off already.", By: o.Proof.By, At: o.Done}
	}
	if c.Ticket != nil && !slices.Contains(c.Plan.SignOff.Accept, SignOffInSlack) {
		return refuse(NotAllowed, "This record is signed off by a comment on %s.", c.Ticket.Key)
	}
	if err := d.signer(d.actor.ID); err != nil {
		return err
	}
	d.emit(EventSignedOff, Facts{"by": string(d.actor.ID), "way": string(SignOffInSlack), "revision": c.Record.Revision}, nil)
	d.fulfil(c.Owes(OweSignOff, 0), Proof{Way: string(SignOffInSlack), By: d.actor.ID, Revision: c.Record.Revision})
	return nil
}

// SignOffOvertaken gives the sign-off that stands although a later revision of the
// record was written than the one that was signed off; nil where there is none.
// The first revision is none: a ticket may be signed off before the work.
func (c *Change) SignOffOvertaken() *Obligation {
	o, r := c.Owes(OweSignOff, 0), &c.Record
	if o == nil || o.State != Done || r.Revision < 2 {
		return nil
	}
	if o.Proof.Revision > 0 && r.Revision > o.Proof.Revision || r.At.After(o.Done) {
		return o
	}
	return nil
}

// seenRevision is the newest revision of the record that whoever wrote something
// at a time can have seen.
func (r *Record) seenRevision(at time.Time) int {
	if r.Revision > 0 && at.Before(r.At.Truncate(time.Second)) {
		return r.Revision - 1
	}
	return r.Revision
}

func (x CommentsSeen) decide(d *decision) error {
	c := &d.c
	o := c.Owes(OweSignOff, 0)
	if o == nil || c.Ticket == nil || !slices.Contains(c.Plan.SignOff.Accept, SignOffByJiraComment) {
		return nil
	}
	if o.State == Done && o.Proof.Way == string(SignOffByJiraComment) {
		if err := d.rejudge(o, x.Comments); err != nil {
			return err
		}
	}
	if o.State != Owed || c.Phase.Final() {
		return nil
	}
	comments := slices.Clone(x.Comments)
	slices.SortStableFunc(comments, func(a, b SignerComment) int { return a.Created.Compare(b.Created) })
	for _, comment := range comments {
		done, err := d.judge(o, comment)
		if done || err != nil {
			return err
		}
	}
	return nil
}

// rejudge looks again at the comment that signed off.
func (d *decision) rejudge(o *Obligation, comments []SignerComment) error {
	comment, there := find(comments, func(x SignerComment) bool { return x.ID == o.Proof.Ref })
	why := "the comment was deleted"
	if there {
		if HashText(comment.Body) == o.Proof.Hash && !comment.editedByAnother() {
			return nil
		}
		why = comment.doubt()
	}
	if there && why == "" {
		o.Proof.Hash = HashText(comment.Body)
		d.emit(EventSignedOff, Facts{"by": string(o.Proof.By), "way": o.Proof.Way, "ref": o.Proof.Ref, "hash": o.Proof.Hash, "edited": true}, nil)
		return nil
	}
	if d.c.Phase.Final() { // told once for each state of the comment
		mark := o.Proof.Ref + ":deleted"
		if there {
			mark = o.Proof.Ref + ":" + HashText(comment.Body)
		}
		if slices.Contains(d.c.Doubted, mark) {
			return nil
		}
		d.c.Doubted = append(d.c.Doubted, mark)
	}
	d.emit(EventSignOffUndone, Facts{"by": string(o.Proof.By), "ref": o.Proof.Ref, "why": why}, nil)
	if d.c.Phase.Final() {
		return nil
	}
	o.State, o.Done, o.Part, o.Proof = Owed, time.Time{}, time.Time{}, Proof{}
	return nil
}

// judge takes one comment as a sign-off, or tells its signer why it does not count.
func (d *decision) judge(o *Obligation, comment SignerComment) (done bool, err error) {
	c := &d.c
	if comment.Signer == "" {
		return false, nil
	}
	if !c.Ticket.Ours && comment.Created.Before(c.Ticket.LinkedAt.Truncate(time.Second)) {
		return false, nil // about something else; on a ticket of ours everything is about the change
	}
	err = d.signer(comment.Signer)
	if r, ok := err.(*Refusal); ok && r.Code != Unestablished { //nolint:errorlint // signer answers the bare type
		return false, nil
	} else if err != nil {
		return false, err
	}
	hash := HashText(comment.Body)
	if why := comment.doubt(); why != "" {
		mark := comment.ID + ":" + hash
		if !slices.Contains(c.Doubted, mark) {
			c.Doubted = append(c.Doubted, mark)
			d.emit(EventSignOffDoubted, Facts{"signer": string(comment.Signer), "ref": comment.ID, "hash": hash, "why": why}, nil)
		}
		return false, nil
	}
	revision := c.Record.seenRevision(comment.Created)
	d.emit(EventSignedOff, Facts{
		"by": string(comment.Signer), "way": string(SignOffByJiraComment), "ref": comment.ID, "hash": hash, "account": comment.Author, "revision": revision,
	}, nil)
	d.fulfil(o, Proof{Way: string(SignOffByJiraComment), By: comment.Signer, Account: comment.Author, Ref: comment.ID, Hash: hash, Revision: revision})
	return true, nil
}
