package change_test

import (
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// ticketed is an ended change whose record stands in a ticket.
func ticketed(t *testing.T) *life {
	t.Helper()
	l := begin(t, request(withAccess)).end()
	l.now = l.now.Add(time.Minute)
	l.record()
	return l
}

func comment(id string, by change.PersonID, at time.Time, body string) change.SignerComment {
	return change.SignerComment{Signer: by, TicketComment: change.TicketComment{ID: id, Author: "jira-" + string(by), Created: at, Body: body}}
}

func (l *life) comments(comments ...change.SignerComment) []change.Event {
	l.t.Helper()
	return l.do(change.CommentsSeen{Comments: comments}, reader())
}

func (l *life) signed(want bool) {
	l.t.Helper()
	if got := l.owes(change.OweSignOff).State == change.Done; got != want {
		l.t.Fatalf("signed off: %t", got)
	}
}

func TestWhoMaySignOff(t *testing.T) {
	t.Parallel()
	nobody, silent := change.Membership{Known: true}, change.Membership{}
	people := func(p ...change.PersonID) change.Membership { return change.Membership{Known: true, People: p} }
	for name, c := range map[string]struct {
		actor change.Actor
		want  change.RefusalCode
	}{
		"the CTO":                               {member(cto), ""},
		"the fallback while there is a CTO":     {member(deputy), change.NotAllowed},
		"the fallback once there is none":       {seeing(deputy, with("cto", nobody)), ""},
		"the fallback where the CTO asked":      {seeing(deputy, with("cto", people(requester))), ""},
		"the fallback while nobody knows":       {seeing(deputy, with("cto", silent)), change.Unestablished},
		"the CTO while the fallback is silent":  {seeing(cto, with("deputies", silent)), ""},
		"nobody's fallback while it is silent":  {seeing(deputy, change.GroupView{"cto": nobody}), change.Unestablished},
		"somebody else":                         {member(colleague), change.NotAllowed},
		"whoever asked, though they be the CTO": {seeing(requester, with("cto", people(requester))), change.OwnChange},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := ticketed(t)
			if c.want == "" {
				l.do(change.SignOff{}, c.actor)
				l.signed(true)
				if r := l.refused(change.SignOff{}, c.actor, change.Decided); r.By != c.actor.ID {
					t.Errorf("the second click is told that %s signed", r.By)
				}
				return
			}
			l.refused(change.SignOff{}, c.actor, c.want)
			l.signed(false)
		})
	}
}

func TestWhichWaysToSignOffCount(t *testing.T) {
	t.Parallel()
	jira, slack := change.SignOffByJiraComment, change.SignOffInSlack
	for name, c := range map[string]struct {
		accept         []change.SignOffWay
		report         bool // without a ticket
		click, comment bool
	}{
		"both":                   {[]change.SignOffWay{jira, slack}, false, true, true},
		"comments only":          {[]change.SignOffWay{jira}, false, false, true},
		"clicks only":            {[]change.SignOffWay{slack}, false, true, false},
		"a click without ticket": {[]change.SignOffWay{jira}, true, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			again := func() *life {
				if !c.report {
					l := ticketed(t)
					l.c.Plan.SignOff.Accept = c.accept
					return l
				}
				req := request(withAccess)
				req.Reported, req.MadeAt = true, start
				l := begin(t, req)
				l.c.Plan.SignOff.Accept = c.accept
				return l
			}
			l := again()
			_, err := l.try(change.SignOff{}, member(cto))
			if (err == nil) != c.click {
				t.Errorf("a click: %v", err)
			}
			l = again()
			l.comments(comment("c", cto, l.now, "Fine."))
			l.signed(c.comment)
		})
	}
}

