// Package slackapp is Slack's edge. Inwards it verifies what Slack sends, finds
// out who sent it, and turns it into commands; outwards it renders and posts
// the messages, forms and the home tab.
//
// It may import internal/change, internal/ledger, internal/workflow,
// internal/directory and internal/crashpoint.
package slackapp
