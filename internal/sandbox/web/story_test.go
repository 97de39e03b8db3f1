package web_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
	"github.com/breakglass-bot/breakglass/internal/sandbox/jira"
	"github.com/breakglass-bot/breakglass/internal/sandbox/web"
	"github.com/breakglass-bot/breakglass/internal/sandbox/web/webtest"
)

// screen is the page in a browser, with what stands behind it.
type screen struct {
	*bench
	*webtest.Screen
}

func browse(b *bench, width, height int64) *screen {
	b.t.Helper()
	return &screen{b, webtest.Open(b.t, b.url, width, height)}
}

func TestAnEngineerAsksAndTheCTOApproves(t *testing.T) {
	t.Parallel()
	s := browse(setup(t), 1280, 800)
	s.Sees("Step 1 of 5")
	s.Command("/emergency")
	s.fill("Restart")
	s.Press("Request")
	s.Sees("Say a little more: at least ten letters")
	s.Until(`document.activeElement.getAttribute("aria-invalid") === "true"`)
	s.Pictures("form-error-1280")
	s.Run(webtest.Keys(s.Input("What will you change?"), " the stuck queue by hand"))
	s.Press("Request")
	s.Until(`document.querySelector("dialog") === null`)
	s.Sees("EC-1 · Manual change in production")
	s.Until(`document.querySelector(".tour.done") !== null`)
	s.Until(fmt.Sprintf(`document.querySelector("[data-person=%s] .count")?.textContent.startsWith("1")`, sandbox.CTO))
	s.Pictures("asked-1280")

	s.Be(sandbox.CTO)
	s.Visit("direct")
	s.Press("Approve")
	s.Sees("Approve EC-1?")
	s.Pictures("confirm-1280")
	s.Press("Not now")
	s.Until(`document.querySelector("dialog") === null`)
	if got := len(s.app.payloads("block_actions")); got != 0 {
		t.Errorf("%d clicks were sent although the question was answered no", got)
	}
	s.Press("Approve")
	s.Sees("Approve EC-1?")
	s.Run(chromedp.KeyEvent(kb.Enter)) // the focus stands on the answer yes
	s.Sees("You approved EC-1.")
	s.Sees("Engineer has BreakGlassAdmin")
	s.Pictures("approved-1280")
}

func TestEveryInputTakesWhatIsPutIntoIt(t *testing.T) {
	t.Parallel()
	s := browse(setup(t), 1280, 1400)
	s.Command("/emergency inputs")
	s.Until(`document.querySelector("dialog.modal") !== null`)
	s.Sees("Unknown element: file_input")
	set := func(label, value string) {
		s.Run(webtest.Script(`(() => { const i = document.querySelector(%q); i.value = %q; i.dispatchEvent(new Event("input", {bubbles: true})); i.dispatchEvent(new Event("change", {bubbles: true})); })()`, s.Input(label), value))
	}
	choose := func(label, words string) {
		s.Run(webtest.Click(s.Input(label)), webtest.Keys(s.Input(label), words))
		s.Until(fmt.Sprintf(`document.querySelector("dialog [role=option]")?.textContent.includes(%q)`, words))
		s.Run(webtest.Keys(s.Input(label), kb.Enter))
	}
	s.Run(webtest.Keys(s.Input("A line"), " more"), webtest.Keys(s.Input("A line told at once"), "told"+kb.Enter))
	s.Run(webtest.Keys(s.Input("An address"), "https://example.com"), webtest.Keys(s.Input("An e-mail"), "a@example.com"), webtest.Keys(s.Input("A number"), "42"))
	set("From groups", "1")
	choose("Several", "Two")
	choose("Several", "One")
	s.Run(webtest.Keys(s.Input("Several"), kb.Escape)) // closes the list, not the form
	choose("A person", "Deputy")
	choose("A channel", "general")
	s.Run(webtest.Script(`[...document.querySelectorAll("dialog label.mark")].find(l => l.textContent.startsWith("Nothing")).click()`))
	set("A day", "2026-03-02")
	set("A time", "10:15")
	set("A moment", "2026-07-01T12:00")
	s.Pictures("inputs-1280")
	s.Press("Save")
	s.Until(`document.querySelector("dialog") === null`)
	if got := len(s.app.payloads("block_actions")); got != 1 {
		t.Errorf("the line that is told at once was told %d times", got)
	}
	submitted := s.app.payloads("view_submission")
	if len(submitted) != 1 {
		t.Fatalf("%d submissions", len(submitted))
	}
	values := submitted[0]["view"].(map[string]any)["state"].(map[string]any)["values"].(map[string]any)
	text := func(v any) string { return fmt.Sprint(v) }
	for block, want := range map[string]string{
		"line": "given more", "told": "told", "url": "https://example.com", "email": "a@example.com", "number": "42", "person": sandbox.Deputy,
		"channel": sandbox.OtherChannel, "day": "2026-03-02", "time": "10:15", "moment": text(float64(1782900000)), // noon in Berlin, in summer
	} {
		held := values[block].(map[string]any)["v"].(map[string]any)
		found := false
		for _, v := range held {
			found = found || text(v) == want
		}
		if !found {
			t.Errorf("%s holds %v, want %s", block, held, want)
		}
	}
	options := func(block string) (all []string) {
		held := values[block].(map[string]any)["v"].(map[string]any)
		list, _ := held["selected_options"].([]any)
		if one := held["selected_option"]; one != nil {
			list = append(list, one)
		}
		for _, o := range list {
			all = append(all, o.(map[string]any)["value"].(string))
		}
		return all
	}
	for block, want := range map[string]string{"groups": "[beet]", "several": "[2 1]", "marks": "[nothing]"} {
		if got := text(options(block)); got != want {
			t.Errorf("%s holds %s, want %s", block, got, want)
		}
	}
}

