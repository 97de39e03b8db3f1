package change

// PersonID is a Slack user id of the configured workspace, such as U012ABCDEF.
// It is the only thing that identifies a person; names and e-mail never do.
type PersonID string

// Standing says what a person is in the workspace, as looked up live.
type Standing string

// The standings. Only a Member may do anything.
const (
	Member      Standing = "member"
	Guest       Standing = "guest"
	Bot         Standing = "bot"
	Stranger    Standing = "stranger" // of another workspace, through a shared channel
	Deactivated Standing = "deactivated"
)

// Person is somebody as Slack knows them at the moment of the look-up.
type Person struct {
	ID       PersonID
	TeamID   string
	Name     string // for display only
	Email    string // serves AWS and incident.io only
	TimeZone string // IANA name; empty when unknown
	Standing Standing
}

// Identities is who a person is in other systems, as configured.
type Identities struct {
	AWS    string // an Identity Center user id, where the e-mail is not enough
	Jira   string // an accountId
	GitLab string // a user name
	GitHub string // a login
}
