package config

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// sections are the keys of the file that hold others, and the types of what may
// stand below them.
func sections() map[string][]reflect.Type {
	return map[string][]reflect.Type{
		"http":           {reflect.TypeFor[fileHTTP]()},
		"slack":          {reflect.TypeFor[fileSlack]()},
		"aws":            {reflect.TypeFor[fileAWS]()},
		"jira":           {reflect.TypeFor[fileJira]()},
		"incident_io":    {reflect.TypeFor[fileIncidentIO]()},
		"github":         {reflect.TypeFor[fileGitHub]()},
		"gitlab":         {reflect.TypeFor[fileGitLab]()},
		"people":         {reflect.TypeFor[filePerson]()},
		"groups":         {reflect.TypeFor[fileGroup]()},
		"roles":          {reflect.TypeFor[fileRoles]()},
		"targets":        {reflect.TypeFor[fileTarget](), reflect.TypeFor[filePermissionSet]()},
		"reasons":        {reflect.TypeFor[fileReason]()},
		"kinds":          {reflect.TypeFor[fileKind](), reflect.TypeFor[fileApprovalRule](), reflect.TypeFor[fileSelfApproval](), reflect.TypeFor[fileEndsOn](), reflect.TypeFor[fileQuestion]()},
		"approval":       {reflect.TypeFor[fileApproval]()},
		"record":         {reflect.TypeFor[fileRecord](), reflect.TypeFor[fileSignOff]()},
		"merge_requests": {reflect.TypeFor[fileMergeRequests]()},
		"review":         {reflect.TypeFor[fileReview]()},
		"access":         {reflect.TypeFor[fileAccess]()},
	}
}

// TestTheExampleShowsEveryKey looks in its section of the example for each key
// that the walker accepts. Where it stands in a comment, it must be right as well.
func TestTheExampleShowsEveryKey(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../deploy/breakglass.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, names, _ := keysOf(reflect.TypeFor[fileRoot]())
	all := sections()
	for _, section := range names {
		found := regexp.MustCompile(`(?m)^` + section + `:.*\n((?:[ #].*\n|\n)*)`).FindSubmatch(data)
		if found == nil {
			t.Errorf("the example has no key %s", section)
			continue
		}
		for _, typ := range all[section] {
			_, names, _ := keysOf(typ)
			for _, name := range names {
				if !regexp.MustCompile(`(?m)(^ +(- |# )?|[{,] ?)`+name+`: `).Match(found[1]) && !regexp.MustCompile(`(?m)^ +`+name+`:$`).Match(found[1]) {
					t.Errorf("the example does not show the key %s of %s", name, section)
				}
			}
		}
	}
	commented := regexp.MustCompile(`(?m)^( +)# ([a-z_-]+: )`)
	if n := len(commented.FindAll(data, -1)); n < 4 {
		t.Errorf("the example has %d keys in comments only", n)
	}
	_, err = Check("breakglass.yaml", func(string) ([]byte, error) { return commented.ReplaceAll(data, []byte("$1$2")), nil })
	if err != nil {
		t.Errorf("with the keys that stand in comments: %v", err)
	}
}

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
	for section, of := range sections() {
		heading := regexp.MustCompile("\n## [^\n]*`" + section + "`").FindString(doc) // some share one
		if heading == "" {
			t.Errorf("the section %s is not documented", section)
		}
		_, text, _ := strings.Cut(doc, heading)
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
