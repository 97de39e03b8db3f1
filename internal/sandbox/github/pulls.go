package github

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The states of a review.
const (
	Approved         = "APPROVED"
	ChangesRequested = "CHANGES_REQUESTED"
	Commented        = "COMMENTED"
	Dismissed        = "DISMISSED"
	Pending          = "PENDING"
)

// User is an account.
type User struct {
	ID    int64 // filled in when it is zero
	Login string
	Type  string // User unless set; Bot, Organization
}

// Commit is a commit of a pull request. Pushing fills in what is empty, author
// and committer with the author of the pull request. An author or committer
// that is no account is answered as null, with the e-mail alone.
type Commit struct {
	SHA            string
	Author         string // a login
	AuthorEmail    string
	Committer      string // a login
	CommitterEmail string
	At             time.Time
}

// Review is one review. Dismissing it changes its state and leaves it where it
// is in the list.
type Review struct {
	ID     int64
	User   string // a login; of an account that is gone: answered as null
	State  string
	Commit string
	At     time.Time
}

// Pull is a pull request. Open fills in what is empty.
type Pull struct {
	Repository string // owner/name
	Number     int
	Title      string
	Author     string // a login
	State      string // open or closed
	Merged     bool
	MergedAt   time.Time
	MergedBy   string
	MergeSHA   string // before merging: of a trial merge
	Labels     []string
	Commits    []Commit
	Reviews    []Review
	Created    time.Time
}

// Head is the commit at its tip.
func (p Pull) Head() string {
	if len(p.Commits) == 0 {
		return ""
	}
	return p.Commits[len(p.Commits)-1].SHA
}

func (p Pull) clone() Pull {
	p.Labels, p.Commits, p.Reviews = slices.Clone(p.Labels), slices.Clone(p.Commits), slices.Clone(p.Reviews)
	return p
}

// AddUser adds an account and answers it as it is.
func (s *Server) AddUser(u User) User {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u.ID == 0 {
		u.ID = s.newID()
	}
	if u.Type == "" {
		u.Type = "User"
	}
	s.users = append(s.users, u)
	s.touch()
	return u
}

// RemoveUser deletes an account; what it did stays, by nobody.
func (s *Server) RemoveUser(login string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users = slices.DeleteFunc(s.users, func(u User) bool { return strings.EqualFold(u.Login, login) })
	s.touch()
}

// Open opens a pull request and answers it as it is. The author must be an
// account. Without commits it gets one of the author's.
func (s *Server) Open(p Pull) (Pull, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.user(p.Author); !known || strings.Count(p.Repository, "/") != 1 {
		return Pull{}, fmt.Errorf("open a pull request of %q in %q: who, and where?", p.Author, p.Repository)
	}
	p = p.clone()
	if p.Number == 0 {
		p.Number = 1
		for _, other := range s.pulls {
			if other.Repository == p.Repository {
				p.Number = max(p.Number, other.Number+1)
			}
		}
	}
	if s.find(p.Repository, p.Number) != nil {
		return Pull{}, fmt.Errorf("open %s#%d: it is there already", p.Repository, p.Number)
	}
	if p.Title == "" {
		p.Title = "Mend what is broken"
	}
	p.State, p.Created, p.MergeSHA = "open", s.opts.Now(), s.newSHA()
	if len(p.Commits) == 0 {
		p.Commits = []Commit{{}}
	}
	for i := range p.Commits {
		s.fill(&p.Commits[i], p.Author)
	}
	s.pulls = append(s.pulls, &p)
	s.touch()
	return p.clone(), nil
}

// fill completes a commit. The lock is held.
func (s *Server) fill(c *Commit, author string) {
	if c.SHA == "" {
		c.SHA = s.newSHA()
	}
	if c.Author == "" && c.AuthorEmail == "" {
		c.Author = author
	}
	if c.AuthorEmail == "" {
		c.AuthorEmail = c.Author + "@example.com"
	}
	if c.Committer == "" && c.CommitterEmail == "" {
		c.Committer, c.CommitterEmail = c.Author, c.AuthorEmail
	}
	if c.CommitterEmail == "" {
		c.CommitterEmail = c.Committer + "@example.com"
	}
	if c.At.IsZero() {
		c.At = s.opts.Now()
	}
}

