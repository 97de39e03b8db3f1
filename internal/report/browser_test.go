package report_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/breakglass-bot/breakglass/internal/sandbox/web/webtest"
)

func TestTheReportFitsItsWindow(t *testing.T) {
	t.Parallel()
	page := pageOf(t, generated(2000, since(), until()), options())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if _, err := w.Write(page); err != nil {
			t.Errorf("serve the report: %v", err)
		}
	}))
	t.Cleanup(server.Close)
	s := webtest.Browse(t, server.URL+"/report.html", 1280, 900)
	s.Until(`document.readyState === "complete" && document.querySelectorAll("tr[id^=EC-]").length === 2000`)
	for _, width := range []int64{390, 1280} {
		s.Resize(width, 900, 1.5)
		if wide := webtest.Ask[int64](s, "document.documentElement.scrollWidth"); wide > width {
			t.Errorf("the report is %d pixels wide in a window of %d", wide, width)
		}
	}
	s.Theme("light")
	s.Picture("readme-report")
}
