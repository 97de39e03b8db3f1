// Package deploy_test keeps what stands in this folder true: it parses the
// files as the tools that read them do, and holds them against one another.
package deploy_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

func content(t *testing.T, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// source is all of a package below internal, but for its tests.
func source(t *testing.T, name string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "internal", name, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		if !strings.HasSuffix(file, "_test.go") {
			all.Write(content(t, file))
		}
	}
	if all.Len() == 0 {
		t.Fatalf("internal/%s has no source", name)
	}
	return all.String()
}

func fromJSON[T any](t *testing.T, name string) T {
	t.Helper()
	var value T
	if err := json.Unmarshal(content(t, name), &value); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return value
}

// example is the part of breakglass.example.yaml that other files repeat.
type example struct {
	Slack struct {
		Command string
	}
	AWS struct {
		InstanceARN     string `yaml:"instance_arn"`
		IdentityStoreID string `yaml:"identity_store_id"`
	} `yaml:"aws"`
	Targets []struct {
		AccountID      string `yaml:"account_id"`
		PermissionSets []struct {
			ARN string `yaml:"arn"`
		} `yaml:"permission_sets"`
	}
}

func readExample(t *testing.T) example {
	t.Helper()
	var value example
	if err := yaml.Unmarshal(content(t, "breakglass.example.yaml"), &value); err != nil {
		t.Fatal(err)
	}
	if len(value.Targets) == 0 || value.Slack.Command == "" {
		t.Fatal("breakglass.example.yaml has no targets or no command")
	}
	return value
}