// alter changes a pull request.
func (s *Server) alter(what, repository string, number int, f func(*Pull) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.find(repository, number)
	if p == nil {
		return fmt.Errorf("%s %s#%d: there is no such pull request", what, repository, number)
	}
	if err := f(p); err != nil {
		return fmt.Errorf("%s %s#%d: %w", what, repository, number, err)
	}
	s.touch()
	return nil
}

var (
	errNobody = errors.New("there is no such account")
	errClosed = errors.New("it is not open")
)

// Push adds a commit to an open pull request. Reviews stay, with the commit
// that they were given to.
func (s *Server) Push(repository string, number int, c Commit) error {
	return s.alter("push to", repository, number, func(p *Pull) error {
		if p.State != "open" {
			return errClosed
		}
		s.fill(&c, p.Author)
		p.Commits = append(p.Commits, c)
		return nil
	})
}

// Review adds a review of the newest commit and answers its id. It may be
// written after merging; nobody approves their own.
func (s *Server) Review(repository string, number int, login, state string) (int64, error) {
	var id int64
	err := s.alter("review", repository, number, func(p *Pull) error {
		u, known := s.user(login)
		switch {
		case !known:
			return errNobody
		case strings.EqualFold(login, p.Author) && state != Commented && state != Pending:
			return errors.New("nobody can approve their own pull request")
		case state == Dismissed:
			return errors.New("a review is dismissed, not written so")
		}
		id = s.newID()
		p.Reviews = append(p.Reviews, Review{ID: id, User: u.Login, State: state, Commit: p.Head(), At: s.opts.Now()})
		return nil
	})
	return id, err
}

// Dismiss dismisses a review.
func (s *Server) Dismiss(repository string, number int, review int64) error {
	return s.alter("dismiss a review of", repository, number, func(p *Pull) error {
		for i := range p.Reviews {
			if p.Reviews[i].ID == review {
				p.Reviews[i].State = Dismissed
				return nil
			}
		}
		return errors.New("there is no such review")
	})
}

// Merge merges with a commit of that name; an empty one is the trial merge's.
func (s *Server) Merge(repository string, number int, sha, by string) error {
	return s.alter("merge", repository, number, func(p *Pull) error {
		if p.State != "open" {
			return errClosed
		}
		if _, known := s.user(by); !known {
			return errNobody
		}
		if sha != "" {
			p.MergeSHA = sha
		}
		p.State, p.Merged, p.MergedAt, p.MergedBy = "closed", true, s.opts.Now(), by
		return nil
	})
}

// Close closes a pull request without merging it.
func (s *Server) Close(repository string, number int) error {
	return s.alter("close", repository, number, func(p *Pull) error {
		if p.State != "open" {
			return errClosed
		}
		p.State = "closed"
		return nil
	})
}

// Label replaces the labels.
func (s *Server) Label(repository string, number int, labels ...string) error {
	return s.alter("label", repository, number, func(p *Pull) error {
		p.Labels = slices.Clone(labels)
		return nil
	})
}

// Pull answers a pull request as it is.
func (s *Server) Pull(repository string, number int) (Pull, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.find(repository, number); p != nil {
		return p.clone(), true
	}
	return Pull{}, false
}

// Pulls answers all of them, oldest first.
func (s *Server) Pulls() []Pull {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Pull, 0, len(s.pulls))
	for _, p := range s.pulls {
		all = append(all, p.clone())
	}
	return all
}

// find answers a pull request, or nil; names have no case. The lock is held.
func (s *Server) find(repository string, number int) *Pull {
	for _, p := range s.pulls {
		if strings.EqualFold(p.Repository, repository) && p.Number == number {
			return p
		}
	}
	return nil
}

func (s *Server) user(login string) (User, bool) {
	for _, u := range s.users {
		if strings.EqualFold(u.Login, login) {
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
