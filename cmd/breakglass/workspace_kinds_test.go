package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
	"github.com/breakglass-bot/breakglass/internal/sandbox/web/webtest"
)

// several chooses people in a list that takes more than one.
func several(s *webtest.Screen, label string, names ...string) {
	for _, name := range names {
		s.Run(webtest.Click(s.Input(label)), webtest.Keys(s.Input(label), name))
		s.Until(fmt.Sprintf(`document.querySelector("dialog [role=option]")?.textContent.startsWith(%q)`, name))
		s.Run(webtest.Keys(s.Input(label), kb.Enter))
		s.Until(fmt.Sprintf(`[...document.querySelectorAll("dialog .chips li")].some(c => c.textContent.startsWith(%q))`, name))
	}
	s.Run(webtest.Keys(s.Input(label), kb.Escape)) // closes the list, not the form
}

// onForge opens a merge request of the panel, and has its button pressed as
// somebody.
func onForge(s *webtest.Screen, reference, as, button string) {
	s.Run(webtest.Click("[data-tab=forges]"))
	s.Run(webtest.Script(`(() => { const i = document.querySelector(".panel select"); i.value = %q; i.dispatchEvent(new Event("change", {bubbles: true})); document.querySelectorAll(".panel details").forEach(d => { d.open = d.dataset.mr === %q; }); })()`, as, reference))
	s.Press(button)
}

func TestInABrowserAConfigurationChangeIsApprovedOnTheCallAndReviewedOnGitLab(t *testing.T) {
	ctx, a, s := look(t)
	s.Press("Leave the tour")
	incident := a.world.IncidentIO.Open(incidentio.Incident{Name: "Orders are stuck"})[0]
	s.Be(sandbox.OnCall)
	s.Visit(sandbox.Channel)
	s.Command("/emergency")
	mark(s, mitigateNow)
	pick(s, "Kind of change", "Configuration or environment change")
	s.Run(webtest.Keys(s.Input("What will you change?"), "Turn the checkout flag off"), webtest.Keys(s.Input("Why is it needed now?"), "Orders are stuck"))
	search(s, "Active incident", "INC-1")
	s.Run(webtest.Keys(s.Input("Merge request"), a.world.MergeRequestURL(sandbox.AppProject, 1)+kb.Enter+a.world.MergeRequestURL(sandbox.AppProject, 2)))
	pick(s, "Criticality", "C2")
	s.Run(webtest.Keys(s.Input("How will it be rolled back?"), "Turn it on again"+kb.Enter+"and restart the workers"))
	several(s, "Who is on the call with you?", "Engineer", "Colleague")
	s.Pictures("kinds-form")
	s.Press("Request")
	formGone(s)
	says(s, "Merge request: platform/queue!2")

	s.Be(sandbox.Colleague)
	s.Visit("direct")
	s.Press("I was on the call")
	s.Visit(sandbox.Channel)
	says(s, "approved this themselves on the emergency call")
	for _, kept := range []string{"Turn it on again\nand restart the workers", "platform/queue!1", "Named, and not confirmed"} {
		says(s, kept)
	}

	onForge(s, "platform/queue!2", sandbox.ColleagueLogin, "Approve as "+sandbox.ColleagueLogin)
	s.Sees(sandbox.ColleagueLogin + " ×")
	s.Pictures("kinds-forge")
	onForge(s, "platform/queue!2", sandbox.ColleagueLogin, "Merge")
	inTime(s, "approved there by "+sandbox.ColleagueLogin)

	s.Be(sandbox.OnCall)
	s.Visit("direct")
	s.Press("Finish")
	s.Run(webtest.Keys(s.Input("What was done"), "Turned it off"), webtest.Keys(s.Input("Why"), "Orders were stuck"))
	s.Press("Save")
	formGone(s)
	must(t, func() error {
		return a.until(ctx, "the incident holds the record", func() bool { return strings.Contains(a.world.IncidentIO.Text(incident.ID), "Turned it off") })
	})
	settled(ctx, t, a, 0)
}
