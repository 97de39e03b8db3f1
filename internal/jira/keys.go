package jira

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// Whatever goes into a path matches one of these: the library escapes nothing.
var (
	keyPattern = regexp.MustCompile(`^[A-Z][A-Z0-9_]+-[0-9]{1,18}$`)
	idPattern  = regexp.MustCompile(`^[0-9]{1,18}$`)
)

// ParseKey reads what a person typed: a key such as OPS-12 in any case, or the
// address of a ticket of the configured Jira. The project must be one that may
// be linked. It calls nobody.
func (c *Client) ParseKey(s string) (string, error) {
	const call = "read ticket key"
	key := strings.TrimSpace(s)
	if strings.Contains(key, "/") {
		key = c.keyOfURL(key)
	}
	key = strings.ToUpper(key)
	if !keyPattern.MatchString(key) {
		return "", c.refuse(call, fmt.Sprintf("This is not a ticket of %s; keys look like %s-12.", c.base.Host, c.example()), nil)
	}
	if err := c.allowed(call, projectOf(key)); err != nil {
		return "", err
	}
	return key, nil
}

// keyOfURL finds the key in an address of the configured Jira, or answers
// something that is no key.
func (c *Client) keyOfURL(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != c.base.Scheme || !strings.EqualFold(u.Host, c.base.Host) || u.User != nil {
		return ""
	}
	if selected := u.Query().Get("selectedIssue"); selected != "" {
		return selected // an issue opened on a board
	}
	key, ok := strings.CutPrefix(u.Path, c.base.Path+"/browse/")
	if !ok {
		return ""
	}
	return strings.TrimSuffix(key, "/")
}

func projectOf(key string) string {
	project, _, _ := strings.Cut(key, "-")
	return project
}

func (c *Client) example() string {
	if len(c.projects) == 0 {
		return "OPS"
	}
	return c.projects[0]
}

// allowed refuses a project that breakglass was not told of.
func (c *Client) allowed(call, project string) error {
	if slices.Contains(c.projects, project) {
		return nil
	}
	return c.refuse(call, fmt.Sprintf("Tickets of the project %s may not be linked, only those of %s.",
		c.safe(project), strings.Join(c.projects, ", ")), nil)
}

// checkPath refuses what is neither a key of an allowed project nor an id.
func (c *Client) checkPath(call, keyOrID string) error {
	if idPattern.MatchString(keyOrID) {
		return nil
	}
	if !keyPattern.MatchString(keyOrID) {
		return c.refuse(call, "This is not the key of a ticket; keys look like "+c.example()+"-12.", nil)
	}
	return c.allowed(call, projectOf(keyOrID))
}

// ref makes the reference of an issue, whose key and id Jira told.
func (c *Client) ref(call, id, key string) (change.TicketRef, error) {
	if !idPattern.MatchString(id) || !keyPattern.MatchString(key) {
		return change.TicketRef{}, c.unreadable(call, fmt.Errorf("an issue with id %q and key %q", c.safe(id), c.safe(key)))
	}
	return change.TicketRef{ID: id, Key: key, URL: c.base.String() + "/browse/" + key}, nil
}