func TestEveryBlockIsRenderedAndNothingTypedIsMarkup(t *testing.T) {
	t.Parallel()
	s := browse(setup(t), 1280, 1200)
	s.Command("<img src=x onerror=alert(1)> & *co*")
	s.Sees("<img src=x onerror=alert(1)> & co")
	s.Command("/emergency blocks")
	s.Sees("Every block 🎉")
	for _, words := range []string{
		"bold slanted struck code @CTO #audit @release-managers a link <script>alert(1)</script>", "Mar 2, 2026 at 10:00 AM",
		"a quote", "rich link@Deputy", "Unknown rich text: rich_text_novelty", "a chart", "{ block }",
	} {
		s.Sees(words)
	}
	s.Until(`document.querySelector(".message script, .message img, .message a[href^=javascript]") === null`)
	s.Until(`document.querySelector(".message a[href='https://example.com/?a=1&b=2']").rel.includes("noopener")`)
	s.Pictures("blocks-1280")
	s.Press("End now")
	s.Press("Keep it")
	s.Run(webtest.Script(`(() => { const i = document.querySelector(".message select"); i.value = "0"; i.dispatchEvent(new Event("change", {bubbles: true})); })()`))
	s.Press("More")
	s.Press("Mute")
	s.Press("Plain")
	s.must(func() bool { return len(s.app.payloads("block_actions")) == 3 })
}

// must waits for the application to have been told.
func (s *screen) must(holds func() bool) {
	s.t.Helper()
	if err := s.world.Wait(s.Context(), holds); err != nil {
		s.t.Fatal(err)
	}
}

func TestTheKeyboardIsEnough(t *testing.T) {
	t.Parallel()
	s := browse(setup(t), 1280, 800)
	s.Run(webtest.Script(`document.querySelector('.place .composer textarea').focus()`), chromedp.KeyEvent("/emergency"), chromedp.KeyEvent(kb.Enter))
	s.Until(`document.querySelector("dialog.modal")?.contains(document.activeElement)`)
	s.Run(chromedp.KeyEvent(kb.Escape))
	s.Until(`document.querySelector("dialog") === null`)
	s.Until(`document.activeElement === document.querySelector(".place .composer textarea")`)
	s.Until(`[...document.querySelectorAll("button, input, select, textarea, a, [role=tab], [role=log], [role=combobox]")].every(e => e.ariaLabel || e.textContent.trim() || e.labels?.length || e.title || e.placeholder || e.hasAttribute("aria-labelledby"))`)
	s.Run(webtest.Script(`document.querySelector('[data-tab=jira]').focus()`), chromedp.KeyEvent(kb.ArrowRight))
	s.Until(`document.activeElement.dataset.tab === "incidents" && document.activeElement.ariaSelected === "true"`)
	s.Run(webtest.Script(`document.querySelector('[data-place=home]').focus()`), chromedp.KeyEvent(kb.Enter))
	s.Sees("Waiting for you")
	s.Pictures("home-1280")
}

