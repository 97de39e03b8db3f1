package gitlab

import (
	"fmt"
	"html/template"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// pages are what people see in the browser: the list of merge requests, and
// one with a form to act on it as anybody. A stand-in trusts whoever uses it.
var pages = template.Must(template.New("pages").Parse(`{{define "head"}}<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.}} – GitLab (stand-in)</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem;color:#28272d;background:#fff}
a{color:#1068bf}label{display:block;margin:.8rem 0 .2rem}textarea,select{font:inherit;width:100%;box-sizing:border-box}
button{font:inherit;margin:.8rem .4rem 0 0;padding:.4rem 1rem;background:#1f75cb;color:#fff;border:0;border-radius:4px}</style>
{{end}}{{define "all"}}{{template "head" "Merge requests"}}<h1>Merge requests</h1>
{{range .All}}<p><a href="{{$.Base}}/{{.Project}}/-/merge_requests/{{.IID}}">{{.Project}}!{{.IID}}</a> {{.Title}} ({{.State}})</p>{{else}}<p>There are none yet.</p>{{end}}</html>
{{end}}{{define "one"}}{{template "head" .M.Title}}<p><a href="{{.Base}}/">Merge requests</a></p><h1>{{.M.Title}}</h1>
<p>{{.M.Project}}!{{.M.IID}} by {{.M.Author}}, {{.M.State}}</p>
{{with .M.Labels}}<p>Labels:{{range .}} <b>{{.}}</b>{{end}}</p>{{end}}
<ul>{{range .M.Approvals}}<li>Approved by {{.Username}}</li>{{end}}{{range .M.Notes}}{{if not .System}}<li>{{.Author}}: {{.Body}}</li>{{end}}{{end}}</ul>
<form method="post"><label for="who">As</label><select id="who" name="user">{{range .Users}}<option>{{.Username}}</option>{{end}}</select>
<label for="note">Note</label><textarea id="note" name="note" rows="3"></textarea>
<button name="act" value="note">Write note</button><button name="act" value="approve">Approve</button><button name="act" value="unapprove">Revoke approval</button><button name="act" value="merge">Merge</button>
</form></html>{{end}}`))

var pagePath = regexp.MustCompile(`^/(.+)/-/merge_requests/([0-9]{1,9})$`)

func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	path, ok := strings.CutPrefix(r.URL.Path, s.opts.Path)
	if !ok {
		http.NotFound(w, r)
		return
	}
	if path == "/" || path == "" {
		s.show(w, "all", object{"Base": s.opts.Path, "All": s.MergeRequests()})
		return
	}
	match := pagePath.FindStringSubmatch(path)
	if match == nil {
		http.NotFound(w, r)
		return
	}
	iid, _ := strconv.Atoi(match[2]) // nine digits at most
	m, found := s.MergeRequest(match[1], iid)
	if !found {
		http.Error(w, "There is no such merge request.", http.StatusNotFound)
		return
	}
	if r.Method == http.MethodPost {
		if err := s.press(w, r, m); err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
			return
		}
		http.Redirect(w, r, fmt.Sprintf("%s/%s/-/merge_requests/%d", s.opts.Path, m.Project, m.IID), http.StatusSeeOther)
		return
	}
	s.mu.Lock()
	users := append([]User(nil), s.users...)
	s.mu.Unlock()
	s.show(w, "one", object{"Base": s.opts.Path, "M": m, "Users": users})
}

// press does what somebody's button says.
func (s *Server) press(w http.ResponseWriter, r *http.Request, m MergeRequest) error {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	who := r.PostFormValue("user")
	switch act := r.PostFormValue("act"); act {
	case "note":
		_, err := s.Note(m.Project, m.IID, who, r.PostFormValue("note"))
		return err
	case "approve":
		return s.Approve(m.Project, m.IID, who)
	case "unapprove":
		return s.Unapprove(m.Project, m.IID, who)
	case "merge":
		s.mu.Lock()
		sha := s.newSHA()
		s.mu.Unlock()
		return s.Merge(m.Project, m.IID, sha, who)
	default:
		return fmt.Errorf("there is no button %q", act)
	}
}

func (s *Server) show(w http.ResponseWriter, page string, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
	if err := pages.ExecuteTemplate(w, page, data); err != nil {
		s.mu.Lock()
		s.violate("page " + page + ": " + err.Error())
		s.mu.Unlock()
	}
}
