package gitlab

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Open opens a merge request, in a project that is made when it is not there,
// and answers it as it is. The author must be an account. Without commits it
// gets one of the author's.
func (s *Server) Open(m MergeRequest) (MergeRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	author, known := s.user(m.Author)
	if !known || m.Project == "" {
		return MergeRequest{}, fmt.Errorf("open a merge request of %q in %q: who, and where?", m.Author, m.Project)
	}
	if s.project(m.Project) == nil {
		s.projects = append(s.projects, &project{id: s.newID(), path: m.Project})
	}
	m = m.clone()
	if m.IID == 0 {
		m.IID = 1
		for _, other := range s.mergeRequests {
			if other.Project == m.Project {
				m.IID = max(m.IID, other.IID+1)
			}
		}
	}
	if s.find(m.Project, m.IID) != nil {
		return MergeRequest{}, fmt.Errorf("open %s!%d: it is there already", m.Project, m.IID)
	}
	if m.Title == "" {
		m.Title = "Mend what is broken"
	}
	m.State, m.Created = "opened", s.opts.Now()
	if len(m.Commits) == 0 {
		m.Commits = []Commit{{}}
	}
	for i := range m.Commits {
		s.fill(&m.Commits[i], author)
	}
	m.Versions = []Version{{ID: 100 * m.IID, Head: m.Head(), At: m.Created}}
	s.mergeRequests = append(s.mergeRequests, &m)
	s.touch()
	return m.clone(), nil
}

// fill completes a commit. The lock is held.
func (s *Server) fill(c *Commit, author User) {
	if c.SHA == "" {
		c.SHA = s.newSHA()
	}
	if c.Title == "" {
		c.Title = "Mend it"
	}
	if c.AuthorName == "" {
		c.AuthorName = author.Name
	}
	if c.AuthorEmail == "" {
		c.AuthorEmail = author.Username + "@example.com"
	}
	if c.CommitterName == "" {
		c.CommitterName = c.AuthorName
	}
	if c.CommitterEmail == "" {
		c.CommitterEmail = c.AuthorEmail
	}
	if c.At.IsZero() {
		c.At = s.opts.Now()
	}
}

// alter changes a merge request in one of the states; none means any.
func (s *Server) alter(what, project string, iid int, f func(*MergeRequest) error, states ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.find(project, iid)
	if m == nil {
		return fmt.Errorf("%s %s!%d: there is no such merge request", what, project, iid)
	}
	if len(states) > 0 && !slices.Contains(states, m.State) {
		return fmt.Errorf("%s %s!%d: it is %s", what, project, iid, m.State)
	}
	if err := f(m); err != nil {
		return fmt.Errorf("%s %s!%d: %w", what, project, iid, err)
	}
	s.touch()
	return nil
}

var errNobody = errors.New("there is no such account")

// Push adds a commit to an open merge request. Approvals stay.
func (s *Server) Push(project string, iid int, c Commit) error {
	return s.alter("push to", project, iid, func(m *MergeRequest) error {
		author, _ := s.user(m.Author)
		s.fill(&c, author)
		m.Commits = append(m.Commits, c)
		m.Versions = append(m.Versions, Version{ID: 100*m.IID + len(m.Versions), Head: c.SHA, At: s.opts.Now()})
		return nil
	}, "opened")
}

// Approve adds somebody's approval. GitLab takes none after merging; it takes
// the author's own.
func (s *Server) Approve(project string, iid int, username string) error {
	return s.alter("approve", project, iid, func(m *MergeRequest) error {
		u, known := s.user(username)
		if !known {
			return errNobody
		}
		if slices.ContainsFunc(m.Approvals, func(a Approval) bool { return a.Username == u.Username }) {
			return errors.New("they have approved already")
		}
		m.Approvals = append(m.Approvals, Approval{u.Username, s.opts.Now()})
		s.note(m, Note{Author: u.Username, Body: "approved this merge request", System: true})
		return nil
	}, "opened")
}

