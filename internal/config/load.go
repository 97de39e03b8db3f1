package config

import (
	"fmt"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// Load reads the file at path and the secrets that it needs. Its error is
// Problems when the configuration is wrong, in which case it lists every
// mistake; any other error means that the file could not be read at all.
//
// env looks a variable up as os.LookupEnv does; readFile reads the file itself
// and the files that NAME_FILE variables point at.
func Load(path string, env func(string) (string, bool), readFile func(string) ([]byte, error)) (*Config, error) {
	return load(path, readFile, func(b *builder) { b.secrets(env, readFile) })
}

// Check reads the file alone, as where it is reviewed: no secret is asked for,
// and the Config has none. All else is as with Load.
func Check(path string, readFile func(string) ([]byte, error)) (*Config, error) {
	return load(path, readFile, func(*builder) {})
}

func load(path string, readFile func(string) ([]byte, error), secrets func(*builder)) (*Config, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	b := &builder{report: &report{file: path}, out: &Config{}}
	if root := parse(data, b.report); root != nil {
		(&walker{b.report}).into(&b.file, root, spot{line: 1, column: 1})
		b.build()
		secrets(b)
	}
	if len(b.problems) > 0 {
		return nil, Problems(inOrder(b.problems))
	}
	b.out.Warnings = inOrder(b.warnings)
	return b.out, nil
}

// builder checks what the walker filled and turns it into a Config. Every
// method is one section or one rule, and goes on after a mistake.
type builder struct {
	*report
	file fileRoot
	out  *Config

	groupNames  []string
	groupByName map[string]*fileGroup
}

func (b *builder) build() {
	f := &b.file
	f.Organization.atMost(b.report, 150)
	b.out.Organization = f.Organization.value
	b.out.ReleaseProcessURL = b.link(f.ReleaseProcessURL)
	b.http()
	b.slack()
	b.aws()
	b.jira()
	b.incidentIO()
	b.forges()
	b.people()
	b.groups()
	b.roles()
	b.targets()
	b.reasons()
	b.kinds()
	b.approval()
	b.record()
	b.mergeRequests()
	b.review()
	b.access()
	b.identities()
}

// refs reads a list of names of things that the file declares elsewhere.
func refs[T ~string](b *builder, l list[text], what string, known []string) []T {
	var ids []T
	seen := map[string]bool{}
	for _, name := range l.items {
		if !name.given {
			continue
		}
		switch {
		case seen[name.value]:
			b.problem(name.spot, "%s names the %s %s a second time; keep one", name.whole(), what, quote(name.value))
		case !contains(known, name.value):
			b.problem(name.spot, "%s names the %s %s, which does not exist%s", name.whole(), what, quote(name.value), DidYouMean(name.value, known))
		}
		seen[name.value] = true
		ids = append(ids, T(name.value))
	}
	return ids
}

// groupRefs reads a list of groups.
func (b *builder) groupRefs(l list[text]) []change.GroupID {
	return refs[change.GroupID](b, l, "group", b.groupNames)
}

// texts reads a list of texts that must differ.
func (b *builder) texts(l list[text]) []string {
	var values []string
	seen := map[string]bool{}
	for _, t := range l.items {
		if !t.given {
			continue
		}
		if seen[t.value] {
			b.problem(t.spot, "%s says %s a second time; keep one", t.whole(), quote(t.value))
		}
		seen[t.value] = true
		values = append(values, t.value)
	}
	return values
}

func contains(list []string, value string) bool {
	for _, v := range list {
		if v == value {
			return true
		}
	}
	return false
}
