package gitlab

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// object is JSON by hand: the shapes stand where they are answered.
type object = map[string]any

// call is one request on its way through the stand-in.
type call struct {
	w       http.ResponseWriter
	r       *http.Request
	query   url.Values
	parts   []string // what the route's stars stand for, unescaped
	project *project
	m       *MergeRequest
}

// route is one call of the API. A star in its path is one escaped segment;
// the first of a project's is its path, the second the number of a merge
// request where one follows.
type route struct {
	path  string
	name  string   // as the fault plan has it
	query []string // parameters that it takes
	serve func(*Server, *call)
}

func routes() []route {
	paged := []string{"page", "per_page"}
	return []route{
		{"/projects/*/merge_requests/*", "get merge request", nil, (*Server).showMergeRequest},
		{"/projects/*/merge_requests/*/approvals", "get approvals", nil, (*Server).showApprovals},
		{"/projects/*/merge_requests/*/commits", "list commits", paged, (*Server).listCommits},
		{"/projects/*/merge_requests/*/versions", "list versions", paged, (*Server).listVersions},
		{"/projects/*/merge_requests/*/notes", "list notes", append([]string{"order_by", "sort"}, paged...), (*Server).listNotes},
		{
			"/projects/*/deployments", "list deployments",
			append([]string{"order_by", "sort", "environment", "status", "updated_after", "updated_before"}, paged...), (*Server).listDeployments,
		},
		{"/projects/*/deployments/*/merge_requests", "list merge requests of a deployment", paged, (*Server).listShipped},
		{"/users/*", "get user", nil, (*Server).showUser},
	}
}

// match answers the route of a request and what its stars stand for, or nil.
func (s *Server) match(r *http.Request) (*route, []string) {
	path, api := strings.CutPrefix(r.URL.EscapedPath(), s.opts.Path+"/api/v4")
	if !api || r.Method != http.MethodGet {
		return nil, nil
	}
	asked := strings.Split(path, "/")
	for _, known := range routes() {
		wanted := strings.Split(known.path, "/")
		var parts []string
		fits := len(wanted) == len(asked)
		for i := 0; fits && i < len(wanted); i++ {
			if wanted[i] != "*" {
				fits = wanted[i] == asked[i]
				continue
			}
			part, err := url.PathUnescape(asked[i])
			fits = err == nil && part != ""
			parts = append(parts, part)
		}
		if fits {
			return &known, parts
		}
	}
	return nil, nil
}

func (s *Server) callName(r *http.Request) string {
	if found, _ := s.match(r); found != nil {
		return found.name
	}
	return "unknown"
}

// serve lets a call in and carries it out, one at a time.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.URL.EscapedPath(), s.opts.Path+"/api/") {
		s.page(w, r)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &call{w: w, r: r, query: r.URL.Query()}
	if !s.admitted(c) || s.limited(c) {
		return
	}
	found, parts := s.match(r)
	if found == nil {
		s.violate("unknown call " + r.Method + " " + r.URL.EscapedPath())
		c.answer(http.StatusNotFound, object{"error": "404 Not Found"})
		return
	}
	for name := range c.query {
		if !slices.Contains(found.query, name) {
			s.violate("unknown parameter " + name + " of " + found.name)
			c.answer(http.StatusBadRequest, object{"error": name + " is invalid"})
			return
		}
	}
	c.parts = parts
	if strings.HasPrefix(found.path, "/projects/") && !s.within(c, found) {
		return
	}
	found.serve(s, c)
}

func (s *Server) admitted(c *call) bool {
	token := c.r.Header.Get("Private-Token")
	if bearer, ok := strings.CutPrefix(c.r.Header.Get("Authorization"), "Bearer "); ok {
		token = bearer
	}
	if subtle.ConstantTimeCompare([]byte(token), []byte(s.opts.Token)) == 1 {
		return true
	}
	c.answer(http.StatusUnauthorized, object{"message": "401 Unauthorized"})
	return false
}

// within finds the project, and the merge request where the path names one.
func (s *Server) within(c *call, found *route) bool {
	c.project = s.project(c.parts[0])
	if c.project == nil {
		for _, p := range s.projects {
			if slices.Contains(p.old, c.parts[0]) {
				c.w.Header().Set("Location", "http://"+c.r.Host+strings.Replace(c.r.URL.EscapedPath(), url.PathEscape(c.parts[0]), strconv.Itoa(p.id), 1))
				c.answer(http.StatusMovedPermanently, object{"message": "This resource has been moved permanently"})
				return false
			}
		}
		c.missing("404 Project Not Found")
		return false
	}
	if c.project.forbidden {
		c.answer(http.StatusForbidden, object{"message": "403 Forbidden"})
		return false
	}
	if strings.HasPrefix(found.path, "/projects/*/merge_requests/*") {
		iid, err := strconv.Atoi(c.parts[1])
		if c.m = s.find(c.project.path, iid); err != nil || c.m == nil {
			c.missing("404 Not found")
			return false
		}
	}
	return true
}

// limited counts the call and answers 429 above the limit.
func (s *Server) limited(c *call) bool {
	if s.opts.PerMinute <= 0 {
		return false
	}
	now := s.opts.Now()
	if now.Sub(s.window) >= time.Minute {
		s.window, s.calls = now, 0
	}
	if s.calls++; s.calls <= s.opts.PerMinute {
		return false
	}
	wait := max(1, int(math.Ceil(s.window.Add(time.Minute).Sub(now).Seconds())))
	c.w.Header().Set("Retry-After", strconv.Itoa(wait))
	http.Error(c.w, "Retry later", http.StatusTooManyRequests)
	return true
}

func (c *call) answer(status int, body any) {
	c.w.Header().Set("Content-Type", "application/json")
	c.w.WriteHeader(status)
	_ = json.NewEncoder(c.w).Encode(body) // the caller may have gone
}

func (c *call) missing(message string) { c.answer(http.StatusNotFound, object{"message": message}) }

// list answers one page of a list, with GitLab's headers of paging.
func (c *call) list(s *Server, all []object) {
	number, size := 1, 20
	for name, into := range map[string]*int{"page": &number, "per_page": &size} {
		if raw := c.query.Get(name); raw != "" {
			n, err := strconv.Atoi(raw)
			if err != nil || n < 1 || (name == "per_page" && n > 100) {
				s.violate(name + "=" + raw + " of " + c.r.URL.EscapedPath())
				c.answer(http.StatusBadRequest, object{"error": name + " is invalid"})
				return
			}
			*into = n
		}
	}
	from := min((number-1)*size, len(all))
	to := min(from+size, len(all))
	c.w.Header().Set("X-Page", strconv.Itoa(number))
	c.w.Header().Set("X-Per-Page", strconv.Itoa(size))
	c.w.Header().Set("X-Next-Page", "")
	if to < len(all) {
		c.w.Header().Set("X-Next-Page", strconv.Itoa(number+1))
		next := *c.r.URL
		query := next.Query()
		query.Set("page", strconv.Itoa(number+1))
		next.RawQuery = query.Encode()
		c.w.Header().Set("Link", fmt.Sprintf(`<http://%s%s>; rel="next"`, c.r.Host, next.String()))
	}
	c.answer(http.StatusOK, append([]object{}, all[from:to]...))
}
