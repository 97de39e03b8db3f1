package slackapp

import (
	"strconv"
	"strings"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// The action ids of buttons. They say what is pressed; what it is pressed for
// is the button's key.
const (
	actionApprove        = "approve"
	actionDeny           = "deny"
	actionChangeDuration = "change_duration"
	actionShow           = "show"
	actionWithdraw       = "withdraw"
	actionFinish         = "finish"
	actionExtend         = "extend"
	actionAddNote        = "add_note"
	actionEndNow         = "end_now"
	actionLinkRecord     = "link_record"
	actionWriteRecord    = "write_record"
	actionWriteReview    = "write_review"
	actionSignOff        = "sign_off"
	actionRemindLater    = "remind_later"
	actionAskAgain       = "ask_again"
	actionOnCall         = "on_call"       // a witness's word that they were on the call
	actionMarkStanding   = "mark_standing" // on the audit channel's message about access that was there before
	actionEndAccess      = "end_access"    // likewise
	actionWaive          = "waive"
	actionRequest        = "request"   // on the home tab
	actionHomeOn         = "home_on"   // likewise: the next page of a list
	actionHomeBack       = "home_back" // likewise: the page before
)

// buttonKey is what a button's value holds: a key to look things up by, and
// nothing that is believed.
type buttonKey struct {
	Number     change.Number
	Ask        int                   // of approve, deny and change_duration
	Obligation change.ObligationName // of remind_later and waive
	Item       int
}

// value writes the key as a button's value.
func (k buttonKey) value() string {
	return strings.Join([]string{strconv.FormatInt(int64(k.Number), 10), strconv.Itoa(k.Ask), string(k.Obligation), strconv.Itoa(k.Item)}, "/")
}

// parseKey reads a button's value. It answers false for anything that value
// would not have written.
func parseKey(s string) (buttonKey, bool) {
	parts := strings.Split(s, "/")
	if len(parts) != 4 {
		return buttonKey{}, false
	}
	n, errN := strconv.ParseInt(parts[0], 10, 64)
	ask, errA := strconv.Atoi(parts[1])
	item, errI := strconv.Atoi(parts[3])
	k := buttonKey{Number: change.Number(n), Ask: ask, Obligation: change.ObligationName(parts[2]), Item: item}
	if errN != nil || errA != nil || errI != nil || n <= 0 || k.value() != s {
		return buttonKey{}, false
	}
	return k, true
}
