package jira

import (
	"net/http"
)

// search answers the issues that the search knows of by now: it lags behind,
// as Jira's does.
func (s *Server) search(r *http.Request) answer {
	q := r.URL.Query()
	match, err := parseJQL(q.Get("jql"))
	if err != nil {
		return refused(http.StatusBadRequest, "Error in the JQL Query: "+err.Error())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.opt.Now()
	most := min(number(r, "maxResults", 50), 5000)
	found := []any{}
	for _, i := range s.issues {
		if i.searchesLeft > 0 {
			i.searchesLeft--
			continue
		}
		if now.Before(i.searchable) || !match(i) || len(found) >= most {
			continue
		}
		if fields := q.Get("fields"); fields != "" {
			found = append(found, s.issueJSON(r, i, fields))
		} else {
			found = append(found, map[string]any{"id": i.ID}) // the default is the id alone
		}
	}
	return answer{http.StatusOK, map[string]any{"issues": found, "isLast": true}}
}

// oldSearch is gone from Jira Cloud.
func (s *Server) oldSearch(*http.Request) answer {
	return refused(http.StatusGone, "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API.")
}
