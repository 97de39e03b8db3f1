package slackapp

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// maxAnswer bounds what an acknowledgement says, in bytes: Slack drops those of 20 KB
// and more that come over Socket Mode.
const maxAnswer = 18_000

// offered is the answer to a search. An empty list has to be an empty list, so
// slack-go's own type, which leaves it out, does not do.
type offered struct {
	Options []*slack.OptionBlockObject      `json:"options,omitempty"`
	Groups  []*slack.OptionGroupBlockObject `json:"option_groups,omitempty"`
}

// suggest answers a search in one of the request form's lists.
func (a *App) suggest(ctx context.Context, i *interaction) any {
	if i.View == nil || i.View.CallbackID != callbackRequest {
		return map[string]any{"options": []any{}}
	}
	var all []*slack.OptionBlockObject
	switch blockName(i.BlockID) {
	case inputIncident:
		all = a.incidentOptions(ctx, formOf(i.View, a.Rules))
	case inputSeverity:
		all = a.severityOptions(ctx)
	case inputTarget:
		for _, t := range a.Rules.Targets {
			all = append(all, optionOf(string(t.ID), t.Name))
		}
	case inputPermissionSet:
		target, _ := a.Rules.Target(change.TargetID(targetOfBlock(i.BlockID)))
		for _, p := range target.PermissionSets {
			all = append(all, optionOf(string(p.ID), p.Name))
		}
	}
	return offer(matching(all, i.Value))
}

func (a *App) incidentOptions(ctx context.Context, f form) []*slack.OptionBlockObject {
	if a.Lookups.Incidents == nil {
		return nil
	}
	var all []*slack.OptionBlockObject
	kind, ok := a.Rules.Kind(f.Kind)
	if ok && kind.Incident != change.NeedRequired {
		all = append(all, optionOf(noIncident, "No incident"))
	}
	for _, incident := range a.offeredIncidents(ctx, f.formMeta) {
		if kind.Incident == change.NeedRequired && incident.Mitigated && !f.Report {
			continue // it would be refused
		}
		all = append(all, optionOf(incident.ID, incidentLine(incident)))
	}
	if ok && !f.Report {
		all = slices.Insert(all, min(len(all), maxOptions/4), optionOf(openIncident, openIncidentWords)) // last, and never cut off
	}
	return all
}

// matching keeps the options that hold every word of a query, in whatever case.
func matching(all []*slack.OptionBlockObject, query string) []*slack.OptionBlockObject {
	words := strings.Fields(strings.ToLower(query))
	var hits []*slack.OptionBlockObject
	for _, o := range all {
		text, fits := strings.ToLower(o.Text.Text+" "+o.Value), true
		for _, w := range words {
			fits = fits && strings.Contains(text, w)
		}
		if fits {
			hits = append(hits, o)
		}
	}
	return hits
}

// offer answers as many options as fit, and says so when there are more.
func offer(hits []*slack.OptionBlockObject) any {
	if len(hits) == 0 {
		return map[string]any{"options": []any{}}
	}
	shown := hits[:min(len(hits), maxOptions)]
	for {
		answer := offered{Options: shown}
		if len(shown) < len(hits) {
			label := fmt.Sprintf("The first %d of %d – type more to refine", len(shown), len(hits))
			answer = offered{Groups: []*slack.OptionGroupBlockObject{slack.NewOptionGroupBlockElement(plainObject(label, 75), shown...)}}
		}
		raw, err := json.Marshal(answer)
		if err != nil || len(raw) <= maxAnswer || len(shown) == 1 {
			return answer
		}
		shown = shown[:len(shown)*9/10]
	}
}
