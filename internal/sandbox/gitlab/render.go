package gitlab

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (s *Server) showMergeRequest(c *call) {
	c.answer(http.StatusOK, s.mergeRequestBody(c.m, s.web(c.r)))
}

func (s *Server) mergeRequestBody(m *MergeRequest, web string) object {
	body := object{
		"id": 1000 + m.IID, "iid": m.IID, "project_id": s.project(m.Project).id, "title": m.Title, "description": "", "state": m.State,
		"created_at": stamp(m.Created), "updated_at": stamp(s.opts.Now()), "merged_at": nil, "merged_by": nil, "merge_user": nil,
		"target_branch": "main", "source_branch": "emergency", "author": s.userBody(m.Author, web),
		"assignees": []object{}, "reviewers": []object{}, "labels": append([]string{}, m.Labels...), "draft": false,
		"sha": m.Head(), "merge_commit_sha": nil, "squash_commit_sha": nil, "user_notes_count": len(m.Notes),
		"detailed_merge_status": "mergeable", "web_url": web + "/" + m.Project + "/-/merge_requests/" + strconv.Itoa(m.IID),
		"references": object{"short": "!" + strconv.Itoa(m.IID), "full": m.Project + "!" + strconv.Itoa(m.IID)},
	}
	if m.State == "merged" {
		body["merged_at"] = stamp(m.MergedAt)
		body["merge_user"] = s.userBody(m.MergedBy, web)
		body["merged_by"] = body["merge_user"]
	}
	for name, sha := range map[string]string{"merge_commit_sha": m.MergeSHA, "squash_commit_sha": m.SquashSHA} {
		if sha != "" {
			body[name] = sha
		}
	}
	return body
}

// showApprovals says approved: true, as GitLab does wherever no approval is
// required.
func (s *Server) showApprovals(c *call) {
	by := []object{}
	for _, a := range c.m.Approvals {
		one := object{"user": s.userBody(a.Username, s.web(c.r))}
		if !s.opts.NoTimes {
			one["approved_at"] = stamp(a.At)
		}
		by = append(by, one)
	}
	c.answer(http.StatusOK, object{
		"id": 1000 + c.m.IID, "iid": c.m.IID, "project_id": c.project.id, "title": c.m.Title, "state": c.m.State,
		"approvals_required": 0, "approvals_left": 0, "require_password_to_approve": false, "approved": true, "approved_by": by,
		"suggested_approvers": []object{}, "approvers": []object{}, "approver_groups": []object{}, "has_approval_rules": false,
		"user_has_approved": false, "user_can_approve": false,
	})
}

// listCommits answers the newest first.
func (s *Server) listCommits(c *call) {
	all := []object{}
	for _, k := range slices.Backward(c.m.Commits) {
		all = append(all, object{
			"id": k.SHA, "short_id": k.SHA[:min(8, len(k.SHA))], "title": k.Title, "message": k.Title, "parent_ids": []string{},
			"author_name": k.AuthorName, "author_email": k.AuthorEmail, "authored_date": stamp(k.At),
			"committer_name": k.CommitterName, "committer_email": k.CommitterEmail, "committed_date": stamp(k.At),
			"created_at": stamp(k.At), "trailers": object{}, "extended_trailers": object{},
		})
	}
	c.list(s, all)
}

// listVersions answers the newest first.
func (s *Server) listVersions(c *call) {
	all := []object{}
	for _, v := range slices.Backward(c.m.Versions) {
		all = append(all, object{
			"id": v.ID, "head_commit_sha": v.Head, "base_commit_sha": c.m.Versions[0].Head, "start_commit_sha": c.m.Versions[0].Head,
			"created_at": stamp(v.At), "merge_request_id": 1000 + c.m.IID, "state": "collected", "real_size": "1", "patch_id_sha": v.Head,
		})
	}
	c.list(s, all)
}

