package change

import (
	"fmt"
	"strconv"
	"strings"
)

// Number names a change: EC-1, EC-2 and so on, without gaps. Zero is no change.
type Number int64

// String writes the number as people see it, such as EC-12.
func (n Number) String() string { return "EC-" + strconv.FormatInt(int64(n), 10) }

// ParseNumber reads EC-12, ec-12 or 12. It refuses all else with a message fit
// to be shown to whoever typed it.
func ParseNumber(s string) (Number, error) {
	digits := strings.TrimSpace(s)
	if len(digits) > 3 && strings.EqualFold(digits[:3], "EC-") {
		digits = digits[3:]
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("%q is not the number of a change; they look like EC-12", s)
	}
	return Number(n), nil
}
