package jira_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/jira"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
)

func TestCreateMakesTheTicketAsDrafted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	d := draft()
	d.Assignee = ctoID
	d.Due = time.Date(2026, 3, 2, 23, 0, 0, 0, time.UTC)
	d.Description = append(d.Description, change.TicketSection{Heading: "Merge request", URL: "https://gitlab.com/g/p/-/merge_requests/1"})
	ref, err := b.Create(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	if want := (change.TicketRef{ID: ref.ID, Key: "OPS-1", URL: b.url + "/browse/OPS-1"}); ref != want || ref.ID == "" {
		t.Errorf("ref is %+v, want %+v", ref, want)
	}
	got, _ := b.jira.Issue(ref.ID)
	if got.Summary != d.Summary || got.Type != "Task" || got.Assignee != ctoID || got.Due != "2026-03-02" {
		t.Errorf("made %+v", got)
	}
	if diff := cmp.Diff(d.Labels, got.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	want := "*What*\nRestart the broker\n\n*Why*\nIt hangs\n\n*Merge request*\n[https://gitlab.com/g/p/-/merge_requests/1]"
	if diff := cmp.Diff(want, got.Description); diff != "" {
		t.Errorf("description (-want +got):\n%s", diff)
	}
}

func TestCreateCutsWhatIsTooLongForJira(t *testing.T) {
	t.Parallel()
	b := setup(t)
	d := draft()
	d.Summary = "one\ntwo\r\n" + strings.Repeat("🔥", 300)
	d.Description = []change.TicketSection{{Heading: "What", Text: strings.Repeat("[🔥] ", 20000)}, {Heading: "Why", Text: "short"}}
	ref, err := b.Create(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := b.jira.Issue(ref.ID)
	if !strings.HasPrefix(got.Summary, "one two 🔥") || !strings.HasSuffix(got.Summary, "🔥…") || !utf8.ValidString(got.Summary) {
		t.Errorf("summary is %q", got.Summary)
	}
	if !strings.HasSuffix(got.Description, "… (shortened)\n\n*Why*\nshort") || !utf8.ValidString(got.Description) {
		t.Errorf("description ends with %q", got.Description[len(got.Description)-80:])
	}
	if n := len(got.Description); n < 32000 {
		t.Errorf("description was cut to %d bytes, far below the limit", n)
	}
}

func TestPeoplesTextIsHarmlessInTicketsAndComments(t *testing.T) {
	t.Parallel()
	b := setup(t) // which fails the test on any live markup
	nasty := "[~accountid:" + ctoID + "] !http://evil.example/x.png! [click|http://evil.example] {code} \\[~accountid:x] \\\\[~y] !a.png|width=1!"
	d := draft()
	d.Summary, d.Description[0].Text, d.Description[1].Heading = nasty, nasty, nasty
	ref, err := b.Create(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.AddComment(t.Context(), ref.ID, "breakglass EC-12/1", []change.TicketSection{{Text: nasty}}); err != nil {
		t.Fatal(err)
	}
	if err := b.Rewrite(t.Context(), ref.ID, nasty, d.Description); err != nil {
		t.Fatal(err)
	}
	if text := b.jira.Render(ref.ID); strings.Count(text, "[~accountid:"+ctoID+"]") != 4 && !strings.Contains(text, `\[~accountid:x]`) {
		t.Errorf("the text does not read as it was typed:\n%s", text)
	}
}

func TestCreateSendsOneRequestAndTellsWhatIsKnown(t *testing.T) {
	t.Parallel()
	cases := []struct {
		kind fault.Kind
		want change.Outcome
		made int
	}{
		{fault.ReplyLost, change.Unknown, 1},
		{fault.Refused, change.Unknown, 0}, // the connection breaks; nobody can tell when
		{fault.Unavailable, change.Unknown, 0},
		{fault.Internal, change.Unknown, 0},
		{fault.InternalLie, change.Unknown, 1},
		{fault.TooMany, change.NotNow, 0},
		{fault.HTML, change.Unknown, 0},
		{fault.Truncated, change.Unknown, 1},
		{fault.Stall, change.Unknown, 0},
	}
	for _, c := range cases {
		t.Run(string(c.kind), func(t *testing.T) {
			t.Parallel()
			b := setup(t, func(o *jira.Options) {
				if c.kind == fault.Stall {
					o.Timeout = time.Second
				}
			})
			b.jira.Faults.Add(fault.Fault{Kind: c.kind, Call: "create issue", RetryAfter: 7 * time.Second})
			_, err := b.Create(t.Context(), draft())
			e := outsideWith(t, err, c.want)
			if n := b.sent.all.Load(); n != 1 {
				t.Errorf("%d requests were sent, want 1", n)
			}
			if n := len(b.jira.Issues()); n != c.made {
				t.Errorf("%d tickets were made, want %d", n, c.made)
			}
			if wait := e.RetryAfter; (c.kind == fault.TooMany) != (wait == 7*time.Second) {
				t.Errorf("retry after is %s", wait)
			}
			if strings.Contains(e.Say, "<") {
				t.Errorf("a page reached people: %q", e.Say)
			}
		})
	}
}

func TestARefusedConnectionIsKnownNotToHaveMadeATicket(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	b := setup(t, func(o *jira.Options) { o.BaseURL = "http://" + l.Addr().String() })
	_, err = b.Create(t.Context(), draft())
	wantOutcome(t, err, change.NotNow)
}

func TestCreateDoesWithoutFieldsThatAreNotOnTheScreen(t *testing.T) {
	t.Parallel()
	b := setup(t)
	d := draft()
	d.IssueType, d.Due, d.Assignee = "Bare", b.clock.now(), "gone"
	ref, err := b.Create(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := b.jira.Issue(ref.ID)
	if len(got.Labels) != 0 || got.Due != "" || got.Assignee != "" {
		t.Errorf("made %+v", got)
	}
	found, err := b.FindByLabel(t.Context(), d.Labels[0])
	if err != nil || len(found) != 1 || found[0] != ref {
		t.Errorf("found %v, %v; want %v", found, err, ref)
	}
	if n := b.sent.posts.Load(); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
}

func TestTheSecondRequestWithoutFieldsIsNotRepeatedEither(t *testing.T) {
	t.Parallel()
	b := setup(t)
	d := draft()
	d.IssueType = "Bare"
	b.jira.Faults.Add(fault.Fault{Kind: fault.ReplyLost, Call: "create issue", Skip: 1})
	_, err := b.Create(t.Context(), d)
	wantOutcome(t, err, change.Unknown)
	if n := len(b.jira.Issues()); n != 1 {
		t.Errorf("%d tickets, want 1", n)
	}
	found, err := b.FindByLabel(t.Context(), d.Labels[0])
	if err != nil || len(found) != 1 {
		t.Errorf("found %v, %v", found, err)
	}
}

func TestARefusalNamesTheFieldThatIsMissing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	d := draft()
	d.IssueType = "Strict"
	_, err := b.Create(t.Context(), d)
	e := outsideWith(t, err, change.Refused)
	if !strings.Contains(e.Say, "Severity is required") || !strings.Contains(e.Say, "requires Severity (customfield_10040), which") {
		t.Errorf("says %q", e.Say)
	}
	if strings.Contains(e.Say, "Team") {
		t.Errorf("names a field that Jira fills in: %q", e.Say)
	}
	b.jira.Faults.Add(fault.Fault{Kind: fault.Internal, Call: "create meta types"})
	_, err = b.Create(t.Context(), d)
	if e := outsideWith(t, err, change.Refused); !strings.Contains(e.Say, "Severity is required") {
		t.Errorf("without the screen's fields it says %q", e.Say)
	}
}

func TestDraftsThatCannotBeAreRefused(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		alter func(*change.TicketDraft)
		say   string
		asked bool
	}{
		{"unknown issue type", func(d *change.TicketDraft) { d.IssueType = "Epic" }, "Specify a valid issue type", true},
		{"project that may not be written", func(d *change.TicketDraft) { d.Project = "SECRET" }, "only those of OPS, PLATFORM", false},
		{"label with a space", func(d *change.TicketDraft) { d.Labels[0] = "a b" }, "cannot be a label", false},
		{"no label", func(d *change.TicketDraft) { d.Labels = nil }, "label of its own", false},
		{"assignee who is no account", func(d *change.TicketDraft) { d.Assignee = "a@b.c" }, "not a Jira accountId", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			d := draft()
			c.alter(&d)
			_, err := b.Create(t.Context(), d)
			if e := outsideWith(t, err, change.Refused); !strings.Contains(e.Say, c.say) {
				t.Errorf("says %q, want something of %q", e.Say, c.say)
			}
			if asked := b.sent.posts.Load() > 0; asked != c.asked {
				t.Errorf("Jira was asked: %v, want %v", asked, c.asked)
			}
			if n := len(b.jira.Issues()); n != 0 {
				t.Errorf("%d tickets were made", n)
			}
		})
	}
}

func TestAWrongTokenIsToldWithoutTheToken(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *jira.Options) { o.Token = "another-secret" })
	_, err := b.Identity(t.Context())
	e := outsideWith(t, err, change.Refused)
	if strings.Contains(e.Error(), "another-secret") || !strings.Contains(e.Say, "API token") {
		t.Errorf("says %q", e.Error())
	}
}

