package slack

import (
	"fmt"
	"slices"
)

// violate records a fault of the application. Callers hold mu.
func (w *Workspace) violate(call, format string, args ...any) {
	w.violations = append(w.violations, call+": "+fmt.Sprintf(format, args...))
}

// Violations lists what the application did wrong so far, each as
// "call: what was wrong".
func (w *Workspace) Violations() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.violations)
}

// TakeViolations lists what the application did wrong and forgets it; for
// tests that provoke some.
func (w *Workspace) TakeViolations() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	v := w.violations
	w.violations = nil
	return v
}

// Tester is the part of testing.TB that RequireNoViolations needs.
type Tester interface {
	Helper()
	Errorf(format string, args ...any)
}

// RequireNoViolations fails the test for everything that Slack, or the people
// who use it, would hold against the application.
func RequireNoViolations(t Tester, w *Workspace) {
	t.Helper()
	for _, v := range w.Violations() {
		t.Errorf("Slack would object: %s", v)
	}
}
