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
)

func TestAnEngineerAsksAndTheCTOApproves(t *testing.T) {
	t.Parallel()
	s := browse(t, setup(t), 1280, 800)
	s.sees("Step 1 of 5")
	s.command("/emergency")
	s.fill("Restart")
	s.press("Request")
	s.sees("Say a little more: at least ten letters")
	s.until(`document.activeElement.getAttribute("aria-invalid") === "true"`)
	s.pictures("form-error-1280")
	s.run(keys(s.input("What will you change?"), " the stuck queue by hand"))
	s.press("Request")
	s.until(`document.querySelector("dialog") === null`)
	s.sees("EC-1 · Manual change in production")
	s.until(`document.querySelector(".tour.done") !== null`)
	s.until(fmt.Sprintf(`document.querySelector("[data-person=%s] .count")?.textContent.startsWith("1")`, sandbox.CTO))
	s.pictures("asked-1280")

	s.be(sandbox.CTO)
	s.visit("direct")
	s.press("Approve")
	s.sees("Approve EC-1?")
	s.pictures("confirm-1280")
	s.press("Not now")
	s.until(`document.querySelector("dialog") === null`)
	if got := len(s.app.payloads("block_actions")); got != 0 {
		t.Errorf("%d clicks were sent although the question was answered no", got)
	}
	s.press("Approve")
	s.sees("Approve EC-1?")
	s.run(chromedp.KeyEvent(kb.Enter)) // the focus stands on the answer yes
	s.sees("You approved EC-1.")
	s.sees("Engineer has BreakGlassAdmin")
	s.pictures("approved-1280")
}

func TestEveryInputTakesWhatIsPutIntoIt(t *testing.T) {
	t.Parallel()
	s := browse(t, setup(t), 1280, 1400)
	s.command("/emergency inputs")
	s.until(`document.querySelector("dialog.modal") !== null`)
	s.sees("Unknown element: file_input")
	set := func(label, value string) {
		s.run(script(`(() => { const i = document.querySelector(%q); i.value = %q; i.dispatchEvent(new Event("input", {bubbles: true})); i.dispatchEvent(new Event("change", {bubbles: true})); })()`, s.input(label), value))
	}
	choose := func(label, words string) {
		s.run(click(s.input(label)), keys(s.input(label), words))
		s.until(fmt.Sprintf(`document.querySelector("dialog [role=option]")?.textContent.includes(%q)`, words))
		s.run(keys(s.input(label), kb.Enter))
	}
	s.run(keys(s.input("A line"), " more"), keys(s.input("A line told at once"), "told"+kb.Enter))
	s.run(keys(s.input("An address"), "https://example.com"), keys(s.input("An e-mail"), "a@example.com"), keys(s.input("A number"), "42"))
	set("From groups", "1")
	choose("Several", "Two")
	choose("Several", "One")
	s.run(keys(s.input("Several"), kb.Escape)) // closes the list, not the form
	choose("A person", "Deputy")
	choose("A channel", "general")
	s.run(script(`[...document.querySelectorAll("dialog label.mark")].find(l => l.textContent.startsWith("Nothing")).click()`))
	set("A day", "2026-03-02")
	set("A time", "10:15")
	set("A moment", "2026-07-01T12:00")
	s.pictures("inputs-1280")
	s.press("Save")
	s.until(`document.querySelector("dialog") === null`)
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
	s := browse(t, setup(t), 1280, 1200)
	s.command("<img src=x onerror=alert(1)> & *co*")
	s.sees("<img src=x onerror=alert(1)> & co")
	s.command("/emergency blocks")
	s.sees("Every block 🎉")
	for _, words := range []string{"bold slanted struck code @CTO #audit @release-managers a link <script>alert(1)</script>", "Mar 2, 2026 at 10:00 AM",
		"a quote", "rich link@Deputy", "Unknown rich text: rich_text_novelty", "a chart", "{ block }"} {
		s.sees(words)
	}
	s.until(`document.querySelector(".message script, .message img, .message a[href^=javascript]") === null`)
	s.until(`document.querySelector(".message a[href='https://example.com/?a=1&b=2']").rel.includes("noopener")`)
	s.pictures("blocks-1280")
	s.press("End now")
	s.press("Keep it")
	s.run(script(`(() => { const i = document.querySelector(".message select"); i.value = "0"; i.dispatchEvent(new Event("change", {bubbles: true})); })()`))
	s.press("More")
	s.press("Mute")
	s.press("Plain")
	s.must(func() bool { return len(s.app.payloads("block_actions")) == 3 })
}

// must waits for the application to have been told.
func (s *screen) must(holds func() bool) {
	s.t.Helper()
	if err := s.world.Wait(s.ctx, holds); err != nil {
		s.t.Fatal(err)
	}
}

