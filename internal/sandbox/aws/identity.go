package aws

import (
	"encoding/json"
	"slices"
)

// identity answers an operation of identitystore.
func (s *Server) identity(name string, body []byte, c caller) (any, *failure) {
	switch name {
	case "GetUserId":
		return s.getUserID(body, c)
	case "DescribeUser":
		return s.describeUser(body, c)
	case "ListUsers":
		return s.listUsers(body, c)
	}
	return nil, refuse("UnknownOperationException", "no operation %q", name)
}

func (s *Server) store(id string, c caller) *failure {
	if f := match("identityStoreId", id, storePattern); f != nil {
		return f
	}
	if id != s.opt.IdentityStoreID || c.region != s.opt.Region {
		return refuse(notFound, "IDENTITYSTORE not found.")
	}
	return nil
}

// getUserID finds a user by exactly the e-mail address or user name that was
// stored: case matters.
func (s *Server) getUserID(body []byte, c caller) (any, *failure) {
	in, f := decode[struct {
		IdentityStoreID     string `json:"IdentityStoreId"`
		AlternateIdentifier struct {
			UniqueAttribute *struct {
				AttributePath  string
				AttributeValue json.RawMessage
			}
		}
	}](body)
	if f == nil {
		f = s.store(in.IdentityStoreID, c)
	}
	if f != nil {
		return nil, f
	}
	attribute := in.AlternateIdentifier.UniqueAttribute
	var wanted string
	if attribute == nil || json.Unmarshal(attribute.AttributeValue, &wanted) != nil || wanted == "" {
		return nil, refuse(invalid, "AlternateIdentifier must be a UniqueAttribute with a string")
	}
	for _, u := range s.users {
		if (attribute.AttributePath == "emails.value" && u.Email == wanted) || (attribute.AttributePath == "userName" && u.UserName == wanted) {
			return map[string]any{"IdentityStoreId": s.opt.IdentityStoreID, "UserId": u.ID, "UserArn": "arn:aws:identitystore:::user/" + u.ID}, nil
		}
	}
	if attribute.AttributePath != "emails.value" && attribute.AttributePath != "userName" {
		return nil, refuse(invalid, "the only valid paths are userName and emails.value")
	}
	return nil, refuse(notFound, "USER not found.")
}

func (s *Server) describeUser(body []byte, c caller) (any, *failure) {
	in, f := decode[struct {
		IdentityStoreID string `json:"IdentityStoreId"`
		UserID          string `json:"UserId"`
	}](body)
	if f == nil {
		f = first(s.store(in.IdentityStoreID, c), match("userId", in.UserID, principalPattern))
	}
	if f != nil {
		return nil, f
	}
	u, ok := s.users[in.UserID]
	if !ok {
		return nil, refuse(notFound, "USER not found.")
	}
	return s.person(u), nil
}

func (s *Server) listUsers(body []byte, c caller) (any, *failure) {
	in, f := decode[struct {
		IdentityStoreID string `json:"IdentityStoreId"`
		paging
	}](body)
	if f == nil {
		f = s.store(in.IdentityStoreID, c)
	}
	if f != nil {
		return nil, f
	}
	ids := make([]string, 0, len(s.users))
	for id := range s.users {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	page, next, f := cut(s, ids, in.paging)
	if f != nil {
		return nil, f
	}
	users := []map[string]any{}
	for _, id := range page {
		users = append(users, s.person(s.users[id]))
	}
	answer := map[string]any{"Users": users}
	if next != nil {
		answer["NextToken"] = *next
	}
	return answer, nil
}

func (s *Server) person(u User) map[string]any {
	standing := "ENABLED"
	if u.Disabled {
		standing = "DISABLED"
	}
	told := map[string]any{
		"IdentityStoreId": s.opt.IdentityStoreID, "UserId": u.ID, "UserArn": "arn:aws:identitystore:::user/" + u.ID,
		"Revision": "1", "UserName": u.UserName, "UserStatus": standing,
	}
	if u.Email != "" {
		told["Emails"] = []map[string]any{{"Value": u.Email, "Type": "work", "Primary": true}}
	}
	return told
}
