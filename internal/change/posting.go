package change

import (
	"errors"
	"time"
)

// ErrNoPlace says that a message has nowhere to go: its channel is archived or
// gone, or the bot is not in it. It comes wrapped in an *OutsideError.
var ErrNoPlace = errors.New("no place for this message")

// Posting is a message that Slack is to hold: what it is about, and what is
// known of an earlier attempt to post it. That of a digest, or of
// a seal, has no change.
type Posting struct {
	Change   Change
	Delivery Delivery
	Event    Event // the one that Delivery.Ref.Seq names; zero when it names none
	ID       int64 // marks the message, so that it is found again when its reply was lost

	External string    // channel and timestamp of the message, when it was posted; see MessageRef
	Since    time.Time // a post may have been sent since then; zero: never
	Card     string    // the card, for replies to it; empty while there is none
	Group    bool      // an ask put to a group in the card's thread, not to one person
	Outside  bool      // it goes to somebody who may not see the change, which is confidential
	Waivable bool      // it goes to somebody who may waive what it is about

	Waiting map[System]string // what the change waits for, for the card
	Lines   []string          // the sentences of a digest, as plain text
	Seal    Seal              // of a seal; else zero
	Finding *CensusNotice     // of a finding of the census, which has no change either; else nil
}
