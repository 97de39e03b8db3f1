package gitlab

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"
)

// User is an account.
type User struct {
	ID          int // filled in when it is zero
	Username    string
	Name        string // default: the user name
	PublicEmail string // shown to everybody; often empty
	Bot         bool
	Hidden      bool // looking the account up is answered 404
}

// Commit is a commit of a merge request. Pushing fills in what is empty, the
// names and addresses with those of the author of the merge request.
type Commit struct {
	SHA            string
	Title          string
	AuthorName     string
	AuthorEmail    string
	CommitterName  string
	CommitterEmail string
	At             time.Time
}

// Version is what stood at a merge request's tip since a push.
type Version struct {
	ID   int
	Head string
	At   time.Time
}

// Approval is one of a merge request's approvals.
type Approval struct {
	Username string
	At       time.Time
}

// Note is a comment. GitLab writes some itself.
type Note struct {
	ID      int
	Author  string // a user name
	Body    string
	System  bool
	Created time.Time
	Updated time.Time
}

// MergeRequest is a merge request. Open fills in what is empty.
type MergeRequest struct {
	Project   string // path with its groups
	IID       int
	Title     string
	Author    string // a user name
	State     string // opened, closed, merged, locked
	Labels    []string
	Commits   []Commit
	Versions  []Version // what was pushed, the oldest first; Open and Push keep it
	Approvals []Approval
	Notes     []Note
	Created   time.Time
	MergedAt  time.Time
	MergedBy  string
	MergeSHA  string // of the merge commit; empty when it was fast-forwarded
	SquashSHA string
}

// Head is the commit at its tip.
func (m MergeRequest) Head() string {
	if len(m.Commits) == 0 {
		return ""
	}
	return m.Commits[len(m.Commits)-1].SHA
}

// Deployment is a deployment of a project to an environment.
type Deployment struct {
	ID          int
	Project     string
	Environment string
	Status      string // created, running, success, failed, canceled, blocked
	SHA         string
	Created     time.Time
	Updated     time.Time
	ships       []int // merge requests that it brought to the environment
}

// project is where merge requests are. Old paths lead to it after a move.
type project struct {
	id        int
	path      string
	old       []string
	forbidden bool
}

// AddUser adds an account and answers it as it is.
func (s *Server) AddUser(u User) User {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u.ID == 0 {
		u.ID = s.newID()
	}
	if u.Name == "" {
		u.Name = u.Username
	}
	s.users = append(s.users, u)
	s.touch()
	return u
}

// Move renames a project; its old path answers with a redirect.
func (s *Server) Move(path, to string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.project(path)
	if p == nil {
		return fmt.Errorf("move %s: there is no such project", path)
	}
	for _, m := range s.mergeRequests {
		if m.Project == p.path {
			m.Project = to
		}
	}
	p.old = append(p.old, p.path)
	p.path = to
	s.touch()
	return nil
}

// Forbid answers 403 for everything of a project, or no longer.
func (s *Server) Forbid(path string, yes bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.project(path)
	if p == nil {
		return fmt.Errorf("forbid %s: there is no such project", path)
	}
	p.forbidden = yes
	return nil
}

// MergeRequest answers a merge request as it is.
func (s *Server) MergeRequest(project string, iid int) (MergeRequest, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.find(project, iid); m != nil {
		return m.clone(), true
	}
	return MergeRequest{}, false
}

// MergeRequests answers all of them, oldest first.
func (s *Server) MergeRequests() []MergeRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]MergeRequest, 0, len(s.mergeRequests))
	for _, m := range s.mergeRequests {
		all = append(all, m.clone())
	}
	return all
}

func (m MergeRequest) clone() MergeRequest {
	m.Labels, m.Commits = slices.Clone(m.Labels), slices.Clone(m.Commits)
	m.Versions = slices.Clone(m.Versions)
	m.Approvals, m.Notes = slices.Clone(m.Approvals), slices.Clone(m.Notes)
	return m
}

// find answers a merge request, or nil; paths have no case. The lock is held.
func (s *Server) find(project string, iid int) *MergeRequest {
	for _, m := range s.mergeRequests {
		if strings.EqualFold(m.Project, project) && m.IID == iid {
			return m
		}
	}
	return nil
}

func (s *Server) project(path string) *project {
	for _, p := range s.projects {
		if strings.EqualFold(p.path, path) {
			return p
		}
	}
	return nil
}

func (s *Server) user(username string) (User, bool) {
	for _, u := range s.users {
		if strings.EqualFold(u.Username, username) {
			return u, true
		}
	}
	return User{}, false
}

// newSHA looks like a commit's name and is another one each time. The lock is
// held.
func (s *Server) newSHA() string {
	return fmt.Sprintf("%x", sha256.Sum256(fmt.Appendf(nil, "commit %d", s.newID())))[:40]
}
