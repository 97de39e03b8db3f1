package jira

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// timeLayout is how Jira writes every time.
const timeLayout = "2006-01-02T15:04:05.000-0700"

// Account is a person, or the bot, known to the stand-in.
type Account struct {
	ID       string // accountId, the only thing that identifies anybody
	Name     string // display name
	Email    string // hidden from everybody but the account itself
	Inactive bool
}

// Project is a project that exists.
type Project struct {
	ID         string // empty: made up
	Key        string
	Name       string
	IssueTypes []IssueType
}

// IssueType is a type of issue in a project, with its create screen.
type IssueType struct {
	ID        string // empty: made up
	Name      string
	Required  []Field  // custom fields that must be given
	OffScreen []string // ids of the fields that are missing on the create screen, such as labels
	Levels    []Level  // security levels; none: the field is on no screen
}

// Level is a security level: who is not in it does not see the issue.
type Level struct{ ID, Name string }

// Field is a custom field of a create screen.
type Field struct {
	ID         string // such as customfield_10040
	Name       string
	HasDefault bool // filled by Jira when left out
}

// Issue is a copy of an issue as the stand-in holds it.
type Issue struct {
	ID          string
	Key         string
	Project     string
	Type        string
	Status      string // To Do, In Progress or Done
	Summary     string
	Description string // wiki markup, as it was sent
	Labels      []string
	Assignee    string // accountId
	Creator     string // accountId
	Due         string // 2006-01-02, or empty
	Security    string // name of its security level; empty: everybody in the project sees it
	Custom      map[string]any
	Properties  map[string]json.RawMessage
	Created     time.Time
	Updated     time.Time
	Comments    []Comment // oldest first
	Links       []Link

	searchable   time.Time // when the search begins to know it
	searchesLeft int       // so many searches still miss it
}

// Comment is a comment of an issue.
type Comment struct {
	ID           string
	Author       string // accountId
	UpdateAuthor string // accountId
	Body         string // wiki markup
	Created      time.Time
	Updated      time.Time
}

// Link is a remote link of an issue.
type Link struct {
	ID       int
	GlobalID string
	URL      string
	Title    string
	Summary  string
}

// clone copies an issue so that a caller cannot change what the stand-in holds.
func (i *Issue) clone() Issue {
	c := *i
	c.Labels = slices.Clone(i.Labels)
	c.Comments = slices.Clone(i.Comments)
	c.Links = slices.Clone(i.Links)
	c.Custom = maps.Clone(i.Custom)
	c.Properties = maps.Clone(i.Properties)
	return c
}

// comment answers the index of a comment, or -1.
func (i *Issue) comment(id string) int {
	return slices.IndexFunc(i.Comments, func(c Comment) bool { return c.ID == id })
}
