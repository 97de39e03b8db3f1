package config

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// TestEveryKeyAndVariableIsDocumented looks in its section for each key that
// the walker accepts, so that a new key cannot be forgotten.
func TestEveryKeyAndVariableIsDocumented(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(data)
	_, names, _ := keysOf(reflect.TypeFor[fileRoot]())
	for _, name := range names {
		if !strings.Contains(doc, "`"+name+"`") {
			t.Errorf("the key %s is not documented", name)
		}
	}
	for section, of := range map[string][]reflect.Type{
		"http":           {reflect.TypeFor[fileHTTP]()},
		"slack":          {reflect.TypeFor[fileSlack]()},
		"aws":            {reflect.TypeFor[fileAWS]()},
		"jira":           {reflect.TypeFor[fileJira]()},
		"incident_io":    {reflect.TypeFor[fileIncidentIO](), reflect.TypeFor[fileGitHub](), reflect.TypeFor[fileGitLab]()},
		"people":         {reflect.TypeFor[filePerson]()},
		"groups":         {reflect.TypeFor[fileGroup](), reflect.TypeFor[fileRoles]()},
		"targets":        {reflect.TypeFor[fileTarget](), reflect.TypeFor[filePermissionSet]()},
		"reasons":        {reflect.TypeFor[fileReason]()},
		"kinds":          {reflect.TypeFor[fileKind](), reflect.TypeFor[fileApprovalRule](), reflect.TypeFor[fileSelfApproval](), reflect.TypeFor[fileQuestion]()},
		"approval":       {reflect.TypeFor[fileApproval]()},
		"record":         {reflect.TypeFor[fileRecord](), reflect.TypeFor[fileSignOff]()},
		"merge_requests": {reflect.TypeFor[fileMergeRequests]()},
		"review":         {reflect.TypeFor[fileReview]()},
		"access":         {reflect.TypeFor[fileAccess]()},
	} {
		_, text, found := strings.Cut(doc, "\n## `"+section+"`")
		if !found {
			t.Errorf("the section %s is not documented", section)
		}
		text, _, _ = strings.Cut(text, "\n## ")
		for _, typ := range of {
			_, names, _ := keysOf(typ)
			for _, name := range names {
				if !strings.Contains(text, "`"+name+"`") && !strings.Contains(text, "."+name+"`") && !strings.Contains(text, "`"+name+": ") {
					t.Errorf("the key %s of %s is not documented", name, section)
				}
			}
		}
	}
	for _, secret := range (&builder{report: &report{}, out: &Config{}}).wantedSecrets() {
		if !strings.Contains(doc, "`"+secret.name+"`") {
			t.Errorf("the variable %s is not documented", secret.name)
		}
	}
}
