package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/report"
)

// element is a start tag of the page.
type element struct {
	name  string
	attrs map[string]string
}

// parsed reads the page as XML, with HTML's void elements closed: so every other
// element must be closed in order.
func parsed(t *testing.T, page []byte) []element {
	t.Helper()
	decode := xml.NewDecoder(bytes.NewReader(page))
	decode.Strict, decode.AutoClose, decode.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var all []element
	var open []string
	for {
		token, err := decode.Token()
		if errors.Is(err, io.EOF) {
			if len(open) > 0 {
				t.Fatalf("not closed: %v", open)
			}
			return all
		}
		if err != nil {
			t.Fatalf("the page is not well-formed: %v", err)
		}
		switch x := token.(type) {
		case xml.StartElement:
			e := element{x.Name.Local, map[string]string{}}
			for _, a := range x.Attr {
				e.attrs[a.Name.Local] = a.Value
			}
			all, open = append(all, e), append(open, e.name)
		case xml.EndElement:
			if open[len(open)-1] != x.Name.Local {
				t.Fatalf("%s is closed where %s is open", x.Name.Local, open[len(open)-1])
			}
			open = open[:len(open)-1]
		}
	}
}

func pageOf(t *testing.T, rows []ledger.PopulationRow, opts report.Options) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := report.HTML(&out, source(rows), opts); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestThePageIsWholeWithAnyNumberOfChanges(t *testing.T) {
	t.Parallel()
	ten := report.Options{Since: since().AddDate(-9, 0, 0), Until: until(), AsOf: until()}
	day := report.Options{Since: since(), Until: since().Add(24 * time.Hour), AsOf: until()}
	for _, c := range []struct {
		n    int
		opts report.Options
	}{{0, options()}, {1, options()}, {2, day}, {60, options()}, {2000, options()}, {300, ten}} {
		t.Run(fmt.Sprintf("%d of %s", c.n, c.opts.Until.Sub(c.opts.Since)), func(t *testing.T) {
			t.Parallel()
			page := pageOf(t, generated(c.n, c.opts.Since, c.opts.Until), c.opts)
			for _, broken := range []string{"NaN", "+Inf", "ZgotmplZ", "%!", "<no value>", "=\"-"} {
				if i := bytes.Index(page, []byte(broken)); i >= 0 {
					t.Errorf("the page holds %q: …%s…", broken, page[max(0, i-60):min(len(page), i+60)])
				}
			}
			rows := 0
			for _, e := range parsed(t, page) {
				if e.name == "tr" && strings.HasPrefix(e.attrs["id"], "EC-") {
					rows++
				}
			}
			if rows != c.n {
				t.Errorf("the table has %d rows, want %d", rows, c.n)
			}
		})
	}
}

func TestThePageNeedsNothingElse(t *testing.T) {
	t.Parallel()
	page := pageOf(t, generated(60, since(), until()), options())
	policy := false
	for _, e := range parsed(t, page) {
		switch e.name {
		case "script", "link", "img", "iframe", "object", "embed", "image", "use", "form", "base":
			t.Errorf("the page has a %s", e.name)
		case "meta":
			policy = policy || strings.HasPrefix(e.attrs["content"], "default-src 'none'")
		}
		for name := range e.attrs {
			if name == "src" || name == "srcset" || name == "style" || strings.HasPrefix(name, "on") {
				t.Errorf("%s has the attribute %s", e.name, name)
			}
		}
	}
	if bytes.Contains(page, []byte("@import")) || bytes.Contains(page, []byte("url(")) {
		t.Error("the style sheet loads something")
	}
	if !policy {
		t.Error("nothing forbids the page to load anything")
	}
}

func TestEveryPlotIsNamedAndDescribedAndEveryLinkLeadsSomewhere(t *testing.T) {
	t.Parallel()
	page := pageOf(t, generated(400, since(), until()), options())
	elements := parsed(t, page)
	ids := map[string]int{}
	plots := 0
	for _, e := range elements {
		if id := e.attrs["id"]; id != "" {
			ids[id]++
		}
	}
	for id, times := range ids {
		if times > 1 {
			t.Errorf("%d elements are called %s", times, id)
		}
	}
	for _, e := range elements {
		if e.name == "svg" && e.attrs["role"] == "img" {
			plots++
			for _, ref := range strings.Fields(e.attrs["aria-labelledby"]) {
				if ids[ref] == 0 {
					t.Errorf("a plot is labelled by %s, which is nowhere", ref)
				}
			}
			if e.attrs["aria-labelledby"] == "" {
				t.Error("a plot has no name")
			}
		}
		if to, found := strings.CutPrefix(e.attrs["href"], "#"); found && ids[to] == 0 {
			t.Errorf("a link leads to %s, which is nowhere", to)
		}
	}
	if plots < 10 {
		t.Errorf("there are %d plots", plots)
	}
}

func TestWhatPeopleTypedStaysText(t *testing.T) {
	t.Parallel()
	row := approved(1, 0, time.Minute)
	row.What, row.KindName, row.ReasonLabel = `<script>alert(1)</script>`, `</style><b>`, `"><img src=x onerror=alert(1)>`
	row.Ticket = &change.TicketRef{Key: "OPS-1", URL: "javascript:alert(1)"}
	row.Incident = &ledger.PopulationIncident{Reference: "INC-1", URL: "https://app.incident.io/1"}
	row.Links = []string{"data:text/html,x", "https://git.example.com/1"}
	again := asked(2, time.Hour)
	again.ReasonLabel, again.KindName = row.ReasonLabel, row.KindName
	page := pageOf(t, []ledger.PopulationRow{row, again}, options())
	links := map[string]bool{}
	for _, e := range parsed(t, page) {
		if e.name == "script" || e.name == "img" {
			t.Errorf("a text became a %s", e.name)
		}
		if e.name == "a" && !strings.HasPrefix(e.attrs["href"], "#") {
			links[e.attrs["href"]] = true
		}
	}
	if len(links) != 2 || !links["https://app.incident.io/1"] || !links["https://git.example.com/1"] {
		t.Errorf("the links are %v", links)
	}
	if !bytes.Contains(page, []byte("&lt;script&gt;alert(1)")) {
		t.Error("the text is not shown")
	}
}

func TestAConfidentialChangeSaysThatItIsLeftOut(t *testing.T) {
	t.Parallel()
	row := asked(1, 0)
	row.Confidential, row.Withheld = true, true
	if page := pageOf(t, []ledger.PopulationRow{row}, options()); !bytes.Contains(page, []byte("Confidential: only its own people see what it was.")) {
		t.Error("the page does not say it")
	}
}
