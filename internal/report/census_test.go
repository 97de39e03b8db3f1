package report_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/report"
)

func TestTheReportListsWhatTheCensusFound(t *testing.T) {
	t.Parallel()
	seen := since().Add(time.Hour)
	key := change.AssignmentKey{AccountID: "111122223333", PermissionSetARN: "arn:aws:sso:::permissionSet/x/<b>", UserID: "93d4a8e2"}
	opts := options()
	opts.Findings = []change.CensusFinding{
		{ID: 1, Kind: change.FindingUnasked, State: change.FindingOpen, Key: key, FirstSeen: seen, LastSeen: seen},
		{ID: 2, Kind: change.FindingLeft, State: change.FindingClosed, Outcome: change.OutcomeEnded, Number: 5, Key: key, FirstSeen: seen, LastSeen: seen, DecidedBy: "U0CTO"},
	}
	var page, table bytes.Buffer
	if err := report.HTML(&page, source(nil), opts); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"2 findings of the census; 1 open", "nobody asked for it", "111122223333", "ended, and gone", "EC-5", "U0CTO", "&lt;b&gt;"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page is without %q", want)
		}
	}
	if err := report.JSON(&table, source(nil), opts); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Figures struct {
			Findings []report.Found `json:"findings"`
		} `json:"figures"`
	}
	if err := json.Unmarshal(table.Bytes(), &got); err != nil || len(got.Figures.Findings) != 2 || got.Figures.Findings[1].Change != "EC-5" {
		t.Errorf("JSON has %+v, %v", got, err)
	}
	page.Reset()
	if err := report.HTML(&page, source(nil), options()); err != nil || strings.Contains(page.String(), "census") {
		t.Errorf("the page speaks of a census that found nothing: %v", err)
	}
}
