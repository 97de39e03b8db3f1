package jira

import (
	"encoding/json"
	"net/http"
	"slices"
)

func (s *Server) commentJSON(r *http.Request, i *Issue, c Comment) map[string]any {
	return map[string]any{
		"self": base(r) + api + "issue/" + i.ID + "/comment/" + c.ID, "id": c.ID, "body": c.Body,
		"author": s.userJSON(r, c.Author), "updateAuthor": s.userJSON(r, c.UpdateAuthor),
		"created": stamp(c.Created), "updated": stamp(c.Updated), "jsdPublic": true,
	}
}

func (s *Server) listComments(r *http.Request) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(r.PathValue("key"))
	if i == nil {
		return noIssue()
	}
	comments := slices.Clone(i.Comments)
	switch order := r.URL.Query().Get("orderBy"); order {
	case "", "created", "+created":
	case "-created":
		slices.Reverse(comments)
	default:
		return refused(http.StatusBadRequest, "The value '"+order+"' is not supported by orderBy.")
	}
	all := []any{}
	for _, c := range comments {
		all = append(all, s.commentJSON(r, i, c))
	}
	return page(r, "comments", all)
}

func (s *Server) addComment(r *http.Request) answer {
	body, bad := s.commentBody(r)
	if bad != nil {
		return *bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(r.PathValue("key"))
	if i == nil {
		return noIssue()
	}
	return answer{http.StatusCreated, s.commentJSON(r, i, s.appendComment(i, s.opt.Bot.ID, body))}
}

// commentBody reads a body in wiki markup and refuses a document (ADF).
func (s *Server) commentBody(r *http.Request) (string, *answer) {
	var in map[string]json.RawMessage
	if bad := read(r, &in); bad != nil {
		return "", bad
	}
	for name := range in {
		if name != "body" && name != "visibility" && name != "properties" {
			s.violate("comment: %s is read-only", name)
		}
	}
	var body string
	if json.Unmarshal(orNull(in["body"]), &body) != nil {
		a := refusedFields(map[string]string{"comment": "Comment body is not valid!"})
		return "", &a
	}
	if body == "" {
		a := refusedFields(map[string]string{"comment": "Comment body can not be empty!"})
		return "", &a
	}
	s.mu.Lock()
	s.inspectMarkup("comment", body)
	s.mu.Unlock()
	if length(body) > 32767 {
		a := refusedFields(map[string]string{"comment": tooLong})
		return "", &a
	}
	return body, nil
}

// appendComment keeps a new comment and tells of it. The lock is held.
func (s *Server) appendComment(i *Issue, author, body string) Comment {
	now := s.opt.Now()
	c := Comment{ID: s.newID(), Author: author, UpdateAuthor: author, Body: body, Created: now, Updated: now}
	i.Comments = append(i.Comments, c)
	s.touch(i)
	s.tell("comment_created", i, c)
	return c
}

func (s *Server) getComment(r *http.Request) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(r.PathValue("key"))
	if i == nil {
		return noIssue()
	}
	at := i.comment(r.PathValue("id"))
	if at < 0 {
		return noComment(r.PathValue("id"))
	}
	return answer{http.StatusOK, s.commentJSON(r, i, i.Comments[at])}
}

func (s *Server) putComment(r *http.Request) answer {
	body, bad := s.commentBody(r)
	if bad != nil {
		return *bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(r.PathValue("key"))
	if i == nil {
		return noIssue()
	}
	if !s.changeComment(i, r.PathValue("id"), s.opt.Bot.ID, body) {
		return noComment(r.PathValue("id"))
	}
	return answer{http.StatusOK, s.commentJSON(r, i, i.Comments[i.comment(r.PathValue("id"))])}
}

func (s *Server) removeComment(r *http.Request) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(r.PathValue("key"))
	if i == nil {
		return noIssue()
	}
	if !s.dropComment(i, r.PathValue("id")) {
		return noComment(r.PathValue("id"))
	}
	return answer{http.StatusNoContent, nil}
}

// changeComment gives a comment another body. The lock is held.
func (s *Server) changeComment(i *Issue, id, who, body string) bool {
	at := i.comment(id)
	if at < 0 {
		return false
	}
	c := &i.Comments[at]
	c.Body, c.UpdateAuthor, c.Updated = body, who, s.opt.Now()
	s.touch(i)
	s.tell("comment_updated", i, *c)
	return true
}

// dropComment takes a comment away. The lock is held.
func (s *Server) dropComment(i *Issue, id string) bool {
	at := i.comment(id)
	if at < 0 {
		return false
	}
	c := i.Comments[at]
	i.Comments = slices.Delete(i.Comments, at, at+1)
	s.touch(i)
	s.tell("comment_deleted", i, c)
	return true
}

// CommentAs writes a comment as a person would in the browser and answers its
// id, or false when there is no such issue.
func (s *Server) CommentAs(accountID, idOrKey, body string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(idOrKey)
	if i == nil {
		return "", false
	}
	return s.appendComment(i, accountID, body).ID, true
}

// EditComment changes a comment as a person would. Jira keeps the first author.
func (s *Server) EditComment(accountID, idOrKey, commentID, body string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(idOrKey)
	return i != nil && s.changeComment(i, commentID, accountID, body)
}

// DeleteComment takes a comment away as a person would.
func (s *Server) DeleteComment(idOrKey, commentID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(idOrKey)
	return i != nil && s.dropComment(i, commentID)
}
