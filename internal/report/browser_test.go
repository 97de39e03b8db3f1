package report_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/breakglass-bot/breakglass/internal/sandbox/web/webtest"
)

// outside answers what is drawn beyond its plot, and which tables have to be
// scrolled although their columns answer a question.
const outside = `[...document.querySelectorAll("svg.plot :is(rect, circle, path)")].filter(m => m.getBoundingClientRect().right > m.closest("svg.plot").getBoundingClientRect().right + 3)
  .concat([...document.querySelectorAll(".repeats")].filter(t => t.scrollWidth > t.parentElement.clientWidth)).map(e => e.closest("section").id + ": " + e.textContent.slice(0, 40))`

func TestTheReportFitsItsWindow(t *testing.T) {
	t.Parallel()
	pages := http.NewServeMux()
	for _, n := range []int{60, 2000} {
		page := pageOf(t, generated(n, since(), until()), options())
		pages.HandleFunc(fmt.Sprintf("/%d", n), func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			if _, err := w.Write(page); err != nil {
				t.Errorf("serve the report: %v", err)
			}
		})
	}
	pages.HandleFunc("/favicon.ico", http.NotFound)
	server := httptest.NewServer(pages)
	t.Cleanup(server.Close)
	s := webtest.Browse(t, "about:blank", 1280, 900)
	for _, n := range []int{2000, 60} {
		s.Run(chromedp.Navigate(fmt.Sprintf("%s/%d", server.URL, n)))
		s.Until(fmt.Sprintf(`document.querySelectorAll("tr[id^=EC-]").length === %d`, n))
		for _, width := range []int64{390, 1280} {
			s.Resize(width, 900, 1.5)
			if wide := webtest.Ask[int64](s, "document.documentElement.scrollWidth"); wide > width {
				t.Errorf("the report of %d changes is %d pixels wide in a window of %d", n, wide, width)
			}
			if out := webtest.Ask[[]string](s, outside); len(out) > 0 {
				t.Errorf("of the report of %d changes this lies beyond its plot or its table: %q", n, out)
			}
		}
	}
	s.Theme("light")
	s.Picture("readme-report")
}
