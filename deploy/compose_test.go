package deploy_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// load reads compose.yaml as docker compose does, schema and all.
func load(t *testing.T) *types.Project {
	t.Helper()
	project, err := loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir:  ".",
		ConfigFiles: []types.ConfigFile{{Filename: "compose.yaml", Content: content(t, "compose.yaml")}},
		Environment: types.Mapping{},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"breakglass", "postgres"} {
		if service, found := project.Services[name]; !found || service.HealthCheck == nil || len(service.HealthCheck.Test) < 2 {
			t.Fatalf("the service %s is missing or has no health check", name)
		}
	}
	return project
}

func TestComposeMigratesAndServesOnceItsPostgresIsWell(t *testing.T) {
	t.Parallel()
	project := load(t)
	service := project.Services["breakglass"]
	if !slices.Equal(service.Command[:2], []string{"serve", "--migrate"}) {
		t.Errorf("the command is %v, want serve --migrate", service.Command)
	}
	if on := service.DependsOn["postgres"]; on.Condition != types.ServiceConditionHealthy {
		t.Errorf("it waits for postgres to be %q, want %q", on.Condition, types.ServiceConditionHealthy)
	}
	if image := project.Services["postgres"].Image; !strings.HasPrefix(image, "postgres:17.") {
		t.Errorf("the database is %s, want a pinned Postgres 17", image)
	}
	if !service.ReadOnly || !slices.Equal(service.CapDrop, []string{"ALL"}) {
		t.Error("the service may write to its image or keeps capabilities")
	}
	for _, port := range service.Ports {
		if port.Target == 9090 || port.HostIP != "127.0.0.1" {
			t.Errorf("port %d is published on %q; metrics never are, the rest only to a proxy beside it", port.Target, port.HostIP)
		}
	}
}

// TestComposeReachesTheConfiguredFile holds the mount against the flag.
func TestComposeReachesTheConfiguredFile(t *testing.T) {
	t.Parallel()
	service := load(t).Services["breakglass"]
	at := slices.Index(service.Command, "--config")
	if at < 0 || at+1 == len(service.Command) {
		t.Fatalf("the command %v names no configuration", service.Command)
	}
	if len(service.Volumes) != 1 || service.Volumes[0].Target != service.Command[at+1] || !service.Volumes[0].ReadOnly {
		t.Errorf("mounted: %v; read: %s", service.Volumes, service.Command[at+1])
	}
}

// The role that the program runs as is made by the script, and is neither the
// superuser nor the owner.
func TestComposeRunsTheProgramAsARoleOfItsOwn(t *testing.T) {
	t.Parallel()
	project := load(t)
	header, _, _ := strings.Cut(string(content(t, "compose.yaml")), "\nname:")
	script := string(content(t, "postgres-roles.sh"))
	super := *project.Services["postgres"].Environment["POSTGRES_USER"]
	roles := map[string]string{}
	for _, address := range regexp.MustCompile(`(database\w*_url) is postgres://(\w+):`).FindAllStringSubmatch(header, -1) {
		if roles[address[1]] = address[2]; address[2] == super || !strings.Contains(script, "CREATE ROLE "+address[2]+" LOGIN PASSWORD") {
			t.Errorf("%s signs in as %s, which the script does not make", address[1], address[2])
		}
	}
	if len(roles) != 2 || roles["database_url"] == roles["database_migrate_url"] || !strings.Contains(script, "OWNER TO "+roles["database_migrate_url"]) {
		t.Errorf("the roles are %v", roles)
	}
	for _, volume := range project.Services["postgres"].Volumes {
		if strings.HasSuffix(volume.Source, "postgres-roles.sh") && strings.HasPrefix(volume.Target, "/docker-entrypoint-initdb.d/") && volume.ReadOnly {
			return
		}
	}
	t.Error("the image of Postgres is not given the script")
}

func TestComposeTakesEverySecretFromAFile(t *testing.T) {
	t.Parallel()
	// The header of the example lists every variable there is.
	known := regexp.MustCompile(`\b[A-Z]+(_[A-Z]+)+\b`).FindAllString(string(content(t, "breakglass.example.yaml")), -1)
	project := load(t)
	used := map[string]bool{}
	for name, service := range project.Services {
		var given []string
		for _, secret := range service.Secrets {
			given = append(given, secret.Source)
			used[secret.Source] = true
		}
		slices.Sort(given)
		var read []string
		for variable, value := range service.Environment {
			plain, isFile := strings.CutSuffix(variable, "_FILE")
			switch {
			case isFile:
				read = append(read, strings.TrimPrefix(*value, "/run/secrets/"))
			case name == "breakglass":
				t.Errorf("%s stands in the environment itself", variable)
			}
			if name == "breakglass" && !slices.Contains(known, plain) {
				t.Errorf("breakglass knows no variable %s", plain)
			}
		}
		slices.Sort(read)
		if !slices.Equal(given, read) {
			t.Errorf("%s is given the secrets %v and reads %v", name, given, read)
		}
	}
	if declared := slices.Sorted(maps.Keys(project.Secrets)); !slices.Equal(declared, slices.Sorted(maps.Keys(used))) {
		t.Errorf("declared secrets: %v; used: %v", declared, slices.Sorted(maps.Keys(used)))
	}
}
