package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
)

//go:embed static
var static embed.FS

// page answers the files of the page, and the policy by which a browser runs
// them: nothing from elsewhere, and no script or style inside the page. The one
// exception is the import map, which browsers take only inline: it is data, and
// named by its hash.
func page() (files http.Handler, policy string, err error) {
	root, err := fs.Sub(static, "static")
	if err != nil {
		return nil, "", fmt.Errorf("web: the page's files: %w", err)
	}
	index, err := fs.ReadFile(root, "index.html")
	if err != nil {
		return nil, "", fmt.Errorf("web: the page: %w", err)
	}
	_, rest, opened := bytes.Cut(index, []byte(`<script type="importmap">`))
	imports, _, closed := bytes.Cut(rest, []byte(`</script>`))
	if !opened || !closed {
		return nil, "", errors.New("web: the page has no import map")
	}
	hash := sha256.Sum256(imports)
	policy = strings.Join([]string{
		"default-src 'none'",
		"script-src 'self' 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "'",
		"style-src 'self'", "img-src 'self'", "connect-src 'self'",
		"base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
	}, "; ")
	return revalidated(http.FileServerFS(root)), policy, nil
}

// revalidated makes browsers ask again: the files carry no version in their
// names, and the next build serves others at the same address.
func revalidated(files http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		if strings.HasSuffix(r.URL.Path, ".mjs") {
			w.Header().Set("Content-Type", "text/javascript; charset=utf-8") // not every machine knows the ending
		}
		files.ServeHTTP(w, r)
	})
}
