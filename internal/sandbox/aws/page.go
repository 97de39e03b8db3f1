package aws

import (
	"encoding/base64"
	"strconv"
	"strings"
)

// paging is what every listing request carries.
type paging struct {
	MaxResults *int   `json:",omitempty"`
	NextToken  string `json:",omitempty"`
}

const tokenMark = "page:"

// cut answers one page of a list and the token of the next, which is nil at the
// end. Tokens hold nothing but a place: a list that changes in between may show
// an item twice or not at all, as with AWS.
func cut[T any](s *Server, all []T, p paging) ([]T, *string, *failure) {
	size := s.opt.PageSize
	if p.MaxResults != nil {
		if *p.MaxResults < 1 || *p.MaxResults > 100 {
			return nil, nil, refuse(invalid, "maxResults must be between 1 and 100")
		}
		size = min(size, *p.MaxResults)
	}
	from := 0
	if p.NextToken != "" {
		raw, err := base64.RawURLEncoding.DecodeString(p.NextToken)
		place, marked := strings.CutPrefix(string(raw), tokenMark)
		n, numErr := strconv.Atoi(place)
		if err != nil || !marked || numErr != nil || n < 0 {
			return nil, nil, refuse(invalid, "Invalid NextToken")
		}
		from = min(n, len(all))
	} else if s.opt.EmptyPages {
		return []T{}, token(0), nil
	}
	to := min(from+size, len(all))
	page := append([]T{}, all[from:to]...)
	if to == len(all) {
		return page, nil, nil
	}
	return page, token(to), nil
}

func token(place int) *string {
	t := base64.RawURLEncoding.EncodeToString([]byte(tokenMark + strconv.Itoa(place)))
	return &t
}
