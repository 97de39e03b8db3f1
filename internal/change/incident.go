package change

import "time"

// IncidentCategory is incident.io's status category. New values may appear at
// any time; nothing fails on an unknown one.
type IncidentCategory string

// The categories known today.
const (
	IncidentTriage   IncidentCategory = "triage"
	IncidentLive     IncidentCategory = "live"
	IncidentLearning IncidentCategory = "learning"
	IncidentPaused   IncidentCategory = "paused"
	IncidentClosed   IncidentCategory = "closed"
	IncidentDeclined IncidentCategory = "declined"
	IncidentCanceled IncidentCategory = "canceled"
	IncidentMerged   IncidentCategory = "merged"
)

// Incident is an incident.io incident as it was when it was looked at.
type Incident struct {
	ID           string           `json:"id"`
	Reference    string           `json:"reference"` // such as INC-123
	Name         string           `json:"name"`
	Status       string           `json:"status"`
	Category     IncidentCategory `json:"category"`
	Severity     string           `json:"severity,omitempty"`
	Private      bool             `json:"private,omitempty"`
	URL          string           `json:"url,omitempty"`
	SlackChannel string           `json:"slack_channel,omitempty"`
	MergedInto   string           `json:"merged_into,omitempty"` // id of the incident that this one was merged into
	Created      time.Time        `json:"created"`
	Closed       time.Time        `json:"closed,omitzero"` // when it left the live category; zero when it has not, or nobody said
	SeenAt       time.Time        `json:"seen_at"`
}
