package incidentio_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
)

// published reads incident.io's OpenAPI document once for all tests, from the
// folder that BREAKGLASS_CONTRACTS names. Without it there is no router.
var published = sync.OnceValues(func() (routers.Router, error) {
	folder := os.Getenv("BREAKGLASS_CONTRACTS")
	if folder == "" {
		return nil, nil
	}
	doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join(folder, "specs", "incidentio.json"))
	if err != nil {
		return nil, err
	}
	doc.Servers = nil // any host will do
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			for _, p := range op.Parameters {
				// The document writes status_category[one_of]=live as an object of lists,
				// which the validator cannot read; as a list of its own it can.
				if p.Value.In == "query" && p.Value.Schema.Value.Type.Is("object") {
					p.Value.Name += "[one_of]"
					p.Value.Schema = openapi3.NewArraySchema().WithItems(openapi3.NewStringSchema()).NewRef()
					p.Value.Example = nil
				}
			}
		}
	}
	return legacy.NewRouter(doc, openapi3.DisableExamplesValidation())
})

// contract holds every request of the client, and every answer of the stand-in
// that a fault has not spoiled, to the published document.
func contract(t *testing.T, next http.Handler) http.Handler {
	t.Helper()
	router, err := published()
	if err != nil {
		t.Fatalf("read the published document: %v", err)
	}
	if router == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read the request: %v", err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		input := validRequest(t, router, r, body)
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r) // a lost reply panics through here; there is then nothing to check
		if input != nil && rec.Header().Get("Content-Type") == "application/json" && rec.Header().Get("Content-Length") == "" {
			validResponse(t, input, rec)
		}
		for k, v := range rec.Header() {
			w.Header()[k] = v
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	})
}

func validRequest(t *testing.T, router routers.Router, r *http.Request, body []byte) *openapi3filter.RequestValidationInput {
	t.Helper()
	copied := r.Clone(r.Context())
	copied.Body = io.NopCloser(bytes.NewReader(body))
	found, params, err := router.FindRoute(copied)
	if err != nil {
		t.Errorf("%s %s is not in the published document: %v", r.Method, r.URL, err)
		return nil
	}
	input := &openapi3filter.RequestValidationInput{
		Request: copied, PathParams: params, Route: found,
		Options: &openapi3filter.Options{IncludeResponseStatus: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	}
	if err := openapi3filter.ValidateRequest(r.Context(), input); err != nil {
		t.Errorf("request %s %s: %v", r.Method, r.URL, err)
	}
	return input
}

func validResponse(t *testing.T, input *openapi3filter.RequestValidationInput, rec *httptest.ResponseRecorder) {
	t.Helper()
	err := openapi3filter.ValidateResponse(input.Request.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: rec.Code, Header: rec.Header(),
		Body: io.NopCloser(bytes.NewReader(rec.Body.Bytes())), Options: input.Options,
	})
	if err != nil {
		t.Errorf("answer to %s %s: %v", input.Request.Method, input.Request.URL, err)
	}
}

func TestEveryCallSatisfiesThePublishedDocument(t *testing.T) {
	t.Parallel()
	if os.Getenv("BREAKGLASS_CONTRACTS") == "" {
		t.Skip("BREAKGLASS_CONTRACTS names no folder with the published documents")
	}
	b := setup(t) // every call that any test makes through setup is checked; here, that each is made
	everyCall(t, b)
}
