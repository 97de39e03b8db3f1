package forge_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/forge"
)

func at() time.Time { return time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC) }

func public(t testing.TB) *forge.Client {
	t.Helper()
	c, err := forge.New(forge.Options{GitLabURL: "https://gitlab.com", GitHubAPIURL: "https://api.github.com", Now: at})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAddressesOfTheConfiguredForgesAreRead(t *testing.T) {
	t.Parallel()
	ref := func(forge change.Forge, project string, number int, url string) change.MergeRequestRef {
		return change.MergeRequestRef{Forge: forge, Project: project, Number: number, URL: url}
	}
	own := forge.Options{GitLabURL: "https://code.example.com/gitlab/", GitHubAPIURL: "https://ghe.example.com/api/v3", Now: at}
	cloud := forge.Options{GitLabURL: "https://gitlab.com", GitHubAPIURL: "https://api.github.com", Now: at}
	for name, c := range map[string]struct {
		opts    forge.Options
		address string
		want    change.MergeRequestRef
	}{
		"GitLab": {
			cloud, "https://gitlab.com/group/app/-/merge_requests/12",
			ref(change.GitLab, "group/app", 12, "https://gitlab.com/group/app/-/merge_requests/12"),
		},
		"nested groups, a tab and a note": {
			cloud, " https://GitLab.com/a/b/c/d.e/-/merge_requests/1/diffs?x=1#note_3 ",
			ref(change.GitLab, "a/b/c/d.e", 1, "https://gitlab.com/a/b/c/d.e/-/merge_requests/1"),
		},
		"GitLab under a path": {
			own, "https://code.example.com/gitlab/group/app/-/merge_requests/3/",
			ref(change.GitLab, "group/app", 3, "https://code.example.com/gitlab/group/app/-/merge_requests/3"),
		},
		"GitHub": {
			cloud, "https://github.com/Owner/app.go/pull/7",
			ref(change.GitHub, "Owner/app.go", 7, "https://github.com/Owner/app.go/pull/7"),
		},
		"GitHub's files": {
			cloud, "https://github.com/owner/app/pull/7/files#diff-1",
			ref(change.GitHub, "owner/app", 7, "https://github.com/owner/app/pull/7"),
		},
		"GitHub Enterprise Server": {
			own, "https://ghe.example.com/owner/app/pull/7",
			ref(change.GitHub, "owner/app", 7, "https://ghe.example.com/owner/app/pull/7"),
		},
		"GitHub with data residency": {
			forge.Options{GitHubAPIURL: "https://api.octo.ghe.com", Now: at},
			"https://octo.ghe.com/owner/app/pull/7",
			ref(change.GitHub, "owner/app", 7, "https://octo.ghe.com/owner/app/pull/7"),
		},
		"GitHub seen elsewhere": {
			forge.Options{GitHubAPIURL: "https://ghe.example.com/api/v3", GitHubURL: "https://git.example.com", Now: at},
			"https://git.example.com/owner/app/pull/7", ref(change.GitHub, "owner/app", 7, "https://git.example.com/owner/app/pull/7"),
		},
		"another host is text": {
			cloud, "https://bitbucket.example.com/a/b/pull-requests/1?at=%2F#x",
			ref("", "", 0, "https://bitbucket.example.com/a/b/pull-requests/1?at=%2F#x"),
		},
		"a forge that is not configured is text": {
			own, "https://gitlab.com/group/app/-/merge_requests/12",
			ref("", "", 0, "https://gitlab.com/group/app/-/merge_requests/12"),
		},
		"a host that begins alike is text": {
			cloud, "https://gitlab.com.evil.example/group/app/-/merge_requests/12",
			ref("", "", 0, "https://gitlab.com.evil.example/group/app/-/merge_requests/12"),
		},
		"beside GitLab's path is text": {
			own, "https://code.example.com/gitlabber/app/-/merge_requests/3",
			ref("", "", 0, "https://code.example.com/gitlabber/app/-/merge_requests/3"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := client(t, c.opts).Parse(c.address)
			if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
				t.Errorf("%v (-want +got)\n%s", err, diff)
			}
		})
	}
}

func TestHostileAddressesAreRefused(t *testing.T) {
	t.Parallel()
	c := public(t)
	for _, address := range []string{
		"", "12", "javascript:alert(1)", "ftp://gitlab.com/group/app/-/merge_requests/12", "//gitlab.com/group/app/-/merge_requests/12",
		"http://gitlab.com/group/app/-/merge_requests/12", "http://example.com/",
		"https://user@gitlab.com/group/app/-/merge_requests/12", "https://gitlab.com:pw@evil.example/group/app/-/merge_requests/12", "https://me:pw@example.com/",
		"https://gitlab.com:8443/group/app/-/merge_requests/12", "https://gitlab.com:443/group/app/-/merge_requests/12",
		"https://gitlab.com:/group/app/-/merge_requests/12", "https://gitlab.com./group/app/-/merge_requests/12", "https://gitlab.com%2eevil/x",
		"https://gitlab.com/../group/app/-/merge_requests/12", "https://gitlab.com/group/../app/-/merge_requests/12", "https://gitlab.com/group/./app/-/merge_requests/12",
		"https://gitlab.com/group/.../-/merge_requests/12", "https://gitlab.com/group%2Fapp/-/merge_requests/12", "https://gitlab.com/group/app%2F..%2Fother/-/merge_requests/12",
		"https://gitlab.com/group/app/-/merge_requests/12/../13", "https://gitlab.com/group/app/-/merge_requests/12abc", "https://gitlab.com/group/app/-/merge_requests/12;x",
		"https://gitlab.com/group/app/-/merge_requests/12/approve", "https://gitlab.com/group/app/-/merge_requests/012", "https://gitlab.com/group/app/-/merge_requests/0",
		"https://gitlab.com/group/app/-/merge_requests/-1", "https://gitlab.com/group/app/-/merge_requests/99999999999999999999", "https://gitlab.com/group/app/-/merge_requests/",
		"https://gitlab.com//group/app/-/merge_requests/12", "https://gitlab.com/app/-/merge_requests/12", "https://gitlab.com/group/app/-/issues/12", "https://gitlab.com/", "https://github.com",
		"https://gitlab.com/group/app/-/merge_requests/12\n", "https://gitlab.com/group/app /-/merge_requests/12", "https://gitlab.com\\@evil.example/", "https://gıtlab.com/x",
		"https://github.com/owner/../pull/7", "https://github.com/owner/./pull/7", "https://github.com/owner/app/pull/7/merge", "https://github.com/owner/app/pulls",
		"https://github.com/owner/app/issues/7", "https://github.com/owner/a/b/pull/7", "https://github.com/-owner/app/pull/7", "https://github.com/owner/app%2e/pull/7",
		"https://example.com/" + strings.Repeat("x", 2000), "https://example.com/<script>", "https://",
	} {
		if strings.HasSuffix(address, "\n") {
			address += "x"
		}
		got, err := c.Parse(address)
		if err == nil {
			t.Errorf("%q is read as %+v", address, got)
			continue
		}
		wantOutcome(t, err, change.Refused)
	}
}

