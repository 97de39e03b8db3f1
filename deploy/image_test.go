package deploy_test

import (
	"bytes"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// instruction is one line of a Dockerfile.
type instruction struct {
	name  string
	flags []string
	words []string
	exec  bool // written as a JSON array, so that no shell is needed
}

// stages are the instructions of the Dockerfile, each stage from its FROM on.
func stages(t *testing.T) [][]instruction {
	t.Helper()
	file, err := parser.Parse(bytes.NewReader(content(t, "Dockerfile")))
	if err != nil {
		t.Fatal(err)
	}
	var all [][]instruction
	for _, node := range file.AST.Children {
		in := instruction{name: strings.ToUpper(node.Value), flags: node.Flags, exec: node.Attributes["json"]}
		for word := node.Next; word != nil; word = word.Next {
			in.words = append(in.words, word.Value)
			if in.name == "HEALTHCHECK" && strings.Contains(node.Original, `["`) {
				in.exec = true
			}
		}
		if in.name == "FROM" {
			all = append(all, nil)
		}
		if len(all) == 0 {
			t.Fatalf("%s stands before the first FROM", in.name)
		}
		all[len(all)-1] = append(all[len(all)-1], in)
	}
	return all
}

// last is the last instruction of that name in a stage: the one that counts.
func last(t *testing.T, stage []instruction, name string) instruction {
	t.Helper()
	for _, in := range slices.Backward(stage) {
		if in.name == name {
			return in
		}
	}
	t.Fatalf("the stage has no %s", name)
	return instruction{}
}

func TestEveryBaseImageIsPinned(t *testing.T) {
	t.Parallel()
	for _, stage := range stages(t) {
		image := stage[0].words[0]
		if _, tag, found := strings.Cut(path.Base(image), ":"); !found || tag == "latest" {
			t.Errorf("%s has no tag that pins it", image)
		}
	}
}

func TestTheImageIsBuiltWithTheGoThatTheModuleAsksFor(t *testing.T) {
	t.Parallel()
	asked := regexp.MustCompile(`(?m)^go (\S+)$`).FindSubmatch(content(t, "../go.mod"))
	if asked == nil {
		t.Fatal("go.mod names no version of Go")
	}
	if image := stages(t)[0][0].words[0]; !strings.HasPrefix(image, "golang:"+string(asked[1])+"-") {
		t.Errorf("built with %s, go.mod asks for %s", image, asked[1])
	}
}

func TestTheImageRunsOneStaticProgramWithoutRights(t *testing.T) {
	t.Parallel()
	all := stages(t)
	build := last(t, all[0], "RUN")
	if line := strings.Join(build.words, " "); !strings.Contains(line, "CGO_ENABLED=0 go build") {
		t.Errorf("the build is not static: %s", line)
	}
	final := all[len(all)-1]
	if image := final[0].words[0]; !strings.HasPrefix(image, "gcr.io/distroless/static") {
		t.Errorf("the image is made from %s, want distroless/static, which has certificates and no shell", image)
	}
	if user := last(t, final, "USER").words[0]; !regexp.MustCompile(`^[1-9]\d*:[1-9]\d*$`).MatchString(user) {
		t.Errorf("runs as %q, want the number of a user who is not root", user)
	}
	entry := last(t, final, "ENTRYPOINT")
	if !entry.exec || !slices.Equal(entry.words, []string{"/usr/local/bin/breakglass"}) {
		t.Errorf("ENTRYPOINT is %v (exec form: %t), want the program itself: there is no shell", entry.words, entry.exec)
	}
	if command := last(t, final, "CMD"); !command.exec || command.words[0] != "serve" {
		t.Errorf("CMD is %v (exec form: %t), want serve", command.words, command.exec)
	}
}

// TestWhatTheImageRunsIsCopiedIntoIt also holds compose's health check
// against it: a shell form or a program left out would fail only when run.
func TestWhatTheImageRunsIsCopiedIntoIt(t *testing.T) {
	t.Parallel()
	all := stages(t)
	final := all[len(all)-1]
	named := map[string]bool{}
	for _, stage := range all {
		if words := stage[0].words; len(words) == 3 {
			named[words[2]] = true
		}
	}
	var copied []string
	for _, in := range final {
		if in.name != "COPY" {
			continue
		}
		copied = append(copied, in.words[len(in.words)-1])
		if from, found := strings.CutPrefix(in.flags[0], "--from="); !found || !named[from] {
			t.Errorf("COPY %v comes from no stage of this file", in.words)
		}
	}
	health := last(t, final, "HEALTHCHECK")
	if !health.exec || health.words[0] != "CMD" {
		t.Fatalf("HEALTHCHECK is %v, want the exec form", health.words)
	}
	for what, program := range map[string]string{
		"ENTRYPOINT":              last(t, final, "ENTRYPOINT").words[0],
		"HEALTHCHECK":             health.words[1],
		"the compose healthcheck": load(t).Services["breakglass"].HealthCheck.Test[1],
	} {
		if !slices.Contains(copied, program) {
			t.Errorf("%s runs %s, which is not copied into the image (%v)", what, program, copied)
		}
	}
}

func TestTheBuildSeesNeitherSecretsNorTests(t *testing.T) {
	t.Parallel()
	var lines []string
	for line := range strings.Lines(string(content(t, "Dockerfile.dockerignore"))) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	if lines[0] != "*" {
		t.Errorf("the first line is %q, want everything ignored", lines[0])
	}
	var wanted []string
	for _, in := range stages(t)[0] {
		if in.name == "COPY" {
			wanted = append(wanted, in.words[:len(in.words)-1]...)
		}
	}
	slices.Sort(wanted)
	var let []string
	for _, line := range lines {
		if name, found := strings.CutPrefix(line, "!"); found {
			let = append(let, name)
		}
	}
	slices.Sort(let)
	if !slices.Equal(let, wanted) {
		t.Errorf("let through: %v; copied: %v", let, wanted)
	}
}
