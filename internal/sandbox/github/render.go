package github

import (
	"net/http"
	"strconv"
	"time"
)

// mostCommits is how many commits of a pull request GitHub lists.
const mostCommits = 250

func (s *Server) showPull(c *call) {
	p, api := c.pull, s.api(c.r)
	self := api + "/repos/" + p.Repository + "/pulls/" + strconv.Itoa(p.Number)
	issue := api + "/repos/" + p.Repository + "/issues/" + strconv.Itoa(p.Number)
	web := "http://" + c.r.Host + "/" + p.Repository + "/pull/" + strconv.Itoa(p.Number)
	author := s.userBody(p.Author, api)
	names := []object{}
	for i, name := range p.Labels {
		names = append(names, object{"id": 100 + i, "node_id": "LA", "url": self, "name": name, "description": nil, "color": "ededed", "default": false})
	}
	link := func(to string) object { return object{"href": to} }
	side := func(ref, sha string) object {
		return object{"label": "owner:" + ref, "ref": ref, "sha": sha, "user": author, "repo": s.repositoryBody(p.Repository, api, author)}
	}
	body := object{
		"url": self, "id": 5000 + p.Number, "node_id": "PR", "html_url": web, "diff_url": web + ".diff", "patch_url": web + ".patch",
		"issue_url": issue, "commits_url": self + "/commits", "review_comments_url": self + "/comments",
		"review_comment_url": api + "/repos/" + p.Repository + "/pulls/comments{/number}", "comments_url": issue + "/comments",
		"statuses_url": api + "/repos/" + p.Repository + "/statuses/" + p.Head(),
		"number":       p.Number, "state": p.State, "locked": false, "title": p.Title, "user": author, "body": nil, "labels": names, "milestone": nil,
		"created_at": stamp(p.Created), "updated_at": stamp(s.opts.Now()), "closed_at": nil, "merged_at": nil, "merge_commit_sha": p.MergeSHA,
		"assignee": nil, "assignees": []object{}, "requested_reviewers": []object{}, "requested_teams": []object{},
		"head": side("emergency", p.Head()), "base": side("main", "0000000000000000000000000000000000000000"),
		"_links": object{
			"comments": link(issue + "/comments"), "commits": link(self + "/commits"), "statuses": link(self), "html": link(web),
			"issue": link(issue), "review_comments": link(self + "/comments"), "review_comment": link(self), "self": link(self),
		},
		"author_association": "MEMBER", "auto_merge": nil, "draft": false, "merged": p.Merged, "mergeable": true, "rebaseable": true,
		"mergeable_state": "clean", "merged_by": nil, "comments": 0, "review_comments": 0, "maintainer_can_modify": false,
		"commits": len(p.Commits), "additions": 1, "deletions": 1, "changed_files": 1,
	}
	if p.Merged {
		body["merged_at"], body["closed_at"], body["merged_by"] = stamp(p.MergedAt), stamp(p.MergedAt), s.userBody(p.MergedBy, api)
	}
	c.answer(http.StatusOK, body)
}

// listReviews answers the oldest first.
func (s *Server) listReviews(c *call) {
	p, api := c.pull, s.api(c.r)
	self := api + "/repos/" + p.Repository + "/pulls/" + strconv.Itoa(p.Number)
	all := []object{}
	for _, r := range p.Reviews {
		web := "http://" + c.r.Host + "/" + p.Repository + "/pull/" + strconv.Itoa(p.Number) + "#pullrequestreview-" + strconv.FormatInt(r.ID, 10)
		body := object{
			"id": r.ID, "node_id": "PRR", "user": s.userBody(r.User, api), "body": "", "state": r.State, "html_url": web,
			"pull_request_url": self, "author_association": "MEMBER", "commit_id": r.Commit,
			"_links": object{"html": object{"href": web}, "pull_request": object{"href": self}},
		}
		if r.State != Pending {
			body["submitted_at"] = stamp(r.At)
		}
		all = append(all, body)
	}
	c.list(s, all)
}

// listCommits answers the oldest first, and 250 at most.
func (s *Server) listCommits(c *call) {
	p, api := c.pull, s.api(c.r)
	all := []object{}
	for _, k := range p.Commits[:min(mostCommits, len(p.Commits))] {
		self := api + "/repos/" + p.Repository + "/commits/" + k.SHA
		signature := func(name, email string) object { return object{"name": name, "email": email, "date": stamp(k.At)} }
		all = append(all, object{
			"url": self, "sha": k.SHA, "node_id": "C", "html_url": self, "comments_url": self + "/comments", "parents": []object{},
			"author": s.userBody(k.Author, api), "committer": s.userBody(k.Committer, api),
			"commit": object{
				"url": self, "message": "Mend it", "comment_count": 0, "tree": object{"sha": k.SHA, "url": self},
				"author": signature(k.Author, k.AuthorEmail), "committer": signature(k.Committer, k.CommitterEmail),
			},
		})
	}
	c.list(s, all)
}

// userBody is an account, or null where there is none.
func (s *Server) userBody(login, api string) any {
	u, known := s.user(login)
	if !known {
		return nil
	}
	self := api + "/users/" + u.Login
	body := object{
		"login": u.Login, "id": u.ID, "node_id": "U", "avatar_url": self, "gravatar_id": "", "url": self, "html_url": self,
		"type": u.Type, "site_admin": false,
	}
	for _, list := range []string{"followers", "following", "gists", "starred", "subscriptions", "organizations", "repos", "events", "received_events"} {
		body[list+"_url"] = self + "/" + list
	}
	return body
}

// repositoryBody is a repository with everything that the published document
// demands of one.
func (s *Server) repositoryBody(name, api string, owner any) object {
	self := api + "/repos/" + name
	body := object{
		"id": 77, "node_id": "R", "name": "app", "full_name": name, "owner": owner, "private": true, "html_url": self, "url": self, "description": nil,
		"fork": false, "homepage": nil, "language": nil, "forks_count": 0, "forks": 0, "stargazers_count": 0, "watchers_count": 0, "watchers": 0,
		"size": 1, "default_branch": "main", "open_issues_count": 0, "open_issues": 0, "archived": false, "disabled": false, "license": nil,
		"has_issues": true, "has_projects": false, "has_wiki": false, "has_pages": false, "has_downloads": false, "has_discussions": false,
		"pushed_at": stamp(s.opts.Now()), "created_at": stamp(s.opts.Now()), "updated_at": stamp(s.opts.Now()),
	}
	for _, list := range []string{
		"archive", "assignees", "blobs", "branches", "collaborators", "comments", "commits", "compare", "contents", "contributors",
		"deployments", "downloads", "events", "forks", "git_commits", "git_refs", "git_tags", "hooks", "issue_comment", "issue_events", "issues", "keys",
		"labels", "languages", "merges", "milestones", "mirror", "notifications", "pulls", "releases", "stargazers", "statuses", "subscribers",
		"subscription", "tags", "teams", "trees", "clone", "git", "ssh", "svn",
	} {
		body[list+"_url"] = self + "/" + list
	}
	return body
}

// api is where this API begins.
func (s *Server) api(r *http.Request) string { return "http://" + r.Host + s.opts.Path }

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
