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
	ID             string           `json:"id"`
	Reference      string           `json:"reference"` // such as INC-123
	Name           string           `json:"name"`
	Status         string           `json:"status"`
	Category       IncidentCategory `json:"category"`
	Mitigated      bool             `json:"mitigated,omitempty"`      // live, in a status configured as mitigated
	MitigatedSince time.Time        `json:"mitigated_since,omitzero"` // when it was mitigated, also when it is no longer live; zero: it has not been, or nobody said
	Severity       string           `json:"severity,omitempty"`
	Private        bool             `json:"private,omitempty"`
	URL            string           `json:"url,omitempty"`
	SlackChannel   string           `json:"slack_channel,omitempty"`
	MergedInto     string           `json:"merged_into,omitempty"` // id of the incident that this one was merged into
	Created        time.Time        `json:"created"`
	Closed         time.Time        `json:"closed,omitzero"` // when it left the live category; zero when it has not, or nobody said
	SeenAt         time.Time        `json:"seen_at"`
}

// IncidentNote is what is written into an incident's timeline.
type IncidentNote struct {
	IncidentID string
	At         time.Time // when it happened; may be past
	Title      string    // plain text, one line
	Markdown   string    // people's own words in it are escaped by the writer
	URL        string    // where more stands; attached where timeline notes cannot be written; may be empty
	Key        string    // names the change and its revision: the same key is written once
}

// IncidentFollowUp is a preventive action to be kept with an incident.
type IncidentFollowUp struct {
	IncidentID string
	Title      string // plain text, one line
	Markdown   string
	Marker     string   // unique to the action; ends the title, so that one whose reply was lost is found
	Assignee   PersonID // empty, or unknown to incident.io: nobody
}

// OnCallPerson is somebody on call. Either field may be empty.
type OnCallPerson struct {
	SlackID PersonID
	Email   string
}

// IncidentDraft is an incident to be opened.
type IncidentDraft struct {
	Name       string // plain text, one line
	Summary    string // plain text
	SeverityID string // one of incident.io's own
	Private    bool
	Key        string // the same key opens one incident only
}

// IncidentSeverity is a severity that an incident may be opened with.
type IncidentSeverity struct {
	ID   string
	Name string
}
