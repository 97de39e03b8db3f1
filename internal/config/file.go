package config

import (
	"strconv"

	"github.com/goccy/go-yaml/ast"
)

func index(i int) string { return "[" + strconv.Itoa(i) + "]" }

// The file, key for key. What a key means and what it is when left out stands
// on the typed fields that it becomes, and in docs/configuration.md.

type fileRoot struct {
	spot
	Organization      text              `key:"organization,required"`
	ReleaseProcessURL text              `key:"release_process_url,required"`
	HTTP              fileHTTP          `key:"http"`
	Slack             fileSlack         `key:"slack,required"`
	AWS               *fileAWS          `key:"aws"`
	Jira              *fileJira         `key:"jira"`
	IncidentIO        *fileIncidentIO   `key:"incident_io"`
	GitHub            *fileGitHub       `key:"github"`
	GitLab            *fileGitLab       `key:"gitlab"`
	People            list[filePerson]  `key:"people"`
	Groups            table[fileGroup]  `key:"groups,required"`
	Roles             fileRoles         `key:"roles,required"`
	Targets           list[fileTarget]  `key:"targets"`
	Reasons           list[fileReason]  `key:"reasons,required"`
	Kinds             list[fileKind]    `key:"kinds,required"`
	Approval          fileApproval      `key:"approval"`
	Record            fileRecord        `key:"record,required"`
	MergeRequests     fileMergeRequests `key:"merge_requests"`
	Review            fileReview        `key:"review"`
	Access            fileAccess        `key:"access"`
}

type fileHTTP struct {
	spot
	Listen        text `key:"listen"`
	MetricsListen text `key:"metrics_listen"`
}

type fileSlack struct {
	spot
	Mode         text `key:"mode"`
	TeamID       text `key:"team_id,required"`
	AppID        text `key:"app_id"`
	APIURL       text `key:"api_url"`
	Command      text `key:"command"`
	Channel      text `key:"channel,required"`
	AuditChannel text `key:"audit_channel"`
}

type fileAWS struct {
	spot
	Region          text  `key:"region,required"`
	InstanceARN     text  `key:"instance_arn,required"`
	IdentityStoreID text  `key:"identity_store_id,required"`
	AccessPortalURL text  `key:"access_portal_url,required"`
	MaxInFlight     count `key:"max_in_flight"`
	CallsPerSecond  count `key:"calls_per_second"`
	EndpointURL     text  `key:"endpoint_url"`
	CensusEvery     span  `key:"census_every"`
}

type fileJira struct {
	spot
	BaseURL             text       `key:"base_url,required"`
	Project             text       `key:"project,required"`
	LinkProjects        list[text] `key:"link_projects"`
	IssueType           text       `key:"issue_type"`
	PreventionIssueType text       `key:"prevention_issue_type"`
	SecurityLevel       text       `key:"security_level"`
}

type fileIncidentIO struct {
	spot
	BaseURL           text       `key:"base_url"`
	MitigatedStatuses list[text] `key:"mitigated_statuses"`
}

type fileGitHub struct {
	spot
	StatusURL            text       `key:"status_url"`
	APIURL               text       `key:"api_url"`
	ConfidentialProjects list[text] `key:"confidential_projects"`
}

type fileGitLab struct {
	spot
	BaseURL              text       `key:"base_url"`
	ConfidentialProjects list[text] `key:"confidential_projects"`
}

type filePerson struct {
	spot
	Slack  text `key:"slack,required"`
	AWS    text `key:"aws"`
	Jira   text `key:"jira"`
	GitLab text `key:"gitlab"`
	GitHub text `key:"github"`
}

type fileGroup struct {
	spot
	Members            *list[text] `key:"members"`
	SlackUsergroup     *text       `key:"slack_usergroup"`
	IncidentIOSchedule *text       `key:"incident_io_schedule"`
	Everyone           *flag       `key:"everyone"`
	Groups             *list[text] `key:"groups"`
}

type fileRoles struct {
	spot
	CTO      list[text] `key:"cto,required"`
	Auditors list[text] `key:"auditors"`
}

type fileTarget struct {
	spot
	ID             text                    `key:"id,required"`
	Name           text                    `key:"name,required"`
	AccountID      text                    `key:"account_id,required"`
	PermissionSets list[filePermissionSet] `key:"permission_sets,required"`
}