func TestWhichCommentsSignOff(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		by      change.PersonID
		after   time.Duration
		body    string
		signs   bool
		doubted bool
	}{
		"any words of the CTO":         {cto, 0, "lgtm", true, false},
		"a question":                   {cto, 0, "Fine?", false, true},
		"a word of doubt":              {cto, 0, "This is NOT fine", false, true},
		"a word of doubt, typographic": {cto, 0, "don’t", false, true},
		"a word of doubt, quoted":      {cto, 0, "put it on 'hold'", false, true},
		"a word that only holds one":   {cto, 0, "Nothing to note; withhold awaiting", true, false},
		"nothing":                      {cto, 0, " \n", false, true},
		"before the ticket was linked": {cto, -2 * time.Minute, "Fine", false, false},
		"in the second of the linking": {cto, -300 * time.Millisecond, "Fine", true, false},
		"of whoever asked":             {requester, 0, "Fine", false, false},
		"of the fallback":              {deputy, 0, "Fine", false, false},
		"of nobody that is configured": {"", 0, "Fine", false, false},
		"of a colleague":               {colleague, 0, "Fine", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := begin(t, request(withAccess)).end()
			l.now = l.now.Add(time.Minute + 500*time.Millisecond)
			l.do(change.LinkTicket{Ticket: ticket, Checked: true}, member(requester))
			l.record()
			x := comment("c1", c.by, l.now.Add(c.after), c.body)
			l.comments(x)
			l.signed(c.signs)
			if got := l.count(change.EventSignOffDoubted); (got == 1) != c.doubted {
				t.Errorf("doubted %d times", got)
			}
			if events := l.comments(x); len(events) > 0 {
				t.Errorf("seen again: %v", types(events))
			}
			if p := l.owes(change.OweSignOff).Proof; c.signs && (p.By != cto || p.Ref != "c1" || p.Account != "jira-"+string(cto) || p.Hash != change.HashText(c.body)) {
				t.Errorf("the proof is %+v", p)
			}
		})
	}
}

func TestOnATicketOfOursEveryCommentIsAboutTheChange(t *testing.T) {
	t.Parallel()
	l := ticketed(t) // its creation was known a moment after it
	l.comments(comment("c1", cto, start, "Fine"))
	l.signed(true)
}

func TestACommentThatAnotherEditedSignsNothing(t *testing.T) {
	t.Parallel()
	l := ticketed(t)
	x := comment("c1", cto, l.now, "Fine")
	x.Editor = "jira-admin"
	l.comments(x)
	l.signed(false)
	x.Editor = x.Author
	l.comments(x)
	l.signed(true)
	x.Editor = "jira-admin"
	l.comments(x)
	l.signed(false)
}

func TestADoubtedCommentCountsOnceItIsMended(t *testing.T) {
	t.Parallel()
	l := ticketed(t)
	l.comments(comment("c1", cto, l.now, "Why?"))
	l.signed(false)
	l.comments(comment("c1", cto, l.now, "Still: why?"))
	if got := l.count(change.EventSignOffDoubted); got != 2 {
		t.Errorf("two doubtful texts were doubted %d times", got)
	}
	l.comments(comment("c1", cto, l.now, "I see."))
	l.signed(true)
}

func TestAnEditedCommentIsJudgedAnewAndADeletedOneUndoes(t *testing.T) {
	t.Parallel()
	l := ticketed(t)
	l.comments(comment("c1", cto, l.now, "Fine"))
	l.comments(comment("c1", cto, l.now, "Fine indeed"))
	l.signed(true)
	if got := l.owes(change.OweSignOff).Proof.Hash; got != change.HashText("Fine indeed") {
		t.Error("the proof is of the older text")
	}
	l.comments(comment("c1", cto, l.now, "Not fine"))
	l.signed(false)
	l.comments(comment("c2", cto, l.now, "Fine after all"))
	l.signed(true)
	l.comments()
	l.signed(false)
	if got := l.count(change.EventSignOffUndone); got != 2 {
		t.Errorf("undone %d times", got)
	}
	l.do(change.SignOff{}, member(cto))
	if events := l.comments(); len(events) > 0 { // a click needs no comment
		t.Errorf("without comments: %v", types(events))
	}
	l.signed(true)
}

func TestAProofUndoneAfterTheCloseIsToldOnceAndAltersNothing(t *testing.T) {
	t.Parallel()
	l := ticketed(t)
	l.comments(comment("c1", cto, l.now, "Fine"))
	l.review()
	l.do(change.AccessGone{}, itself)
	l.phase(change.Closed)
	for range 2 {
		l.comments()
		l.comments(comment("c1", cto, l.now, "No, not fine"))
	}
	l.signed(true)
	if got := l.count(change.EventSignOffUndone); got != 2 {
		t.Errorf("told %d times of a deletion and an edit", got)
	}
}

func TestNoCommentCountsWhileWhoMaySignIsUnknown(t *testing.T) {
	t.Parallel()
	l := ticketed(t)
	unsure := reader()
	unsure.Groups = with("cto", change.Membership{})
	l.refused(change.CommentsSeen{Comments: []change.SignerComment{comment("c1", cto, l.now, "Fine")}}, unsure, change.Unestablished)
	l.comments(comment("c1", cto, l.now, "Fine"))
	l.signed(true)
}
