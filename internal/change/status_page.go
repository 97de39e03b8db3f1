package change

import "time"

// StatusSnapshot is what GitHub's status page said at a moment. People write
// that page, and late: it is evidence, never a gate. Every word in it is the
// page's own and may be new.
type StatusSnapshot struct {
	Indicator   string            `json:"indicator"`   // none, minor, major, critical
	Description string            `json:"description"` // such as "All Systems Operational"
	Components  []StatusComponent `json:"components"`  // those that a release needs, in a fixed order
	Incidents   []StatusIncident  `json:"incidents"`   // unresolved ones, at most ten
	TakenAt     time.Time         `json:"taken_at"`
}

// StatusComponent is a part of GitHub.
type StatusComponent struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Status string `json:"status"` // such as operational or major_outage
}

// StatusIncident is what the page says of something that is wrong.
type StatusIncident struct {
	Name      string    `json:"name"`
	Status    string    `json:"status"`
	Impact    string    `json:"impact"`
	StartedAt time.Time `json:"started_at,omitzero"`
	URL       string    `json:"url,omitempty"` // https, or left out
}
