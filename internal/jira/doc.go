// Package jira is breakglass's edge to Jira Cloud (REST version 2): it makes
// tickets, writes and reads comments, links tickets back, and takes webhooks as
// hints. It imports change only. It never repeats a call whose outcome is
// unknown; every failure is a *change.OutsideError and the caller decides.
//
// People's text is escaped and shortened here, and a ticket outside the
// configured projects is neither read nor written.
package jira
