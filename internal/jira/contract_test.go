package jira_test

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/jira"
)

// contract holds every request, and what the stand-in answers to it, against
// Jira's published OpenAPI document.
type contract struct {
	t      *testing.T
	router routers.Router
	next   http.RoundTripper
	seen   map[string]bool // operation ids
}

func (c *contract) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	route, params, err := c.router.FindRoute(r)
	if err != nil {
		c.t.Errorf("%s %s is not in the document: %v", r.Method, r.URL, err)
		return c.next.RoundTrip(r)
	}
	c.seen[route.Operation.OperationID] = true
	options := &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}
	input := &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route, Options: options}
	if err := openapi3filter.ValidateRequest(r.Context(), input); err != nil {
		c.t.Errorf("%s %s with %s: %v", r.Method, r.URL, body, err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	resp, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(answer))
	if len(answer) > 0 && resp.StatusCode != http.StatusNotFound {
		if err := openapi3filter.ValidateResponse(r.Context(), &openapi3filter.ResponseValidationInput{
			RequestValidationInput: input, Status: resp.StatusCode, Header: resp.Header,
			Body: io.NopCloser(bytes.NewReader(answer)), Options: options,
		}); err != nil {
			c.t.Errorf("the stand-in's answer to %s %s: %v", r.Method, r.URL, err)
		}
	}
	return resp, nil
}

func TestEveryRequestIsWhatJiraPublished(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("BREAKGLASS_CONTRACTS")
	if dir == "" {
		t.Skip("BREAKGLASS_CONTRACTS does not name the folder with specs/jira-v2.json")
	}
	doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join(dir, "specs", "jira-v2.json"))
	if err != nil {
		t.Fatal(err)
	}
	doc.Servers = nil                                     // the paths are compared, not the host
	for _, name := range []string{"created", "updated"} { // Jira writes +0000, which its own document does not allow
		doc.Components.Schemas["Comment"].Value.Properties[name].Value.Format = ""
	}
	router, err := legacy.NewRouter(doc, openapi3.DisableExamplesValidation())
	if err != nil {
		t.Fatal(err)
	}
	c := &contract{t: t, router: router, next: http.DefaultTransport, seen: map[string]bool{}}
	b := setup(t, func(o *jira.Options) { o.Transport = c })
	everything(t, b)
	for _, id := range []string{
		"createIssue", "editIssue", "getIssue", "getComments", "addComment", "getComment", "createOrUpdateRemoteIssueLink",
		"updateComment", "deleteRemoteIssueLinkByGlobalId", "getCreateIssueMetaIssueTypes", "getCreateIssueMetaIssueTypeId", "searchAndReconsileIssuesUsingJql", "getCurrentUser",
	} {
		if !c.seen[id] {
			t.Errorf("%s was not held against the document", id)
		}
	}
}

// everything makes every call of the client once, and a create that is refused.
func everything(t *testing.T, b *bundle) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	d := draft()
	d.Assignee, d.Due = ctoID, b.clock.now()
	ref, err := b.Create(ctx, d)
	must(err)
	bare := draft()
	bare.IssueType, bare.Labels = "Bare", []string{"breakglass-ec-13-aa"}
	_, err = b.Create(ctx, bare)
	must(err)
	strict := draft()
	strict.IssueType = "Strict"
	_, err = b.Create(ctx, strict)
	wantOutcome(t, err, change.Refused)
	_, err = b.Identity(ctx)
	must(err)
	_, err = b.Ticket(ctx, ref.Key)
	must(err)
	_, err = b.FindByLabel(ctx, d.Labels[0])
	must(err)
	must(b.UpsertRemoteLink(ctx, ref.ID, "breakglass-ec-12", "https://example.slack.com/archives/C1/p1", "EC-12"))
	made, err := b.AddComment(ctx, ref.ID, marker, d.Description)
	must(err)
	_, err = b.Comment(ctx, ref.ID, made.ID)
	must(err)
	_, _, err = b.FindComment(ctx, ref.ID, marker)
	must(err)
	must(b.EditComment(ctx, ref.ID, made.ID, marker, d.Description))
	must(b.Rewrite(ctx, ref.ID, "EC-12", d.Description))
	must(b.RemoveRemoteLink(ctx, ref.ID, "breakglass-ec-12"))
	wantOutcome(t, b.Secure(ctx, ref.ID, "10001"), change.Refused)
	_, err = b.Comment(ctx, ref.ID, "1")
	wantOutcome(t, err, change.Missing)
}