func TestAReferenceIsAskedOfNoOtherHostThanItNames(t *testing.T) {
	t.Parallel()
	b := setup(t)
	good := b.onGitLab(t, mergeRequest())
	for name, bend := range map[string]func(*change.MergeRequestRef){
		"another project": func(r *change.MergeRequestRef) { r.Project = "../../user?x=" },
		"another number":  func(r *change.MergeRequestRef) { r.Number = 13 },
		"the other forge": func(r *change.MergeRequestRef) { r.Forge = change.GitHub },
		"no forge":        func(r *change.MergeRequestRef) { r.Forge = "" },
		"another host": func(r *change.MergeRequestRef) {
			r.URL = "https://elsewhere.example" + strings.TrimPrefix(r.URL, b.gitlabURL)
		},
		"no longer configured": func(r *change.MergeRequestRef) {
			*r = change.MergeRequestRef{Forge: change.GitLab, Project: "group/app", Number: 12, URL: "https://gitlab.com/group/app/-/merge_requests/12"}
		},
		"nothing": func(r *change.MergeRequestRef) { *r = change.MergeRequestRef{} },
	} {
		ref := good
		bend(&ref)
		if _, err := b.Look(t.Context(), ref); err == nil {
			t.Errorf("%s: was looked at", name)
		} else {
			wantOutcome(t, err, change.Refused)
		}
		if _, err := b.Deployed(t.Context(), ref, "production"); err == nil {
			t.Errorf("%s: was asked for deployments", name)
		}
	}
}

// FuzzParse holds Parse to its promise for any text: no panic, and what is read
// is on a configured host, reads the same again, and has nothing in its parts
// that could bend a path.
func FuzzParse(f *testing.F) {
	c := public(f)
	for _, seed := range []string{
		"https://gitlab.com/group/app/-/merge_requests/12", "https://github.com/owner/app/pull/7/files", "https://x@gitlab.com/a/b/-/merge_requests/1",
		"https://gitlab.com/a/../b/-/merge_requests/1", "https://gitlab.com/a%2Fb/-/merge_requests/1", "https://example.com/?q=1#f", "https://gitlab.com:443/a/b/-/merge_requests/1",
		"https://[::1]:80/x", "https://github.com", "https://github.com/o/.../pull/1",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ref, err := c.Parse(text)
		if err != nil {
			if _, ok := errors.AsType[*change.OutsideError](err); !ok || ref != (change.MergeRequestRef{}) {
				t.Fatalf("%q: %+v, %v", text, ref, err)
			}
			return
		}
		u, err := url.Parse(ref.URL)
		if err != nil || u.Scheme != "https" || u.User != nil || u.Host == "" {
			t.Fatalf("%q is read as %q, %v", text, ref.URL, err)
		}
		if again, err := c.Parse(ref.URL); err != nil || again != ref {
			t.Fatalf("%q is read as %+v, and that as %+v, %v", text, ref, again, err)
		}
		if !ref.Readable() {
			if u.Host == "gitlab.com" || u.Host == "github.com" {
				t.Fatalf("%q passes for text", text)
			}
			return
		}
		if host := map[change.Forge]string{change.GitLab: "gitlab.com", change.GitHub: "github.com"}[ref.Forge]; u.Host != host || ref.Number < 1 {
			t.Fatalf("%q is read as %+v", text, ref)
		}
		for _, segment := range strings.Split(ref.Project, "/") {
			if strings.Trim(segment, ".") == "" || strings.ContainsAny(segment, "%?#\\: @") {
				t.Fatalf("%q has the segment %q", text, segment)
			}
		}
	})
}

func TestUnusableOptionsAreRefused(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]forge.Options{
		"no clock":        {GitLabURL: "https://gitlab.com"},
		"no scheme":       {GitLabURL: "gitlab.com", Now: at},
		"a password":      {GitHubAPIURL: "https://me:secret@github.com", Now: at},
		"a query":         {GitHubAPIURL: "https://api.github.com?secret", Now: at},
		"another scheme":  {StatusURL: "file:///etc/passwd", Now: at},
		"an odd web host": {GitHubAPIURL: "https://api.github.com", GitHubURL: "://secret", Now: at},
	} {
		if _, err := forge.New(opts); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
