package jira

import "net/http"

// userJSON writes an account as others see it: without the e-mail address.
func (s *Server) userJSON(r *http.Request, id string) map[string]any {
	a, ok := s.account(id)
	if !ok {
		a = Account{ID: id, Name: "Former user", Inactive: true}
	}
	return map[string]any{
		"self": base(r) + api + "user?accountId=" + a.ID, "accountId": a.ID, "accountType": "atlassian",
		"displayName": a.Name, "active": !a.Inactive, "timeZone": "Etc/UTC",
	}
}

// base is the address at which the caller reached the stand-in.
func base(r *http.Request) string {
	if r == nil {
		return ""
	}
	return "http://" + r.Host
}

func (s *Server) myself(r *http.Request) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.userJSON(r, s.opt.Bot.ID)
	u["emailAddress"] = s.opt.Email
	return answer{http.StatusOK, u}
}

func (s *Server) user(r *http.Request) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := r.URL.Query().Get("accountId")
	if _, ok := s.account(id); !ok {
		return refused(http.StatusNotFound, "Specified user does not exist or you do not have required permissions")
	}
	return answer{http.StatusOK, s.userJSON(r, id)}
}

func (s *Server) serverInfo(r *http.Request) answer {
	return answer{http.StatusOK, map[string]any{"baseUrl": base(r), "version": "1001.0.0-SNAPSHOT", "deploymentType": "Cloud"}}
}
