package change

import "time"

// The identifiers that the configuration gives to its own things.
type (
	// GroupID names a group of people in the configuration.
	GroupID string
	// KindID names a kind of emergency change.
	KindID string
	// ReasonID names a reason why the release process cannot be used.
	ReasonID string
	// TargetID names a place where access may be asked for.
	TargetID string
	// PermissionSetID names a permission set within its target.
	PermissionSetID string
	// QuestionID names a kind's own question.
	QuestionID string
)

// Rules is everything the domain needs of the configuration, as plain data. A
// change freezes what it needs of them when it is submitted; after that, only
// who may act is read from the rules of the day.
type Rules struct {
	Reasons       []Reason
	Kinds         []Kind
	Targets       []Target
	Groups        map[GroupID]Group
	Roles         Roles
	People        map[PersonID]Identities
	Approval      ApprovalRules
	Record        RecordRules
	MergeRequests MergeRequestRules
	// ConfidentialProjects are those whose merge requests are linked with
	// confidential changes only: paths, or the path of a group or owner and /*.
	ConfidentialProjects map[Forge][]string
	Review               ReviewRules
	Access               AccessRules
	InstanceARN          string // of the Identity Center; empty where no access is granted through AWS
}

// Group is a group of people. Exactly one of its fields is set.
type Group struct {
	Members            []PersonID
	SlackUsergroup     string
	IncidentIOSchedule string
	Everyone           bool      // every full member of the workspace
	Groups             []GroupID // a union of other groups
}

// Roles says who stands for the organisation.
type Roles struct {
	CTO      []GroupID // told of breaches; inherits what a departed person owes
	Auditors []GroupID // see everything; decide nothing
}

// Reason is why the release process cannot be used.
type Reason struct {
	ID           ReasonID
	Label        string
	Evidence     string // "github-status" or empty
	StandardPath bool   // choosing it ends in the release process, not in a request
}

// Need says whether a kind of change takes a thing.
type Need string

// The needs. WithRecord and the last two are for merge requests only.
const (
	NeedNone       Need = "none"
	NeedOptional   Need = "optional"
	NeedRequired   Need = "required"
	NeedWithRecord Need = "with_record" // due together with the record
)

// Kind is a kind of emergency change: a list of what it requires.
type Kind struct {
	ID                 KindID
	Name               string
	Reasons            []ReasonID // empty: any reason will do
	Requesters         []GroupID
	Confidential       bool
	Access             Need
	Incident           Need // required or optional
	MergeRequest       Need
	MergeRequestLabels [][]string // every line must be met by one of its labels
	Approvals          []ApprovalRule
	SelfApproval       *SelfApproval // nil: never
	PermanentFix       bool
	CoordinateWith     []GroupID
	EndsOn             *Deployment // nil: the merge is enough evidence of the end
	RootCause          bool        // the review asks for a root-cause analysis
	Questions          []Question
}

// Deployment is the evidence, beyond the merge, that a change has reached
// production: a deployment on GitLab to any of the environments, or the label.
type Deployment struct {
	Environments []string `json:"environments,omitempty"`
	Label        string   `json:"label,omitempty"`
}

// ApprovalRule is one approval that a kind needs, by one person.
type ApprovalRule struct {
	From     []GroupID `json:"from"`
	Fallback []GroupID `json:"fallback,omitempty"`
	Not      []GroupID `json:"not,omitempty"`
}

// SelfApproval says who may approve their own change of a kind, and with whom.
type SelfApproval struct {
	Who           []GroupID `json:"who"`
	NeedsIncident bool      `json:"needs_incident,omitempty"`
	Witnesses     int       `json:"witnesses,omitempty"` // how many have to confirm that they were on the call
	WitnessesFrom []GroupID `json:"witnesses_from,omitempty"`
}

// Question is an input of the form that a kind adds.
type Question struct {
	ID        QuestionID `json:"id"`
	Label     string     `json:"label"`
	Options   []string   `json:"options,omitempty"` // empty: free text
	Multiline bool       `json:"multiline,omitempty"`
	Required  bool       `json:"required,omitempty"`
}

// Target is a place where access may be asked for.
type Target struct {
	ID             TargetID
	Name           string
	AccountID      string // twelve digits
	PermissionSets []PermissionSet
}

// PermissionSet is an access that a target offers.
type PermissionSet struct {
	ID          PermissionSetID
	Name        string
	ARN         string
	MaxDuration time.Duration // of each approved period
}

// ApprovalRules says how long a request waits.
type ApprovalRules struct {
	EscalateAfter time.Duration // then the fallback is asked too
	LapseAfter    time.Duration // then the request lapses
}

// RecordPlace is where a change is recorded.
type RecordPlace string

// The places of record.
const (
	RecordInIncident RecordPlace = "incident.io"
	RecordInJira     RecordPlace = "jira"
)

// RecordRules says when and where changes are recorded and signed off.
type RecordRules struct {
	Within             time.Duration // from the change itself
	DuringIncident     RecordPlace
	Otherwise          RecordPlace
	SignOff            SignOffRules
	Remind             []time.Duration
	RemindOverdueEvery time.Duration
}

// SignOffRules says who signs a record off, how, and by when.
type SignOffRules struct {
	From     []GroupID     `json:"from"`
	Fallback []GroupID     `json:"fallback,omitempty"`
	Accept   []SignOffWay  `json:"accept"`
	Within   time.Duration `json:"within"` // from the record
}

// SignOffWay is a way to sign a record off.
type SignOffWay string

// The ways to sign off.
const (
	SignOffByJiraComment SignOffWay = "jira_comment"
	SignOffInSlack       SignOffWay = "slack"
)

// MergeRequestRules says by when merge requests are reviewed and fixed for good.
type MergeRequestRules struct {
	ReviewWithin       time.Duration
	PermanentFixWithin time.Duration
	Remind             []time.Duration
	RemindOverdueEvery time.Duration
}

// ReviewRules says what a post-incident review needs, from the end of a change.
type ReviewRules struct {
	Within             time.Duration
	Remind             []time.Duration
	RemindOverdueEvery time.Duration
	NeedsAction        bool // a preventive action, or a stated reason for having none
}

// AccessRules bounds the access that changes may have.
type AccessRules struct {
	Durations        []time.Duration
	GrantWithin      time.Duration // from the approval
	NoneEndsAfter    time.Duration // a change without access ends by itself
	WarnBeforeEnd    time.Duration
	MaxTotal         time.Duration // of one change, extensions included
	BlockWhenOverdue bool
}