func (s *Server) listNotes(c *call) {
	if order := c.query.Get("order_by"); order != "" && order != "created_at" && order != "updated_at" {
		s.violate("notes ordered by " + order)
		c.answer(http.StatusBadRequest, object{"error": "order_by does not have a valid value"})
		return
	}
	notes := slices.Clone(c.m.Notes)
	slices.SortStableFunc(notes, func(a, b Note) int {
		if c.query.Get("order_by") == "updated_at" {
			return a.Updated.Compare(b.Updated)
		}
		return a.Created.Compare(b.Created)
	})
	if c.query.Get("sort") != "asc" {
		slices.Reverse(notes)
	}
	all := []object{}
	for _, n := range notes {
		all = append(all, object{
			"id": n.ID, "type": nil, "body": n.Body, "author": s.userBody(n.Author, s.web(c.r)), "system": n.System,
			"created_at": stamp(n.Created), "updated_at": stamp(n.Updated), "project_id": c.project.id,
			"resolvable": false, "confidential": false, "internal": false,
		})
	}
	c.list(s, all)
}

// listDeployments keeps GitLab's rule that updated_after goes with
// order_by=updated_at only.
func (s *Server) listDeployments(c *call) {
	after, err := time.Parse(time.RFC3339, c.query.Get("updated_after"))
	if c.query.Has("updated_after") && (err != nil || c.query.Get("order_by") != "updated_at") {
		s.violate("deployments updated after " + c.query.Get("updated_after") + " ordered by " + c.query.Get("order_by"))
		c.answer(http.StatusBadRequest, object{"message": "400 Bad request - `updated_at` filter and `updated_at` sorting must be paired"})
		return
	}
	var fitting []Deployment
	for _, d := range s.deployments {
		if strings.EqualFold(d.Project, c.project.path) && (!c.query.Has("environment") || d.Environment == c.query.Get("environment")) &&
			(!c.query.Has("status") || d.Status == c.query.Get("status")) && (!c.query.Has("updated_after") || !d.Updated.Before(after)) {
			fitting = append(fitting, d)
		}
	}
	if c.query.Get("sort") == "desc" {
		slices.Reverse(fitting)
	}
	all := []object{}
	for i, d := range fitting {
		all = append(all, object{
			"id": d.ID, "iid": i + 1, "ref": "main", "sha": d.SHA, "status": d.Status, "created_at": stamp(d.Created), "updated_at": stamp(d.Updated),
			"user": nil, "environment": object{"id": 9, "name": d.Environment, "external_url": nil}, "deployable": nil,
		})
	}
	c.list(s, all)
}

func (s *Server) listShipped(c *call) {
	for _, d := range s.deployments {
		if strconv.Itoa(d.ID) != c.parts[1] || !strings.EqualFold(d.Project, c.project.path) {
			continue
		}
		all := []object{}
		for _, iid := range d.ships {
			if m := s.find(c.project.path, iid); m != nil {
				all = append(all, s.mergeRequestBody(m, s.web(c.r)))
			}
		}
		c.list(s, all)
		return
	}
	c.missing("404 Deployment Not Found")
}

// showUser is the only call that tells bots.
func (s *Server) showUser(c *call) {
	for _, u := range s.users {
		if strconv.Itoa(u.ID) == c.parts[0] && !u.Hidden {
			body := s.userBody(u.Username, s.web(c.r))
			body["bot"] = u.Bot
			body["public_email"] = u.PublicEmail
			c.answer(http.StatusOK, body)
			return
		}
	}
	c.missing("404 User Not Found")
}

// userBody is how an account appears in other things. There it does not tell
// bots, nor the e-mail.
func (s *Server) userBody(username, web string) object {
	u, known := s.user(username)
	if !known {
		u = User{ID: 1, Username: "ghost", Name: "Ghost User"}
	}
	return object{
		"id": u.ID, "username": u.Username, "name": u.Name, "state": "active", "locked": false,
		"avatar_url": nil, "web_url": web + "/" + u.Username,
	}
}

// web is where people see this GitLab.
func (s *Server) web(r *http.Request) string { return "http://" + r.Host + s.opts.Path }

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z07:00") }
