package jira

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

var (
	keyPattern = regexp.MustCompile(`^[A-Z][A-Z0-9_]+-[0-9]+$`)
	idPattern  = regexp.MustCompile(`^[0-9]+$`)
	imageMark  = regexp.MustCompile(`![^\s!|][^!\n]*!`)
	linkMark   = regexp.MustCompile(`\[[^\]\n]*\|[^\]\n]*\]`)
)

// Violations answers what was sent that a careful caller never sends, in order.
func (s *Server) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.violations)
}

func (s *Server) violate(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.violateLocked(format, args...)
}

func (s *Server) violateLocked(format string, args ...any) {
	s.violations = append(s.violations, fmt.Sprintf(format, args...))
}

// inspect looks at a request before anything else does.
func (s *Server) inspect(r *http.Request, known bool) {
	for _, h := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		if r.Header.Get(h) != "" {
			s.violate("%s: header %s makes net/http replay the request", r.URL.Path, h)
		}
	}
	if !known {
		s.violate("%s %s: no such call", r.Method, r.URL.Path)
	}
	rest, ok := strings.CutPrefix(r.URL.Path, api+"issue/")
	if !ok || strings.HasPrefix(rest, "createmeta/") {
		return
	}
	key, _, _ := strings.Cut(rest, "/")
	if !keyPattern.MatchString(key) && !idPattern.MatchString(key) {
		s.violate("%s %s: %q is neither a key nor an id", r.Method, r.URL.Path, key)
	}
}

// inspectMarkup writes down markup that pings somebody, loads an image, hides
// where a link goes, or swallows what follows. The lock is held.
func (s *Server) inspectMarkup(where, markup string) {
	live := neutralise(markup)
	switch {
	case strings.Contains(live, "[~"):
		s.violateLocked("%s: mention markup in %q", where, markup)
	case imageMark.MatchString(live):
		s.violateLocked("%s: image markup in %q", where, markup)
	case linkMark.MatchString(live):
		s.violateLocked("%s: link markup with a text of its own in %q", where, markup)
	case strings.Contains(live, "{"):
		s.violateLocked("%s: macro markup in %q", where, markup)
	}
}

// neutralise takes out every escaped character, as Jira's renderer reads them:
// two backslashes are a line break and escape nothing.
func neutralise(markup string) string {
	var b strings.Builder
	for i := 0; i < len(markup); i++ {
		switch {
		case markup[i] != '\\' || i+1 == len(markup):
			b.WriteByte(markup[i])
		case markup[i+1] == '\\':
			b.WriteByte('\n')
			i++
		default:
			i++
		}
	}
	return b.String()
}