type filePermissionSet struct {
	spot
	ID          text `key:"id,required"`
	Name        text `key:"name,required"`
	ARN         text `key:"arn,required"`
	MaxDuration span `key:"max_duration,required"`
}

type fileReason struct {
	spot
	ID           text `key:"id,required"`
	Label        text `key:"label,required"`
	Evidence     text `key:"evidence"`
	StandardPath flag `key:"standard_path"`
}

type fileKind struct {
	spot
	ID                 text                   `key:"id,required"`
	Name               text                   `key:"name,required"`
	Reasons            list[text]             `key:"reasons"`
	Requesters         list[text]             `key:"requesters,required"`
	Confidential       flag                   `key:"confidential"`
	Access             text                   `key:"access"`
	Incident           text                   `key:"incident"`
	MergeRequest       text                   `key:"merge_request"`
	MergeRequestLabels list[list[text]]       `key:"merge_request_labels"`
	Approvals          list[fileApprovalRule] `key:"approvals,required"`
	CoordinateWith     list[text]             `key:"coordinate_with"`
	SelfApproval       selfApproval           `key:"self_approval"`
	PermanentFix       text                   `key:"permanent_fix"`
	EndsOn             *fileEndsOn            `key:"ends_on"`
	RootCause          text                   `key:"root_cause"`
	Questions          list[fileQuestion]     `key:"questions"`
}

type fileEndsOn struct {
	spot
	Environments list[text] `key:"environments"`
	Label        text       `key:"label"`
}

type fileApprovalRule struct {
	spot
	From     list[text] `key:"from,required"`
	Fallback list[text] `key:"fallback"`
	Not      list[text] `key:"not"`
}

type fileQuestion struct {
	spot
	ID        text       `key:"id,required"`
	Label     text       `key:"label,required"`
	Options   list[text] `key:"options"`
	Multiline flag       `key:"multiline"`
	Required  flag       `key:"required"`
}

// selfApproval is either the word never or a mapping; rule is nil for never.
type selfApproval struct {
	spot
	rule *fileSelfApproval
}

type fileSelfApproval struct {
	spot
	Who           list[text] `key:"who,required"`
	NeedsIncident flag       `key:"needs_incident"`
	Witnesses     count      `key:"witnesses"`
	WitnessesFrom list[text] `key:"witnesses_from"`
}

func (s *selfApproval) read(w *walker, n ast.Node, at spot) {
	s.spot = at
	switch node := n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		s.rule = &fileSelfApproval{}
		w.into(s.rule, n, at)
	case *ast.StringNode:
		if node.Value != "never" {
			w.problem(at.on(n), "%s is %s; it may be `never`, or a mapping with the key `who`%s",
				at.whole(), quote(node.Value), DidYouMean(node.Value, []string{"never"}))
		}
	default:
		w.wrongType(n, at, "`never`, or a mapping with the key `who`")
	}
}

type fileApproval struct {
	spot
	EscalateAfter span `key:"escalate_after"`
	LapseAfter    span `key:"lapse_after"`
}

type fileRecord struct {
	spot
	Within             span        `key:"within"`
	DuringIncident     text        `key:"during_incident"`
	Otherwise          text        `key:"otherwise"`
	SignOff            fileSignOff `key:"sign_off,required"`
	Remind             list[span]  `key:"remind"`
	RemindOverdueEvery span        `key:"remind_overdue_every"`
}

type fileSignOff struct {
	spot
	From     list[text] `key:"from,required"`
	Fallback list[text] `key:"fallback"`
	Accept   list[text] `key:"accept"`
	Within   span       `key:"within"`
}

type fileMergeRequests struct {
	spot
	ReviewWithin       span       `key:"review_within"`
	PermanentFixWithin span       `key:"permanent_fix_within"`
	Remind             list[span] `key:"remind"`
	RemindOverdueEvery span       `key:"remind_overdue_every"`
}

type fileReview struct {
	spot
	Within             span       `key:"within"`
	Remind             list[span] `key:"remind"`
	RemindOverdueEvery span       `key:"remind_overdue_every"`
	NeedsAction        flag       `key:"needs_action"`
}

type fileAccess struct {
	spot
	Durations        list[span] `key:"durations"`
	GrantWithin      span       `key:"grant_within"`
	NoneEndsAfter    span       `key:"none_ends_after"`
	WarnBeforeEnd    span       `key:"warn_before_end"`
	MaxTotal         span       `key:"max_total"`
	BlockWhenOverdue flag       `key:"block_when_overdue"`
}
