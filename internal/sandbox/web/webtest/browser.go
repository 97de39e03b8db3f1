// Package webtest sees the local workspace in a headless Chromium, for tests: it
// presses, types and reads as a person at the page does.
//
// It imports nothing of this module.
package webtest

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

const (
	browsing = 3 * time.Minute  // bounds a test in a browser
	within   = 20 * time.Second // bounds everything that is waited for
)

// Screen is the page in a browser.
type Screen struct {
	t   *testing.T
	ctx context.Context //nolint:containedctx // chromedp keeps the browser in it
}

// Context ends with the test, or when the browser has been used for too long.
func (s *Screen) Context() context.Context { return s.ctx }

// Open opens the workspace in a headless Chromium of its own, with a window of so
// many pixels. Where no Chromium is found, the test is left out and says so.
func Open(t *testing.T, url string, width, height int64) *Screen {
	t.Helper()
	s := Browse(t, url, width, height)
	s.Run(chromedp.WaitVisible(chromedp.CSS(".frame")))
	return s
}

// Browse opens any page, as Open does the workspace.
func Browse(t *testing.T, url string, width, height int64) *Screen {
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
	s := &Screen{t, ctx}
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
	s.Run(chromedp.EmulateViewport(width, height), chromedp.Navigate(url))
	return s
}

// Resize gives the window another size, with so many dots to a pixel.
func (s *Screen) Resize(width, height int64, dots float64) {
	s.t.Helper()
	s.Run(chromedp.EmulateViewport(width, height, chromedp.EmulateScale(dots)))
	s.Until(fmt.Sprintf("innerWidth === %d", width))
}

// Run does what a person does.
func (s *Screen) Run(steps ...chromedp.Action[chromedp.Void]) {
	s.t.Helper()
	if err := chromedp.Do(s.ctx, steps...); err != nil {
		s.t.Fatalf("the browser: %v\n%s", err, s.text())
	}
}

// Ask evaluates JavaScript and answers its value.
func Ask[T any](s *Screen, expression string) T {
	s.t.Helper()
	value, err := chromedp.Run(s.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		s.t.Fatalf("the browser: %v in %s", err, expression)
	}
	return value
}

// Script is a step that runs JavaScript.
func Script(format string, args ...any) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void](fmt.Sprintf(format, args...))
}

// Keys is a step that types into an element. The element is found by the page
// itself: it is rendered anew while the test works.
func Keys(selector, text string) chromedp.Action[chromedp.Void] {
	return chromedp.Steps(Script(`(() => { const e = document.querySelector(%q); e.focus(); })()`, selector), chromedp.KeyEvent(text))
}

// Click is a step that clicks an element.
func Click(selector string) chromedp.Action[chromedp.Void] {
	return Script(`document.querySelector(%q).click()`, selector)
}

// text is what the page says, for failures.
func (s *Screen) text() string {
	if s.ctx.Err() != nil {
		return "(the test has taken too long)"
	}
	said, err := chromedp.Run(s.ctx, chromedp.Evaluate[string]("document.body.innerText"))
	if err != nil {
		return "(there is no page any more)"
	}
	return said
}

// Until waits for an expression of JavaScript to hold.
func (s *Screen) Until(holds string) {
	s.t.Helper()
	if err := s.wait(holds, within); err != nil {
		s.t.Fatalf("waiting for %s: %v\n%s", holds, err, s.text())
	}
}

// Soon tells whether an expression of JavaScript comes to hold within a time.
func (s *Screen) Soon(holds string, within time.Duration) bool {
	s.t.Helper()
	err := s.wait(holds, within)
	if err != nil && s.ctx.Err() != nil {
		s.t.Fatalf("waiting for %s: %v", holds, err)
	}
	return err == nil
}

func (s *Screen) wait(holds string, within time.Duration) error {
	_, err := chromedp.Run(s.ctx, chromedp.Poll[chromedp.Void](holds, chromedp.WithPollingTimeout(within), chromedp.WithPollingInterval(30*time.Millisecond)))
	return err
}

// Sees waits for words on the page.
func (s *Screen) Sees(words string) {
	s.t.Helper()
	s.Until(fmt.Sprintf("document.body.innerText.includes(%q)", words))
}

// Be plays somebody else.
func (s *Screen) Be(person string) {
	s.t.Helper()
	s.Run(Script(`document.querySelector('[data-person=%s]').click()`, person))
	s.Until(fmt.Sprintf(`document.querySelector('[data-person=%s]')?.ariaCurrent === "true"`, person))
}

// Visit opens a place.
func (s *Screen) Visit(place string) {
	s.t.Helper()
	s.Run(Script(`document.querySelector('[data-place=%s]').click()`, place))
	s.Until(fmt.Sprintf(`document.querySelector('[data-place=%s]')?.ariaCurrent === "page"`, place))
}

// Press clicks the visible button with this label, once it can be pressed.
func (s *Screen) Press(label string) {
	s.t.Helper()
	find := fmt.Sprintf(`[...document.querySelectorAll("button")].filter(b => (b.textContent.trim() === %q || b.ariaLabel === %q) && b.checkVisibility() && !b.disabled).at(-1)`, label, label)
	s.Until(find + " !== undefined")
	s.Run(Script("%s.click()", find))
}

// Input is the selector of the input with a label.
func (s *Screen) Input(label string) string {
	s.t.Helper()
	find := fmt.Sprintf(`[...document.querySelectorAll("dialog .field")].find(f => f.querySelector(".label").textContent.startsWith(%q))`, label)
	s.Until(find + " !== undefined")
	return fmt.Sprintf(`[id="%s"]`, Ask[string](s, find+`.querySelector("input, textarea, select").id`))
}

// Command types a command where one writes.
func (s *Screen) Command(text string) {
	s.t.Helper()
	s.Run(Keys(".place .composer textarea", text+kb.Enter))
}

// Theme shows the page in light or in dark.
func (s *Screen) Theme(name string) {
	s.t.Helper()
	_, err := chromedp.Call(s.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}})
	if err != nil {
		s.t.Fatal(err)
	}
}

// Picture keeps a picture of the page in BREAKGLASS_SCREENSHOTS, if that names a folder.
func (s *Screen) Picture(name string) {
	s.t.Helper()
	s.keep(name, chromedp.CaptureScreenshot())
}

// PictureOf keeps a picture of one element, as Picture does of the page.
func (s *Screen) PictureOf(selector, name string) {
	s.t.Helper()
	s.keep(name, chromedp.Screenshot(chromedp.CSS(selector)))
}

func (s *Screen) keep(name string, take chromedp.Action[[]byte]) {
	s.t.Helper()
	folder := os.Getenv("BREAKGLASS_SCREENSHOTS")
	if folder == "" {
		return
	}
	png, err := chromedp.Run(s.ctx, take)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), png, 0o600); err != nil { //nolint:gosec // whoever runs the tests names the folder
		s.t.Fatal(err)
	}
}

// Pictures keeps the page in both themes.
func (s *Screen) Pictures(name string) {
	s.t.Helper()
	for _, theme := range []string{"light", "dark"} {
		s.Theme(theme)
		s.Picture(name + "-" + theme)
	}
}
