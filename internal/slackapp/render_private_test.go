package slackapp

import (
	"strings"
	"testing"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// Anybody who knows the reference of a private incident can link it to a change
// of their own, and must not learn more by it.
func TestAPrivateIncidentIsNamedByItsReferenceAlone(t *testing.T) {
	t.Parallel()
	c := change.Change{Number: 1, Confidential: true, Incident: &change.IncidentLink{Now: change.Incident{
		ID: "01J", Reference: "INC-7", Name: "A breach at the zebra", Status: "Walrus", URL: "https://app.incident.io/7", Private: true,
	}}}
	said := strings.Join(recordLinks(&c), "\n") + incidentWords(c.Incident)
	if strings.Contains(said, "zebra") || strings.Contains(said, "Walrus") || !strings.Contains(said, "INC-7") {
		t.Errorf("it says %q", said)
	}
}
