package web

import (
	"mime"
	"net"
	"net/http"
	"net/netip"
)

// maxBody bounds what the page may send: a form's texts are far shorter.
const maxBody = 64 << 10

// guard lets only this page, in a browser on this machine, act. Whoever may act
// can be anybody in the workspace, so another site that is open in the same
// browser must neither send anything (a foreign Origin) nor read anything by
// giving its own name our address (a foreign Host).
func guard(policy string, next http.Handler) http.Handler {
	sameOrigin := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		head.Set("Content-Security-Policy", policy)
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("Referrer-Policy", "no-referrer")
		head.Set("Cross-Origin-Opener-Policy", "same-origin")
		head.Set("Cross-Origin-Resource-Policy", "same-origin")
		if !loopback(r.Host) {
			http.Error(w, "This page answers to loopback addresses only.", http.StatusMisdirectedRequest)
			return
		}
		if r.Method == http.MethodPost {
			if err := sameOrigin.Check(r); err != nil {
				http.Error(w, "Only this page itself may do that.", http.StatusForbidden)
				return
			}
			// A form of another site can send neither this type nor the header that
			// old browsers lack, so even they cannot be made to act.
			if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
				http.Error(w, "Send JSON.", http.StatusUnsupportedMediaType)
				return
			}
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		}
		next.ServeHTTP(w, r)
	})
}

// loopback tells whether a Host header names this machine itself.
func loopback(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	if name == "localhost" {
		return true
	}
	at, err := netip.ParseAddr(name)
	return err == nil && at.IsLoopback()
}
