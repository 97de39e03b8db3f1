package config

import (
	"slices"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// reach is who a list of groups can stand for, as far as a file can tell. What
// is looked up live, or was reported as a mistake already, may be anybody.
type reach struct {
	people   map[string]text // by Slack id, with where each was first named
	live     map[string]bool // sources that are looked up live
	everyone bool
	unknown  bool
}

// reachOf follows groups and the groups they are made of.
func (b *builder) reachOf(lists ...list[text]) reach {
	r := reach{people: map[string]text{}, live: map[string]bool{}}
	seen := map[string]bool{}
	var follow func(names list[text])
	follow = func(names list[text]) {
		for _, name := range names.items {
			group := b.groupByName[name.value]
			if group == nil || !name.given {
				r.unknown = true
				continue
			}
			if seen[name.value] {
				continue
			}
			seen[name.value] = true
			r.add(group)
			if group.Groups != nil {
				r.unknown = r.unknown || !group.Groups.given
				follow(*group.Groups)
			}
		}
	}
	for _, names := range lists {
		follow(names)
	}
	return r
}

// add takes in a group's own sources.
func (r *reach) add(group *fileGroup) {
	if group.Members != nil {
		r.unknown = r.unknown || !group.Members.given
		for _, member := range group.Members.items {
			if !member.given {
				r.unknown = true
			} else if _, there := r.people[member.value]; !there {
				r.people[member.value] = member
			}
		}
	}
	if group.SlackUsergroup != nil {
		r.live["usergroup "+group.SlackUsergroup.value] = true
	}
	if group.IncidentIOSchedule != nil {
		r.live["schedule "+group.IncidentIOSchedule.value] = true
	}
	if group.Everyone != nil {
		r.everyone = true
	}
	if group.Members == nil && group.SlackUsergroup == nil && group.IncidentIOSchedule == nil && group.Everyone == nil && group.Groups == nil {
		r.unknown = true
	}
}

// less gives who remains when others are left out.
func (r reach) less(others reach) reach {
	rest := reach{people: map[string]text{}, live: map[string]bool{}, unknown: r.unknown}
	if others.everyone {
		return rest
	}
	rest.everyone = r.everyone
	for id, member := range r.people {
		if _, out := others.people[id]; !out {
			rest.people[id] = member
		}
	}
	for source := range r.live {
		if !others.live[source] {
			rest.live[source] = true
		}
	}
	return rest
}

// fixed says whether the file names everybody there is.
func (r reach) fixed() bool { return !r.unknown && !r.everyone && len(r.live) == 0 }

func (r reach) empty() bool { return r.fixed() && len(r.people) == 0 }

// only gives the one person that there can be.
func (r reach) only() (string, bool) {
	if !r.fixed() || len(r.people) != 1 {
		return "", false
	}
	return r.names()[0], true
}

// names lists the people that the file names, in order.
func (r reach) names() []string {
	var ids []string
	for id := range r.people {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func (r reach) has(id string) bool {
	_, named := r.people[id]
	return named || r.everyone
}

// identity gives what is known of a person elsewhere.
func (b *builder) identity(id string) change.Identities {
	return b.out.Rules.People[change.PersonID(id)]
}
