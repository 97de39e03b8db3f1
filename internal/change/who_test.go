package change_test

import (
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// TestWhoMayDoWhat names each command's answer to each sort of person. The
// change is reported to be made by the colleague, and witnessed.
func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	const implementer change.PersonID = "U0IMPLEMENTER"
	silent := change.Membership{}
	actors := map[string]change.Actor{
		"requester": member(requester), "implementer": member(implementer), "cto": member(cto), "deputy": member(deputy),
		"barred": member(barred), "witness": member(witness), "other": member(colleague), "system": change.Itself("test"),
		"unknown": seeing(colleague, with("deputies", silent)), "guest": {ID: cto, Standing: change.Guest, Groups: groups()},
		"gone": {ID: requester, Standing: change.Deactivated, Groups: groups()},
	}
	commands := map[string]struct {
		cmd   change.Command
		stage string
	}{
		"approve": {change.Approve{Ask: 1}, "requested"}, "deny": {change.Deny{Ask: 1, Reason: "No"}, "requested"},
		"shorten": {change.ChangeDuration{Ask: 1, Duration: time.Minute}, "requested"}, "withdraw": {change.Withdraw{}, "requested"},
		"finish": {change.Finish{}, "active"}, "end-now": {change.EndNow{}, "active"}, "extend": {change.Extend{Duration: time.Hour}, "active"},
		"note": {change.AddNote{Text: "x"}, "active"}, "link": {change.LinkURL{URL: "https://example.com"}, "active"},
		"link-ticket": {change.LinkTicket{Ticket: ticket}, "active"}, "link-incident": {change.LinkIncident{Incident: incident("I1")}, "active"},
		"record": {change.WriteRecord{NothingChanged: true}, "active"}, "draft": {change.SaveDraft{Text: goodReview}, "ended"},
		"review": {change.SubmitReview{Text: goodReview}, "ended"}, "remind-later": {change.RemindLater{Obligation: change.OweRecord}, "active"},
		"sign-off": {change.SignOff{}, "reported"}, "later-sign-off": {change.RemindLater{Obligation: change.OweSignOff}, "reported"},
		"tick": {change.Tick{}, "late"}, "verified": {change.AccessVerified{}, "intended"}, "comments": {change.CommentsSeen{}, "reported"},
	}
	const table = `
                 requester   implementer cto         deputy      barred      witness     other       unknown       guest       gone        system
approve          own_change  own_change  =           =           not_allowed not_allowed not_allowed unestablished not_allowed not_allowed not_allowed
deny             own_change  own_change  =           =           not_allowed not_allowed not_allowed unestablished not_allowed not_allowed not_allowed
shorten          own_change  own_change  =           =           not_allowed not_allowed not_allowed unestablished not_allowed not_allowed not_allowed
withdraw         =           =           not_allowed not_allowed not_allowed not_allowed not_allowed not_allowed   not_allowed not_allowed =
finish           =           =           not_allowed not_allowed not_allowed not_allowed not_allowed not_allowed   not_allowed not_allowed =
end-now          =           =           =           =           not_allowed not_allowed not_allowed =             not_allowed not_allowed =
extend           =           =           not_allowed not_allowed not_allowed not_allowed not_allowed not_allowed   not_allowed not_allowed =
note             =           =           =           =           not_allowed =           not_allowed unestablished not_allowed not_allowed =
link             =           =           =           =           not_allowed =           not_allowed unestablished not_allowed not_allowed =
link-ticket      =           =           =           =           not_allowed =           not_allowed unestablished not_allowed not_allowed =
link-incident    =           =           =           =           not_allowed =           not_allowed unestablished not_allowed not_allowed =
record           =           =           not_allowed not_allowed not_allowed not_allowed not_allowed not_allowed   not_allowed not_allowed =
draft            =           =           not_allowed not_allowed not_allowed not_allowed not_allowed not_allowed   not_allowed not_allowed =
review           =           =           not_allowed not_allowed not_allowed not_allowed not_allowed not_allowed   not_allowed not_allowed =
remind-later     =           =           not_allowed not_allowed not_allowed not_allowed not_allowed not_allowed   not_allowed not_allowed not_allowed
sign-off         own_change  own_change  =           not_allowed =           not_allowed not_allowed not_allowed   not_allowed not_allowed not_allowed
later-sign-off   not_allowed not_allowed =           =           =           not_allowed not_allowed unestablished not_allowed not_allowed not_allowed
tick             not_allowed not_allowed not_allowed not_allowed not_allowed not_allowed not_allowed not_allowed   not_allowed not_allowed =
verified         not_allowed not_allowed not_allowed not_allowed not_allowed not_allowed not_allowed not_allowed   not_allowed not_allowed =
comments         not_allowed not_allowed not_allowed not_allowed not_allowed not_allowed not_allowed not_allowed   not_allowed not_allowed -
`
	reach := func(l *life, stage string) {
		switch stage {
		case "active":
			l.activate()
		case "intended":
			l.approve()
			l.do(change.IntendAccess{}, itself)
		case "ended":
			l.end()
		case "late":
			l.now = l.now.Add(3 * time.Hour)
		}
		l.c.Implementer, l.c.Witnesses = implementer, []change.PersonID{witness}
	}
	lines := strings.Split(strings.Trim(table, "\n"), "\n")
	columns := strings.Fields(lines[0])
	for _, line := range lines[1:] {
		cells := strings.Fields(line)
		for i, who := range columns {
			t.Run(cells[0]+"/"+who, func(t *testing.T) {
				t.Parallel()
				c := commands[cells[0]]
				req := request(withAccess)
				req.Reported, req.MadeAt = c.stage == "reported", start
				l := begin(t, req)
				reach(l, c.stage)
				events, err := l.try(c.cmd, actors[who])
				got := "="
				if r, ok := err.(*change.Refusal); ok { //nolint:errorlint // Decide answers the bare type
					got = string(r.Code)
				} else if err != nil {
					t.Fatal(err)
				} else if len(events) == 0 {
					got = "-"
				}
				if got != cells[i+1] {
					t.Errorf("%s; want %s (%v)", got, cells[i+1], err)
				}
			})
		}
	}
}

