package incidentio

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// Attachment is a link that an incident holds.
type Attachment struct {
	ID           string
	IncidentID   string
	ResourceType string
	URL          string
	Title        string
}

// FollowUp is an action to be taken after an incident.
type FollowUp struct {
	ID          string
	IncidentID  string
	Title       string
	Description string // markdown
	AssigneeID  string
	Created     time.Time
}

// Attachments answers the links of an incident.
func (s *Server) Attachments(id string) []Attachment {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Attachment
	for _, a := range s.attachments {
		if a.IncidentID == id {
			all = append(all, a)
		}
	}
	return all
}

// FollowUps answers the follow-ups of an incident.
func (s *Server) FollowUps(id string) []FollowUp {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []FollowUp
	for _, f := range s.followUps {
		if f.IncidentID == id {
			all = append(all, f)
		}
	}
	return all
}

// attachable are the resource types that the stand-in can attach by URL.
func attachable() []string {
	return []string{"jira_issue", "gitlab_merge_request", "github_pull_request", "arbitrary_url"}
}

func (s *Server) createAttachment(c *call) {
	var in struct {
		IncidentID string `json:"incident_id"`
		Resource   struct {
			ResourceType string `json:"resource_type"`
			URL          string `json:"url"`
			Title        string `json:"title"`
			ExternalID   string `json:"external_id"`
			Emoji        string `json:"emoji"`
		} `json:"resource"`
	}
	if !c.decode(s, &in) {
		return
	}
	switch {
	case !slices.Contains(attachable(), in.Resource.ResourceType):
		s.violate("attachment of type " + in.Resource.ResourceType)
		c.invalid("resource_type", "cannot be attached")
		return
	case !strings.HasPrefix(in.Resource.URL, "https://") && !strings.HasPrefix(in.Resource.URL, "http://"):
		c.required("url")
		return
	case s.without[in.Resource.ResourceType]:
		c.invalid("resource_type", "is not connected")
		return
	}
	i := s.find(in.IncidentID)
	if i == nil {
		c.missing("incident_id")
		return
	}
	title := in.Resource.Title
	if title == "" {
		title = in.Resource.URL
	}
	a := Attachment{ID: s.newID(), IncidentID: i.ID, ResourceType: in.Resource.ResourceType, URL: in.Resource.URL, Title: title}
	s.attachments = append(s.attachments, a)
	s.touch()
	c.answer(http.StatusCreated, object{"incident_attachment": attachmentBody(a)})
}

func (s *Server) listAttachments(c *call) {
	all := []object{}
	for _, a := range s.attachments {
		if want := c.query.Get("incident_id"); want != "" && want != a.IncidentID {
			continue
		}
		if want := c.query.Get("resource_type"); want != "" && want != a.ResourceType {
			continue
		}
		all = append(all, attachmentBody(a))
	}
	c.answer(http.StatusOK, object{"incident_attachments": all})
}

func attachmentBody(a Attachment) object {
	return object{"id": a.ID, "incident_id": a.IncidentID, "resource": object{
		"resource_type": a.ResourceType, "permalink": a.URL, "external_id": a.URL, "title": a.Title,
	}}
}

func (s *Server) createFollowUp(c *call) {
	var in struct {
		IncidentID  string `json:"incident_id"`
		Title       string `json:"title"`
		Description string `json:"description"`
		AssigneeID  string `json:"assignee_id"`
	}
	if !c.decode(s, &in) {
		return
	}
	if in.Title == "" {
		c.required("title")
		return
	}
	i := s.find(in.IncidentID)
	if i == nil {
		c.missing("incident_id")
		return
	}
	if in.AssigneeID != "" && s.userByID(in.AssigneeID) == nil {
		c.invalid("assignee_id", "is not known")
		return
	}
	s.checkMarkdown("follow-up", in.Title+"\n"+in.Description)
	f := FollowUp{ID: s.newID(), IncidentID: i.ID, Title: in.Title, Description: in.Description, AssigneeID: in.AssigneeID, Created: s.opts.Now()}
	s.followUps = append(s.followUps, f)
	s.touch()
	c.answer(http.StatusCreated, object{"follow_up": s.followUpBody(f)})
}

func (s *Server) listFollowUps(c *call) {
	all := []object{}
	for _, f := range s.followUps {
		if want := c.query.Get("incident_id"); want == "" || want == f.IncidentID {
			all = append(all, s.followUpBody(f))
		}
	}
	c.answer(http.StatusOK, object{"follow_ups": all})
}

func (s *Server) followUpBody(f FollowUp) object {
	body := object{
		"id": f.ID, "incident_id": f.IncidentID, "title": f.Title, "description": f.Description, "status": "outstanding",
		"labels": []string{}, "creator": creator(), "created_at": stamp(f.Created), "updated_at": stamp(f.Created),
	}
	if u := s.userByID(f.AssigneeID); u != nil {
		body["assignee"] = userBody(*u)
	}
	return body
}
