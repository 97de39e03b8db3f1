package jira

import (
	"html/template"
	"net/http"
)

// pages are what people see in the browser: the list of issues, and one issue
// with a form to comment as anybody. A stand-in trusts whoever uses it.
var pages = template.Must(template.New("pages").Parse(`{{define "head"}}<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.}} – Jira (stand-in)</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem;color:#172b4d;background:#fff}
pre{white-space:pre-wrap;font:inherit;background:#f4f5f7;padding:1rem;border-radius:4px}
a{color:#0052cc}label{display:block;margin:.8rem 0 .2rem}textarea,select{font:inherit;width:100%;box-sizing:border-box}
button{font:inherit;margin-top:.8rem;padding:.4rem 1rem;background:#0052cc;color:#fff;border:0;border-radius:4px}</style>
{{end}}{{define "all"}}{{template "head" "Issues"}}<h1>Issues</h1>
{{range .}}<p><a href="/browse/{{.Key}}">{{.Key}}</a> {{.Summary}} ({{.Status}})</p>{{else}}<p>There are no issues yet.</p>{{end}}</html>
{{end}}{{define "one"}}{{template "head" .Key}}<p><a href="/">Issues</a></p><h1>{{.Key}}</h1><pre>{{.Text}}</pre>
<form method="post" action="/browse/{{.Key}}/comment"><label for="who">Comment as</label>
<select id="who" name="account">{{range .Accounts}}<option value="{{.ID}}">{{.Name}}</option>{{end}}</select>
<label for="body">Comment</label><textarea id="body" name="body" rows="4" required></textarea>
<button type="submit">Save</button></form></html>{{end}}`))

func (s *Server) browseAll(w http.ResponseWriter, _ *http.Request) {
	s.show(w, "all", s.Issues())
}

func (s *Server) browse(w http.ResponseWriter, r *http.Request) {
	i, ok := s.Issue(r.PathValue("key"))
	if !ok {
		http.Error(w, "There is no such issue.", http.StatusNotFound)
		return
	}
	s.mu.Lock()
	people := append([]Account(nil), s.accounts[1:]...) // the first is the bot
	s.mu.Unlock()
	s.show(w, "one", map[string]any{"Key": i.Key, "Text": s.Render(i.Key), "Accounts": people})
}

func (s *Server) show(w http.ResponseWriter, page string, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
	if err := pages.ExecuteTemplate(w, page, data); err != nil {
		s.violate("page %s: %v", page, err)
	}
}

func (s *Server) browseComment(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	who, body := r.PostFormValue("account"), r.PostFormValue("body")
	s.mu.Lock()
	_, known := s.account(who)
	s.mu.Unlock()
	if !known || body == "" {
		http.Error(w, "Who comments, and what?", http.StatusBadRequest)
		return
	}
	if _, ok := s.CommentAs(who, r.PathValue("key"), body); !ok {
		http.Error(w, "There is no such issue.", http.StatusNotFound)
		return
	}
	http.Redirect(w, r, "/browse/"+r.PathValue("key"), http.StatusSeeOther) //nolint:gosec // the key is that of an issue, and the path is ours
}