func TestTimeIsMovedAndTroubleMade(t *testing.T) {
	t.Parallel()
	s := browse(setup(t), 1280, 900)
	before := s.now()
	s.Press("+Forward 12 h")
	s.must(func() bool { return s.now().Sub(before).Hours() > 11.9 })
	s.Run(webtest.Click("[data-tab=outside]"))
	s.Press("Break GitHub")
	s.Sees("is down")
	s.Run(webtest.Click(".switch input"))
	s.Until(`document.querySelector(".switch input").checked`)
	s.Pictures("trouble-1280")
	s.Press("Kill and restart breakglass")
	s.must(func() bool { return s.restarts.Load() == 1 })
	s.world.Slack.SetAppURL("http://127.0.0.1:1")
	s.Command("/emergency")
	s.Sees("breakglass did not answer")
	s.Pictures("down-1280")
}

func TestTheTourMayBeLeftAndTakenUpAgain(t *testing.T) {
	t.Parallel()
	s := browse(setup(t), 1280, 800)
	s.Press("Skip")
	s.Sees("Step 2 of 5")
	s.Press("Take me there")
	s.Until(fmt.Sprintf(`document.querySelector("[data-person=%s]").ariaCurrent === "true" && document.querySelector("[data-place=direct]").ariaCurrent === "page"`, sandbox.CTO))
	s.Press("Leave the tour")
	s.Until(`document.querySelector(".tour") === null`)
	s.Resize(1280, 300, 1)
	s.Run(webtest.Script(`document.querySelector(".beside").scrollTop = 9999`))
	s.Until(`document.querySelector(".beside").scrollTop > 50`)
	s.Press("Take the guided tour")
	s.Sees("Step 1 of 5")
	s.Until(`document.querySelector(".tour h2").getBoundingClientRect().top > document.querySelector(".top").getBoundingClientRect().bottom`)
}

// lived puts a little history beside Slack.
func lived(b *bench) {
	b.world.AWS.Plant(sandbox.AdminOf(sandbox.OnCall))
	b.offset.Add(int64(40 * 60e9))
	b.world.AWS.Plant(sandbox.AdminOf(sandbox.Engineer))
	b.offset.Add(int64(30 * 60e9))
	b.world.AWS.Uproot(sandbox.AdminOf(sandbox.Engineer))
	b.offset.Add(int64(20 * 60e9))
	key := b.world.Jira.AddIssue(jira.Issue{
		Project: "OPS", Type: "Task", Summary: "EC-1 Emergency change: restart the stuck queue", Creator: sandbox.CTOAccount,
		Description: "h2. What was done\nRestarted the *stuck queue* by hand.\n\nh2. Why\nGitHub was down, and orders were piling up.",
	})
	b.world.Jira.CommentAs(sandbox.CTOAccount, key, "Approved. Thank you for the care.")
	b.world.IncidentIO.Open(incidentio.Incident{Name: "The queue is stuck"})
	at := b.now()
	b.ledger.Store(&web.LedgerView{Whole: true, Said: "1 change, 7 events: every chain is whole.", Changes: []web.LedgerChange{{
		Number: "EC-1", Kind: "manual", Phase: "ended", Requester: sandbox.Engineer,
		Obligations: []web.LedgerObligation{
			{Name: "record", State: "done", Owner: sandbox.Engineer, Due: at.Add(22 * 3600e9), Done: at},
			{Name: "sign_off", State: "owed", Due: at.Add(3 * 3600e9)},
			{Name: "review", State: "owed", Owner: sandbox.Engineer, Due: at.Add(-2 * 3600e9)},
		},
		Events: []web.LedgerEvent{
			{Seq: 1, At: at.Add(-90 * 60e9), Type: "requested", Actor: sandbox.Engineer},
			{Seq: 2, At: at.Add(-80 * 60e9), Type: "approved", Actor: sandbox.CTO},
			{Seq: 3, At: at.Add(-79 * 60e9), Type: "access_intended"},
			{Seq: 4, At: at.Add(-78 * 60e9), Type: "access_verified"},
			{Seq: 5, At: at.Add(-50 * 60e9), Type: "ended", Actor: sandbox.Engineer},
			{Seq: 6, At: at.Add(-49 * 60e9), Type: "access_gone"},
			{Seq: 7, At: at.Add(-20 * 60e9), Type: "record_written", Actor: sandbox.Engineer},
		},
	}}})
}

