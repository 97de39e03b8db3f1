package identitycenter_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/identitycenter"
)

func answering(t *testing.T, status int, body string) *identitycenter.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	return newClient(t, server.URL)
}

func TestAWSsErrorsAreToldByWhatTheyMeanForTheRequest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		body   string
		want   change.Outcome
	}{
		{400, `{"__type":"ConflictException"}`, change.NotNow},
		{400, `{"__type":"com.amazonaws.swb#ThrottlingException"}`, change.NotNow},
		{400, `{"__type":"ExpiredTokenException"}`, change.NotNow},
		{400, `{"__type":"ValidationException"}`, change.Refused},
		{400, `{"__type":"AccessDeniedException"}`, change.Refused},
		{400, `{"__type":"ServiceQuotaExceededException"}`, change.Refused},
		{400, `{"__type":"UnrecognizedClientException"}`, change.Refused},
		{400, `{"__type":"ResourceNotFoundException"}`, change.Missing},
		{400, `{"__type":"InternalServerException"}`, change.Unknown},
		{500, `{"__type":"InternalServerException"}`, change.Unknown},
		{503, `{"__type":"AccessDeniedException"}`, change.Unknown}, // a 5xx is believed before its text
		{400, `{}`, change.Unknown},
		{403, `<html>proxy</html>`, change.Unknown}, // somebody in between: it may have passed the request on
		{429, `slow down`, change.NotNow},
	} {
		_, err := answering(t, c.status, c.body).Create(context.Background(), adaAdmin, "EC-1")
		if change.OutcomeOf(err) != c.want {
			t.Errorf("%d %s: %v; want %q", c.status, c.body, err, c.want)
			continue
		}
		wantOutcome(t, err, c.want)
	}
}

func TestAnAcceptanceThatSaysTooLittleIsUnknown(t *testing.T) {
	t.Parallel()
	for _, status := range []string{
		`{}`,
		`{"Status":"IN_PROGRESS"}`,
		`{"RequestId":"r"}`,
		`{"RequestId":"r","Status":"PAUSED"}`,
		`{"RequestId":"r","Status":"SUCCEEDED","TargetId":"000000000000","PrincipalId":"` + ada + `","PermissionSetArn":"` + setARN + `"}`,
	} {
		client := answering(t, 200, `{"AccountAssignmentCreationStatus":`+status+`,"AccountAssignmentDeletionStatus":`+status+`}`)
		_, err := client.Create(context.Background(), adaAdmin, "EC-1")
		wantOutcome(t, err, change.Unknown)
		_, err = client.Delete(context.Background(), adaAdmin, "EC-1")
		wantOutcome(t, err, change.Unknown)
		_, err = client.CreationStatus(context.Background(), "another")
		wantOutcome(t, err, change.Unknown)
	}
	op, err := answering(t, 200, `{"AccountAssignmentCreationStatus":{"RequestId":"r","Status":"FAILED","FailureReason":"quota"}}`).
		Create(context.Background(), adaAdmin, "EC-1")
	if err != nil || op.State != change.OperationFailed || op.Reason != "quota" || op.Key != adaAdmin {
		t.Fatalf("a failure told at once: %+v, %v", op, err)
	}
}
