package jira

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// filled are the fields that Create gives a value.
var filled = map[string]bool{"project": true, "issuetype": true, "summary": true, "description": true, "labels": true}

// maxMetaPages bounds how far the list of fields is read: 10 × 200 of them.
const maxMetaPages = 10

type metaTypes struct {
	IssueTypes []struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"issueTypes"`
	Total int `json:"total"`
}

type metaFields struct {
	Fields []struct {
		FieldID    string `json:"fieldId"`
		Name       string `json:"name"`
		Required   bool   `json:"required"`
		HasDefault bool   `json:"hasDefaultValue"`
	} `json:"fields"`
	Total int `json:"total"`
}

// RequiredFields names the fields that a new ticket must have and that
// breakglass does not fill in, such as "Severity (customfield_10040)". While
// there are any, Create is refused.
func (c *Client) RequiredFields(ctx context.Context, project, issueType string) ([]string, error) {
	const call = "create meta"
	if err := c.allowed(call, project); err != nil {
		return nil, err
	}
	path := "rest/api/2/issue/createmeta/" + url.PathEscape(project) + "/issuetypes"
	var types metaTypes
	if err := c.send(ctx, call, http.MethodGet, path+"?maxResults=200", nil, &types); err != nil {
		return nil, err
	}
	id := ""
	for _, t := range types.IssueTypes {
		if t.Name == issueType {
			id = t.ID
		}
	}
	if !idPattern.MatchString(id) {
		return nil, c.refuse(call, fmt.Sprintf("The project %s has no issue type %s.", project, c.safe(issueType)), nil)
	}
	var missing []string
	seen := 0
	for range maxMetaPages {
		var page metaFields
		if err := c.send(ctx, call, http.MethodGet, fmt.Sprintf("%s/%s?maxResults=200&startAt=%d", path, id, seen), nil, &page); err != nil {
			return nil, err
		}
		for _, f := range page.Fields {
			if f.Required && !f.HasDefault && !filled[f.FieldID] {
				missing = append(missing, fmt.Sprintf("%s (%s)", c.safe(f.Name), c.safe(f.FieldID)))
			}
		}
		seen += len(page.Fields)
		if len(page.Fields) == 0 || seen >= page.Total {
			break
		}
	}
	return missing, nil
}
