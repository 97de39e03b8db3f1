package slackapp

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// sayUnsaved is what people are told when the database does not answer.
const sayUnsaved = "This could not be saved just now, so nothing was changed. Please try again in a moment."

// explain turns any error into a sentence for whoever acted, as mrkdwn. It is
// the only place that does: what is not meant for people is logged under a
// reference, which is all they see of it.
func (a *App) explain(ctx context.Context, err error) string {
	return a.sentence(ctx, err, true)
}

// explainPlain is explain for plain text, as at a form's inputs.
func (a *App) explainPlain(ctx context.Context, err error) string {
	return a.sentence(ctx, err, false)
}

func (a *App) sentence(ctx context.Context, err error, markup bool) string {
	clean := func(s string) string {
		if markup {
			return escaped(s)
		}
		return s
	}
	if refusal, ok := errors.AsType[*change.Refusal](err); ok {
		s := clean(refusal.Say)
		if by := decidedBy(refusal); by != "" && markup {
			s += " " + by
		}
		return s
	}
	if outside, ok := errors.AsType[*change.OutsideError](err); ok {
		a.Log.WarnContext(ctx, "another system did not answer as it should", "error", err)
		if outside.Say != "" {
			return clean(outside.Say)
		}
		return clean(string(outside.System)) + " did not answer as it should, so nothing was changed. Please try again in a moment."
	}
	if ledger.Unavailable(err) {
		a.Log.ErrorContext(ctx, "the database did not answer", "error", err)
		return sayUnsaved
	}
	reference := newReference()
	a.Log.ErrorContext(ctx, "internal error", "reference", reference, "error", err)
	return "Something went wrong inside breakglass (internal error " + reference + "), so this was not carried out."
}

// decidedBy names whoever decided before, and when, if a refusal is about that.
func decidedBy(r *change.Refusal) string {
	switch {
	case r.By != "" && !r.At.IsZero():
		return fmt.Sprintf("That was %s, %s.", mention(r.By), moment(r.At))
	case r.By != "":
		return fmt.Sprintf("That was %s.", mention(r.By))
	case !r.At.IsZero():
		return fmt.Sprintf("That was %s.", moment(r.At))
	}
	return ""
}

// newReference names an internal error, so that it is found in the log.
func newReference() string {
	b := make([]byte, 6)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// refusedAs tells whether err is a refusal with this code.
func refusedAs(err error, code change.RefusalCode) bool {
	refusal, ok := errors.AsType[*change.Refusal](err)
	return ok && refusal.Code == code
}

// turnDown is a refusal of the edge's own.
func turnDown(code change.RefusalCode, format string, args ...any) *change.Refusal {
	return &change.Refusal{Code: code, Say: fmt.Sprintf(format, args...)}
}
