package slack

import (
	"slices"
	"strconv"
	"time"
)

func (w *Workspace) authTest(args) answer {
	return good(map[string]any{
		"url": "https://" + w.opt.TeamDomain + ".slack.com/", "team": w.opt.TeamDomain, "user": w.opt.BotName,
		"team_id": w.opt.TeamID, "user_id": w.opt.BotUserID, "bot_id": w.opt.BotID, "app_id": w.opt.AppID, "is_enterprise_install": false,
	})
}

// wireUser answers an account as users.info shows it. Callers hold mu.
func (w *Workspace) wireUser(u *User) map[string]any {
	_, offset := w.opt.Now().In(w.location(u.ID)).Zone()
	profile := map[string]any{
		"real_name": u.RealName, "real_name_normalized": u.RealName, "display_name": u.Name,
		"display_name_normalized": u.Name, "team": u.TeamID,
	}
	if u.Email != "" && w.allowed("users:read.email").err == "" && !u.Bot && !u.Stranger {
		profile["email"] = u.Email
	}
	out := map[string]any{
		"id": u.ID, "team_id": u.TeamID, "name": u.Name, "deleted": u.Deactivated, "real_name": u.RealName,
		"profile": profile, "is_bot": u.Bot, "is_app_user": false, "updated": w.opt.Now().Unix(),
	}
	if u.Bot {
		profile["bot_id"], profile["api_app_id"] = w.opt.BotID, w.opt.AppID
	}
	if u.Deactivated {
		return out // Slack leaves the rest out once an account has ended
	}
	for k, v := range map[string]any{
		"tz": u.TZ, "tz_label": u.TZ, "tz_offset": offset, "is_admin": u.Admin, "is_owner": false, "is_primary_owner": false,
		"is_restricted": u.Restricted || u.UltraRestricted, "is_ultra_restricted": u.UltraRestricted, "is_email_confirmed": true,
	} {
		out[k] = v
	}
	if u.Stranger {
		out["is_stranger"] = true
	}
	return out
}

func (w *Workspace) usersInfo(a args) answer {
	u := w.users[a.str("user")]
	if u == nil {
		return refuse("user_not_found")
	}
	return good(map[string]any{"user": w.wireUser(u)})
}

func (w *Workspace) usersList(a args) answer {
	ids := slices.DeleteFunc(slices.Clone(w.userOrder), func(id string) bool { return w.users[id].Stranger })
	limit := a.number("limit", len(ids))
	from := 0
	if c := a.str("cursor"); c != "" {
		n, err := strconv.Atoi(c)
		if err != nil || n < 0 || n > len(ids) {
			return refuse("invalid_cursor")
		}
		from = n
	}
	to, next := min(from+limit, len(ids)), ""
	if to < len(ids) {
		next = strconv.Itoa(to)
	}
	members := []any{}
	for _, id := range ids[from:to] {
		members = append(members, w.wireUser(w.users[id]))
	}
	return good(map[string]any{"members": members, "cache_ts": w.opt.Now().Unix(), "response_metadata": map[string]any{"next_cursor": next}})
}

func (w *Workspace) usergroupsList(a args) answer {
	groups := []any{}
	for _, g := range w.groups {
		if g.Disabled && !a.flag("include_disabled") {
			continue
		}
		out := map[string]any{
			"id": g.ID, "team_id": w.opt.TeamID, "is_usergroup": true, "name": g.Name, "handle": g.Handle,
			"description": "", "date_delete": 0, "user_count": len(g.Members), "prefs": map[string]any{"channels": []string{}, "groups": []string{}},
		}
		if g.Disabled {
			out["date_delete"] = w.opt.Now().Unix()
		}
		if a.flag("include_users") {
			out["users"] = append([]string{}, g.Members...)
		}
		groups = append(groups, out)
	}
	return good(map[string]any{"usergroups": groups})
}

func (w *Workspace) usergroupsUsersList(a args) answer {
	for _, g := range w.groups {
		if g.ID == a.str("usergroup") && (!g.Disabled || a.flag("include_disabled")) {
			return good(map[string]any{"users": append([]string{}, g.Members...)})
		}
	}
	return refuse("no_such_subteam")
}

func (w *Workspace) dndInfo(a args) answer {
	u := w.users[a.str("user")]
	if u == nil {
		return refuse("user_not_found")
	}
	unix := func(t time.Time) int64 {
		if t.IsZero() {
			return 1 // what Slack says when there is none
		}
		return t.Unix()
	}
	out := map[string]any{
		"dnd_enabled": !u.dndTo.IsZero(), "next_dnd_start_ts": unix(u.dndFrom), "next_dnd_end_ts": unix(u.dndTo), "snooze_enabled": false,
	}
	if left := u.snoozed.Sub(w.opt.Now()); left > 0 {
		out["snooze_enabled"], out["snooze_endtime"], out["snooze_remaining"] = true, u.snoozed.Unix(), int(left/time.Second)
	}
	return good(out)
}
