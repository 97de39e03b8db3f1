package config

import (
	"slices"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// identities warns of people whom another system could not be asked about. A
// file names fixed members only; who is found live is looked at when it matters.
func (b *builder) identities() {
	signOff := b.file.Record.SignOff
	if slices.Contains(b.out.Rules.Record.SignOff.Accept, change.SignOffByJiraComment) {
		signers := b.reachOf(signOff.From, signOff.Fallback)
		for _, id := range signers.names() {
			if b.identity(id).Jira == "" {
				b.warn(signers.people[id].spot, "%s can sign off in Slack only: `people` gives no `jira` for them, so a comment of theirs counts for nothing", quote(id))
			}
		}
	}
	for i, kind := range b.out.Rules.Kinds {
		if kind.MergeRequest == change.NeedNone && !kind.PermanentFix {
			continue
		}
		requesters := b.reachOf(b.file.Kinds.items[i].Requesters)
		for _, id := range requesters.names() {
			b.forgeIdentity(id, requesters.people[id].spot)
		}
	}
	if b.file.GitLab == nil && b.file.GitHub == nil {
		b.noForge()
	}
}

// forgeIdentity warns of a requester whose own approval could not be told from
// another's.
func (b *builder) forgeIdentity(id string, at spot) {
	known := b.identity(id)
	for _, forge := range []struct {
		section string
		there   bool
		name    string
	}{
		{"gitlab", b.file.GitLab != nil, known.GitLab},
		{"github", b.file.GitHub != nil, known.GitHub},
	} {
		if forge.there && forge.name == "" {
			b.warn(at, "%s asks for changes with a merge request, but `people` gives no `%s` for them; its review must be confirmed by another person in Slack", quote(id), forge.section)
		}
	}
}

// noForge warns of merge requests that nobody looks at.
func (b *builder) noForge() {
	for _, kind := range b.file.Kinds.items {
		if kind.MergeRequest.given && kind.MergeRequest.value != "none" {
			b.warn(kind.MergeRequest.spot, "%s is %s, but the file has neither `gitlab` nor `github`; merge requests are kept as text, and their review must be confirmed by another person in Slack", kind.MergeRequest.whole(), quote(kind.MergeRequest.value))
			return
		}
	}
}
