package forge_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/breakglass-bot/breakglass/internal/sandbox/github"
)

// published reads GitHub's OpenAPI document once for all tests, from the folder
// that BREAKGLASS_CONTRACTS names. Without it there is no router.
var published = sync.OnceValues(func() (routers.Router, error) {
	folder := os.Getenv("BREAKGLASS_CONTRACTS")
	if folder == "" {
		return nil, nil
	}
	doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join(folder, "specs", "github.json"))
	if err != nil {
		return nil, err
	}
	doc.Servers = nil // any host will do
	return legacy.NewRouter(doc, openapi3.DisableExamplesValidation())
})

// contract holds every request to the API, and every answer of the stand-in
// that a fault has not spoiled, to the published document.
func contract(t *testing.T, next http.Handler, path string) http.Handler {
	t.Helper()
	router, err := published()
	if err != nil {
		t.Fatalf("read the published document: %v", err)
	}
	if router == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		copied := r.Clone(r.Context())
		copied.URL.Path = strings.TrimPrefix(copied.URL.Path, path)
		found, params, err := router.FindRoute(copied)
		if err != nil {
			t.Errorf("%s %s is not in the published document: %v", r.Method, r.URL, err)
		}
		input := &openapi3filter.RequestValidationInput{
			Request: copied, PathParams: params, Route: found,
			Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
		}
		if err := openapi3filter.ValidateRequest(r.Context(), input); err != nil {
			t.Errorf("request %s %s: %v", r.Method, r.URL, err)
		}
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r) // a lost reply panics through here; there is then nothing to check
		if rec.Code == http.StatusOK && rec.Header().Get("Content-Type") == "application/json" && rec.Header().Get("Content-Length") == "" {
			err := openapi3filter.ValidateResponse(r.Context(), &openapi3filter.ResponseValidationInput{
				RequestValidationInput: input, Status: rec.Code, Header: rec.Header(),
				Body: io.NopCloser(bytes.NewReader(rec.Body.Bytes())), Options: input.Options,
			})
			if err != nil {
				t.Errorf("answer to %s %s: %v", r.Method, r.URL, err)
			}
		}
		for k, v := range rec.Header() {
			w.Header()[k] = v
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	})
}

func TestEveryCallToGitHubSatisfiesThePublishedDocument(t *testing.T) {
	t.Parallel()
	if os.Getenv("BREAKGLASS_CONTRACTS") == "" {
		t.Skip("BREAKGLASS_CONTRACTS names no folder with the published documents")
	}
	b := setupWith(t, gitlabDefaults(), github.Options{Path: "/api/v3", PerHour: 5000})
	ref := b.onGitHub(t, github.Pull{Labels: []string{"severity::1"}, Commits: []github.Commit{{}, {AuthorEmail: "someone@example.com"}}})
	for _, state := range []string{github.Approved, github.ChangesRequested, github.Commented, github.Pending} {
		_, err := b.github.Review(repository, 7, "reviewer", state)
		must(t, err)
	}
	must(t, b.github.Merge(repository, 7, "", "second"))
	b.look(t, ref) // what the calls and answers must be is checked on their way
}