func TestTheTokenNeverFollowsARedirect(t *testing.T) {
	t.Parallel()
	var leaked bool
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _, leaked = r.BasicAuth() }))
	t.Cleanup(elsewhere.Close)
	srv := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	t.Cleanup(srv.Close)
	b := setup(t, func(o *jira.Options) { o.BaseURL = srv.URL })
	_, err := b.Create(t.Context(), draft())
	wantOutcome(t, err, change.Refused)
	if leaked {
		t.Error("the token was sent elsewhere")
	}
}

func TestForeignTextInErrorsIsShortAndHoldsNoSecret(t *testing.T) {
	t.Parallel()
	for _, contentType := range []string{"text/html", "application/json"} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"errorMessages":["` + token + " " + strings.Repeat("long ", 50000) + `"]}`))
		}))
		t.Cleanup(srv.Close)
		b := setup(t, func(o *jira.Options) { o.BaseURL = srv.URL })
		for _, ask := range []func() error{
			func() error { _, err := b.Create(t.Context(), draft()); return err },
			func() error { _, err := b.Ticket(t.Context(), "OPS-1"); return err },
			func() error { _, err := b.FindByLabel(t.Context(), "x"); return err },
			func() error { _, err := b.Identity(t.Context()); return err },
		} {
			e := outsideWith(t, ask(), change.Refused)
			if s := e.Error(); strings.Contains(s, token) || len(s) > 1500 {
				t.Errorf("%s: error of %d bytes: %.200s", contentType, len(s), s)
			}
		}
	}
}

func TestNewRefusesAnAddressThatCouldLeakTheToken(t *testing.T) {
	t.Parallel()
	for url, ok := range map[string]bool{
		"https://example.atlassian.net": true, "https://example.atlassian.net/": true, "http://127.0.0.1:8080": true, "http://localhost:1": true,
		"http://example.atlassian.net": false, "https://me:pw@example.atlassian.net": false, "ftp://127.0.0.1": false, "": false, "https://": false,
	} {
		_, err := jira.New(jira.Options{BaseURL: url, Email: "e", Token: "t", Now: (&clock{}).now})
		if (err == nil) != ok {
			t.Errorf("%q: %v", url, err)
		}
		if err != nil && strings.Contains(err.Error(), "pw") {
			t.Errorf("%q: the error tells the password: %v", url, err)
		}
	}
}
