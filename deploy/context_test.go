package deploy_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// ownFiles are the files of this module that the program is compiled of, by their
// names from the root: its Go files, and what they embed.
func ownFiles(t *testing.T) []string {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=Dir,Module,GoFiles,EmbedFiles", "./cmd/breakglass")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for packages := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			Dir                 string
			Module              *struct{ Main bool }
			GoFiles, EmbedFiles []string
		}
		if err := packages.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if p.Module == nil || !p.Module.Main {
			continue
		}
		for _, name := range append(p.GoFiles, p.EmbedFiles...) {
			own, err := filepath.Rel(root, filepath.Join(p.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, filepath.ToSlash(own))
		}
	}
	if len(all) < 100 {
		t.Fatalf("the program is compiled of %d files only; is this the module?", len(all))
	}
	return all
}

// TestTheImageIsGivenEveryFileThatTheProgramIsCompiledOf holds the lines COPY
// against the imports: a folder left out shows in docker build alone.
func TestTheImageIsGivenEveryFileThatTheProgramIsCompiledOf(t *testing.T) {
	t.Parallel()
	var copied []string // what lies in the image where it lies here
	for _, in := range stages(t)[0] {
		if in.name != "COPY" {
			continue
		}
		to := in.words[len(in.words)-1]
		for _, from := range in.words[:len(in.words)-1] {
			if to == from || strings.HasSuffix(to, "/") && path.Join(to, path.Base(from)) == from {
				copied = append(copied, from)
			}
		}
	}
	missing := map[string]bool{}
	for _, name := range ownFiles(t) {
		found := false
		for _, from := range copied {
			found = found || name == from || strings.HasPrefix(name, from+"/")
		}
		if !found && !missing[path.Dir(name)] {
			missing[path.Dir(name)] = true
			t.Errorf("the program needs %s, which no COPY of the Dockerfile lets in", name)
		}
	}
}