// contrast answers every text whose contrast with its ground is below 4.5 to 1.
const contrast = `(() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = (c) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (e) => { for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor); if (c[3] === 255) return c; } return [255, 255, 255, 255]; };
  const poor = [];
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.checkVisibility({opacityProperty: true, visibilityProperty: true}) || e.matches(".hidden, option, :disabled, [aria-busy=true]")) continue;
    const a = light(rgba(getComputedStyle(e).color)), b = light(ground(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push(e.className + " " + e.textContent.trim().slice(0, 30) + " " + ratio.toFixed(2));
  }
  return poor;
})()`

func TestEverythingCanBeReadInBothThemesAtBothWidths(t *testing.T) {
	t.Parallel()
	for _, width := range []int64{1280, 390} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			lived(b)
			s := browse(b, width, 844)
			look := func(name string) {
				t.Helper()
				s.Pictures(fmt.Sprintf("%s-%d", name, width))
				for _, theme := range []string{"light", "dark"} {
					s.Theme(theme)
					if poor := webtest.Ask[[]string](s.Screen, contrast); len(poor) > 0 {
						t.Errorf("%s, %s: too little contrast: %q", name, theme, poor)
					}
				}
				if wide := webtest.Ask[int64](s.Screen, "document.documentElement.scrollWidth"); wide > width {
					t.Errorf("%s is %d pixels wide on a screen of %d", name, wide, width)
				}
			}
			s.Command("/emergency blocks")
			s.Sees("Every block")
			s.Command("/emergency what")
			s.Sees("Only visible to you")
			look("channel")
			s.Command("/emergency")
			s.Until(`document.querySelector("dialog.modal") !== null`)
			s.Press("Request")
			s.Sees("Please complete this required field.")
			look("form")
			s.Press("Cancel")
			s.Until(`document.querySelector("dialog") === null`)
			if width == 390 {
				s.Press("People and channels")
				look("menu")
				s.Run(webtest.Script(`document.querySelector(".menu-button").focus()`), chromedp.KeyEvent(kb.Escape))
				s.Until(`document.querySelector("[data-menu=shut]") !== null`)
				s.Press("People and channels")
				s.Run(webtest.Click("main"))
				s.Until(`document.querySelector("[data-menu=shut]") !== null`)
			}
			s.Visit("home")
			s.Sees("Waiting for you")
			look("home")
			s.Visit(sandbox.Channel)
			s.Run(webtest.Script(`document.querySelector(".thread-link").click()`))
			s.Until(`document.querySelector(".thread") !== null`)
			look("thread")
			if width == 390 {
				s.Press("Beside it")
			}
			for _, tab := range []string{"jira", "incidents", "ledger", "outside"} {
				s.Run(webtest.Script(`document.querySelector("[data-tab=%s]").click(); document.querySelector(".panel").scrollIntoView()`, tab))
				s.Until(fmt.Sprintf(`document.querySelector("[data-tab=%s]").ariaSelected === "true"`, tab))
				look(tab)
			}
			s.Run(webtest.Script(`document.querySelector(".beside").scrollTop = 0`))
			look("beside")
		})
	}
}

// fill writes the request, as the story has it.
func (s *screen) fill(what string) {
	s.t.Helper()
	s.Until(`document.querySelector("dialog.modal") !== null`)
	s.Run(
		webtest.Script(`[...document.querySelectorAll("dialog label.mark")].find(l => l.textContent.startsWith("GitHub is down")).click()`),
		webtest.Keys(s.Input("What will you change?"), what),
		webtest.Keys(s.Input("Where"), "Produ"),
	)
	s.Until(`document.querySelectorAll("dialog [role=option]").length === 2`)
	s.Run(webtest.Keys(s.Input("Where"), kb.ArrowDown+kb.ArrowUp+kb.Enter))
	s.Until(fmt.Sprintf(`document.querySelector(%q).value === "Production"`, s.Input("Where")))
}