// Unapprove takes somebody's approval back.
func (s *Server) Unapprove(project string, iid int, username string) error {
	return s.alter("unapprove", project, iid, func(m *MergeRequest) error {
		before := len(m.Approvals)
		m.Approvals = slices.DeleteFunc(m.Approvals, func(a Approval) bool { return a.Username == username })
		if len(m.Approvals) == before {
			return errors.New("they have not approved")
		}
		s.note(m, Note{Author: username, Body: "unapproved this merge request", System: true})
		return nil
	}, "opened")
}

// Merge merges with a merge commit of that name; an empty one is a
// fast-forward, without a merge commit.
func (s *Server) Merge(project string, iid int, sha, by string) error {
	return s.alter("merge", project, iid, func(m *MergeRequest) error {
		if _, known := s.user(by); !known {
			return errNobody
		}
		m.State, m.MergedAt, m.MergedBy, m.MergeSHA = "merged", s.opts.Now(), by, sha
		s.note(m, Note{Author: by, Body: "merged", System: true})
		return nil
	}, "opened")
}

// SetState moves a merge request that is not merged to opened, closed or locked.
func (s *Server) SetState(project string, iid int, state string) error {
	return s.alter("set state of", project, iid, func(m *MergeRequest) error {
		m.State = state
		return nil
	}, "opened", "closed", "locked")
}

// Label replaces the labels.
func (s *Server) Label(project string, iid int, labels ...string) error {
	return s.alter("label", project, iid, func(m *MergeRequest) error {
		m.Labels = slices.Clone(labels)
		return nil
	})
}

// Note writes a note and answers its id.
func (s *Server) Note(project string, iid int, username, body string) (int, error) {
	id := 0
	err := s.alter("note on", project, iid, func(m *MergeRequest) error {
		if _, known := s.user(username); !known {
			return errNobody
		}
		id = s.note(m, Note{Author: username, Body: body})
		return nil
	})
	return id, err
}

// SystemNote writes a note that GitLab writes itself, in somebody's name.
func (s *Server) SystemNote(project string, iid int, username, body string) error {
	return s.alter("note on", project, iid, func(m *MergeRequest) error {
		s.note(m, Note{Author: username, Body: body, System: true})
		return nil
	})
}

// note adds a note. The lock is held.
func (s *Server) note(m *MergeRequest, n Note) int {
	n.ID, n.Created = s.newID(), s.opts.Now()
	n.Updated = n.Created
	m.Notes = append(m.Notes, n)
	return n.ID
}

// EditNote alters a note; GitLab does not tell who did.
func (s *Server) EditNote(project string, iid, note int, body string) error {
	return s.alter("edit a note on", project, iid, func(m *MergeRequest) error {
		for i := range m.Notes {
			if m.Notes[i].ID == note {
				m.Notes[i].Body, m.Notes[i].Updated = body, s.opts.Now()
				return nil
			}
		}
		return errors.New("there is no such note")
	})
}

// DeleteNote takes a note away.
func (s *Server) DeleteNote(project string, iid, note int) error {
	return s.alter("delete a note on", project, iid, func(m *MergeRequest) error {
		m.Notes = slices.DeleteFunc(m.Notes, func(n Note) bool { return n.ID == note })
		return nil
	})
}

// Deploy deploys a project's commit to an environment. A successful one ships
// every merge request that was merged since the last successful one. An empty
// sha is a later commit that holds all of them.
func (s *Server) Deploy(path, environment, status, sha string) (Deployment, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.project(path) == nil {
		return Deployment{}, fmt.Errorf("deploy %s: there is no such project", path)
	}
	if sha == "" {
		sha = s.newSHA()
	}
	now := s.opts.Now()
	d := Deployment{ID: s.newID(), Project: path, Environment: environment, Status: status, SHA: sha, Created: now, Updated: now}
	if status == "success" {
		d.ships = s.shipped(path, environment)
	}
	s.deployments = append(s.deployments, d)
	s.touch()
	return d, nil
}

// shipped lists what was merged and has not reached an environment yet. The
// lock is held.
func (s *Server) shipped(path, environment string) []int {
	var last time.Time
	for _, d := range s.deployments {
		if d.Project == path && d.Environment == environment && d.Status == "success" {
			last = d.Created
		}
	}
	var ships []int
	for _, m := range s.mergeRequests {
		if m.Project == path && m.State == "merged" && !m.MergedAt.Before(last) {
			ships = append(ships, m.IID)
		}
	}
	return ships
}
