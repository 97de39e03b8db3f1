// Package change is the domain of breakglass: what an emergency change is,
// what may happen to it next, and what it still owes.
//
// It is pure. Decide takes the rules, a change, a command, an actor and the
// time, and answers the changed change and the events that tell of it, or a
// refusal that the person can act on. Nothing here knows a clock, a database,
// or any other system; the package imports the standard library only.
package change
