// Package slack is a stand-in for Slack: a workspace with people, channels and
// messages, that speaks Slack's Web API, signs and sends slash commands, clicks
// and form submissions over HTTP or Socket Mode, and is as strict as Slack is.
//
// An application talks to it through an unchanged slack-go client (give it
// APIURL through OptionAPIURL); a test or the demo drives the people:
//
//	ws := slack.New(slack.Options{Now: clock.Now, SigningSecret: "…", Users: …, Channels: …})
//	server := httptest.NewServer(ws)
//	ws.SetURL(server.URL)
//	ws.SetAppURL(app.URL)
//
//	ada, cto := ws.Person("U0ADA"), ws.Person("U0CTO")
//	_, err := ada.Command(ctx, "C0PROD", "/emergency", "")
//	err = ada.Select(ctx, "Kind of change", "Manual change")
//	err = ada.Type(ctx, "What will you change?", "Restart the queue")
//	err = ada.Submit(ctx)
//
//	err = ws.WaitFor(ctx, func() bool { return len(ws.DMs("U0CTO")) == 1 })
//	err = cto.Click(ctx, ws.DMs("U0CTO")[0], "Approve")
//	slack.RequireNoViolations(t, ws)
//
// # Violations
//
// Whatever the application does that Slack would refuse, or that people would
// suffer from, is answered as Slack answers it and recorded besides: broken
// limits, missing scopes, unknown methods, late triggers, slow acknowledgements,
// messages without a fallback text, pings of a whole channel. Violations lists
// them; a test fails on any.
//
// # Time
//
// Timestamps, trigger and response_url expiry and rate limits follow Options.Now.
// How long the application takes to acknowledge is measured on the real clock,
// by a timer, since it is the application that is timed.
//
// The package may import internal/sandbox/fault and nothing else of this module.
package slack
