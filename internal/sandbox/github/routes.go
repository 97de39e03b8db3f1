package github

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// object is JSON by hand: the shapes stand where they are answered.
type object = map[string]any

// call is one request on its way through the stand-in.
type call struct {
	w     http.ResponseWriter
	r     *http.Request
	query url.Values
	pull  *Pull
}

const document = "https://docs.github.com/rest"

var pullPath = regexp.MustCompile(`^/repos/([A-Za-z0-9_-]+/[A-Za-z0-9._-]+)/pulls/([0-9]{1,9})(/reviews|/commits)?$`)

// route is one call of the API, by what stands behind the number.
type route struct {
	name  string // as the fault plan has it
	paged bool
	serve func(*Server, *call)
}

func routes() map[string]route {
	return map[string]route{
		"":         {"get pull request", false, (*Server).showPull},
		"/reviews": {"list reviews", true, (*Server).listReviews},
		"/commits": {"list commits", true, (*Server).listCommits},
	}
}

// match answers the route of a request, the repository and the number.
func (s *Server) match(r *http.Request) (found route, repository string, number int, ok bool) {
	path, below := strings.CutPrefix(r.URL.EscapedPath(), s.opts.Path)
	parts := pullPath.FindStringSubmatch(path)
	if !below || parts == nil || r.Method != http.MethodGet {
		return route{}, "", 0, false
	}
	number, err := strconv.Atoi(parts[2])
	return routes()[parts[3]], parts[1], number, err == nil
}

func (s *Server) callName(r *http.Request) string {
	if found, _, _, ok := s.match(r); ok {
		return found.name
	}
	return "unknown"
}

// serve lets a call in and carries it out, one at a time.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if s.isPage(r) {
		s.page(w, r)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &call{w: w, r: r, query: r.URL.Query()}
	if !s.admitted(c) || s.limited(c) {
		return
	}
	found, repository, number, ok := s.match(r)
	if !ok {
		s.violate("unknown call " + r.Method + " " + r.URL.EscapedPath())
		c.missing()
		return
	}
	for name := range c.query {
		if !found.paged || !slices.Contains([]string{"page", "per_page"}, name) {
			s.violate("unknown parameter " + name + " of " + found.name)
		}
	}
	if s.moved[strings.ToLower(repository)] {
		c.w.Header().Set("Location", "http://"+r.Host+s.opts.Path+"/repositories/1/pulls/"+strconv.Itoa(number))
		c.answer(http.StatusMovedPermanently, object{"message": "Moved Permanently", "documentation_url": document})
		return
	}
	if c.pull = s.find(repository, number); c.pull == nil {
		c.missing()
		return
	}
	found.serve(s, c)
}

// admitted keeps GitHub's rules of the door: who calls says so, and private
// repositories answer 404 to whoever has no token.
func (s *Server) admitted(c *call) bool {
	if agent := c.r.Header.Get("User-Agent"); agent == "" || strings.HasPrefix(agent, "Go-http-client") {
		s.violate("a call without a User-Agent of its own")
		http.Error(c.w, "Request forbidden by administrative rules. Please make sure your request has a User-Agent header.", http.StatusForbidden)
		return false
	}
	given := c.r.Header.Get("Authorization")
	if given == "" {
		c.missing()
		return false
	}
	token, bearer := strings.CutPrefix(given, "Bearer ")
	if !bearer || subtle.ConstantTimeCompare([]byte(token), []byte(s.opts.Token)) != 1 {
		c.answer(http.StatusUnauthorized, object{"message": "Bad credentials", "documentation_url": document, "status": "401"})
		return false
	}
	return true
}

// limited counts the call. Both limits answer 403; only the primary one tells
// in its headers when to come back, as the secondary one may not.
func (s *Server) limited(c *call) bool {
	now := s.opts.Now()
	if s.opts.PerHour > 0 {
		left := s.opts.PerHour - s.hour.count(now, time.Hour)
		reset := s.hour.start.Add(time.Hour)
		c.w.Header().Set("X-RateLimit-Limit", strconv.Itoa(s.opts.PerHour))
		c.w.Header().Set("X-RateLimit-Remaining", strconv.Itoa(max(0, left)))
		c.w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(int64(math.Ceil(float64(reset.UnixNano())/1e9)), 10))
		if left < 0 {
			c.answer(http.StatusForbidden, object{"message": "API rate limit exceeded for user ID 1.", "documentation_url": document + "/overview/rate-limits-for-the-rest-api"})
			return true
		}
	}
	if s.opts.Secondary > 0 && s.minute.count(now, time.Minute) > s.opts.Secondary {
		c.answer(http.StatusForbidden, object{
			"message":           "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
			"documentation_url": document + "/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits",
		})
		return true
	}
	return false
}

func (c *call) answer(status int, body any) {
	c.w.Header().Set("Content-Type", "application/json")
	c.w.WriteHeader(status)
	_ = json.NewEncoder(c.w).Encode(body) // the caller may have gone
}

func (c *call) missing() {
	c.answer(http.StatusNotFound, object{"message": "Not Found", "documentation_url": document, "status": "404"})
}

// list answers one page of a list; the header Link says where the next is.
func (c *call) list(s *Server, all []object) {
	number, size := c.number(s, "page", 1, math.MaxInt32), c.number(s, "per_page", 30, 100)
	from := min((number-1)*size, len(all))
	to := min(from+size, len(all))
	if to < len(all) {
		next := *c.r.URL
		query := next.Query()
		query.Set("page", strconv.Itoa(number+1))
		next.RawQuery = query.Encode()
		c.w.Header().Set("Link", fmt.Sprintf(`<http://%s%s>; rel="next"`, c.r.Host, next.String()))
	}
	c.answer(http.StatusOK, append([]object{}, all[from:to]...))
}

// number reads a parameter. GitHub takes what it can of a wrong one; the
// stand-in also complains.
func (c *call) number(s *Server, name string, usual, most int) int {
	raw := c.query.Get(name)
	if raw == "" {
		return usual
	}
	n, err := strconv.Atoi(raw)
	if err != nil || n < 1 || n > most {
		s.violate(name + "=" + raw)
		return usual
	}
	return n
}
