package web_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// browsing bounds a test in a browser.
const browsing = 2 * time.Minute

// screen is the page in a browser.
type screen struct {
	*bench
	ctx context.Context
}

// browse opens the page in a headless Chromium of its own. Where none is found,
// the test is left out and says so.
func browse(t *testing.T, b *bench, width, height int64) *screen {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil && path == "" {
			path = found
		}
	}
	if path == "" {
		t.Skip("LEFT OUT: no Chromium was found, so the page is not seen by a browser")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true), chromedp.Flag("lang", "en-GB"), chromedp.Env("TZ=UTC", "LANG=en_GB.UTF-8"))
	browser, cancel := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, browsing)
	s := &screen{b, ctx}
	complained := make(chan struct{})
	messages := chromedp.Console(ctx)
	go func() {
		defer close(complained)
		for m, err := range messages {
			if err == nil && m.Source != "network" && (m.IsException() || m.Type == "error") { // a refusal is an answer like any other
				t.Errorf("the page complained: %s", m)
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-complained })
	s.run(chromedp.EmulateViewport(width, height), chromedp.Navigate(b.url), chromedp.WaitVisible(chromedp.CSS(".frame")))
	return s
}

// run does what a person does.
func (s *screen) run(steps ...chromedp.Action[chromedp.Void]) {
	s.t.Helper()
	if err := chromedp.Do(s.ctx, steps...); err != nil {
		s.t.Fatalf("the browser: %v\n%s", err, s.text())
	}
}

// ask evaluates JavaScript and answers its value.
func ask[T any](s *screen, expression string) T {
	s.t.Helper()
	value, err := chromedp.Run(s.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		s.t.Fatalf("the browser: %v in %s", err, expression)
	}
	return value
}

// script is a step that runs JavaScript.
func script(format string, args ...any) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void](fmt.Sprintf(format, args...))
}

// keys is a step that types into an element. The element is found by the page
// itself: it is rendered anew while the test works.
func keys(selector, text string) chromedp.Action[chromedp.Void] {
	return chromedp.Steps(script(`(() => { const e = document.querySelector(%q); e.focus(); })()`, selector), chromedp.KeyEvent(text))
}

// click is a step that clicks an element.
func click(selector string) chromedp.Action[chromedp.Void] {
	return script(`document.querySelector(%q).click()`, selector)
}

// text is what the page says, for failures.
func (s *screen) text() string {
	if s.ctx.Err() != nil {
		return "(the test has taken too long)"
	}
	said, err := chromedp.Run(s.ctx, chromedp.Evaluate[string]("document.body.innerText"))
	if err != nil {
		return "(there is no page any more)"
	}
	return said
}

// until waits for an expression of JavaScript to hold.
func (s *screen) until(holds string) {
	s.t.Helper()
	if _, err := chromedp.Run(s.ctx, chromedp.Poll[chromedp.Void](holds, chromedp.WithPollingTimeout(within), chromedp.WithPollingInterval(30*time.Millisecond))); err != nil {
		s.t.Fatalf("waiting for %s: %v\n%s", holds, err, s.text())
	}
}

// sees waits for words on the page.
func (s *screen) sees(words string) {
	s.t.Helper()
	s.until(fmt.Sprintf("document.body.innerText.includes(%q)", words))
}

// be plays somebody else.
func (s *screen) be(person string) {
	s.t.Helper()
	s.run(script(`document.querySelector('[data-person=%s]').click()`, person))
	s.until(fmt.Sprintf(`document.querySelector('[data-person=%s]')?.ariaCurrent === "true"`, person))
}

// visit opens a place.
func (s *screen) visit(place string) {
	s.t.Helper()
	s.run(script(`document.querySelector('[data-place=%s]').click()`, place))
	s.until(fmt.Sprintf(`document.querySelector('[data-place=%s]')?.ariaCurrent === "page"`, place))
}

// press clicks the visible button with this label.
func (s *screen) press(label string) {
	s.t.Helper()
	find := fmt.Sprintf(`[...document.querySelectorAll("button")].filter(b => (b.textContent.trim() === %q || b.ariaLabel === %q) && b.checkVisibility()).at(-1)`, label, label)
	s.until(find + " !== undefined")
	s.run(script("%s.click()", find))
}

// input is the selector of the input with a label.
func (s *screen) input(label string) string {
	s.t.Helper()
	find := fmt.Sprintf(`[...document.querySelectorAll("dialog .field")].find(f => f.querySelector(".label").textContent.startsWith(%q))`, label)
	s.until(find + " !== undefined")
	return fmt.Sprintf(`[id="%s"]`, ask[string](s, find+`.querySelector("input, textarea, select").id`))
}

// command types a command where one writes.
func (s *screen) command(text string) {
	s.t.Helper()
	s.run(keys(".place .composer textarea", text+kb.Enter))
}

// theme shows the page in light or in dark.
func (s *screen) theme(name string) {
	s.t.Helper()
	_, err := chromedp.Call(s.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}})
	must(s.t, err)
}

// picture keeps a picture of the page in BREAKGLASS_SCREENSHOTS, if that names a folder.
func (s *screen) picture(name string) {
	s.t.Helper()
	folder := os.Getenv("BREAKGLASS_SCREENSHOTS")
	if folder == "" {
		return
	}
	png, err := chromedp.Run(s.ctx, chromedp.CaptureScreenshot())
	must(s.t, err)
	must(s.t, os.WriteFile(filepath.Join(folder, name+".png"), png, 0o600))
}

// pictures keeps the page in both themes.
func (s *screen) pictures(name string) {
	s.t.Helper()
	for _, theme := range []string{"light", "dark"} {
		s.theme(theme)
		s.picture(name + "-" + theme)
	}
}

// fill writes the request, as the story has it.
func (s *screen) fill(what string) {
	s.t.Helper()
	s.until(`document.querySelector("dialog.modal") !== null`)
	s.run(
		script(`[...document.querySelectorAll("dialog label.mark")].find(l => l.textContent.startsWith("GitHub is down")).click()`),
		keys(s.input("What will you change?"), what),
		keys(s.input("Where"), "Produ"),
	)
	s.until(`document.querySelectorAll("dialog [role=option]").length === 2`)
	s.run(keys(s.input("Where"), kb.ArrowDown+kb.ArrowUp+kb.Enter))
	s.until(fmt.Sprintf(`document.querySelector(%q).value === "Production"`, s.input("Where")))
}
