package slackapp

import "strings"

// messageRef names a message as deliveries keep it: its channel and its
// timestamp, which is its identity there.
func messageRef(channel, ts string) string { return channel + ":" + ts }

// parseMessageRef reads what messageRef wrote. It answers false for all else.
func parseMessageRef(s string) (channel, ts string, ok bool) {
	channel, ts, ok = strings.Cut(s, ":")
	return channel, ts, ok && channel != "" && ts != ""
}
