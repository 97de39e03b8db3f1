// Package jira is a stateful stand-in for Jira Cloud's REST API, version 2, as
// far as breakglass speaks it. It keeps issues, comments and remote links in
// memory, refuses what Jira refuses in Jira's own words, lets its search lag
// behind, sends signed webhooks, misbehaves as planned, and writes down what a
// careful caller never sends. It knows nothing of breakglass.
package jira