func TestTheKeyboardIsEnough(t *testing.T) {
	t.Parallel()
	s := browse(t, setup(t), 1280, 800)
	s.run(script(`document.querySelector('.place .composer textarea').focus()`), chromedp.KeyEvent("/emergency"), chromedp.KeyEvent(kb.Enter))
	s.until(`document.querySelector("dialog.modal")?.contains(document.activeElement)`)
	s.run(chromedp.KeyEvent(kb.Escape))
	s.until(`document.querySelector("dialog") === null`)
	s.until(`document.activeElement === document.querySelector(".place .composer textarea")`)
	s.until(`[...document.querySelectorAll("button, input, select, textarea, a, [role=tab], [role=log], [role=combobox]")].every(e => e.ariaLabel || e.textContent.trim() || e.labels?.length || e.title || e.placeholder || e.hasAttribute("aria-labelledby"))`)
	s.run(script(`document.querySelector('[data-tab=jira]').focus()`), chromedp.KeyEvent(kb.ArrowRight))
	s.until(`document.activeElement.dataset.tab === "incidents" && document.activeElement.ariaSelected === "true"`)
	s.run(script(`document.querySelector('[data-place=home]').focus()`), chromedp.KeyEvent(kb.Enter))
	s.sees("Waiting for you")
	s.pictures("home-1280")
}

func TestTimeIsMovedAndTroubleMade(t *testing.T) {
	t.Parallel()
	s := browse(t, setup(t), 1280, 900)
	before := s.now()
	s.press("+Forward 12 h")
	s.must(func() bool { return s.now().Sub(before).Hours() > 11.9 })
	s.run(click("[data-tab=outside]"))
	s.press("Break GitHub")
	s.sees("is down")
	s.run(click(".switch input"))
	s.until(`document.querySelector(".switch input").checked`)
	s.pictures("trouble-1280")
	s.press("Kill and restart breakglass")
	s.must(func() bool { return s.restarts.Load() == 1 })
	s.world.Slack.SetAppURL("http://127.0.0.1:1")
	s.command("/emergency")
	s.sees("breakglass did not answer")
	s.pictures("down-1280")
}

func TestTheTourMayBeLeftAndTakenUpAgain(t *testing.T) {
	t.Parallel()
	s := browse(t, setup(t), 1280, 800)
	s.press("Skip")
	s.sees("Step 2 of 5")
	s.press("Take me there")
	s.until(fmt.Sprintf(`document.querySelector("[data-person=%s]").ariaCurrent === "true" && document.querySelector("[data-place=direct]").ariaCurrent === "page"`, sandbox.CTO))
	s.press("Leave the tour")
	s.until(`document.querySelector(".tour") === null`)
	s.press("Take the guided tour")
	s.sees("Step 1 of 5")
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
			{Seq: 1, At: at.Add(-90 * 60e9), Type: "requested", Actor: sandbox.Engineer}, {Seq: 2, At: at.Add(-80 * 60e9), Type: "approved", Actor: sandbox.CTO},
			{Seq: 3, At: at.Add(-79 * 60e9), Type: "access_intended"}, {Seq: 4, At: at.Add(-78 * 60e9), Type: "access_verified"},
			{Seq: 5, At: at.Add(-50 * 60e9), Type: "ended", Actor: sandbox.Engineer}, {Seq: 6, At: at.Add(-49 * 60e9), Type: "access_gone"},
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
			s := browse(t, b, width, 844)
			look := func(name string) {
				t.Helper()
				s.pictures(fmt.Sprintf("%s-%d", name, width))
				for _, theme := range []string{"light", "dark"} {
					s.theme(theme)
					if poor := ask[[]string](s, contrast); len(poor) > 0 {
						t.Errorf("%s, %s: too little contrast: %q", name, theme, poor)
					}
				}
				if wide := ask[int64](s, "document.documentElement.scrollWidth"); wide > width {
					t.Errorf("%s is %d pixels wide on a screen of %d", name, wide, width)
				}
			}
			s.command("/emergency blocks")
			s.sees("Every block")
			s.command("/emergency what")
			s.sees("Only visible to you")
			look("channel")
			s.command("/emergency")
			s.until(`document.querySelector("dialog.modal") !== null`)
			s.press("Request")
			s.sees("Please complete this required field.")
			look("form")
			s.press("Cancel")
			s.until(`document.querySelector("dialog") === null`)
			if width == 390 {
				s.press("People and channels")
				look("menu")
			}
			s.visit("home")
			s.sees("Waiting for you")
			look("home")
			s.visit(sandbox.Channel)
			s.run(script(`document.querySelector(".thread-link").click()`))
			s.until(`document.querySelector(".thread") !== null`)
			look("thread")
			if width == 390 {
				s.press("Beside it")
			}
			for _, tab := range []string{"jira", "incidents", "ledger", "outside"} {
				s.run(script(`document.querySelector("[data-tab=%s]").click(); document.querySelector(".panel").scrollIntoView()`, tab))
				s.until(fmt.Sprintf(`document.querySelector("[data-tab=%s]").ariaSelected === "true"`, tab))
				look(tab)
			}
			s.run(script(`document.querySelector(".beside").scrollTop = 0`))
			look("beside")
		})
	}
}
