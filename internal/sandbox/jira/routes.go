package jira

import (
	"crypto/subtle"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
)

// route is one call of the API: its pattern, the name by which faults are
// planned for it, and what it does. A query parameter that is not listed is
// refused and written down.
type route struct {
	pattern string
	name    string
	query   string // names of the query parameters, separated by blanks
	handle  func(*http.Request) answer
}

// answer is what a call answers: a status and a value to be written as JSON.
type answer struct {
	status int
	body   any
}

const api = "/rest/api/2/"

func (s *Server) calls() []route {
	return []route{
		{"GET " + api + "myself", "myself", "expand", s.myself},
		{"GET " + api + "serverInfo", "server info", "", s.serverInfo},
		{"GET " + api + "user", "get user", "accountId expand", s.user},
		{"GET " + api + "project/{key}", "get project", "expand properties", s.getProject},
		{"GET " + api + "issue/createmeta/{key}/issuetypes", "create meta types", "startAt maxResults", s.metaTypes},
		{"GET " + api + "issue/createmeta/{key}/issuetypes/{type}", "create meta fields", "startAt maxResults", s.metaFields},
		{"POST " + api + "issue", "create issue", "updateHistory", s.createIssue},
		{"GET " + api + "issue/{key}", "get issue", "fields fieldsByKeys expand properties updateHistory failFast", s.getIssue},
		{"PUT " + api + "issue/{key}", "edit issue", "notifyUsers overrideScreenSecurity overrideEditableFlag returnIssue expand", s.editIssue},
		{"GET " + api + "issue/{key}/comment", "list comments", "startAt maxResults orderBy expand", s.listComments},
		{"POST " + api + "issue/{key}/comment", "add comment", "expand", s.addComment},
		{"GET " + api + "issue/{key}/comment/{id}", "get comment", "expand", s.getComment},
		{"PUT " + api + "issue/{key}/comment/{id}", "edit comment", "notifyUsers overrideEditableFlag expand", s.putComment},
		{"DELETE " + api + "issue/{key}/comment/{id}", "delete comment", "", s.removeComment},
		{"GET " + api + "issue/{key}/remotelink", "list remote links", "globalId", s.listLinks},
		{"POST " + api + "issue/{key}/remotelink", "remote link", "", s.upsertLink},
		{"DELETE " + api + "issue/{key}/remotelink", "remove remote link", "globalId", s.removeLink},
		{"GET " + api + "issue/{key}/properties/{property}", "get property", "", s.getProperty},
		{"PUT " + api + "issue/{key}/properties/{property}", "set property", "", s.setProperty},
		{"GET " + api + "search/jql", "search", "jql nextPageToken maxResults fields expand properties fieldsByKeys failFast reconcileIssues", s.search},
		{api + "search", "old search", "jql startAt maxResults fields expand validateQuery", s.oldSearch},
	}
}

// routes builds the handler: faults first, since a network fails before
// anything is looked at, then authentication, then the call.
func (s *Server) routes() http.Handler {
	mux, meta := http.NewServeMux(), http.NewServeMux() // the patterns of createmeta overlap those of an issue
	names := map[string]string{}
	for _, c := range s.calls() {
		names[c.pattern] = c.name
		on := mux
		if strings.Contains(c.pattern, "/createmeta/") {
			on = meta
		}
		on.Handle(c.pattern, s.authenticated(s.checked(c)))
	}
	mux.HandleFunc("GET /browse/{key}", s.browse)
	mux.HandleFunc("POST /browse/{key}/comment", s.browseComment)
	mux.HandleFunc("GET /{$}", s.browseAll)
	choose := func(r *http.Request) *http.ServeMux {
		if strings.HasPrefix(r.URL.Path, api+"issue/createmeta/") {
			return meta
		}
		return mux
	}
	name := func(r *http.Request) string {
		_, pattern := choose(r).Handler(r)
		return names[pattern]
	}
	spoiled := s.Faults.Handler(name, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		choose(r).ServeHTTP(w, r)
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/rest/") {
			s.inspect(r, name(r) != "")
		}
		spoiled.ServeHTTP(w, r)
	})
}

// authenticated refuses whoever does not bring the configured e-mail and token.
func (s *Server) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		email, token, _ := r.BasicAuth()
		if subtle.ConstantTimeCompare([]byte(email+"\n"+token), []byte(s.opt.Email+"\n"+s.opt.Token)) != 1 {
			w.Header().Set("X-Seraph-Loginreason", "AUTHENTICATED_FAILED")
			w.Header().Set("WWW-Authenticate", `OAuth realm="https%3A%2F%2Fjira"`)
			http.Error(w, "Client must be authenticated to access this resource.", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// checked refuses unknown query parameters and writes the answer down.
func (s *Server) checked(c route) http.Handler {
	known := strings.Fields(c.query)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name := range r.URL.Query() {
			if !slices.Contains(known, name) {
				s.violate("%s: unknown query parameter %q", c.name, name)
				refused(http.StatusBadRequest, "Unknown parameter "+name).write(w)
				return
			}
		}
		c.handle(r).write(w)
	})
}

func (a answer) write(w http.ResponseWriter) {
	if a.body == nil {
		w.WriteHeader(a.status)
		return
	}
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(a.status)
	_ = json.NewEncoder(w).Encode(a.body) // the caller may be gone; there is nobody to tell
}

// read decodes a body of at most a mebibyte.
func read(r *http.Request, into any) *answer {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err == nil {
		err = json.Unmarshal(body, into)
	}
	if err != nil {
		a := refused(http.StatusBadRequest, "There was an error parsing JSON. Check that your request body is valid.")
		return &a
	}
	return nil
}
