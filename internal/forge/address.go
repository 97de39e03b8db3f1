package forge

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// longestAddress bounds what is read as an address.
const longestAddress = 2000

// Behind the number only the forge's own tabs may stand.
var (
	gitlabPath = regexp.MustCompile(`^/((?:[A-Za-z0-9_][A-Za-z0-9_.-]*/)+[A-Za-z0-9_][A-Za-z0-9_.-]*)/-/merge_requests/([1-9][0-9]{0,8})(?:/(?:diffs|commits|pipelines|reports))?/?$`)
	githubPath = regexp.MustCompile(`^/([A-Za-z0-9][A-Za-z0-9_-]{0,38}/[A-Za-z0-9._-]{1,100})/pull/([1-9][0-9]{0,8})(?:/(?:files|changes|commits|checks))?/?$`)
)

// Parse reads the address of a merge request on the configured GitLab or
// GitHub. Any other https address is answered with URL alone: it is kept as
// text and never fetched. What only looks like a configured host, and what is
// no address at all, is an error whose outcome is Refused.
func (c *Client) Parse(address string) (change.MergeRequestRef, error) {
	address = strings.TrimSpace(address)
	u, ok := readURL(address)
	if !ok {
		return change.MergeRequestRef{}, notAnAddress("That is not an address; it must begin with https://.")
	}
	for _, s := range []struct {
		forge change.Forge
		site  *site
		path  *regexp.Regexp
	}{{change.GitLab, c.gitlab, gitlabPath}, {change.GitHub, c.github, githubPath}} {
		if s.site == nil || u.Host != s.site.web.Host || u.Scheme != s.site.web.Scheme {
			continue
		}
		path, below := strings.CutPrefix(u.EscapedPath(), s.site.web.Path)
		if !below || (path != "" && path[0] != '/') {
			continue
		}
		match := s.path.FindStringSubmatch(path)
		if match == nil || !ordinary(match[1]) {
			return change.MergeRequestRef{}, notAnAddress("That is not the address of a merge request on " + s.site.name + ".")
		}
		number, err := strconv.Atoi(match[2])
		if err != nil {
			return change.MergeRequestRef{}, notAnAddress("That merge request has no number.")
		}
		return s.site.ref(s.forge, match[1], number), nil
	}
	if c.resembles(u) {
		return change.MergeRequestRef{}, notAnAddress("That address has another port or scheme than the one that is configured.")
	}
	if u.Scheme != "https" {
		return change.MergeRequestRef{}, notAnAddress("That address must begin with https://.")
	}
	return change.MergeRequestRef{URL: address}, nil
}

// readURL reads an address in which nothing is hidden: no user before the
// host, nothing but printable ASCII, no host that a resolver reads otherwise
// than people do.
func readURL(address string) (*url.URL, bool) {
	if len(address) > longestAddress {
		return nil, false
	}
	for _, r := range address {
		if r <= ' ' || r > '~' || strings.ContainsRune("\\<>\"^`{|}", r) {
			return nil, false
		}
	}
	u, err := url.Parse(address)
	if err != nil || u.Opaque != "" || u.User != nil || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, false
	}
	u.Host = strings.ToLower(u.Host)
	name := u.Hostname()
	if name == "" || strings.HasSuffix(name, ".") || strings.ContainsAny(name, "%@") || strings.HasSuffix(u.Host, ":") {
		return nil, false
	}
	return u, true
}

// ordinary refuses names that a path could be bent with, and absurd ones.
func ordinary(project string) bool {
	if len(project) > 500 {
		return false
	}
	for _, segment := range strings.Split(project, "/") {
		if strings.Trim(segment, ".") == "" || strings.HasSuffix(segment, ".") {
			return false
		}
	}
	return true
}

// resembles tells whether an address has the name of a configured host, though
// another port or scheme.
func (c *Client) resembles(u *url.URL) bool {
	for _, s := range []*site{c.gitlab, c.github} {
		if s != nil && s.web.Hostname() == u.Hostname() && (s.web.Host != u.Host || s.web.Scheme != u.Scheme) {
			return true
		}
	}
	return false
}

// ref names a merge request at its plain address.
func (s *site) ref(forge change.Forge, project string, number int) change.MergeRequestRef {
	middle := "/-/merge_requests/"
	if forge == change.GitHub {
		middle = "/pull/"
	}
	return change.MergeRequestRef{
		Forge: forge, Project: project, Number: number,
		URL: s.web.String() + "/" + project + middle + strconv.Itoa(number),
	}
}

// siteOf answers whom to ask about a reference. It reads the address anew, so
// that one that was kept is never asked of a host that it does not name.
func (c *Client) siteOf(call string, ref change.MergeRequestRef) (*site, error) {
	const say = "That merge request is not on a forge that is configured here, so it cannot be looked at."
	if again, err := c.Parse(ref.URL); err != nil || !ref.Readable() || again != ref {
		return nil, &change.OutsideError{System: change.SystemForge, Call: call, Outcome: change.Refused, Say: say}
	}
	if ref.Forge == change.GitLab {
		return c.gitlab, nil
	}
	return c.github, nil
}

func notAnAddress(say string) error {
	return &change.OutsideError{System: change.SystemForge, Call: "read address", Outcome: change.Refused, Say: say}
}
