package github

import (
	"fmt"
	"html/template"
	"net/http"
	"regexp"
	"strconv"
)

// pages are what people see in the browser: the list of pull requests, and one
// with a form to act on it as anybody. A stand-in trusts whoever uses it.
var pages = template.Must(template.New("pages").Parse(`{{define "head"}}<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.}} – GitHub (stand-in)</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem;color:#1f2328;background:#fff}
a{color:#0969da}label{display:block;margin:.8rem 0 .2rem}select{font:inherit;width:100%;box-sizing:border-box}
button{font:inherit;margin:.8rem .4rem 0 0;padding:.4rem 1rem;background:#1a7f37;color:#fff;border:0;border-radius:4px}</style>
{{end}}{{define "all"}}{{template "head" "Pull requests"}}<h1>Pull requests</h1>
{{range .}}<p><a href="/{{.Repository}}/pull/{{.Number}}">{{.Repository}}#{{.Number}}</a> {{.Title}} ({{if .Merged}}merged{{else}}{{.State}}{{end}})</p>{{else}}<p>There are none yet.</p>{{end}}</html>
{{end}}{{define "one"}}{{template "head" .P.Title}}<p><a href="/">Pull requests</a></p><h1>{{.P.Title}}</h1>
<p>{{.P.Repository}}#{{.P.Number}} by {{.P.Author}}, {{if .P.Merged}}merged{{else}}{{.P.State}}{{end}}</p>
{{with .P.Labels}}<p>Labels:{{range .}} <b>{{.}}</b>{{end}}</p>{{end}}
<ul>{{range .P.Reviews}}<li>{{.User}}: {{.State}}</li>{{end}}</ul>
<form method="post"><label for="who">As</label><select id="who" name="user">{{range .Users}}<option>{{.Login}}</option>{{end}}</select>
<button name="act" value="APPROVED">Approve</button><button name="act" value="CHANGES_REQUESTED">Request changes</button><button name="act" value="merge">Merge</button>
</form></html>{{end}}`))

var webPath = regexp.MustCompile(`^/([A-Za-z0-9_-]+/[A-Za-z0-9._-]+)/pull/([0-9]{1,9})$`)

// isPage tells whether a request is a browser's.
func (s *Server) isPage(r *http.Request) bool {
	return r.URL.Path == "/" || webPath.MatchString(r.URL.Path)
}

func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	match := webPath.FindStringSubmatch(r.URL.Path)
	if match == nil {
		s.show(w, "all", s.Pulls())
		return
	}
	number, _ := strconv.Atoi(match[2]) // nine digits at most
	p, found := s.Pull(match[1], number)
	if !found {
		http.Error(w, "There is no such pull request.", http.StatusNotFound)
		return
	}
	if r.Method == http.MethodPost {
		if err := s.press(w, r, p); err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
			return
		}
		http.Redirect(w, r, fmt.Sprintf("/%s/pull/%d", p.Repository, p.Number), http.StatusSeeOther)
		return
	}
	s.mu.Lock()
	users := append([]User(nil), s.users...)
	s.mu.Unlock()
	s.show(w, "one", object{"P": p, "Users": users})
}

// press does what somebody's button says.
func (s *Server) press(w http.ResponseWriter, r *http.Request, p Pull) error {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	who := r.PostFormValue("user")
	switch act := r.PostFormValue("act"); act {
	case Approved, ChangesRequested:
		_, err := s.Review(p.Repository, p.Number, who, act)
		return err
	case "merge":
		return s.Merge(p.Repository, p.Number, "", who)
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
