// Package directory says who people are and who belongs to groups, live: from
// the configuration, from Slack's user groups, and from incident.io's schedules.
//
// It may import internal/change. The systems that it asks reach it through the
// small interfaces that it declares.
package directory
