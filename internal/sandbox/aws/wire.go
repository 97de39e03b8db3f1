package aws

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"
)

const (
	adminTarget    = "SWBExternalService."
	identityTarget = "AWSIdentityStore."
	maxBody        = 1 << 20
)

// failure is an AWS error as its wire shape has it.
type failure struct {
	status  int
	kind    string
	message string
}

func (f *failure) Error() string { return f.kind + ": " + f.message }

func refuse(kind, format string, args ...any) *failure {
	return &failure{status: http.StatusBadRequest, kind: kind, message: fmt.Sprintf(format, args...)}
}

// The errors that this stand-in answers.
const (
	notFound     = "ResourceNotFoundException"
	conflict     = "ConflictException"
	throttled    = "ThrottlingException"
	invalid      = "ValidationException"
	accessDenied = "AccessDeniedException"
)

// caller is what is known of whoever calls.
type caller struct {
	region     string
	userAgent  string
	invocation string // the SDK's id of a call, the same in each of its attempts
}

func operationName(r *http.Request) string {
	_, name, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	return name
}

// signature is the part of a SigV4 Authorization header that says for whom it
// was made. The signature itself is not checked: any credentials will do.
var signature = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=[^/, ]+/\d{8}/([a-z0-9-]+)/([a-z-]+)/aws4_request, ?SignedHeaders=[^,]+, ?Signature=[0-9a-f]{64}$`)

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	answer, err := s.answer(r)
	w.Header().Set("X-Amzn-Requestid", newID())
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	status := http.StatusOK
	if err != nil {
		status = err.status
		w.Header().Set("X-Amzn-Errortype", err.kind)
		answer = map[string]any{"__type": err.kind, "Message": err.message}
	}
	body, jsonErr := json.Marshal(answer)
	if jsonErr != nil {
		http.Error(w, jsonErr.Error(), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // a caller that has gone misses its answer
}

func (s *Server) answer(r *http.Request) (any, *failure) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return nil, refuse("SerializationException", "unreadable body")
	}
	if r.Method != http.MethodPost || r.URL.Path != "/" {
		return nil, &failure{status: http.StatusNotFound, kind: "UnknownOperationException", message: "only POST /"}
	}
	if r.Header.Get("Content-Type") != "application/x-amz-json-1.1" {
		return nil, refuse("SerializationException", "content type must be application/x-amz-json-1.1")
	}
	target := r.Header.Get("X-Amz-Target")
	scope := signature.FindStringSubmatch(r.Header.Get("Authorization"))
	if scope == nil {
		return nil, refuse("MissingAuthenticationTokenException", "Missing Authentication Token")
	}
	c := caller{region: scope[1], userAgent: r.Header.Get("User-Agent"), invocation: r.Header.Get("Amz-Sdk-Invocation-Id")}

	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.opt.Now()
	s.settle(now)
	switch {
	case strings.HasPrefix(target, adminTarget) && scope[2] == "sso":
		over := s.overCalls(now)
		s.hear(strings.TrimPrefix(target, adminTarget), body, now, over)
		if over {
			return nil, refuse(throttled, "Rate exceeded")
		}
		return s.admin(strings.TrimPrefix(target, adminTarget), body, c, now)
	case strings.HasPrefix(target, identityTarget) && scope[2] == "identitystore":
		return s.identity(strings.TrimPrefix(target, identityTarget), body, c)
	}
	return nil, refuse("UnknownOperationException", "no operation %q signed for %q", target, scope[2])
}

// decode reads a request strictly: a member that the operation does not have is
// a mistake of the caller.
func decode[T any](body []byte) (T, *failure) {
	var in T
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return in, refuse("SerializationException", "%v", err)
	}
	return in, nil
}

// epoch is a time as AWS JSON writes it: seconds, with milliseconds behind the point.
func epoch(t time.Time) json.Number {
	return json.Number(fmt.Sprintf("%d.%03d", t.Unix(), t.Nanosecond()/int(time.Millisecond)))
}

// newID makes a random UUID.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