func TestWhoeverInheritsWhatADepartedPersonOwesCanDoIt(t *testing.T) {
	t.Parallel()
	l := begin(t, request(withAccess)).end()
	l.refused(change.WriteRecord{Done: "x", Why: "y"}, member(cto), change.NotAllowed)
	l.do(change.OwnerGone{Person: requester}, itself)
	if o := l.owes(change.OweRecord); o.Owner != "" || !o.OwnedBy(cto, groups()) {
		t.Errorf("the record is owed by %q and %v", o.Owner, o.Groups)
	}
	l.refused(change.WriteRecord{Done: "x", Why: "y"}, member(colleague), change.NotAllowed)
	l.refused(change.WriteRecord{Done: "x", Why: "y"}, seeing(cto, with("cto", change.Membership{})), change.Unestablished)
	l.do(change.WriteRecord{Done: "x", Why: "y"}, member(cto))
	l.do(change.SubmitReview{Text: goodReview}, member(cto))
}

func TestAMemberMayAskForAKindOnlyAsOneOfItsRequesters(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		actor change.Actor
		want  change.RefusalCode
	}{
		"a guest":             {change.Actor{ID: requester, Standing: change.Guest, Groups: groups()}, change.NotAllowed},
		"somebody else":       {seeing(requester, with("engineers", change.Membership{Known: true})), change.NotAllowed},
		"while nobody knows":  {seeing(requester, with("engineers", change.Membership{})), change.Unestablished},
		"breakglass's itself": {change.Itself("test"), change.NotAllowed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := change.Submit(rules(), request(withAccess), c.actor, 1, start)
			if r, ok := err.(*change.Refusal); !ok || r.Code != c.want { //nolint:errorlint // Submit answers the bare type
				t.Errorf("it answers %v; want %s", err, c.want)
			}
		})
	}
}
