package jira

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

type linkBody struct {
	GlobalID string `json:"globalId"`
	Object   struct {
		URL     string `json:"url"`
		Title   string `json:"title"`
		Summary string `json:"summary"`
	} `json:"object"`
}

// upsertLink replaces the link of the same globalId, or makes a new one.
func (s *Server) upsertLink(r *http.Request) answer {
	var in linkBody
	if bad := read(r, &in); bad != nil {
		return *bad
	}
	errs := map[string]string{}
	if in.Object.Title == "" {
		errs["title"] = "'title' is required."
	}
	if u, err := url.Parse(in.Object.URL); err != nil || u.Host == "" {
		errs["url"] = "'url' is not a valid URL."
	}
	if len(in.GlobalID) > 255 {
		errs["globalId"] = "'globalId' is too long."
	}
	if len(errs) > 0 {
		return refusedFields(errs)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(r.PathValue("key"))
	if i == nil {
		return noIssue()
	}
	l := Link{GlobalID: in.GlobalID, URL: in.Object.URL, Title: in.Object.Title, Summary: in.Object.Summary}
	status := http.StatusOK
	at := slices.IndexFunc(i.Links, func(have Link) bool { return have.GlobalID != "" && have.GlobalID == l.GlobalID })
	if at >= 0 {
		l.ID = i.Links[at].ID
		i.Links[at] = l
	} else {
		s.lastID++
		l.ID, status = s.lastID, http.StatusCreated
		i.Links = append(i.Links, l)
	}
	s.touch(i)
	return answer{status, map[string]any{"id": l.ID, "self": linkSelf(r, i, l)}}
}

func linkSelf(r *http.Request, i *Issue, l Link) string {
	return base(r) + api + "issue/" + i.Key + "/remotelink/" + strconv.Itoa(l.ID)
}

func (s *Server) listLinks(r *http.Request) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(r.PathValue("key"))
	if i == nil {
		return noIssue()
	}
	global := r.URL.Query().Get("globalId")
	links := []any{}
	for _, l := range i.Links {
		if global != "" && l.GlobalID != global {
			continue
		}
		links = append(links, map[string]any{
			"id": l.ID, "globalId": l.GlobalID, "self": linkSelf(r, i, l),
			"object": map[string]any{"url": l.URL, "title": l.Title, "summary": l.Summary},
		})
	}
	return answer{http.StatusOK, links}
}

// removeLink takes the link of a globalId away.
func (s *Server) removeLink(r *http.Request) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(r.PathValue("key"))
	if i == nil {
		return noIssue()
	}
	global := r.URL.Query().Get("globalId")
	at := slices.IndexFunc(i.Links, func(have Link) bool { return global != "" && have.GlobalID == global })
	if at < 0 {
		return refused(http.StatusNotFound, "The remote issue link does not exist.")
	}
	i.Links = slices.Delete(i.Links, at, at+1)
	s.touch(i)
	return answer{http.StatusNoContent, nil}
}
