package incidentio_test

import (
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
	sandbox "github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
)

func TestTheHistoryTellsSinceWhenAnIncidentIsMitigated(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		statuses []string // one each hour
		want     int      // hours after it was opened; 0: it is not mitigated
	}{
		"never":                             {[]string{"Fixing"}, 0},
		"now":                               {[]string{"Fixing", "Monitoring"}, 2},
		"and updated since":                 {[]string{"Monitoring", "Monitoring"}, 1},
		"and worse again":                   {[]string{"Monitoring", "Fixing"}, 0},
		"worse, and better again":           {[]string{"Monitoring", "Fixing", "Monitoring"}, 3},
		"and over since":                    {[]string{"Monitoring", "Documenting", "Closed"}, 1},
		"over without having been":          {[]string{"Fixing", "Closed"}, 0},
		"over, and opened again":            {[]string{"Monitoring", "Closed", "Investigating"}, 0},
		"over, opened again, and mitigated": {[]string{"Monitoring", "Closed", "Investigating", "Monitoring", "Closed"}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			i := b.open(sandbox.Incident{})
			for _, status := range test.statuses {
				b.clock.forward(time.Hour)
				b.setStatus(t, i.ID, status)
			}
			got, err := b.client.Incident(t.Context(), i.ID)
			if err != nil {
				t.Fatal(err)
			}
			want := time.Time{}
			if test.want > 0 {
				want = i.Created.Add(time.Duration(test.want) * time.Hour)
			}
			if !got.MitigatedSince.Equal(want) {
				t.Errorf("mitigated since %v, want %v", got.MitigatedSince, want)
			}
		})
	}
}

func TestThatAnIncidentIsMitigatedIsKnownWithoutItsHistory(t *testing.T) {
	t.Parallel()
	b := setup(t)
	i := b.open(sandbox.Incident{Status: "Monitoring"})
	b.server.Faults.Add(fault.Fault{Kind: fault.Unavailable, Call: "list updates", Times: 1})
	got, err := b.client.Incident(t.Context(), i.ID)
	if err != nil || !got.Mitigated || !got.MitigatedSince.IsZero() {
		t.Errorf("%+v, %v", got, err)
	}
}
