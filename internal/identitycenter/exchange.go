package identitycenter

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// maxBody bounds an answer; the largest page of assignments is some 30 kB.
const maxBody = 1 << 20

var (
	errTooLong = fmt.Errorf("the answer is longer than %d bytes", maxBody)
	errNotJSON = errors.New("the answer is not JSON")
)

// exchanger makes one HTTP exchange: in time, with an answer read to its end, of
// bounded length and, when it tells of success, JSON. The SDK would take an empty
// body for an empty answer, which may show that somebody has no access who has;
// and an answer that breaks is here a failed exchange, which a read tries again.
type exchanger struct {
	inner   aws.HTTPClient
	timeout time.Duration
	budget  *Budget       // nil: calls need no turn
	within  time.Duration // a call whose turn does not come within that is not made
}

// Do waits for the call's turn, and answers an error for any answer that cannot be
// trusted to be whole.
func (e *exchanger) Do(r *http.Request) (*http.Response, error) {
	if e.budget == nil {
		return e.exchange(r)
	}
	if err := e.budget.begin(r.Context(), e.within); err != nil {
		return nil, &noTurnError{err}
	}
	resp, err := e.exchange(r)
	e.budget.answered(answerOf(r, resp))
	return resp, err
}

func (e *exchanger) exchange(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(r.Context(), e.timeout)
	defer cancel()
	resp, err := e.inner.Do(r.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if closeErr := resp.Body.Close(); err == nil {
		err = closeErr
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the answer: %w", err)
	case len(body) > maxBody:
		return nil, errTooLong
	case resp.StatusCode/100 == 2 && !json.Valid(body):
		return nil, errNotJSON
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}
