package config

import (
	"fmt"
	"regexp"
)

// shape is what an identifier of some system looks like. It is built where it
// is used and belongs to nobody.
type shape struct {
	what    string // in a sentence: "a Slack channel id"
	example string // in a sentence: "C012ABCDEF"
	pattern string
}

// The shapes. Slack documents no lengths, so none is asked for.
func teamShape() shape { return shape{"a Slack workspace id", "T012ABCDEF", `T[A-Z0-9]{2,}`} }

func appShape() shape { return shape{"a Slack application id", "A012ABCDEF", `A[A-Z0-9]{2,}`} }

func channelShape() shape {
	return shape{"a Slack channel id (the name of the channel is no id)", "C012ABCDEF", `[CG][A-Z0-9]{2,}`}
}

func userShape() shape {
	return shape{"a Slack user id (a name or an e-mail address identifies nobody)", "U012ABCDEF", `[UW][A-Z0-9]{2,}`}
}
func usergroupShape() shape { return shape{"a Slack user group id", "S012ABCDEF", `S[A-Z0-9]{2,}`} }
func commandShape() shape {
	return shape{"a slash command", "/emergency", `/[a-z0-9_-]{1,31}`}
}

func nameShape() shape {
	return shape{"an id: letters, digits, dots, dashes and underscores, at most 64", "hot-patch", `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`}
}

func regionShape() shape {
	return shape{"an AWS region", "eu-west-1", `[a-z]{2,3}(-[a-z]+)+-[0-9]{1,2}`}
}

func instanceShape() shape {
	return shape{
		"the ARN of an Identity Center instance", "arn:aws:sso:::instance/ssoins-0123456789abcdef",
		`arn:aws[a-z-]*:sso:::instance/(?:sso)?ins-[a-zA-Z0-9.-]{16}`,
	}
}

func permissionSetShape() shape {
	return shape{
		"the ARN of a permission set", "arn:aws:sso:::permissionSet/ssoins-0123456789abcdef/ps-0123456789abcdef",
		`arn:aws[a-z-]*:sso:::permissionSet/(?:sso)?ins-[a-zA-Z0-9.-]{16}/ps-[a-zA-Z0-9./-]{16}`,
	}
}

func identityStoreShape() shape {
	return shape{"an identity store id", "d-0123456789", `d-[0-9a-f]{10}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}`}
}

func accountShape() shape {
	return shape{"an AWS account id of twelve digits", `"012345678901"`, `[0-9]{12}`}
}
func projectShape() shape { return shape{"the key of a Jira project", "OPS", `[A-Z][A-Z0-9_]+`} }

func gitlabProjectShape() shape {
	return shape{"the path of a project, or that of a group and /*", "security/app or security/*", `(?:[A-Za-z0-9_][A-Za-z0-9_.-]*/)+(?:[A-Za-z0-9_][A-Za-z0-9_.-]*|\*)`}
}

func githubProjectShape() shape {
	return shape{"the path of a repository, or an owner and /*", "example/app or example/*", `[A-Za-z0-9][A-Za-z0-9_-]{0,38}/(?:[A-Za-z0-9._-]{1,100}|\*)`}
}

func awsUserShape() shape {
	return shape{
		"an Identity Center user id", "93d4a8e2-1111-2222-3333-444455556666",
		`(?:[0-9a-f]{10}-)?[A-Fa-f0-9]{8}(?:-[A-Fa-f0-9]{4}){3}-[A-Fa-f0-9]{12}`,
	}
}

func jiraUserShape() shape {
	return shape{"a Jira accountId", "5b10ac8d82e05b22cc7d4ef5", `[0-9A-Za-z:_-]{1,128}`}
}

func gitlabUserShape() shape {
	return shape{"a GitLab user name", "jane.doe", `[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}`}
}

func githubUserShape() shape {
	return shape{"a GitHub login", "jane-doe", `[A-Za-z0-9][A-Za-z0-9_-]{0,99}`}
}

func scheduleShape() shape {
	return shape{"the id of an incident.io schedule", "01ABCDEFGHJKMNPQRSTVWXYZ01", `[0-9A-Za-z_-]{1,64}`}
}

// matches reports a text that has not the shape, and forgets it.
func (t *text) matches(r *report, s shape) {
	if !t.given || regexp.MustCompile(`^(?:`+s.pattern+`)$`).MatchString(t.value) {
		return
	}
	r.problem(t.spot, "%s is %s; it must be %s, such as %s", t.whole(), quote(t.value), s.what, s.example)
	t.given = false
}

// unique reports an id that an earlier thing of the same list has.
type unique map[string]int

func (u unique) check(r *report, t text, what string) {
	if !t.given {
		return
	}
	if line, twice := u[t.value]; twice {
		r.problem(t.spot, "%s: %s %s is declared already, on line %d; give each its own id", t.whole(), what, quote(t.value), line)
		return
	}
	u[t.value] = t.line
}

// need says in a sentence that a section is missing.
func need(section string) string {
	return fmt.Sprintf("the section `%s`, which the file does not have", section)
}
