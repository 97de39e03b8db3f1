package change

import "context"

// Urgency says which of the calls that wait for their turn at AWS comes first,
// because AWS allows so many a second and no more.
type Urgency int

// The urgencies, the most urgent first.
const (
	UrgentRevoke Urgency = iota // takes access away, or has to be known before it can be
	UrgentGrant                 // gives access, or is asked by somebody who waits for the answer
	UrgentPoll                  // looks at what has come of a call
	UrgentCensus                // compares, and can wait
)

// Urgencies lists them, the most urgent first.
func Urgencies() []Urgency { return []Urgency{UrgentRevoke, UrgentGrant, UrgentPoll, UrgentCensus} }

// String names an urgency, for metrics.
func (u Urgency) String() string {
	switch u {
	case UrgentRevoke:
		return "revoke"
	case UrgentGrant:
		return "grant"
	case UrgentPoll:
		return "poll"
	case UrgentCensus:
		return "census"
	}
	return "unknown"
}

type urgencyKey struct{}

// WithUrgency gives the calls that are made in ctx an urgency.
func WithUrgency(ctx context.Context, u Urgency) context.Context {
	return context.WithValue(ctx, urgencyKey{}, u)
}

// UrgencyOf is the urgency of the calls in ctx: that of a grant where none was
// given, as somebody waits.
func UrgencyOf(ctx context.Context) Urgency {
	if u, ok := ctx.Value(urgencyKey{}).(Urgency); ok {
		return u
	}
	return UrgentGrant
}
